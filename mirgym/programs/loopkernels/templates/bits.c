// Single bits of integers.
//: shift-or integer
for (int i = 0; i < n; i++) a[i] = (T)(((U)b[i] << 3) | (c[i] & 7));
return a[0];
//: rotate integer
for (int i = 0; i < n; i++) a[i] = (T)(((U)b[i] << 2) | ((U)b[i] >> (8 * sizeof(T) - 2)));
return a[n - 1];
//: blend integer
for (int i = 0; i < n; i++) a[i] = (b[i] & d[i]) | (c[i] & ~d[i]);
return a[n / 2];
//: population integer
int count = 0;
for (int i = 0; i < n; i++) count += __builtin_popcountll((uint64_t)b[i]);
return (T)count;
//: mix integer
for (int i = 0; i < n; i++) {
  U value = (U)b[i] * 37u;
  value ^= value >> 3;
  a[i] = (T)(value * 101u);
}
return a[n / 2];
//: parity integer
T bits = 0;
for (int i = 0; i < n; i++) {
  U value = (U)b[i];
  value ^= value >> 4;
  value ^= value >> 2;
  bits += (T)((value ^ (value >> 1)) & 1);
}
return bits;
