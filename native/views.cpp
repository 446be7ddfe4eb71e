#include "views.h"

#include "llvm/Support/xxhash.h"

#include "llvm/ADT/bit.h"

using namespace llvm;

namespace mirgym {

namespace {

// Codes of nodes: an instruction's is its opcode's.
enum NodeCode : Code {
  NodeVariable = 192, // + type
  NodeConstant = 384, // + type
  NodeFunction = 600, NodeDefinedFunction, NodeIntrinsic, NodeAsm,
  NodeGlobal = 608, // + OperandFunction ... OperandAlias
};

constexpr unsigned lastPosition = 7;

Code usesCode(const Instruction &instruction) {
  unsigned uses = 0;
  for (auto use = instruction.use_begin(); use != instruction.use_end() && uses < 8; ++use)
    ++uses;
  return uses < 4 ? uses : uses < 8 ? 4 : 5;
}

Type *workedOnType(const Instruction &instruction) {
  switch (instruction.getOpcode()) {
  case Instruction::Alloca:
    return cast<AllocaInst>(instruction).getAllocatedType();
  case Instruction::GetElementPtr:
    return cast<GetElementPtrInst>(instruction).getSourceElementType();
  case Instruction::CondBr:
    return cast<CondBrInst>(instruction).getCondition()->getType();
  case Instruction::Call:
  case Instruction::Invoke:
  case Instruction::CallBr: {
    auto &call = cast<CallBase>(instruction);
    return call.arg_empty() ? nullptr : call.getArgOperand(0)->getType();
  }
  case Instruction::UncondBr:
  case Instruction::Load: // always a pointer
    return nullptr;
  default:
    return instruction.getNumOperands() ? instruction.getOperand(0)->getType() : nullptr;
  }
}

} // namespace

const ViewBuilder::BlockFacts &ViewBuilder::facts(const BasicBlock *block) const {
  return blocks[block->getNumber()];
}

uint32_t ViewBuilder::addNode(Code kind, Code attribute) {
  nodes[0].push_back(kind);
  nodes[1].push_back(attribute);
  return static_cast<uint32_t>(nodes[0].size() - 1);
}

void ViewBuilder::addEdge(uint32_t source, uint32_t destination, EdgeKind kind,
                          unsigned position) {
  edges[0].push_back(static_cast<int32_t>(source));
  edges[1].push_back(static_cast<int32_t>(destination));
  edgeKinds.push_back(kind + std::min(position, lastPosition));
}

// Numbers instructions and arguments, finds predecessors, and lays out the nodes of
// instructions and variables.
void ViewBuilder::number(const Function &function) {
  nodeOf.clear();
  constants.clear();
  plainConstants.clear();
  blocks.assign(function.getMaxBlockNumber(), BlockFacts());
  for (auto &row : tokens)
    row.clear();
  for (auto &row : nodes)
    row.clear();
  for (auto &row : edges)
    row.clear();
  edgeKinds.clear();
  callees.clear();
  results.clear();
  instructions = 0;
  uint32_t position = 0;
  for (const BasicBlock &one : function) {
    BlockFacts &known = blocks[one.getNumber()];
    known.firstInstruction = instructions;
    known.position = position++;
    for (const Instruction &instruction : one) {
      // Nobody refers to a value of type void.
      if (!instruction.getType()->isVoidTy()) {
        nodeOf.insert(&instruction, instructions);
        results.push_back({instructions, typeCode(instruction.getType())});
      }
      ++instructions;
    }
    if (const Instruction *last = one.getTerminator())
      for (unsigned i = 0; i < last->getNumSuccessors(); ++i)
        ++blocks[last->getSuccessor(i)->getNumber()].predecessors;
  }
  for (auto &row : tokens)
    row.reserve(instructions);
  for (auto &row : nodes)
    row.resize(instructions);
  variableOf.assign(instructions, PointerNumbers::absent);
  for (const Argument &argument : function.args())
    nodeOf.insert(&argument, addNode(NodeVariable + typeCode(argument.getType()),
                                     1 + std::min(argument.getArgNo(), 30u)));
  for (auto [index, type] : results)
    variableOf[index] = addNode(NodeVariable + type, 0);
}

Code ViewBuilder::localCode(uint32_t node) const {
  if (node >= instructions) // an argument
    return OperandArgument + std::min(nodes[1][node] - 1, 14);
  if (node >= current)
    return OperandForward + distanceBucket(std::max(node - current, 1u));
  Code base = node >= block->firstInstruction ? OperandSameBlock : OperandOtherBlock;
  return base + distanceBucket(current - node);
}

Code ViewBuilder::blockCode(const BasicBlock *target) const {
  uint32_t here = block->position, there = facts(target).position;
  uint32_t distance = there > here ? there - here : here - there;
  Code bits = std::min<Code>(32 - countl_zero(distance), 7);
  return (there > here ? OperandBlockAhead : OperandBlockBack) + bits;
}

uint32_t ViewBuilder::constantNode(const Constant *constant) {
  Code type = typeCode(constant->getType());
  Code code = constantCode(constant);
  if (auto *global = dyn_cast<GlobalValue>(constant)) {
    uint32_t known = constants.find(global);
    if (known == PointerNumbers::absent)
      constants.insert(global, known = addNode(NodeGlobal + code - OperandFunction,
                                               typeCode(global->getValueType())));
    return known;
  }
  auto [found, isNew] = plainConstants.try_emplace(uint32_t(type) << 16 | code, 0);
  if (isNew)
    found->second = addNode(NodeConstant + type, code);
  return found->second;
}

void ViewBuilder::visitOperand(const Value *operand, unsigned position) {
  Code code = OperandOther;
  if (auto *constant = dyn_cast<Constant>(operand)) {
    code = constantCode(constant);
    addEdge(constantNode(constant), current, Data, position);
  } else if (uint32_t node = nodeOf.find(operand); node != PointerNumbers::absent) {
    code = localCode(node);
    addEdge(node < instructions ? variableOf[node] : node, current, Data, position);
  } else if (auto *target = dyn_cast<BasicBlock>(operand)) {
    code = blockCode(target);
  } else if (isa<MetadataAsValue>(operand)) {
    code = OperandMetadata;
  } else if (isa<InlineAsm>(operand)) {
    code = OperandAsm;
  }
  if (position < 3)
    tokens[5 + position].back() = code;
}

// Returns the number of operands. Branches and calls give theirs in the order of the
// printed instruction, whatever their order in memory.
unsigned ViewBuilder::visitOperands(const Instruction &instruction) {
  if (auto *jump = dyn_cast<UncondBrInst>(&instruction)) {
    visitOperand(jump->getSuccessor(0), 0);
    return 1;
  }
  if (auto *branch = dyn_cast<CondBrInst>(&instruction)) {
    visitOperand(branch->getCondition(), 0);
    visitOperand(branch->getSuccessor(0), 1);
    visitOperand(branch->getSuccessor(1), 2);
    return 3;
  }
  if (auto *cases = dyn_cast<SwitchInst>(&instruction)) {
    visitOperand(cases->getCondition(), 0);
    visitOperand(cases->getDefaultDest(), 1);
    tokens[7].back() = integerCode(cases->getNumCases());
    return 2 + cases->getNumCases();
  }
  unsigned position = 0;
  if (auto *call = dyn_cast<CallBase>(&instruction)) {
    for (const Use &argument : call->args())
      visitOperand(argument.get(), position++);
    return position;
  }
  for (const Use &operand : instruction.operands())
    visitOperand(operand.get(), position++);
  return position;
}

void ViewBuilder::connectCallee(const CallBase &call, Code callee) {
  if (callee == CalleeIndirect) {
    // What is called is data like any other, at the last position.
    visitOperand(call.getCalledOperand(), lastPosition);
    return;
  }
  if (callee == CalleeSelf) {
    addEdge(current, 0, EdgeKind::Call, 0);
    return;
  }
  uint32_t node = constants.find(call.getCalledOperand());
  if (node == PointerNumbers::absent) {
    Code kind = callee == CalleeAsm       ? NodeAsm
                : callee == CalleeDefined ? NodeDefinedFunction
                : callee >= CalleeIntrinsic ? NodeIntrinsic
                                            : NodeFunction;
    constants.insert(call.getCalledOperand(), node = addNode(kind, callee));
  }
  if (callee == CalleeDefined)
    if (auto *target = cast<Function>(call.getCalledOperand());
        !is_contained(callees, target))
      callees.push_back(target);
  addEdge(current, node, EdgeKind::Call, 0);
}

void ViewBuilder::connectSuccessors(const Instruction &instruction) {
  if (!instruction.isTerminator()) {
    addEdge(current, current + 1, Control, 0);
    return;
  }
  for (unsigned i = 0; i < instruction.getNumSuccessors(); ++i)
    addEdge(current, facts(instruction.getSuccessor(i)).firstInstruction, Control, i);
}

void ViewBuilder::visit(const Instruction &instruction, const BlockFacts &facts,
                        bool first) {
  auto *call = dyn_cast<CallBase>(&instruction);
  Code callee = call ? calleeCode(*call, self) : Code(0);
  Type *workedOn = workedOnType(instruction);
  tokens[0].push_back(opcodeCode(instruction, callee));
  tokens[1].push_back(typeCode(instruction.getType()));
  tokens[2].push_back(workedOn ? typeCode(workedOn) : Code(0));
  tokens[3].push_back(call ? callee : flagsCode(instruction));
  for (unsigned field = 4; field < tokenFields; ++field)
    tokens[field].push_back(OperandAbsent);
  nodes[0][current] = tokens[0].back();
  nodes[1][current] = tokens[1].back();
  unsigned operands = visitOperands(instruction);
  if (call)
    connectCallee(*call, callee);
  if (variableOf[current] != PointerNumbers::absent)
    addEdge(current, variableOf[current], Definition, 0);
  connectSuccessors(instruction);
  Code start = first ? 1 + std::min(facts.predecessors, 3u) : 0;
  tokens[4].back() =
      usesCode(instruction) * 40 + start * 8 + std::min(operands, lastPosition);
}

FunctionView ViewBuilder::build(const Function &function) {
  self = &function;
  number(function);
  current = 0;
  for (const BasicBlock &one : function) {
    block = &facts(&one);
    for (const Instruction &instruction : one) {
      visit(instruction, *block, current == block->firstInstruction);
      ++current;
    }
  }
  self = nullptr;
  FunctionView view;
  view.bytes = pack();
  view.key = xxh3_64bits(view.bytes);
  view.callees = callees;
  return view;
}

std::string ViewBuilder::pack() const {
  auto append = [](std::string &out, const auto &values) {
    out.append(reinterpret_cast<const char *>(values.data()),
               values.size() * sizeof(values[0]));
  };
  std::array<uint32_t, 3> sizes = {instructions, uint32_t(nodes[0].size()),
                                   uint32_t(edgeKinds.size())};
  std::string out;
  out.reserve(sizeof(sizes) + sizes[0] * tokenFields * 2 + sizes[1] * 4 + sizes[2] * 9);
  append(out, sizes);
  for (const auto &row : edges)
    append(out, row);
  for (const auto &row : tokens)
    append(out, row);
  for (const auto &row : nodes)
    append(out, row);
  append(out, edgeKinds);
  return out;
}

} // namespace mirgym
