// Structural hashes: equal for modules that print the same apart from local
// value names and debug locations, different (but for 64-bit chance) otherwise.
//
// A function's hash covers its own body, types, constants, flags, attributes and
// metadata, the names of what it refers to, and the contents of the constant data
// (strings, tables of numbers) it refers to. It does not cover the attributes of its callees, so that a function
// that no pass touched keeps its hash; the module's hash covers everything.
#pragma once

#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"

#include <array>
#include <cstdint>
#include <vector>

namespace mirgym {

// Numbers for pointers, emptied in constant time: entries of an older generation
// do not count.
class PointerNumbers {
public:
  static constexpr uint32_t absent = UINT32_MAX;
  void clear();
  void insert(const void *pointer, uint32_t number);
  uint32_t find(const void *pointer) const;

private:
  struct Entry {
    const void *pointer = nullptr;
    uint32_t generation = 0;
    uint32_t number = 0;
  };
  size_t slot(const void *pointer) const;
  void grow();
  std::vector<Entry> entries;
  size_t used = 0;
  uint32_t generation = 0;
};

// Scratch memory and memo tables for one context; keep it as long as the context.
class StructuralHasher {
public:
  // Call before a round of hashing: globals may have changed since the last one.
  // `globalsChanged` says that existing variables may have, too.
  void beginRound(bool globalsChanged);
  uint64_t hashFunction(const llvm::Function &function);
  // `functionHash` gives the hash of each function with a body.
  uint64_t hashModule(
      const llvm::Module &module,
      const llvm::DenseMap<const llvm::Function *, uint64_t> &functionHash);

private:
  uint64_t typeHash(llvm::Type *type);
  uint64_t newTypeHash(llvm::Type *type);
  uint64_t attributesHash(llvm::AttributeList attributes);
  uint64_t constantHash(const llvm::Constant *constant);
  uint64_t constantBody(const llvm::Constant *constant);
  uint64_t referenceHash(const llvm::GlobalValue *global);
  uint64_t globalHash(const llvm::GlobalValue &global);
  uint64_t metadataHash(const llvm::Metadata *metadata);
  uint64_t nodeHash(const llvm::MDNode *node);
  uint64_t attachmentsHash(
      llvm::ArrayRef<std::pair<unsigned, llvm::MDNode *>> attachments);
  uint64_t valueHash(const llvm::Value *value);
  uint64_t instructionHash(const llvm::Instruction &instruction);
  uint64_t instructionExtras(const llvm::Instruction &instruction);
  uint64_t callExtras(const llvm::CallBase &call);
  uint64_t atomicExtras(const llvm::Instruction &instruction);
  void numberLocals(const llvm::Function &function);

  // These live as long as their context and do not change.
  struct RecentType {
    llvm::Type *type = nullptr;
    uint64_t hash = 0;
  };
  std::array<RecentType, 64> recentTypes;
  llvm::DenseMap<llvm::Type *, uint64_t> types;
  llvm::DenseMap<void *, uint64_t> attributeLists;
  llvm::DenseMap<const llvm::MDNode *, uint64_t> constantNodes;
  // Cleared in each round, or when a pass over the module ran.
  llvm::DenseMap<const llvm::GlobalValue *, uint64_t> references;
  llvm::DenseMap<const llvm::GlobalVariable *, uint64_t> variables;
  // Cleared for each function.
  PointerNumbers numbers;
  llvm::DenseMap<const llvm::MDNode *, uint64_t> nodes;
  const llvm::Function *self = nullptr;
  uint32_t distinctNodes = 0;
  // Whether the node being hashed depends on the function it is met in.
  bool nodeIsLocal = false;
};

} // namespace mirgym
