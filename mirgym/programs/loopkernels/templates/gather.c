// Addresses that come from memory.
//: gather any
for (int i = 0; i < n; i++) a[i] = b[ix[i]];
return a[n / 2];
//: scatter any
for (int i = 0; i < n; i++) a[ix[i]] = b[i];
return a[n / 2];
//: gather-dot any
T sum = 0;
for (int i = 0; i < n; i++) sum += b[i] * c[ix[i]];
return sum;
//: histogram integer
for (int i = 0; i < n; i++) a[ix[i]] += 1;
return a[n / 2];
//: gather-where any
for (int i = 0; i < n; i++)
  if (b[i] > 5) a[i] = c[ix[i]];
return a[n / 2];
//: gather-pair any
for (int i = 0; i < n; i++) a[i] = b[ix[i]] + c[ix[i]] * 2;
return a[0];
