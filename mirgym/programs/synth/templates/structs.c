//: 3
$P->id = $e;
//: 4
struct record *$m1 = $P;
$m1->weight += $m1->id;
//: 4
struct record *$m1 = $P;
$m1->kind = (u16)($m1->kind * $ku + $e);
//: 6
struct record $m1 = *$P;
$m1.tag[$k & 7] ^= (u8)$e;
*$P = $m1;
//: 5
struct record *$m1 = $P, *$m2 = $P;
$v += $m1->id > $m2->id ? $m1->kind : $m2->kind;
//: 4
$w += $P->weight ^ $P->id;
//: 4
struct record *$m1 = $P;
$m1->delta = (int)($m1->kind % 100) - 50;
//: 4
$v ^= (u32)($P->delta * 3) + $P->tag[$k & 7];
//: 20
u32 $m1 = 0;
for (u32 $i1 = 0; $i1 < 16u; $i1++) $m1 += records[$i1].kind & $ku;
$v += $m1;
//: 20
struct record *$m1 = &records[0];
for (u32 $i1 = 1; $i1 < 16u; $i1++)
  if (records[$i1].weight > $m1->weight) $m1 = &records[$i1];
$m1->id ^= $v1;
//: 6
struct $m2 { u32 first, second; } $m1 = {$e, $e};
if ($m1.first > $m1.second) $v = $m1.first - $m1.second;
else $v1 += $m1.second;
