// Object code and its size. Emission changes IR, so it always works on a clone.
//
// The size of a module is that of its `.text*` sections only, at code generation
// level -O2: `.rodata` is left out, which Berkeley `size` counts as text.
//
// TextMeter gives the same figure incrementally: each function's bytes and
// alignment are cached by its structural hash, only functions of unknown hash are
// emitted (together, in sections of their own), and the sections are laid out
// again in the order of the module.
#pragma once

#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

#include <cstdint>
#include <memory>
#include <string>

namespace mirgym {

// The target machine for the module's triple, PIC level and code model; one per
// thread and kind. Throws EngineError(Codegen) for a target that is not built in.
llvm::TargetMachine &targetMachineFor(const llvm::Module &module);

std::string emitObject(const llvm::Module &module);

// Size in bytes of the `.text*` sections of emitObject(module).
int64_t objectTextSize(const llvm::Module &module);

class TextMeter {
public:
  using FunctionHashes = llvm::DenseMap<const llvm::Function *, uint64_t>;

  // Equal to objectTextSize(module). `hashes` holds every function with a body.
  int64_t textSize(const llvm::Module &module, const FunctionHashes &hashes);

  // Bytes of one function, or -1 when it was never emitted.
  int64_t functionSize(uint64_t hash) const;

private:
  struct Text {
    uint32_t size = 0;
    uint32_t alignment = 1;
    // Sections are laid out apart: 0 is a section of the function's own (or none
    // that counts), 1 is `.text`, others are `.text.unlikely` and the like.
    uint32_t section = 0;
  };
  void emitMissing(const llvm::Module &module, const FunctionHashes &hashes,
                   const llvm::DenseMap<const llvm::Function *, bool> &missing);
  uint32_t sectionNumber(llvm::StringRef prefix);

  llvm::DenseMap<uint64_t, Text> cache;
  std::vector<std::string> sections;
};

} // namespace mirgym
