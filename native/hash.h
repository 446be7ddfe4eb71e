// Structural hashes: equal for modules that print the same apart from local
// value names and debug locations, different (but for 64-bit chance) otherwise.
//
// A function's hash covers its own body, types, constants, flags, attributes and
// metadata, the names of what it refers to, and the contents of the constant data
// (strings, tables of numbers) it refers to. It does not cover the attributes of its callees, so that a function
// that no pass touched keeps its hash; the module's hash covers everything.
#pragma once

#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/Module.h"

#include <cstdint>
#include <vector>

namespace mirgym {

// Scratch memory and memo tables for one context; keep it as long as the context.
class StructuralHasher {
public:
  uint64_t hashFunction(const llvm::Function &function);
  // `functionHash` gives the hash of each function with a body.
  uint64_t hashModule(
      const llvm::Module &module,
      const llvm::DenseMap<const llvm::Function *, uint64_t> &functionHash);

private:
  uint64_t typeHash(llvm::Type *type);
  uint64_t attributesHash(llvm::AttributeList attributes);
  uint64_t constantHash(const llvm::Constant *constant);
  uint64_t constantBody(const llvm::Constant *constant);
  uint64_t referenceHash(const llvm::GlobalValue *global);
  uint64_t globalHash(const llvm::GlobalValue &global);
  uint64_t metadataHash(const llvm::Metadata *metadata);
  uint64_t attachmentsHash(
      llvm::ArrayRef<std::pair<unsigned, llvm::MDNode *>> attachments);
  uint64_t valueHash(const llvm::Value *value);
  uint64_t instructionHash(const llvm::Instruction &instruction);
  uint64_t instructionExtras(const llvm::Instruction &instruction);
  void numberLocals(const llvm::Function &function);

  // Types and attribute lists live as long as their context.
  llvm::DenseMap<llvm::Type *, uint64_t> types;
  llvm::DenseMap<void *, uint64_t> attributeLists;
  // The rest may be freed and their addresses used again: cleared per call.
  llvm::DenseMap<const llvm::Value *, uint32_t> numbers;
  llvm::DenseMap<const llvm::GlobalValue *, uint64_t> references;
  llvm::DenseMap<const llvm::Metadata *, uint64_t> metadatas;
  const llvm::Function *self = nullptr;
  uint32_t distinctNodes = 0;
};

} // namespace mirgym
