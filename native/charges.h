// What library calls on memory and strings cost.
//
// Counters see only the program's own blocks: a loop that became a `memset` would look
// free. So each such call is charged by its length, in the units of the cost tables (one
// plain instruction). Intrinsics are charged where they stand, by instrument.cpp; calls
// to the C library go through the wrappers of charges.cpp.
#pragma once

#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace mirgym {

// Copying, filling and comparing memory run over whole vectors; strings end where the
// bytes say so, and are short as a rule.
constexpr uint64_t bulkBytesPerUnit = 16, stringBytesPerUnit = 4;

constexpr uint64_t bulkCharge(uint64_t bytes) {
  return (bytes + bulkBytesPerUnit - 1) / bulkBytesPerUnit;
}

// For a call on so many bytes of memory, or of a string.
void chargeBulk(uint64_t bytes);
void chargeString(uint64_t bytes);

// Where the wrappers add their charges up; must be set before one is called.
void chargeTo(uint64_t *total);

// The address of the wrapper of a function of the C library, or null.
void *chargedFunction(llvm::StringRef name);

} // namespace mirgym
