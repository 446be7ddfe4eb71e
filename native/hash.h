// Structural hashes: equal for modules that print the same apart from local
// value names and debug locations, different (but for 64-bit chance) otherwise.
//
// A function's key covers its own body, types, constants, flags, attributes and
// metadata, the names of what it refers to, and the contents of the plain constants
// (strings, tables of numbers) it refers to. It does not cover the attributes of its callees, so that a function
// that no pass touched keeps its hash; the module's hash covers everything.
#pragma once

#include "pointer_numbers.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"

#include <array>
#include <cstdint>

namespace mirgym {

// Whether a constant is plain numbers, without references to globals. Code generation
// folds loads from and copies of such data into the functions that use it.
bool isPlainData(const llvm::Constant *constant);

// The two hashes of a function, from one walk.
struct FunctionHash {
  uint64_t key = 0;
  // As `key`, but blind to the attributes that code generation does not look at, and
  // aware of the attributes of the functions it calls: equal machine code.
  uint64_t codegen = 0;
};

// Scratch memory and memo tables for one context; keep it as long as the context.
class StructuralHasher {
public:
  // Call before a round of hashing: globals may have changed since the last one.
  // `globalsChanged` says that existing variables may have, too.
  void beginRound(bool globalsChanged);
  FunctionHash hashFunction(const llvm::Function &function);
  // `functionHash` gives the hash of each function with a body.
  uint64_t hashModule(
      const llvm::Module &module,
      const llvm::DenseMap<const llvm::Function *, FunctionHash> &functionHash);

private:
  uint64_t typeHash(llvm::Type *type);
  uint64_t newTypeHash(llvm::Type *type);
  uint64_t attributeSetHash(llvm::AttributeSet set);
  const FunctionHash &attributesHash(llvm::AttributeList attributes);
  void addAttributes(llvm::AttributeList list);
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
  llvm::DenseMap<void *, FunctionHash> attributeLists;
  llvm::DenseMap<const llvm::MDNode *, uint64_t> constantNodes;
  // Cleared in each round, or when a pass over the module ran.
  llvm::DenseMap<const llvm::GlobalValue *, uint64_t> references;
  llvm::DenseMap<const llvm::GlobalVariable *, uint64_t> variables;
  // Cleared for each function.
  PointerNumbers numbers;
  llvm::DenseMap<const llvm::MDNode *, uint64_t> nodes;
  const llvm::Function *self = nullptr;
  llvm::LLVMContext *listContext = nullptr;
  // Attributes met in the function, in order; kept apart from its body.
  FunctionHash attributes;
  llvm::SmallSetVector<const llvm::Function *, 16> callees;
  uint32_t distinctNodes = 0;
  // Whether the constant being hashed holds the address of a block.
  bool metBlockAddress = false;
  // Whether the node being hashed depends on the function it is met in.
  bool nodeIsLocal = false;
};

} // namespace mirgym
