// The 56 integer features of Autophase (Huang et al., FCCM 2019) in
// CompilerGym's order. mirgym/features.py names them.
#pragma once

#include "llvm/IR/Module.h"

#include <array>
#include <cstdint>

namespace mirgym {

constexpr size_t autophaseSize = 56;
using AutophaseFeatures = std::array<int64_t, autophaseSize>;
AutophaseFeatures autophase(const llvm::Module &module);

} // namespace mirgym
