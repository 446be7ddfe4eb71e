//: 10
static u32 $f1(u32 x, u32 y) { return x $o y * $K; }
static u32 $f2(u32 x, u32 y) { return (x $o y) >> $k; }
static u32 $f3(u32 x, u32 y) { return x > y ? x - y : y $o $K; }
static u32 (*const $t1[4])(u32, u32) = {$f1, $f2, $f3, $f1};
//=
$v = $t1[$e & 3u]($e, $e);
//: 8
static u32 $f1(u32 x) { return x $o $K; }
static u32 $f2(u32 x) { return (x << $k) $o $ku; }
static u32 (*$t1)(u32) = $f1;
//=
$t1 = ($e & 1u) ? $f1 : $f2;
$v = $t1($e);
//: 30
static u32 $f1(u32 x, u32 y) { return (x $o y) + $ku; }
static u32 $f2(u32 x, u32 y) { return x < y ? x : y; }
static u32 $f3(u32 (*step)(u32, u32), const u32 *t, u32 x) {
  for (u32 i = 0; i < 8u; i++) x = step(x, t[i]);
  return x;
}
//=
$v = $f3($c ? $f1 : $f2, $a, $e);
//: 30
static void $f1(u32 *x) { *x $o= $K; }
static void $f2(u32 *x) { *x = *x * 5u $o $ku; }
static void (*const $t1[2])(u32 *) = {$f1, $f2};
//=
$t1[$e & 1u](&$a[$j]);
//: 12
static u32 $f1(const u32 *x) { return *x $o $K; }
static u32 $f2(const u32 *x) { return *x >> $k; }
struct $t2 { u32 (*get)(const u32 *); const u32 *from; };
//=
struct $t2 $m1 = {$c ? $f1 : $f2, &$a[$j]};
$v += $m1.get($m1.from);
