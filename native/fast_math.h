// Fast-math flags as bits. LLVM 23 keeps them apart from an instruction's other flags.
#pragma once

#include "llvm/IR/Operator.h"

#include <cstdint>

namespace mirgym {

// 0 for an instruction that cannot have any.
inline uint64_t fastMathBits(const llvm::Instruction &instruction) {
  if (!llvm::isa<llvm::FPMathOperator>(instruction))
    return 0;
  llvm::FastMathFlags flags = instruction.getFastMathFlags();
  if (flags.none())
    return 0;
  return flags.allowReassoc() | flags.noNaNs() << 1 | flags.noInfs() << 2 |
         flags.noSignedZeros() << 3 | flags.allowReciprocal() << 4 |
         flags.allowContract() << 5 | flags.approxFunc() << 6;
}

} // namespace mirgym
