; Constants, types and flags; the results are thrown away.
define void @integers(ptr %p, i1 %c, i32 %x) {
  store i1 true, ptr %p, align 1
  store i1 false, ptr %p, align 1
  store i8 -128, ptr %p, align 1
  store i32 -1, ptr %p, align 4
  store i32 2, ptr %p, align 4
  store i32 3, ptr %p, align 4
  store i32 5, ptr %p, align 4
  store i32 -7, ptr %p, align 4
  store i37 1000000007, ptr %p, align 8
  store i64 9223372036854775807, ptr %p, align 8
  store i64 -9223372036854775808, ptr %p, align 8
  store i128 -9223372036854775808, ptr %p, align 16
  store i128 9223372036854775808, ptr %p, align 16
  store i200 -1, ptr %p, align 16
  store i32 undef, ptr %p, align 4
  store i32 poison, ptr %p, align 4
  store ptr null, ptr %p, align 8
  store ptr addrspace(3) null, ptr %p, align 8
  store [2 x i8] c"ab", ptr %p, align 1
  store [9 x i32] zeroinitializer, ptr %p, align 4
  store [65 x [2 x i8]] zeroinitializer, ptr %p, align 1
  store [2000 x ptr] zeroinitializer, ptr %p, align 8
  store [3 x { i8 }] [{ i8 } { i8 1 }, { i8 } undef, { i8 } zeroinitializer], ptr %p, align 1
  store <{ i8, i32 }> <{ i8 1, i32 2 }>, ptr %p, align 1
  store {} zeroinitializer, ptr %p, align 1
  store { i1, i8, i16, i32, i64, half, ptr, i8, i8 } zeroinitializer, ptr %p, align 8
  store [2 x ptr] [ptr @reals, ptr null], ptr %p, align 8
  ret void
}

define i64 @flags(i32 %x, i64 %y, float %f, double %d, ptr %p, i1 %c, i16 %s) {
  %a = add nuw i32 %x, 1
  %b = sub nsw i32 %a, %x
  %m = mul nuw nsw i32 %b, -10
  %l = shl nsw i32 %m, 3
  %e = sdiv exact i32 %l, 4
  %r = lshr exact i32 %e, 1
  %t = ashr i32 %r, 1
  %o = or disjoint i32 %t, 64
  %z = zext nneg i32 %o to i64
  %n = trunc nuw nsw i64 %z to i16
  %q = icmp samesign ult i16 %n, %s
  %u = uitofp nneg i16 %n to float
  %v = uitofp i16 %n to float
  %w = fadd fast float %u, 1.5
  %k = fmul nnan ninf float %w, %v
  %h = fneg nsz float %k
  %i = fcmp fast ole float %h, %f
  %j = fcmp true double %d, 0x7FF8000000000000
  %s1 = select contract i1 %i, float %h, float %k
  %s2 = select i1 %j, i64 %z, i64 %y
  %c1 = call reassoc float @llvm.fabs.f32(float %s1)
  %g1 = getelementptr i8, ptr %p, i64 %s2
  %g2 = getelementptr nusw i8, ptr %g1, i64 1
  %g3 = getelementptr nusw nuw [4 x { i8, i64 }], ptr %g2, i64 1, i64 2, i32 1
  %g4 = getelementptr inbounds float, ptr %g3, i64 -8
  %l1 = load volatile float, ptr %g4, align 4
  %p1 = fptrunc nnan double %d to float
  %p2 = fpext fast float %p1 to double
  %x1 = fptosi float %l1 to i64
  %x2 = fptoui double %p2 to i64
  %x3 = sitofp i64 %x1 to double
  %x4 = bitcast double %x3 to i64
  %x5 = ptrtoint ptr %g4 to i64
  %x6 = inttoptr i64 %x5 to ptr
  %x7 = addrspacecast ptr %x6 to ptr addrspace(2)
  %x8 = ptrtoaddr ptr addrspace(2) %x7 to i64
  %x9 = freeze i64 %x8
  %y1 = urem i64 %x9, %x4
  %y2 = srem i64 %y1, %x2
  %y3 = frem double %p2, %x3
  %y4 = fdiv arcp double %y3, -2.0
  %y5 = fsub afn double %y4, %d
  %y6 = fptosi double %y5 to i64
  %y7 = xor i64 %y6, %y2
  %y8 = and i64 %y7, -256
  %y9 = sext i1 %q to i64
  %z1 = udiv exact i64 %y8, %y9
  ret i64 %z1
}

