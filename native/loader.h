// An object in the memory of this process, ready to run.
#pragma once

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mirgym {

// Where code is loaded when there is room, as a rule. Its low half is not 0: libgcc takes a
// function there for one that the linker dropped, and finds no handler of exceptions in it.
constexpr uint64_t programAddress = 0x1000'0040'0000;

class LoadedObject {
public:
  // Links against `own` symbols first, then the charged functions of the C library
  // (instrument.h), this process, and these libraries by their `-l` names.
  // Throws EngineError(NotRunnable) when a symbol is nowhere to be found.
  LoadedObject(llvm::StringRef object, const std::vector<std::string> &libraries,
               llvm::StringMap<void *> own);
  ~LoadedObject();
  LoadedObject(const LoadedObject &) = delete;
  void operator=(const LoadedObject &) = delete;

  void *symbol(llvm::StringRef name) const; // null when there is none
  // Beginnings and sizes of what holds its code and variables, in the order of the object.
  const std::vector<std::pair<uint64_t, uint64_t>> &sections() const;

private:
  struct Parts;
  std::unique_ptr<Parts> parts;
};

} // namespace mirgym
