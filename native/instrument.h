// A copy of a module that counts how often each of its blocks runs.
//
// Cost of a run = sum over blocks of times run × weight, plus what library calls on
// memory and strings add by their length (see charges.h). A block's weight is the sum of
// the target's costs of its instructions in the module as the passes left it.
//
// A block counts when it is entered: one that ends early, in a call that does not
// return, counts whole.
#pragma once

#include "samples.h"
#include "snapshots.h"
#include "trace.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mirgym {

enum class Counting : unsigned char {
  Blocks = 0,
  Branches = 1,  // and how often each branch is taken; see branches.h
  Values = 2,    // and samples of what is computed; see samples.h
  Trace = 3,     // as Branches, and a trace; see trace.h
  Snapshots = 4, // as Trace, and snapshots of the values; see snapshots.h
};

struct CountedFunction {
  std::string name;
  std::vector<uint64_t> weights = {}; // of its blocks, in the order of the module
  size_t branches = 0;                // that are counted
  // That are sampled, shown in snapshots or traced. The instructions in them are of use in here only.
  std::vector<SampledValue> values = {};
  std::vector<SampledValue> slots = {}; // of a function with sites
  std::vector<TraceSite> sites = {};

  size_t counters() const { return weights.size() + branches + sampleWords(); }
  size_t sampleWords() const {
    return values.empty() ? 0 : weights.size() + samplesPerValue * values.size();
  }
};

struct CountedModule {
  std::unique_ptr<llvm::Module> module; // in the context of the original
  std::vector<CountedFunction> functions;

  size_t counters() const;
  size_t slots() const;
  size_t mostSlots() const; // of a function
  // `counters` as the instrumented module leaves them; see below.
  uint64_t cost(const uint64_t *counters) const;
};

// Symbols that the module needs from outside: an array of u64 (first the charges, then
// for each function one for each block, one for each branch that is counted, and its
// samples), and wrappers, named with this before the function's own name; snapshots.h and
// trace.h have more.
constexpr llvm::StringLiteral countersSymbol = "mirgym.counters";
constexpr llvm::StringLiteral wrapperPrefix = "mirgym.charged.";
// Runs the module's static constructors; it is in every instrumented module.
constexpr llvm::StringLiteral startSymbol = "mirgym.start";

// The copy is position independent, without debug information, and holds its
// constructors in one function. Throws EngineError(NotRunnable) without a usable `main`.
CountedModule instrument(const llvm::Module &module, llvm::TargetMachine &machine,
                         Counting counting);

} // namespace mirgym
