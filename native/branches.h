// How often each branch of a program was taken, and how the passes are told.
//
// A branch here is one successor of a terminator that chooses among several: both ways of a
// conditional branch, the default and each case of a switch. A function's branches are
// numbered through its blocks in the order of the module.
#pragma once

#include "llvm/IR/Module.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mirgym {

struct FunctionBranches {
  std::string name;
  uint64_t entries; // calls of the function
  std::vector<uint64_t> taken;
};

struct Branch {
  llvm::BasicBlock *block; // of its own
  const llvm::Instruction *chooser;
  unsigned way; // number of the successor
};

// Whether a terminator chooses among several successors. Exceptions, computed jumps and
// assembly are left to LLVM's own guesses.
bool isChooser(const llvm::Instruction &instruction);

// Puts a block of its own on each branch; gives them in their order.
std::vector<Branch> splitBranches(llvm::Function &function);

// Notes the counts in the module as clang does with -fprofile-use: branch weights, entry
// counts, the module's summary, `inlinehint` for hot functions and `cold` for cold ones.
// What another profile said is gone. Functions that are not named keep what they have.
// Throws EngineError(BadRequest) when the counts are not of this module; it stays as it was.
void noteBranches(llvm::Module &module, const std::vector<FunctionBranches> &counts);

} // namespace mirgym
