//: 4
$d1 = tame($d1 * 0.5 + $x);
//: 4
$d = tame($x * $x - $x);
//: 6
$d = tame($x / (1.0 + fabs($x)));
//: 5
$d = sqrt(fabs($x));
//: 4
$r[$j] = tame($r[$j] + $x);
//: 5
$d1 = tame($r[$j] * $x + $d1);
//: 6
double $m1 = $x;
$d1 = $m1 > $d1 ? $m1 : $d1 - 0.25;
//: 5
$v += (u32)(int)($x1 * 0.5) + (u32)($x1 > $x);
//: 4
$d = (double)($e & 1023u) * 0.125;
//: 6
double $m1 = 0.0;
for (u32 $i1 = 0; $i1 < $n; $i1++) $m1 += $r1[$i1] * $r2[$i1];
$d = tame($m1);
//: 7
double $m1 = $x;
for (u32 $i1 = 0; $i1 < $n; $i1++) $r1[$i1] = tame($m1 * $r1[$i1] + $r2[$i1]);
//: 8
for (u32 $i1 = 1; $i1 + 1u < $n; $i1++)
  $r1[$i1] = ($r2[$i1 - 1u] + $r2[$i1] + $r2[$i1 + 1u]) * 0.333;
//: 6
double $m1 = $x, $m2 = 1.0;
for (u32 $i1 = 0; $i1 < 6u; $i1++) $m2 = $m2 * $m1 * 0.01 + 0.5;
$d = tame($m2);
//: 5
float $m1 = (float)$x, $m2 = (float)$x;
$d = tame((double)($m1 * $m2 + 0.5f) - (double)$m1);
//: 200
for (u32 $i1 = 0; $i1 < 4u; $i1++)
  for (u32 $i2 = 0; $i2 < 4u; $i2++) {
    double $m1 = 0.0;
    for (u32 $i3 = 0; $i3 < 4u; $i3++) $m1 += $r1[$i1 * 4u + $i3] * $r2[$i3 * 4u + $i2];
    $r1[$i1 * 4u + $i2] = tame($m1);
  }
//: 20
double $m1 = fabs($x) + 1.0, $m2 = $m1;
for (u32 $i1 = 0; $i1 < 5u; $i1++) $m2 = 0.5 * ($m2 + $m1 / $m2);
$d = tame($m2);
