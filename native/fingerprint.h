// A cheap way to see whether a pass changed anything, within one process: numbers
// made of the addresses of operands, types, attribute lists and metadata, which are
// several times faster to walk than contents are to hash. They are only good for
// comparison before and after one pass.
#pragma once

#include "llvm/IR/Module.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace mirgym {

struct Fingerprints {
  std::vector<std::pair<const llvm::Function *, uint64_t>> functions; // with a body
  uint64_t globals = 0; // variables and declarations
};

Fingerprints fingerprint(const llvm::Module &module);

} // namespace mirgym
