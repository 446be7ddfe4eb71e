; Whatever can be called, globals of every kind as operands, invokes, inline assembly.
%opaque = type opaque
%"a pair" = type { i32, ptr }
%nested = type { %"a pair", [3 x %"a pair"], <{ i8, i16 }> }

@plain = global i32 1
@frozen = constant [5 x i8] c"a\22b\00c"
@local = thread_local(initialexec) global i64 0
@elsewhere = external addrspace(1) global %opaque
@nested = internal global %nested zeroinitializer
@other = alias i32, ptr @plain
@same = alias i32 (i32), ptr @defined
@lazy = ifunc i32 (i32), ptr @resolve
@"a name\22 with quotes" = external global i8

declare i32 @__gxx_personality_v0(...)
declare void @may_throw(i32, ptr)
declare i32 @printf(ptr, ...)
declare void @"odd name"(ptr sret(%nested) align 8)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1 immarg)
declare <4 x i32> @llvm.smax.v4i32(<4 x i32>, <4 x i32>)
declare { i32, i1 } @llvm.sadd.with.overflow.i32(i32, i32)
declare i64 @llvm.read_register.i64(metadata)
declare void @llvm.assume(i1)

define ptr @resolve() {
  ret ptr @defined
}

define i32 @defined(i32 %n) {
  %less = sub i32 %n, 1
  %again = call i32 @defined(i32 %less)
  ret i32 %again
}

define linkonce_odr i64 @calls(ptr %f, i32 %a, i32, i32 %c, i32 %d, i32 %e, i32 %g, i32 %h, i32 %i, i32 %j, i32 %k, i32 %l, i32 %m, i32 %n, i32 %o, i32 %p, ptr addrspace(1) %q, <4 x i32> %v) {
  %result = alloca %nested, align 8
  %first = tail call i32 @defined(i32 %a)
  %second = call i32 @defined(i32 %0)
  %third = call i32 %f(i32 %first, i32 %second, i32 %o, i32 %p)
  %fourth = call i32 @same(i32 4)
  %fifth = call i32 @lazy(i32 5)
  %sixth = call i32 (ptr, ...) @printf(ptr @frozen, i32 %third, i32 %fourth, i32 %fifth, i32 6, i32 7, i32 8, i32 9, i32 10)
  call void @"odd name"(ptr sret(%nested) align 8 %result)
  call void @llvm.memcpy.p0.p0.i64(ptr %result, ptr @nested, i64 56, i1 false)
  %top = call <4 x i32> @llvm.smax.v4i32(<4 x i32> %v, <4 x i32> splat (i32 -3))
  %sum = call { i32, i1 } @llvm.sadd.with.overflow.i32(i32 %sixth, i32 -1)
  %over = extractvalue { i32, i1 } %sum, 1
  call void @llvm.assume(i1 true) [ "align"(ptr %f, i64 16), "nonnull"(ptr %f) ]
  call void @llvm.assume(i1 %over)
  %register = call i64 @llvm.read_register.i64(metadata !0)
  %rotated = call i32 asm "rorl $$3, $0", "=r,0,~{cc}"(i32 %second)
  %twice = call i32 asm "rorl $$3, $0", "=r,0,~{cc}"(i32 %rotated)
  call void asm sideeffect "", "r,~{memory}"(i32 %twice)
  call void asm sideeffect alignstack inteldialect "nop", ""()
  %whole = call { i32, i64 } asm "cpuid", "={ax},={bx},{ax}"(i32 7)
  %high = extractvalue { i32, i64 } %whole, 1
  call void null(ptr @defined, ptr @printf)
  call void inttoptr (i64 4096 to ptr)(ptr @plain, ptr @other, ptr @local, ptr @"a name\22 with quotes", ptr @nested)
  store ptr @defined, ptr %result, align 8
  store ptr @resolve, ptr %result, align 8
  %chosen = call ptr @resolve()
  store ptr addrspace(1) @elsewhere, ptr %result, align 8
  store i64 ptrtoint (ptr getelementptr inbounds (%nested, ptr @nested, i64 0, i32 1, i64 2) to i64), ptr %result, align 8
  store ptr getelementptr inbounds nuw (i8, ptr @frozen, i64 2), ptr %result, align 8
  store ptr blockaddress(@guarded, %pad), ptr %result, align 8
  store ptr dso_local_equivalent @defined, ptr %result, align 8
  store ptr no_cfi @defined, ptr %result, align 8
  %all = add nsw i64 %high, %register
  ret i64 %all
}

define i32 @guarded(ptr %p) personality ptr @__gxx_personality_v0 {
start:
  invoke void @may_throw(i32 7, ptr %p)
          to label %fine unwind label %pad

fine:
  %value = invoke i32 %p(i32 1)
          to label %done unwind label %pad

done:
  %last = invoke i32 @guarded(ptr null)
          to label %fine unwind label %filtered

filtered:
  %filter = landingpad { ptr, i32 }
          filter [1 x ptr] [ptr @plain]
  br label %pad.more

pad:
  %caught = landingpad { ptr, i32 }
          cleanup
          catch ptr @frozen
          catch ptr null
  br label %pad.more

pad.more:
  %any = phi { ptr, i32 } [ %caught, %pad ], [ %filter, %filtered ]
  %code = extractvalue { ptr, i32 } %any, 1
  %clear = icmp eq i32 %code, 0
  br i1 %clear, label %out, label %again

again:
  %changed = insertvalue { ptr, i32 } %any, i32 0, 1
  resume { ptr, i32 } %changed

out:
  callbr void asm sideeffect "jmp ${1:l}", "r,!i,!i"(i32 %code)
          to label %end [label %again2, label %end]

again2:
  call void asm sideeffect "", "r,~{memory}"(i32 %code)
  unreachable

end:
  ret i32 %code
}

!0 = !{!"rsp"}
