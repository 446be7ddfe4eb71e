; A loop with two phis, a critical edge and a declaration.
declare i32 @next(i32)

define i32 @loop(i32 %n) {
entry:
  %stop = icmp eq i32 %n, 0
  br i1 %stop, label %exit, label %body

body:
  %i = phi i32 [ 0, %entry ], [ %i.next, %body ]
  %sum = phi i32 [ 1, %entry ], [ %sum.next, %body ]
  %more = call i32 @next(i32 %i)
  %sum.next = add i32 %sum, %more
  %i.next = add nuw i32 %i, 1
  %again = icmp ult i32 %i.next, %n
  br i1 %again, label %body, label %exit

exit:
  %result = phi i32 [ -1, %entry ], [ %sum.next, %body ]
  ret i32 %result
}
