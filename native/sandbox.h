// What a forked child may use and do before it becomes a measured program.
#pragma once

#include <cstdint>

namespace mirgym {

struct RunLimits {
  double cpuSeconds = 20;
  double wallSeconds = 80;
  uint64_t memoryBytes = 0; // on top of what this process has; 0: no limit
  uint64_t fileBytes = 0;   // the largest file; 0: no limit
};

// To be called in the child. Limits hold from here on; on Linux the process ends with
// its parent, and can no more start processes or threads, become another program, open
// sockets or send signals to others: what it counts is then its own work alone, and
// nothing can be left behind.
void enterSandbox(const RunLimits &limits);

// Root runs the program as a user that nobody else is, who owns this directory; for
// others, and where that is not allowed, nothing happens.
void leaveRoot(const char *directory);

// Signals, locale, streams, environment and random numbers as a new process has them.
void resetProcessState(const char *home);

} // namespace mirgym
