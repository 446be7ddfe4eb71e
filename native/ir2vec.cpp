#include "ir2vec.h"

#include "llvm/IR/Function.h"

#include <cmath>
#include <vector>

using namespace llvm;

namespace mirgym {

namespace {

// A vocabulary whose entry i is the i-th unit vector.
ir2vec::VocabStorage unitVectors() {
  using ir2vec::Vocabulary;
  std::vector<std::vector<ir2vec::Embedding>> sections;
  size_t entry = 0;
  for (unsigned size : {Vocabulary::MaxOpcodes, Vocabulary::MaxCanonicalTypeIDs,
                        Vocabulary::MaxOperandKinds, Vocabulary::MaxPredicateKinds}) {
    std::vector<ir2vec::Embedding> &section = sections.emplace_back();
    for (unsigned i = 0; i < size; ++i) {
      section.emplace_back(ir2vecSize);
      section.back()[entry++] = 1.0;
    }
  }
  return ir2vec::VocabStorage(std::move(sections));
}

} // namespace

Ir2vecCounts ir2vecCounts(const Function &function) {
  static const ir2vec::Vocabulary vocabulary(unitVectors());
  Ir2vecCounts counts{};
  if (function.isDeclaration())
    return counts;
  auto embedder =
      ir2vec::Embedder::create(IR2VecKind::Symbolic, function, vocabulary);
  ir2vec::Embedding sums = embedder->getFunctionVector();
  for (size_t i = 0; i < ir2vecSize; ++i)
    counts[i] = std::llround(sums[i]);
  return counts;
}

} // namespace mirgym
