//: 2
if ($c) {
  $B
}
//: 2
if ($c) {
  $B
} else {
  $B
}
//: 3
if ($c && $c) {
  $B
}
//: 3
if ($c || $c) {
  $B
} else {
  $B
}
//: 4
if ($c) {
  $B
} else if ($c) {
  $B
} else {
  $B
}
//: 3
$v = $c ? $e : $e;
//: 4
if ($c) $v = $e;
else $v = $e;
//: 3
if (__builtin_expect(($e & 31u) == $ku, 0)) {
  $B
}
