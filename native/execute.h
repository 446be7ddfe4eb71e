// Runs a module's `main` in a forked child and tells what the run cost.
//
// The code is made and linked once, in this process; each run is a fork of it, so every
// run starts from the same memory. The counters lie in memory that the child shares with
// its parent: they survive exit(), crashes and being killed.
#pragma once

#include "instrument.h"
#include "sandbox.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mirgym {

struct RunRequest {
  std::string directory; // where it runs
  std::string input;     // file; empty for none
  std::string output;    // files for what it prints
  std::string errors;
  std::vector<std::string> arguments; // after the program's own name
};

enum class Ending : unsigned char {
  Exited = 0,     // code is that of exit
  Signalled = 1,  // code is the signal
  TimedOut = 2,   // by the wall clock
  NotStarted = 3, // code is the errno of opening its files
};

struct RunReport {
  Ending ending;
  int32_t code;
  uint64_t cost;
  uint64_t ns; // wall time from the fork to the end
  std::vector<uint64_t> counters = {}; // after the charges; see instrument.h
  Trace trace = {};
  Snapshots snapshots = {};
};

struct Execution {
  std::vector<CountedFunction> functions;
  uint64_t compileNs;
  std::vector<RunReport> runs;
};

Execution execute(const llvm::Module &module, const std::vector<std::string> &libraries,
                  const std::vector<RunRequest> &runs, const RunLimits &limits,
                  Counting counting, const TraceLimits &traceLimits = {});

} // namespace mirgym
