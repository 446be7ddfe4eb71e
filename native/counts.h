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
InstCounts instCounts(const llvm::Module &module);

// Functions with a body only.
int64_t instructionTotal(const llvm::Module &module);

} // namespace mirgym
