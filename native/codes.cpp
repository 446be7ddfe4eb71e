#include "codes.h"

#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Operator.h"

#include "llvm/ADT/bit.h"
#include <cmath>
#include <optional>

using namespace llvm;

namespace mirgym {

namespace {

unsigned bitWidth(uint64_t value) { return 64 - static_cast<unsigned>(countl_zero(value)); }

// FNV-1a, which is one line in any language that has to agree.
uint32_t nameHash(StringRef name) {
  uint32_t hash = 0x811c9dc5;
  for (char letter : name)
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x01000193;
  return hash;
}

constexpr Code namesPerKind = 768;

Code integerTypeCode(unsigned width) {
  switch (width) {
  case 1: return 8;
  case 8: return 9;
  case 16: return 10;
  case 32: return 11;
  case 64: return 12;
  case 128: return 13;
  default: return width < 64 ? 14 : 15;
  }
}

// Classes of elements of arrays and vectors.
Code elementClass(Type *type) {
  switch (type->getTypeID()) {
  case Type::IntegerTyID:
    switch (type->getIntegerBitWidth()) {
    case 1: return 0;
    case 8: return 1;
    case 16: return 2;
    case 32: return 3;
    case 64: return 4;
    default: return 5;
    }
  case Type::FloatTyID: return 6;
  case Type::DoubleTyID: return 7;
  case Type::PointerTyID: return 9;
  case Type::ArrayTyID: return 10;
  default: return type->isFloatingPointTy() ? 8 : 11;
  }
}

Code arrayTypeCode(const ArrayType *type) {
  uint64_t length = type->getNumElements();
  Code size = length <= 8 ? 0 : length <= 64 ? 1 : length <= 1024 ? 2 : 3;
  return 32 + elementClass(type->getElementType()) * 4 + size;
}

Code vectorTypeCode(const VectorType *type) {
  ElementCount lanes = type->getElementCount();
  Code size = lanes.isScalable()
                  ? 7
                  : std::min(6u, bitWidth(lanes.getFixedValue() - 1));
  return 80 + elementClass(type->getElementType()) * 8 + size;
}

Code floatCode(const APFloat &value, Type *type) {
  if (value.isZero())
    return OperandFloat + value.isNegative();
  if (value.isInfinity())
    return OperandFloat + 2 + value.isNegative();
  if (value.isNaN())
    return OperandFloat + 4;
  if (!type->isFloatTy() && !type->isDoubleTy())
    return OperandOtherFloat;
  double number = type->isFloatTy() ? double(value.convertToFloat())
                                    : value.convertToDouble();
  int exponent;
  double fraction = std::frexp(std::fabs(number), &exponent); // 0.5 <= fraction < 1
  int clamped = std::clamp(exponent + 44, 0, 89);
  return OperandFloat + 6 + (number < 0) * 180 + clamped * 2 + (fraction >= 0.75);
}

Code numberCode(const Constant *constant) {
  if (auto *integer = dyn_cast<ConstantInt>(constant)) {
    const APInt &value = integer->getValue();
    if (value.getBitWidth() == 1)
      return integerCode(value.isOne());
    return value.getSignificantBits() <= 64 ? integerCode(value.getSExtValue())
                                            : Code(OperandWideInteger);
  }
  return floatCode(cast<ConstantFP>(constant)->getValueAPF(),
                   constant->getType()->getScalarType());
}

Code globalCode(const GlobalValue *global) {
  if (isa<Function>(global))
    return OperandFunction;
  auto *variable = dyn_cast<GlobalVariable>(global);
  if (!variable)
    return OperandAlias;
  if (variable->isThreadLocal())
    return OperandThreadLocal;
  return variable->isConstant() ? OperandConstantVariable : OperandVariable;
}

} // namespace

Code integerCode(int64_t value) {
  if (value == 0)
    return OperandInteger;
  uint64_t magnitude = value < 0 ? -static_cast<uint64_t>(value) : value;
  unsigned exponent = bitWidth(magnitude) - 1;
  unsigned leading = exponent >= 2 ? (magnitude >> (exponent - 2)) & 3
                     : exponent == 1 ? (magnitude & 1) * 2 : 0;
  return OperandInteger + 1 + (value < 0) * 256 + exponent * 4 + leading;
}

Code typeCode(Type *type) {
  switch (type->getTypeID()) {
  case Type::VoidTyID: return 0;
  case Type::LabelTyID: return 1;
  case Type::MetadataTyID: return 2;
  case Type::TokenTyID: return 3;
  case Type::PointerTyID: return type->getPointerAddressSpace() == 0 ? 5 : 6;
  case Type::FunctionTyID: return 7;
  case Type::IntegerTyID: return integerTypeCode(type->getIntegerBitWidth());
  case Type::HalfTyID: return 16;
  case Type::BFloatTyID: return 17;
  case Type::FloatTyID: return 18;
  case Type::DoubleTyID: return 19;
  case Type::X86_FP80TyID: return 20;
  case Type::FP128TyID: return 21;
  case Type::PPC_FP128TyID: return 22;
  case Type::StructTyID:
    return cast<StructType>(type)->isOpaque()
               ? 23
               : 24 + std::min(7u, bitWidth(type->getStructNumElements()));
  case Type::ArrayTyID: return arrayTypeCode(cast<ArrayType>(type));
  case Type::FixedVectorTyID:
  case Type::ScalableVectorTyID: return vectorTypeCode(cast<VectorType>(type));
  default: return 4;
  }
}

// Equal zeros and splats have several representations in memory: a vector of one number
// may be a ConstantInt, an array of data, or an expression if its length is scalable.
static std::optional<Code> vectorCode(const Constant *constant) {
  if (constant->isNullValue())
    return OperandZero;
  const Constant *element = constant->getSplatValue();
  if (element && isa<ConstantInt, ConstantFP>(element))
    return numberCode(element);
  return std::nullopt;
}

Code constantCode(const Constant *constant) {
  if (constant->getType()->isVectorTy())
    if (std::optional<Code> code = vectorCode(constant))
      return *code;
  if (isa<ConstantInt, ConstantFP>(constant))
    return numberCode(constant);
  if (auto *global = dyn_cast<GlobalValue>(constant))
    return globalCode(global);
  if (isa<PoisonValue>(constant))
    return OperandPoison;
  if (isa<UndefValue>(constant))
    return OperandUndef;
  if (isa<ConstantPointerNull>(constant))
    return OperandNull;
  if (isa<ConstantTokenNone>(constant))
    return OperandNone;
  if (isa<ConstantExpr>(constant))
    return OperandExpression;
  if (isa<BlockAddress>(constant))
    return OperandBlockAddress;
  if (constant->isNullValue())
    return OperandZero;
  return isa<ConstantDataSequential, ConstantAggregate>(constant) ? OperandData
                                                                  : OperandOther;
}

Code calleeCode(const CallBase &call, const Function *self) {
  if (call.isInlineAsm())
    return CalleeAsm;
  const auto *callee = dyn_cast<Function>(call.getCalledOperand());
  if (!callee)
    return CalleeIndirect;
  if (callee == self)
    return CalleeSelf;
  if (callee->isIntrinsic())
    return CalleeIntrinsic +
           nameHash(Intrinsic::getBaseName(callee->getIntrinsicID())) % namesPerKind;
  // The name of a function that is defined here says nothing in another program.
  if (!callee->isDeclaration())
    return CalleeDefined;
  return CalleeExternal + nameHash(callee->getName()) % namesPerKind;
}

static Code callKind(Code callee) {
  switch (callee) {
  case CalleeDefined: return 1;
  case CalleeSelf: return 2;
  case CalleeIndirect: return 3;
  case CalleeAsm: return 4;
  default: return callee >= CalleeIntrinsic ? 5 : 0;
  }
}

Code opcodeCode(const Instruction &instruction, Code callee) {
  switch (unsigned opcode = instruction.getOpcode()) {
  case Instruction::ICmp:
    return OpcodeICmp + cast<CmpInst>(instruction).getPredicate() -
           CmpInst::FIRST_ICMP_PREDICATE;
  case Instruction::FCmp:
    return OpcodeFCmp + cast<CmpInst>(instruction).getPredicate();
  case Instruction::Call:
    return OpcodeCall + callKind(callee);
  case Instruction::Invoke:
    return OpcodeInvoke + callKind(callee);
  case Instruction::CallBr:
    return OpcodeCallBr + callKind(callee);
  case Instruction::AtomicRMW:
    return OpcodeAtomic +
           std::min<unsigned>(cast<AtomicRMWInst>(instruction).getOperation(), 31);
  default:
    return static_cast<Code>(opcode);
  }
}

Code flagsCode(const Instruction &instruction) {
  enum : Code { Nuw = 1, Nsw = 2, Exact = 4, InBounds = 8, Fast = 16, Volatile = 32, Atomic = 64 };
  Code flags = 0;
  if (auto *gep = dyn_cast<GetElementPtrInst>(&instruction))
    return gep->hasNoUnsignedWrap() * Nuw | gep->hasNoUnsignedSignedWrap() * Nsw |
           gep->isInBounds() * InBounds;
  if (isa<OverflowingBinaryOperator, TruncInst>(instruction))
    flags |= instruction.hasNoUnsignedWrap() * Nuw | instruction.hasNoSignedWrap() * Nsw;
  else if (isa<PossiblyExactOperator>(instruction))
    flags |= instruction.isExact() * Exact;
  else if (auto *disjoint = dyn_cast<PossiblyDisjointInst>(&instruction))
    flags |= disjoint->isDisjoint() * Exact;
  else if (isa<PossiblyNonNegInst>(instruction))
    flags |= instruction.hasNonNeg() * Exact;
  else if (auto *compare = dyn_cast<ICmpInst>(&instruction))
    flags |= compare->hasSameSign() * Exact;
  if (isa<FPMathOperator>(instruction))
    flags |= instruction.getFastMathFlags().any() * Fast;
  if (instruction.mayReadOrWriteMemory())
    flags |= instruction.isVolatile() * Volatile | instruction.isAtomic() * Atomic;
  return flags;
}

Code distanceBucket(uint32_t distance) {
  if (distance <= 4)
    return distance - 1;
  unsigned exponent = bitWidth(distance) - 1;
  unsigned half = (distance >> (exponent - 1)) & 1;
  return std::min(23u, 4 + (exponent - 2) * 2 + half);
}

} // namespace mirgym
