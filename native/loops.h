// The loops of a module: facts about each, its code as the encoder sees code, and the
// `llvm.loop.*` metadata that tells the vectorizer and the unroller what to do.
//
// Loops are numbered through the functions of the module in order, and in a function by
// the position of their headers. Metadata does not move blocks, so a number stays.
#pragma once

#include "views.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Module.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mirgym {

// What one loop is told; 0 leaves what it was told before.
struct LoopHints {
  uint32_t loop = 0;       // its number
  uint32_t width = 0;      // elements of a vector; 1: no vectors
  uint32_t interleave = 0; // copies of the vector body; 1: one
  uint32_t unroll = 0;     // copies of the loop's body; 1: not unrolled
};

// Where a loop is: its function, and its place in `loopsOf` of that.
struct LoopPlace {
  llvm::Function *function;
  size_t index;
};

// The loops of a function by the position of their headers.
std::vector<llvm::Loop *> loopsOf(llvm::Function &function, const llvm::LoopInfo &info);

// By number.
std::vector<LoopPlace> placesOfLoops(llvm::Module &module);

// Facts and code of every loop. The layout is in mirgym/loops.py.
std::string loopView(llvm::Module &module, ViewBuilder &builder);

// Sets metadata; returns the functions that it changed. Throws EngineError(BadRequest)
// for a number or a value that does not exist, before it changes anything.
llvm::DenseSet<const llvm::Function *> hintLoops(llvm::Module &module,
                                                 const std::vector<LoopHints> &hints);

} // namespace mirgym
