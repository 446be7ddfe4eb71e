//: 3
switch ($e & 3u) {
  case 0: {
    $B
  } break;
  case 1: {
    $B
  } break;
  case 2: $v = $e; break;
  default: $v1 ^= $K;
}
//: 3
switch ($e % 7u) {
  case 0: $v += $ku; break;
  case 1: $v = $e; break;
  case 2: $v1 ^= $K; break;
  case 3: {
    $B
  }
  case 4: $v -= $e; break;
  case 5: $v1 = $v1 >> $k; break;
  default: $v = $e;
}
//: 4
switch ($e & 0xffu) {
  case 3: $v += $e; break;
  case 17: {
    $B
  } break;
  case 90: case 91: $v = $e; break;
  case 200: $v1 ^= $e; break;
  default: $v++;
}
//: 4
static const u32 $m1[8] = {$K, $K, $K, $K, $K, $K, $K, $K};
switch ($m1[$e & 7u] & 3u) {
  case 0: $v = $m1[$v1 & 7u]; break;
  case 1: $v1 += $e; break;
  default: {
    $B
  }
}
//: 8
for (u32 $i1 = 0, $m1 = $e & 3u; $i1 < $n; $i1++) {
  switch ($m1) {
    case 0: $m1 = ($v1 & 1u) ? 1u : 2u; break;
    case 1: $v1 += $ku; $m1 = 2u + ($i1 & 1u); break;
    case 2: $v1 ^= $K; $m1 = 3u; break;
    default: $v1 >>= 1; $m1 = 0;
  }
}
//: 3
switch ($e % 5u) {
  case 0: $v = 11u; break;
  case 1: $v = 29u; break;
  case 2: $v = 5u; break;
  case 3: $v = 97u; break;
  default: $v = 60u;
}
