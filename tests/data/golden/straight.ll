; One block: 2 instructions that read memory, an operation with a constant, a return.
define i32 @straight(ptr %p, i64 %n) {
  %a = load i32, ptr %p, align 4
  %b = load i32, ptr %p, align 4
  %c = add nsw i32 %a, 1
  %d = mul i32 %c, %b
  ret i32 %d
}
