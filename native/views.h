// The encoder's two views of a function, from one walk: a column of eight codes for
// each instruction, and a ProGraML-style graph (Cummins et al., ICML 2021). The layout
// is in mirgym/views.py, the codes in codes.h.
#pragma once

#include "codes.h"
#include "pointer_numbers.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/Function.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace mirgym {

// Codes of an instruction: opcode, type, type of what it works on, callee or flags,
// context (uses, start of a block, operands), the first three operands.
constexpr size_t tokenFields = 8;

struct FunctionView {
  uint64_t key = 0;  // of the bytes
  std::string bytes; // see mirgym/views.py
  std::vector<const llvm::Function *> callees; // others with a body, each once
};

// Scratch memory of the walk; keep it from one function to the next.
class ViewBuilder {
public:
  FunctionView build(const llvm::Function &function);

private:
  enum EdgeKind : uint8_t { Control = 0, Data = 8, Definition = 16, Call = 24 };
  struct BlockFacts {
    uint32_t firstInstruction = 0;
    uint32_t position = 0;
    uint32_t predecessors = 0;
  };

  void number(const llvm::Function &function);
  void visit(const llvm::Instruction &instruction, const BlockFacts &block, bool first);
  // Writes the operand's code among the token's (the first three), and its edge.
  void visitOperand(const llvm::Value *operand, unsigned position);
  unsigned visitOperands(const llvm::Instruction &instruction);
  void connectCallee(const llvm::CallBase &call, Code callee);
  void connectSuccessors(const llvm::Instruction &instruction);
  Code blockCode(const llvm::BasicBlock *target) const;
  Code localCode(uint32_t node) const;
  uint32_t constantNode(const llvm::Constant *constant);
  uint32_t addNode(Code kind, Code attribute);
  void addEdge(uint32_t source, uint32_t destination, EdgeKind kind, unsigned position);
  const BlockFacts &facts(const llvm::BasicBlock *block) const;
  std::string pack() const;

  std::vector<BlockFacts> blocks; // by block number
  PointerNumbers nodeOf;          // instructions and arguments
  PointerNumbers constants;       // globals, by pointer
  llvm::DenseMap<uint32_t, uint32_t> plainConstants; // the rest, by their codes
  std::array<std::vector<Code>, tokenFields> tokens;
  std::array<std::vector<Code>, 2> nodes;
  std::array<std::vector<int32_t>, 2> edges;
  std::vector<uint8_t> edgeKinds;
  std::vector<uint32_t> variableOf; // by instruction
  std::vector<std::pair<uint32_t, Code>> results; // instructions that give one, and its type
  std::vector<const llvm::Function *> callees;
  const llvm::Function *self = nullptr;
  const BlockFacts *block = nullptr; // of the instruction that is visited
  uint32_t current = 0;              // its index
  uint32_t instructions = 0;
};

} // namespace mirgym
