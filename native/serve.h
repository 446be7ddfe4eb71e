// The worker's loop: requests from a socket to one session, until it closes.
#pragma once

namespace mirgym {

// Serves until the other end closes; then returns. Frames: `u32 length, u32 time
// limit in ms (0: none), request` in; `u32 length, reply` out.
//
// A crash, LLVM's fatal errors and the time limit end the process after one last
// reply of kind Crashed or Timeout. Verb::Fork forks the process: the reply holds
// the child's pid and carries a socket to it as SCM_RIGHTS.
void serve(int socket);

} // namespace mirgym
