// Object code and its size. Emission changes IR, so it always works on a clone.
//
// The size of a module is that of its `.text*` sections only, at code generation
// level -O2: `.rodata` is left out, which Berkeley `size` counts as text.
//
// TextMeter gives the same figure incrementally: each function's bytes and
// alignment are cached by its structural hash, only functions of unknown hash are
// emitted (together, in sections of their own), and the sections are laid out
// again in the order of the module, with the assembler's short jumps.
#pragma once

#include "hash.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Target/TargetMachine.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mirgym {

// The target machine for the module's triple, PIC level and code model; one per
// thread and kind. Throws EngineError(Codegen) for a target that is not built in.
llvm::TargetMachine &targetMachineFor(const llvm::Module &module);

std::string emitObject(const llvm::Module &module);

// Object code to be loaded into this process. It changes the module, which must be
// position independent. Thread-local variables become calls to the compiler's runtime:
// only the system's loader can give out real ones. What the code does is all that counts
// here: without optimisation it is there five times sooner.
std::string emitForExecution(llvm::Module &module);

// Size in bytes of the `.text*` sections of emitObject(module).
int64_t objectTextSize(const llvm::Module &module);

class TextMeter {
public:
  using FunctionHashes = llvm::DenseMap<const llvm::Function *, FunctionHash>;

  // Equal to objectTextSize(module). `hashes` holds every function with a body.
  int64_t textSize(const llvm::Module &module, const FunctionHashes &hashes);

  // Bytes of one function, or -1 when it was never emitted.
  int64_t functionSize(uint64_t codegenHash) const;

private:
  struct TailJump {
    uint64_t target;  // hash of the callee's name
    uint32_t end;     // offset of the byte after the instruction
    uint32_t savings; // bytes that the short form saves
  };
  struct Text {
    uint32_t size = 0;
    uint32_t alignment = 1;
    // Sections are laid out apart: 0 is a section of the function's own (or none
    // that counts), 1 is `.text`, others are `.text.unlikely` and the like.
    uint32_t section = 0;
    // Tail calls to functions whose symbol is local: the assembler makes them short
    // where the target lies near in the same section.
    std::vector<TailJump> jumps;
  };
  void emitMissing(const llvm::Module &module, const FunctionHashes &hashes,
                   const llvm::DenseMap<const llvm::Function *, bool> &missing);
  static void collectTailJumps(const llvm::object::SectionRef &relocations,
                               llvm::StringRef code,
                               const llvm::DenseMap<uint64_t, llvm::StringRef> &functionOfSection,
                               const llvm::Module &module, std::vector<TailJump> &jumps);
  uint32_t sectionNumber(llvm::StringRef prefix);
  int64_t layOut(const llvm::Module &module, const FunctionHashes &hashes) const;

  llvm::DenseMap<uint64_t, Text> cache;
  std::vector<std::string> sections;
};

} // namespace mirgym
