; Vectors, floating point, atomics, freeze, bundles; constants inside aggregates do not count.
@g = external global i32

declare i64 @llvm.ctpop.i64(i64)
declare void @llvm.assume(i1)
declare i32 @printf(ptr, ...)

define double @mixed(<4 x i32> %v, double %d, ptr %p, i1 %c) {
  %sum = add <4 x i32> %v, <i32 1, i32 0, i32 32, i32 64>
  %twice = add <4 x i32> %sum, splat (i32 1)
  %lane = extractelement <4 x i32> %twice, i64 1
  %changed = insertelement <4 x i32> %twice, i32 1, i32 0
  %mixed = shufflevector <4 x i32> %changed, <4 x i32> zeroinitializer, <4 x i32> <i32 0, i32 5, i32 1, i32 7>
  %whole = bitcast <4 x i32> %mixed to i128
  %low = trunc i128 %whole to i64
  %bits = call i64 @llvm.ctpop.i64(i64 %low)
  call void @llvm.assume(i1 true) [ "align"(ptr %p, i64 8) ]
  %printed = call i32 (ptr, ...) @printf(ptr nonnull %p, i32 noundef 1, double 0x3FF3C0CA428C59FB)
  %old = atomicrmw add ptr @g, i32 1 seq_cst, align 4
  %pair = cmpxchg ptr @g, i32 0, i32 1 acq_rel monotonic, align 4
  fence release
  %pointer = inttoptr i64 %bits to ptr
  %chosen = select i1 %c, i64 1, i64 0
  %frozen = freeze i64 %chosen
  %negative = fneg fast double %d
  %small = fcmp olt double %negative, 1.000000e+00
  %real = uitofp i64 %frozen to double
  %product = fmul double %real, %negative
  %indirect = call i32 %pointer(i32 %lane)
  %masked = and i32 %indirect, ptrtoint (ptr @g to i32)
  store volatile i32 %masked, ptr getelementptr (i8, ptr @g, i64 4), align 4
  ret double %product
}
