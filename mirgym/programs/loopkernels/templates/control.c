// Loops of unusual shapes.
//: invariant-choice any
int twice = c[0] > 3;
for (int i = 0; i < n; i++) a[i] = twice ? b[i] * 2 : b[i] + d[i];
return a[n / 2];
//: backwards any
for (int i = n - 1; i >= 0; i--) a[i] = b[i] + c[i] * 2;
return a[0];
//: two-loops any
for (int i = 0; i < n; i++) a[i] = b[i] + c[i];
for (int i = 0; i < n; i++) a[i] = a[i] * d[i];
return a[n / 2];
//: polynomial any
for (int i = 0; i < n; i++) {
  T x = HALF(b[i]);
  a[i] = (((x + 3) * x - 1) * x + 2) * x + 1;
}
return a[n / 2];
//: nested-sums any
for (int i = 0; i < n / 16; i++) {
  T sum = 0;
  for (int k = 0; k < 16; k++) sum += b[i * 16 + k];
  a[i] = sum;
}
return a[0];
//: unknown-steps any
for (int i = 0; i < n; i += ix[i] % 3 + 1) a[i] = b[i] + c[i];
return a[n / 2];
//: while any
int i = 0;
while (i < n) {
  a[i] = b[i] - c[i];
  i++;
}
return a[n / 2];
