//: 40
static u32 $f1(u32 n, u32 x) {
  if (n == 0) return x ^ $K;
  return $f1(n - 1, x * $K + n) + (x >> $k);
}
//=
$v = $f1($e & 15u, $e);
//: 80
static u32 $f1(u32 n, u32 x) {
  if (n < 2) return x + n;
  return $f1(n - 1, x + $ku) ^ $f1(n - 2, x * 3u);
}
//=
$v = $f1($e % 7u, $e);
//: 30
static u32 $f1(u32 x, u32 y) { return y == 0 ? x : $f1(y, x % y); }
//=
$v += $f1($e & 0xffffu, $e & 0xffffu);
//: 60
static u32 $f1(const u32 *t, u32 low, u32 high) {
  if (high - low < 2u) return t[low];
  u32 middle = (low + high) / 2u;
  return $f1(t, low, middle) $o $f1(t, middle, high);
}
//=
$v ^= $f1($a, 0, 16u);
//: 40
static u32 $f2(u32 n, u32 x);
static u32 $f1(u32 n, u32 x) { return n == 0 ? x : $f2(n - 1, x $o $K); }
static u32 $f2(u32 n, u32 x) { return n == 0 ? ~x : $f1(n - 1, (x << 3) $o n); }
//=
$v = $f1($e & 15u, $e);
//: 80
static void $f1(u32 *t, u32 n, u32 x) {
  if (n == 0) return;
  t[n & MASK] $o= x;
  $f1(t, n / 2u, x + $ku);
  $f1(t, n / 3u, x ^ n);
}
//=
$f1($a, $e & 31u, $e);
//: 30
static u32 $f1(u32 x, u32 n) {
  if (n == 0) return 1u;
  u32 half = $f1(x, n / 2u);
  return (n & 1u) ? half * half * x : half * half;
}
//=
$v = $f1($e | 1u, $e & 255u);
