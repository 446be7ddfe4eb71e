// Small matrices in one array, row by row.
//: matrix-vector grid
for (int i = 0; i < W; i++) {
  T sum = 0;
  for (int j = 0; j < W; j++) sum += b[i * W + j] * c[j];
  a[i] = sum;
}
return a[1];
//: matrix-product grid
for (int i = 0; i < W; i++)
  for (int j = 0; j < W; j++) {
    T sum = 0;
    for (int k = 0; k < W; k++) sum += b[i * W + k] * c[k * W + j];
    a[i * W + j] = sum;
  }
return a[W + 1];
//: row-product grid
for (int i = 0; i < W * W; i++) a[i] = 0;
for (int i = 0; i < W; i++)
  for (int k = 0; k < W; k++)
    for (int j = 0; j < W; j++) a[i * W + j] += b[i * W + k] * c[k * W + j];
return a[W];
//: transpose grid
for (int i = 0; i < W; i++)
  for (int j = 0; j < W; j++) a[j * W + i] = b[i * W + j];
return a[2];
//: outer-product grid
for (int i = 0; i < W; i++)
  for (int j = 0; j < W; j++) a[i * W + j] = b[i] * c[j];
return a[W + 2];
//: column-sums grid
for (int j = 0; j < W; j++) {
  T sum = 0;
  for (int i = 0; i < W; i++) sum += b[i * W + j];
  a[j] = sum;
}
return a[W - 1];
//: triangle grid
T sum = 0;
for (int i = 0; i < W; i++)
  for (int j = 0; j <= i; j++) sum += b[i * W + j];
return sum;
