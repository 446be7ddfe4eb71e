// Snapshots of a function's values, taken just before events of a trace.
//
// After Shi et al., "Learning Execution through Neural Code Fusion" (ICLR 2020): a model
// predicts a branch or a load from what the variables held when its block began.
//
// Each value of a function has a slot that holds its latest bits; a value writes it when it
// is computed, PHIs after all PHIs of their block. There is one set of slots for a function:
// a call of itself overwrites those of its caller. At the beginning of a block with sites,
// after its PHIs (and after the first `alloca`s of a function), a snapshot may copy the slots:
// there the block's PHIs are fresh and its other results are those of its latest execution.
// A slot that was never written is 0.
//
// Snapshots lie in memory that the program shares with its parent: three words (times that
// one could have been taken, snapshots, words of values), then of each snapshot the event,
// then the sites, then the values, function by function as they come.
#pragma once

#include "samples.h"
#include "trace.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/IR/GlobalVariable.h"

#include <cstdint>
#include <vector>

namespace mirgym {

constexpr uint64_t mostSnapshotWords = 1 << 26; // of all runs: 512 MiB

struct Snapshots {
  std::vector<uint64_t> events; // numbers of the first events after them, among all events
  std::vector<uint32_t> sites;  // the first in the block
  std::vector<uint64_t> values; // of all the function's slots
};

// What the module needs from outside: an array of u64, and a function
// void (u32 first site of the block, u32 first slot of the function, u32 slots).
constexpr llvm::StringLiteral slotsSymbol = "mirgym.slots";
constexpr llvm::StringLiteral snapshotSymbol = "mirgym.snapshot";
void *snapshotFunction();

// Where a function's slots and sites are among those of the module.
struct SlotPlace {
  llvm::GlobalVariable *slots;
  size_t slot;
  size_t site;
};

// The function's blocks are as they were when its values and sites were looked up.
void shadowValues(llvm::Function &function, llvm::ArrayRef<SampledValue> values,
                  llvm::ArrayRef<TraceSite> sites, const SlotPlace &place);

// Throws EngineError(BadRequest) when so many runs with functions of up to so many slots are
// too much.
void checkSnapshots(const TraceLimits &limits, size_t runs, size_t largest);

size_t snapshotWords(const TraceLimits &limits, size_t largest);
// Where the snapshots of the next run go: it starts with none. `events` is the trace's count.
void snapshotTo(uint64_t *words, const uint64_t *slots, const uint64_t *events,
                const TraceLimits &limits);
Snapshots readSnapshots(const uint64_t *words, const TraceLimits &limits);

} // namespace mirgym
