// What is done depends on the element.
//: add-where-greater any
for (int i = 0; i < n; i++)
  if (b[i] > c[i]) a[i] = b[i] + d[i];
return a[n / 2];
//: either any
for (int i = 0; i < n; i++) a[i] = b[i] > 4 ? c[i] * 2 : d[i] - b[i];
return a[n / 2];
//: count any
int count = 0;
for (int i = 0; i < n; i++)
  if (b[i] == c[i]) count++;
return (T)count;
//: sum-where-positive any
T sum = 0;
for (int i = 0; i < n; i++)
  if (b[i] > 0) sum += c[i];
return sum;
//: clip any
for (int i = 0; i < n; i++) {
  T value = b[i] + c[i];
  a[i] = value < 2 ? 2 : value > 20 ? 20 : value;
}
return a[n / 3];
//: absolute-difference any
T sum = 0;
for (int i = 0; i < n; i++) sum += b[i] > c[i] ? b[i] - c[i] : c[i] - b[i];
return sum;
//: two-ways any
for (int i = 0; i < n; i++) {
  if (b[i] > 7) {
    a[i] = b[i] + c[i];
    if (c[i] > 7) a[i] = d[i];
  } else {
    a[i] = b[i] - c[i];
  }
}
return a[0];
