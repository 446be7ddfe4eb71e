#include "autophase.h"

#include "llvm/IR/CFG.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"

#include <vector>

using namespace llvm;

namespace mirgym {

namespace {

// Positions in CompilerGym's vector.
enum Feature : unsigned {
  BBNumArgsHi, BBNumArgsLo, onePred, onePredOneSuc, onePredTwoSuc, oneSuccessor,
  twoPred, twoPredOneSuc, twoEach, twoSuccessor, morePreds, BB03Phi, BBHiPhi,
  BBNoPhi, BeginPhi, BranchCount, returnInt, CriticalCount, NumEdges, const32Bit,
  const64Bit, numConstZeroes, numConstOnes, UncondBranches, binaryConstArg,
  NumAShrInst, NumAddInst, NumAllocaInst, NumAndInst, BlockMid, BlockLow,
  NumBitCastInst, NumBrInst, NumCallInst, NumGetElementPtrInst, NumICmpInst,
  NumLShrInst, NumLoadInst, NumMulInst, NumOrInst, NumPHIInst, NumRetInst,
  NumSExtInst, NumSelectInst, NumShlInst, NumStoreInst, NumSubInst, NumTruncInst,
  NumXorInst, NumZExtInst, TotalBlocks, TotalInsts, TotalMemInst, TotalFuncs,
  ArgsPhi, testUnary,
};
static_assert(testUnary + 1 == autophaseSize);

using OpcodeCounts = std::array<int64_t, 128>;

void visitConstant(const Value *value, AutophaseFeatures &features) {
  auto *integer = dyn_cast<ConstantInt>(value);
  if (!integer || !integer->getType()->isIntegerTy())
    return;
  unsigned width = integer->getBitWidth();
  features[const32Bit] += width == 32;
  features[const64Bit] += width == 64;
  features[numConstOnes] += integer->isOne();
  features[numConstZeroes] += integer->isZero();
}

void visitConstants(const Instruction &instruction, AutophaseFeatures &features) {
  for (const Use &operand : instruction.operands())
    visitConstant(operand.get(), features);
  // The values of cases were operands in CompilerGym's LLVM.
  if (auto *cases = dyn_cast<SwitchInst>(&instruction))
    for (auto &one : cases->cases())
      visitConstant(one.getCaseValue(), features);
}

void visitInstruction(const Instruction &instruction, AutophaseFeatures &features) {
  visitConstants(instruction, features);
  if (auto *call = dyn_cast<CallInst>(&instruction)) {
    const Function *callee = call->getCalledFunction();
    features[returnInt] += callee && callee->getReturnType()->isIntegerTy();
  } else if (isa<UnaryInstruction>(instruction)) {
    ++features[testUnary];
  } else if (isa<BinaryOperator>(instruction)) {
    features[binaryConstArg] += isa<Constant>(instruction.getOperand(0)) ||
                                isa<Constant>(instruction.getOperand(1));
  }
}

void visitEdges(const BasicBlock &block, const std::vector<unsigned> &predecessors,
                AutophaseFeatures &features) {
  const Instruction *terminator = block.getTerminator();
  unsigned successors = terminator->getNumSuccessors();
  unsigned before = predecessors[block.getNumber()];
  features[NumEdges] += successors;
  if (successors > 1)
    for (unsigned i = 0; i < successors; ++i)
      features[CriticalCount] +=
          predecessors[terminator->getSuccessor(i)->getNumber()] > 1;
  features[oneSuccessor] += successors == 1;
  features[twoSuccessor] += successors == 2;
  features[onePred] += before == 1;
  features[twoPred] += before == 2;
  features[morePreds] += before > 2;
  features[onePredOneSuc] += before == 1 && successors == 1;
  features[twoPredOneSuc] += before == 2 && successors == 1;
  features[onePredTwoSuc] += before == 1 && successors == 2;
  features[twoEach] += before == 2 && successors == 2;
}

void visitBlock(const BasicBlock &block, AutophaseFeatures &features,
                OpcodeCounts &opcodes) {
  unsigned size = 0, phis = 0, phiArguments = 0;
  for (const Instruction &instruction : block) {
    ++size;
    ++opcodes[instruction.getOpcode()];
    if (auto *phi = dyn_cast<PHINode>(&instruction)) {
      ++phis;
      phiArguments += phi->getNumIncomingValues();
    }
    visitInstruction(instruction, features);
  }
  features[BeginPhi] += isa<PHINode>(block.front());
  features[ArgsPhi] += phiArguments;
  features[BBNoPhi] += phis == 0;
  features[BB03Phi] += phis > 0 && phis <= 3;
  features[BBHiPhi] += phis > 3;
  features[BBNumArgsHi] += phiArguments > 5;
  features[BBNumArgsLo] += phiArguments >= 1 && phiArguments <= 5;
  features[BlockLow] += size < 15;
  features[BlockMid] += size >= 15 && size <= 500;
}

void sumOpcodes(const OpcodeCounts &opcodes, AutophaseFeatures &features) {
  using I = Instruction;
  for (int64_t count : opcodes)
    features[TotalInsts] += count;
  features[UncondBranches] = opcodes[I::UncondBr];
  features[BranchCount] = features[NumBrInst] =
      opcodes[I::UncondBr] + opcodes[I::CondBr];
  features[TotalMemInst] = opcodes[I::GetElementPtr] + opcodes[I::Load] +
                           opcodes[I::Store] + opcodes[I::Call] +
                           opcodes[I::Invoke] + opcodes[I::Alloca];
  const std::pair<Feature, unsigned> plain[] = {
      {NumAShrInst, I::AShr},     {NumAddInst, I::Add},
      {NumAllocaInst, I::Alloca}, {NumAndInst, I::And},
      {NumBitCastInst, I::BitCast}, {NumCallInst, I::Call},
      {NumGetElementPtrInst, I::GetElementPtr}, {NumICmpInst, I::ICmp},
      {NumLShrInst, I::LShr},     {NumLoadInst, I::Load},
      {NumMulInst, I::Mul},       {NumOrInst, I::Or},
      {NumPHIInst, I::PHI},       {NumRetInst, I::Ret},
      {NumSExtInst, I::SExt},     {NumSelectInst, I::Select},
      {NumShlInst, I::Shl},       {NumStoreInst, I::Store},
      {NumSubInst, I::Sub},       {NumTruncInst, I::Trunc},
      {NumXorInst, I::Xor},       {NumZExtInst, I::ZExt},
  };
  for (auto [feature, opcode] : plain)
    features[feature] = opcodes[opcode];
}

} // namespace

AutophaseFeatures autophase(const Function &function) {
  AutophaseFeatures features{};
  features[TotalFuncs] = 1;
  if (function.isDeclaration())
    return features;
  OpcodeCounts opcodes{};
  std::vector<unsigned> predecessors(function.getMaxBlockNumber(), 0);
  for (const BasicBlock &block : function)
    for (const BasicBlock *next : successors(&block))
      ++predecessors[next->getNumber()];
  for (const BasicBlock &block : function) {
    ++features[TotalBlocks];
    visitEdges(block, predecessors, features);
    visitBlock(block, features, opcodes);
  }
  sumOpcodes(opcodes, features);
  return features;
}

} // namespace mirgym
