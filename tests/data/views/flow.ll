; Control flow and memory order: irreducible loops, unreachable and repeated blocks.
define i32 @irreducible(i32 %n, i1 %c) {
  br i1 %c, label %left, label %right

left:
  %x = phi i32 [ %n, %0 ], [ %y.next, %right ], [ %x, %left ]
  %x.next = add i32 %x, -3
  %x.done = icmp slt i32 %x.next, 0
  br i1 %x.done, label %left, label %right

right:
  %y = phi i32 [ 1, %0 ], [ %x.next, %left ]
  %y.next = lshr i32 %y, 1
  %y.done = icmp ule i32 %y.next, 4
  br i1 %y.done, label %left, label %out

out:
  ret i32 %y.next
}

define void @unreachable() {
  unreachable

dead:
  %self = add i32 %self, %later
  %later = mul i32 %self, 2
  br label %dead

more:
  %none = phi i32 [ poison, %more ], [ 0, %dead3 ], [ 0, %dead3 ]
  br label %more

dead2:
  %ahead = sub i32 %none, 0
  switch i32 %ahead, label %dead [
  ]

dead3:
  %nothing = freeze i64 0
  br i1 undef, label %more, label %more
}

define i32 @switches(i8 %b, i1 %c, ptr %a) {
entry:
  switch i8 %b, label %other [
    i8 0, label %zero
    i8 -1, label %minus
    i8 65, label %zero
    i8 66, label %zero
    i8 67, label %zero
    i8 68, label %minus
    i8 69, label %other
    i8 70, label %minus
    i8 71, label %zero
  ]

zero:
  %z = phi i32 [ 1, %entry ], [ 1, %entry ], [ 1, %entry ], [ 1, %entry ], [ 1, %entry ]
  ret i32 %z

minus:
  switch i1 %c, label %other [
    i1 true, label %goto
  ]

goto:
  indirectbr ptr %a, [label %zero2, label %minus, label %zero2]

zero2:
  br i1 %c, label %goto, label %end

other:
  %o = select i1 %c, i32 2, i32 3
  br label %end

end:
  %e = phi i32 [ %o, %other ], [ 0, %zero2 ]
  ret i32 %e
}

define i64 @memory(ptr %p, i64 %v, double %d, ...) {
  %room = alloca i8, i64 %v, align 16
  %one = alloca i64, align 8
  %some = alloca [3 x i16], i32 1, align 2
  %far = alloca i32, align 4, addrspace(5)
  %a = load atomic i64, ptr %p acquire, align 8
  %b = load atomic volatile i64, ptr %p syncscope("singlethread") seq_cst, align 8
  store atomic i64 %a, ptr %one release, align 8
  store atomic volatile i64 %b, ptr %one monotonic, align 8
  store volatile i64 %b, ptr %p, align 8
  fence syncscope("singlethread") acquire
  fence seq_cst
  %c = cmpxchg ptr %p, i64 %a, i64 %b acq_rel monotonic, align 8
  %e = cmpxchg weak volatile ptr %p, ptr null, ptr %p seq_cst seq_cst, align 8
  %f = extractvalue { i64, i1 } %c, 0
  %g = atomicrmw xchg ptr %p, i64 %f acq_rel, align 8
  %h = atomicrmw volatile umax ptr %p, i64 %g syncscope("agent") monotonic, align 8
  %i = atomicrmw fadd ptr %p, double %d seq_cst, align 8
  %j = atomicrmw nand ptr %p, i64 %h seq_cst, align 8
  %k = atomicrmw uinc_wrap ptr %p, i64 %j seq_cst, align 8
  %l = atomicrmw usub_sat ptr %p, i64 %k seq_cst, align 8
  %list = alloca [24 x i8], align 8
  call void @llvm.va_start.p0(ptr %list)
  %m = va_arg ptr %list, i64
  %deep = extractvalue [2 x { i32, [3 x { i8, i64 }] }] zeroinitializer, 1, 1, 2, 1
  %n = insertvalue { i64, [2 x i64] } undef, i64 %m, 1, 0
  %o = extractvalue { i64, [2 x i64] } %n, 1
  %u1 = add i64 %m, %m
  %u2 = add i64 %m, %m
  %u3 = add i64 %m, %m
  %u4 = add i64 %u3, %u3
  %u5 = add i64 %u4, %deep
  store i32 0, ptr addrspace(5) %far, align 4
  store [2 x i64] %o, ptr %some, align 8
  ret i64 %u5
}

declare void @llvm.va_start.p0(ptr)

declare i32 @never_called(i32)
