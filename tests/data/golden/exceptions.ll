; An invoke with its landing pad.
declare i32 @__gxx_personality_v0(...)
declare void @may_throw(i32, ptr)

define i32 @guarded(ptr %p) personality ptr @__gxx_personality_v0 {
  %slot = alloca i32, align 4
  %many = alloca i8, i64 16, align 1
  store i32 0, ptr %slot, align 4
  invoke void @may_throw(i32 7, ptr %slot)
          to label %fine unwind label %pad

fine:
  %value = load i32, ptr %slot, align 4
  ret i32 %value

pad:
  %caught = landingpad { ptr, i32 }
          cleanup
          catch ptr null
  %code = extractvalue { ptr, i32 } %caught, 1
  %wide = sext i32 %code to i64
  %narrow = trunc i64 %wide to i8
  store i8 %narrow, ptr %many, align 1
  resume { ptr, i32 } %caught
}