declare float @llvm.fabs.f32(float)

define void @reals(ptr %p) {
  store float 0.0, ptr %p, align 4
  store float -0.0, ptr %p, align 4
  store float 0x3FB99999A0000000, ptr %p, align 4
  store float 0x36A0000000000000, ptr %p, align 4
  store float 0x7FF0000000000000, ptr %p, align 4
  store float 0xFFF0000000000000, ptr %p, align 4
  store float 0x7FF8000000000000, ptr %p, align 4
  store double 0x7FF0000000000001, ptr %p, align 8
  store double 0xFFF8000000000002, ptr %p, align 8
  store double 0x3FF3C0CA428C59FB, ptr %p, align 8
  store double -1.0e300, ptr %p, align 8
  store double 4.9e-324, ptr %p, align 8
  store double 0.75, ptr %p, align 8
  store double 1.5, ptr %p, align 8
  store double 1.75, ptr %p, align 8
  store double -1024.0, ptr %p, align 8
  store half 0xH3C00, ptr %p, align 2
  store half 0xH8000, ptr %p, align 2
  store half 0xH7C00, ptr %p, align 2
  store bfloat 0xR3F80, ptr %p, align 2
  store x86_fp80 0xK3FFF8000000000000000, ptr %p, align 16
  store x86_fp80 0xK00000000000000000000, ptr %p, align 16
  store fp128 0xL00000000000000003FFF000000000000, ptr %p, align 16
  store ppc_fp128 0xM3FF00000000000000000000000000000, ptr %p, align 16
  store [2 x double] [double 0.0, double 1.0], ptr %p, align 8
  ret void
}

define <4 x i32> @vectors(<4 x i32> %v, <4 x float> %f, <vscale x 4 x i32> %s, <8 x ptr> %q, <3 x i24> %odd, <64 x i8> %wide, i32 %x, ptr %p) {
  %a = add <4 x i32> %v, splat (i32 7)
  %b = add <4 x i32> %a, <i32 1, i32 2, i32 3, i32 4>
  %c = add <4 x i32> %b, <i32 1, i32 poison, i32 1, i32 1>
  %d = icmp eq <4 x i32> %c, zeroinitializer
  %e = select <4 x i1> %d, <4 x i32> %a, <4 x i32> splat (i32 -1)
  %g = shufflevector <4 x i32> %e, <4 x i32> poison, <2 x i32> <i32 3, i32 poison>
  %h = extractelement <2 x i32> %g, i64 1
  %i = insertelement <4 x i32> poison, i32 %h, i32 %x
  %j = shufflevector <4 x i32> %i, <4 x i32> poison, <4 x i32> zeroinitializer
  %k = fadd nsz <4 x float> %f, splat (float -0.0)
  %l = fcmp uno <4 x float> %k, splat (float 2.5)
  %m = add <vscale x 4 x i32> %s, splat (i32 5)
  %n = sub <vscale x 4 x i32> %m, zeroinitializer
  %o = getelementptr i32, <8 x ptr> %q, i64 2
  %r = getelementptr i32, ptr %p, <4 x i32> %j
  store <8 x ptr> %o, ptr %p, align 64
  store <4 x ptr> %r, ptr %p, align 32
  store <4 x ptr> splat (ptr null), ptr %p, align 32
  store <4 x ptr> zeroinitializer, ptr %p, align 32
  store <2 x float> <float 0.0, float 0.0>, ptr %p, align 8
  store <2 x i8> splat (i8 poison), ptr %p, align 2
  store <2 x ptr> splat (ptr @vectors), ptr %p, align 16
  store <2 x i64> splat (i64 ptrtoint (ptr @vectors to i64)), ptr %p, align 16
  store <1 x i1> splat (i1 true), ptr %p, align 1
  store <vscale x 4 x i32> %n, ptr %p, align 16
  store <3 x i24> %odd, ptr %p, align 16
  %t = bitcast <64 x i8> %wide to <128 x i4>
  store <128 x i4> %t, ptr %p, align 64
  %u = zext <4 x i1> %l to <4 x i32>
  %w = xor <4 x i32> %u, %j
  ret <4 x i32> %w
}
