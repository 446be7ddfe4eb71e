//: 40
for (const char *$i1 = $s; *$i1; $i1++) $v1 = $v1 * 33u + (u8)*$i1;
//: 40
for (char *$i1 = $s; *$i1; $i1++)
  if (*$i1 >= 'a' && *$i1 <= 'z' && ($v1 & 1u)) *$i1 = (char)(*$i1 - 32);
//: 40
for (char *$i1 = $s; *$i1; $i1++)
  if (*$i1 >= 'A' && *$i1 <= 'Z') *$i1 = (char)(*$i1 + 32);
//: 30
u32 $m1 = 0;
for (const char *$i1 = $s; *$i1; $i1++) $m1 += *$i1 == 'e' || *$i1 == 'a';
$v += $m1;
//: 4
$s[$e & 15u] = (char)('a' + $e % 26u);
//: 20
char *$m1 = $s1, *$m2 = $m1 + strlen($m1);
while ($m1 < $m2) {
  char $m3 = *$m1;
  *$m1++ = *--$m2;
  *$m2 = $m3;
}
//: 24
u32 $m1 = 0;
while ($s1[$m1] && $s1[$m1] == $s2[$m1]) $m1++;
$v += $m1 + (u32)($s1[$m1] > $s2[$m1]);
//: 40
u32 $m1 = $e;
char $m2[12];
u32 $m3 = 0;
do {
  $m2[$m3++] = (char)('0' + $m1 % 10u);
  $m1 /= 10u;
} while ($m1);
while ($m3 > 0) $v1 = $v1 * 7u + (u32)$m2[--$m3];
//: 30
u32 $m1 = 0, $m2 = 0;
for (const char *$i1 = $s; *$i1; $i1++) {
  if (*$i1 == ' ') $m2 = 0;
  else if (!$m2) $m2 = 1, $m1++;
}
$v ^= $m1;
//: 30
u32 $m1 = 0;
for (const char *$i1 = $s; *$i1; $i1++)
  if (*$i1 >= '0' && *$i1 <= '9') $m1 = $m1 * 10u + (u32)(*$i1 - '0');
$v += $m1;
//: 8
const char *$m1 = strchr($s1, (int)('a' + $e % 26u));
$v += $m1 ? (u32)($m1 - $s1) : $ku;
//: 12
$v += (u32)(strcmp($s1, $s2) < 0);
//: 40
u8 $m1 = (u8)$e;
for (char *$i1 = $s; *$i1; $i1++)
  if (*$i1 >= 'a' && *$i1 <= 'z') *$i1 = (char)('a' + (*$i1 - 'a' + $m1) % 26);
