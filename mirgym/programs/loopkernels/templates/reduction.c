// One value out of many.
//: sum any
T sum = 0;
for (int i = 0; i < n; i++) sum += b[i];
return sum;
//: dot any
T sum = 0;
for (int i = 0; i < n; i++) sum += b[i] * c[i];
return sum;
//: norm any
T sum = 0;
for (int i = 0; i < n; i++) sum += b[i] * b[i];
return sum;
//: two-sums any
T plus = 0, minus = 0;
for (int i = 0; i < n; i++) {
  plus += b[i] + c[i];
  minus += b[i] - c[i];
}
return plus * 2 + minus;
//: largest any
T most = b[0];
for (int i = 1; i < n; i++) most = b[i] > most ? b[i] : most;
return most;
//: range any
T most = b[0], least = b[0];
for (int i = 1; i < n; i++) {
  if (b[i] > most) most = b[i];
  if (b[i] < least) least = b[i];
}
return most - least;
//: exclusive-or integer
T bits = 0;
for (int i = 0; i < n; i++) bits ^= b[i] + c[i];
return bits;
