// One element of each array after another.
//: copy any
for (int i = 0; i < n; i++) a[i] = b[i];
return a[n / 2];
//: scale any
for (int i = 0; i < n; i++) a[i] = b[i] * 3;
return a[n / 3];
//: saxpy any
for (int i = 0; i < n; i++) a[i] = c[i] + b[i] * 5;
return a[n - 1];
//: triad any
for (int i = 0; i < n; i++) a[i] = b[i] + c[i] * d[i];
return a[0];
//: square-difference any
for (int i = 0; i < n; i++) {
  T difference = b[i] - c[i];
  a[i] = difference * difference;
}
return a[n / 2];
//: three-sums any
for (int i = 0; i < n; i++) a[i] = b[i] + c[i] + d[i] + b[i] * d[i];
return a[1];
//: divide any
for (int i = 0; i < n; i++) a[i] = b[i] / d[i];
return a[n / 4];
