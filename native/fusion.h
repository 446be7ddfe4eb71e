// Loop fusion where it is asked for: LLVM's pass fuses all that it can, or nothing.
#pragma once

#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/Module.h"

#include <cstdint>
#include <vector>

namespace mirgym {

// Fuses each of these loops, numbered as in loops.h, with the one right after it where LLVM
// finds that correct; returns the functions that changed. A fused loop has the metadata of the
// last. Throws EngineError(BadRequest) for a loop that does not exist, before it changes
// anything.
llvm::DenseSet<const llvm::Function *> fuseLoops(llvm::Module &module,
                                                 const std::vector<uint32_t> &loops);

} // namespace mirgym
