// More than one type of element.
//: widening-sum small
int64_t sum = 0;
for (int i = 0; i < n; i++) sum += b[i];
return (T)(sum ^ (sum >> 7));
//: widening-dot small
int32_t sum = 0;
for (int i = 0; i < n; i++) sum += (int32_t)b[i] * c[i];
return (T)(sum ^ (sum >> 9));
//: average small
for (int i = 0; i < n; i++) a[i] = (T)(((int32_t)b[i] + c[i] + 1) >> 1);
return a[n / 2];
//: from-index any
for (int i = 0; i < n; i++) a[i] = (T)(ix[i] & 31) + b[i];
return a[n / 2];
//: ramp any
for (int i = 0; i < n; i++) a[i] = (T)(i & 63) * b[i];
return a[n / 2];
//: saturate small
for (int i = 0; i < n; i++) {
  int32_t value = (int32_t)b[i] * c[i];
  a[i] = (T)(value > 100 ? 100 : value < -100 ? -100 : value);
}
return a[n / 2];
