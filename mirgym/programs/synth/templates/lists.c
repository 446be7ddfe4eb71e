//: 12
for (struct node *$i1 = $N; $i1; $i1 = $i1->next) $v1 += $i1->value;
//: 12
for (struct node *$i1 = $N; $i1; $i1 = $i1->next) $i1->value ^= $i1->key + $ku;
//: 14
struct node *$m1 = $N;
while ($m1 && ($m1->key & $ku)) $m1 = $m1->next;
if ($m1) $v = $m1->value;
//: 20
struct node *$m1 = NULL;
while ($h1) {
  struct node *$m2 = $h1->next;
  $h1->next = $m1;
  $m1 = $h1;
  $h1 = $m2;
}
$h1 = $m1;
//: 6
struct node *$m1 = $h1;
if ($m1) {
  $h1 = $m1->next;
  $m1->next = $h2;
  $h2 = $m1;
}
//: 4
struct node *$m1 = $N;
if ($m1 && $m1->next) $m1->value += $m1->next->key;
//: 14
struct node **$m1 = &$h1;
while (*$m1 && (*$m1)->value < $v1) $m1 = &(*$m1)->next;
if (*$m1) (*$m1)->value -= $ku;
//: 12
struct node *$m1 = $N;
u32 $m2 = 0;
while ($m1) $m2 = $m2 * 5u + $m1->key, $m1 = $m1->next;
$v ^= $m2;
//: 20
struct tree *$m1 = root;
u32 $m2 = $e & 1023u;
while ($m1 && $m1->key != $m2) $m1 = $m2 < $m1->key ? $m1->left : $m1->right;
$v += $m1 ? $m1->count++ : $ku;
//: 24
struct tree **$m1 = &root;
u32 $m2 = $e & 1023u;
while (*$m1 && (*$m1)->key != $m2) $m1 = $m2 < (*$m1)->key ? &(*$m1)->left : &(*$m1)->right;
if (!*$m1 && planted < 63u) {
  *$m1 = &trees[planted++];
  (*$m1)->key = $m2;
}
//: 16
struct tree *$m1 = root;
while ($m1 && $m1->left) $m1 = $m1->left;
if ($m1) $v ^= $m1->key;
//: 40
struct node *$m1 = NULL;
for (u32 $i1 = 0; $i1 < 6u; $i1++) {
  struct node *$m2 = malloc(sizeof(*$m2));
  if (!$m2) break;
  $m2->value = $v1 + $i1;
  $m2->next = $m1;
  $m1 = $m2;
}
while ($m1) {
  struct node *$m2 = $m1->next;
  $v1 ^= $m1->value << 1;
  free($m1);
  $m1 = $m2;
}
