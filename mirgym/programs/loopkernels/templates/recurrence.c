// An iteration needs one before it.
//: prefix-sum any
a[0] = b[0];
for (int i = 1; i < n; i++) a[i] = a[i - 1] + b[i];
return a[n - 1];
//: running-largest any
T most = b[0];
for (int i = 0; i < n; i++) {
  if (b[i] > most) most = b[i];
  a[i] = most;
}
return most;
//: four-back any
for (int i = 4; i < n; i++) a[i] = HALF(a[i - 4]) + b[i];
return a[n - 1];
//: sixteen-back any
for (int i = 16; i < n; i++) a[i] = HALF(a[i - 16]) + b[i];
return a[n - 1];
//: filter any
T state = 0;
for (int i = 0; i < n; i++) {
  state = HALF(state) + b[i];
  a[i] = state;
}
return state;
//: previous any
T before = b[n - 1];
for (int i = 0; i < n; i++) {
  a[i] = b[i] + before;
  before = b[i];
}
return before;
//: ahead any
for (int i = 0; i < n - 1; i++) a[i] = HALF(a[i + 1]) + b[i];
return a[0];
