// What a program does in order: which way each of its branches goes, and where each of its
// loads reads. For models that predict the next one.
//
// A site is a conditional branch, a switch or a load of the module. An event is a site and a
// payload: for a branch the number of the successor (of a conditional branch 0 when the
// condition holds), for a load the address. Events lie in memory that the program shares
// with its parent: a word with the number of all events, then the payloads of those that are
// kept, then their sites in half words.
#pragma once

#include "branches.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Module.h"

#include <cstdint>
#include <vector>

namespace mirgym {

enum class SiteKind : uint8_t { Branch = 0, Load = 1 };

struct TraceSite {
  const llvm::Instruction *instruction; // of the copy
  uint32_t number;                      // of the instruction in its function
  SiteKind kind;
};

// The events that are kept: `limit` of them after the first `skip`. Snapshots of them (see
// snapshots.h): at every `every`th beginning of a block with sites, `snapshots` at most.
struct TraceLimits {
  uint64_t skip = 0;
  uint64_t limit = 0;
  uint64_t snapshots = 0;
  uint64_t every = 1;
};
constexpr uint64_t mostTraceEvents = 1 << 26;

struct Trace {
  uint64_t total = 0; // with those that were not kept
  std::vector<uint32_t> sites;
  std::vector<uint64_t> payloads;
};

// A function that the module needs from outside: void (u32 site, u64 payload).
constexpr llvm::StringLiteral traceSymbol = "mirgym.trace";
void *traceFunction();

std::vector<TraceSite> sitesToTrace(llvm::Function &function);

// Calls the function at each site; the first of them has this number in the module.
void traceSites(llvm::Module &module, llvm::ArrayRef<TraceSite> sites, size_t first,
                llvm::ArrayRef<Branch> branches);

size_t traceWords(const TraceLimits &limits);
// Where the events of the next run go.
void traceTo(uint64_t *words, const TraceLimits &limits);
Trace readTrace(const uint64_t *words, const TraceLimits &limits);

} // namespace mirgym
