// An object in the memory of this process, ready to run.
#pragma once

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

#include <memory>
#include <string>
#include <vector>

namespace mirgym {

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

private:
  struct Parts;
  std::unique_ptr<Parts> parts;
};

} // namespace mirgym
