// Neighbours of an element.
//: three-point any
for (int i = 1; i < n - 1; i++) a[i] = b[i - 1] + b[i] * 2 + b[i + 1];
return a[1];
//: five-point any
for (int i = 2; i < n - 2; i++)
  a[i] = b[i - 2] + b[i - 1] * 4 + b[i] * 6 + b[i + 1] * 4 + b[i + 2];
return a[n / 2];
//: difference any
for (int i = 0; i < n - 1; i++) a[i] = b[i + 1] - b[i];
return a[0];
//: window any
for (int i = 0; i < n - 8; i++) {
  T sum = 0;
  for (int k = 0; k < 8; k++) sum += b[i + k];
  a[i] = sum;
}
return a[n - 9];
//: plane grid
for (int i = 1; i < W - 1; i++)
  for (int j = 1; j < W - 1; j++)
    a[i * W + j] = b[i * W + j] * 4 - b[(i - 1) * W + j] - b[(i + 1) * W + j] -
                   b[i * W + j - 1] - b[i * W + j + 1];
return a[W + 1];
//: convolution any
for (int i = 0; i < n - 16; i++) {
  T sum = 0;
  for (int k = 0; k < 16; k++) sum += b[i + k] * c[k];
  a[i] = sum;
}
return a[0];
