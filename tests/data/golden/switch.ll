; Case values count as constants, as in LLVM 10, and an edge for each case.
@table = internal global [4 x ptr] [ptr blockaddress(@jump, %a), ptr blockaddress(@jump, %b), ptr null, ptr null]

define i64 @pick(i64 %x) {
  switch i64 %x, label %other [
    i64 0, label %zero
    i64 1, label %one
    i64 64, label %one
  ]

zero:
  ret i64 32

one:
  %doubled = shl i64 %x, 1
  ret i64 %doubled

other:
  unreachable
}

define void @jump(i64 %i) {
  %slot = getelementptr inbounds [4 x ptr], ptr @table, i64 0, i64 %i
  %to = load ptr, ptr %slot, align 8
  indirectbr ptr %to, [label %a, label %b]

a:
  ret void

b:
  ret void
}
