//: 8
memcpy($A1, $D1, sizeof($A1));
//: 8
memcpy($D1, $A1, LEN / 2u * sizeof(u32));
//: 6
memset($y1, (int)($e & 0xffu), LEN);
//: 8
memmove($a1 + 1, $a1, (LEN - 1u) * sizeof(u32));
//: 8
memmove($y1, $y1 + $k % 4, LEN - 8u);
//: 6
$v += (u32)strlen($s);
//: 6
$v ^= (u32)(memcmp($y1, $y2, LEN) > 0);
//: 5
u32 $m1;
memcpy(&$m1, $y1 + ($e & 7u), sizeof($m1));
$v += $m1;
//: 5
u64 $m1 = $w1 + $e;
memcpy($y1 + $k, &$m1, sizeof($m1));
//: 12
u32 *$m1 = malloc(LEN * sizeof(u32));
if ($m1) {
  memcpy($m1, $a1, LEN * sizeof(u32));
  $v1 += $m1[$j];
  free($m1);
}
//: 8
u32 $m1[8];
memset($m1, 0, sizeof($m1));
$m1[$e & 7u] = $e;
$v ^= $m1[$e & 7u] + $m1[0];
//: 10
const void *$m1 = memchr($y1, (int)($e & 0xffu), LEN);
if ($m1) $v += $ku;
