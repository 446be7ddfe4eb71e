//: 4 12
u32 $m1 = $e & 0xfffu;
while ($m1 > $ku) {
  $m1 >>= 1;
  $B
}
//: 4
u32 $m1 = $n;
while ($m1-- > 0) {
  $B
}
//: 4
u32 $m1 = $n;
do {
  $m1--;
  $B
} while ($m1 > 0 && $m1 < LEN);
//: 60
u32 $m1 = ($e & 0xffffu) + 1u, $m2 = ($e & 0xffffu) + 1u;
while ($m2) {
  u32 $m3 = $m1 % $m2;
  $m1 = $m2;
  $m2 = $m3;
}
$v += $m1;
//: 60
u32 $m1 = ($e & 255u) + 1u, $m2 = 0;
while ($m1 != 1u && $m2 < 40u) $m1 = ($m1 & 1u) ? 3u * $m1 + 1u : $m1 / 2u, $m2++;
$v ^= $m2;
//: 30
u32 $m1 = $e, $m2 = 0;
while ($m1) $m1 &= $m1 - 1u, $m2++;
$v += $m2;
//: 50
u32 $m1 = 0, $m2 = LEN;
while ($m1 < $m2) {
  u32 $m3 = ($m1 + $m2) / 2u;
  if ($a1[$m3 & MASK] < $v1) $m1 = $m3 + 1u;
  else $m2 = $m3;
}
$v = $m1;
