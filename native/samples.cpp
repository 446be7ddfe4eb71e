#include "samples.h"

#include "llvm/IR/Instructions.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace mirgym {

namespace {

// 0 for what is not sampled.
uint8_t valueType(const Value &value) {
  Type *type = value.getType();
  if (type->isIntegerTy() && type->getIntegerBitWidth() <= 64)
    return static_cast<uint8_t>(type->getIntegerBitWidth());
  if (type->isPointerTy() && type->getPointerAddressSpace() == 0 && !value.isSwiftError())
    return ValuePointer;
  return type->isFloatTy() ? ValueFloat : type->isDoubleTy() ? ValueDouble : 0;
}

// Where a block's values are all there: before its terminator, or before the call that
// must stay next to it.
Instruction *endOf(BasicBlock &block) {
  if (CallInst *call = block.getTerminatingMustTailCall())
    return call;
  if (CallInst *call = block.getTerminatingDeoptimizeCall())
    return call;
  return block.getTerminator();
}

} // namespace

Value *asWord(IRBuilder<> &builder, Value *value) {
  Type *type = value->getType(), *word = builder.getInt64Ty();
  if (type->isPointerTy())
    return builder.CreatePtrToInt(value, word);
  if (type->isFloatTy())
    value = builder.CreateBitCast(value, builder.getInt32Ty());
  else if (type->isDoubleTy())
    return builder.CreateBitCast(value, word);
  return builder.CreateZExt(value, word);
}

Instruction *startOf(BasicBlock &block) {
  BasicBlock::iterator at = block.getFirstNonPHIOrDbgOrAlloca();
  if (at == block.end() || isa<CatchSwitchInst>(*at))
    return nullptr;
  if (at->isEHPad())
    ++at;
  return &*at;
}

std::vector<SampledValue> valuesToSample(Function &function) {
  std::vector<SampledValue> values;
  uint32_t node = function.getInstructionCount(); // the graph's first variable
  uint32_t number = 0;
  auto take = [&](Value &value, bool available) {
    if (uint8_t type = valueType(value); type && available)
      values.push_back({&value, number, node, type});
    ++node;
  };
  for (Argument &argument : function.args())
    take(argument, true);
  for (BasicBlock &block : function) {
    const Instruction *end = endOf(block);
    bool available = true;
    for (Instruction &instruction : block) {
      available &= &instruction != end;
      if (!instruction.getType()->isVoidTy())
        take(instruction, available);
    }
    ++number;
  }
  return values;
}

void sampleBlock(BasicBlock &block, Value *execution, ArrayRef<SampledValue> values,
                 const SamplePlace &place) {
  Instruction *end = endOf(block);
  IRBuilder<> builder(end);
  Value *below = builder.CreateSub(execution, builder.getInt64(1));
  Value *isPower =
      builder.CreateICmpEQ(builder.CreateAnd(execution, below), builder.getInt64(0));
  MDNode *rarely = MDBuilder(block.getContext()).createUnlikelyBranchWeights();
  builder.SetInsertPoint(
      SplitBlockAndInsertIfThen(isPower, end->getIterator(), /*Unreachable=*/false, rarely));
  Type *word = builder.getInt64Ty();
  Value *mask = builder.CreateConstInBoundsGEP1_64(word, place.words, place.mask);
  builder.CreateStore(builder.CreateOr(builder.CreateLoad(word, mask), execution), mask);
  Value *power = builder.CreateBinaryIntrinsic(Intrinsic::cttz, execution, builder.getTrue());
  Value *slot = builder.CreateAnd(power, builder.getInt64(samplesPerValue - 1));
  Value *first = builder.CreateInBoundsGEP(
      word, builder.CreateConstInBoundsGEP1_64(word, place.words, place.first), slot);
  for (size_t i = 0; i < values.size(); ++i)
    builder.CreateStore(asWord(builder, values[i].value),
                        builder.CreateConstInBoundsGEP1_64(word, first, i * samplesPerValue));
}

} // namespace mirgym
