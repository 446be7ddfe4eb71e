// Instruction counts of a module.
#pragma once

#include "llvm/IR/Module.h"

#include <array>
#include <cstdint>

namespace mirgym {

// CompilerGym's InstCount: total instructions, blocks, functions, then one count
// for each of LLVM 10's 67 opcodes. mirgym/features.py names them.
constexpr size_t instCountSize = 70;
using InstCounts = std::array<int64_t, instCountSize>;

// Counts of one function, a definition or a declaration (which counts as a function,
// as in CompilerGym). A module's counts are the sum over its functions.
InstCounts instCounts(const llvm::Function &function);

} // namespace mirgym
