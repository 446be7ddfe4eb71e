// Elements that do not lie side by side.
//: every-other any
for (int i = 0; i < n / 2; i++) a[i] = b[2 * i];
return a[n / 4];
//: spread any
for (int i = 0; i < n / 2; i++) a[2 * i] = b[i] + c[i];
return a[2];
//: stride-four-sum any
T sum = 0;
for (int i = 0; i < n / 4; i++) sum += b[4 * i];
return sum;
//: complex-product any
for (int i = 0; i < n / 2; i++) {
  a[2 * i] = b[2 * i] * c[2 * i] - b[2 * i + 1] * c[2 * i + 1];
  a[2 * i + 1] = b[2 * i] * c[2 * i + 1] + b[2 * i + 1] * c[2 * i];
}
return a[1];
//: pairs any
for (int i = 0; i < n / 2; i++) a[i] = b[2 * i] + b[2 * i + 1];
return a[0];
//: reverse any
for (int i = 0; i < n; i++) a[i] = b[n - 1 - i] + c[i];
return a[n - 1];
//: three-channels any
for (int i = 0; i < n / 3; i++) a[i] = b[3 * i] + b[3 * i + 1] * 2 + b[3 * i + 2];
return a[n / 6];
