// The 56 integer features of Autophase (Huang et al., FCCM 2019) in
// CompilerGym's order. mirgym/features.py names them.
#pragma once

#include "llvm/IR/Module.h"

#include <array>
#include <cstdint>

namespace mirgym {

constexpr size_t autophaseSize = 56;
using AutophaseFeatures = std::array<int64_t, autophaseSize>;

// Features of one function, a definition or a declaration. A module's features are
// the sum over its functions.
AutophaseFeatures autophase(const llvm::Function &function);

} // namespace mirgym
