//: 2
if (($e & 63u) == $ku) return $e;
//: 3
if ($e == $K) return $v1 ^ $ku;
//: 3
if (($e & 31u) == $ku && $c) return $e;
//: 2 loop
if (($e & 31u) == $ku) break;
//: 2 loop
if (($e & 7u) == $ku % 8u) continue;
//: 3 loop
if ($c && ($e & 15u) == $ku) break;
