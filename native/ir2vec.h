// What IR2Vec (VenkataKeerthy et al., TACO 2020) counts in a function.
#pragma once

#include "llvm/Analysis/IR2Vec.h"

#include <array>
#include <cstdint>

namespace mirgym {

// One count for each entry of LLVM's vocabulary: opcodes, types, kinds of operands,
// predicates. mirgym/features.py names them.
constexpr size_t ir2vecSize = llvm::ir2vec::Vocabulary::getCanonicalSize();
using Ir2vecCounts = std::array<int64_t, ir2vecSize>;

// The symbolic embedding of a function is a sum of vocabulary entries, so these counts
// times any vocabulary (entries × width) give it. LLVM's own embedder counts, on unit
// vectors. Blocks that cannot be reached are left out, as there.
Ir2vecCounts ir2vecCounts(const llvm::Function &function);

} // namespace mirgym
