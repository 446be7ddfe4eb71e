#include "fingerprint.h"

#include "fast_math.h"

#include "llvm/IR/Instructions.h"

using namespace llvm;

namespace mirgym {

namespace {

inline uint64_t mix(uint64_t hash, uint64_t value) {
  return ((hash << 7 | hash >> 57) ^ value) * 0x9e3779b97f4a7c15ULL;
}

inline uint64_t mix(uint64_t hash, const void *pointer) {
  return mix(hash, static_cast<uint64_t>(reinterpret_cast<uintptr_t>(pointer)));
}

// What operands, type and flags do not show.
uint64_t details(const Instruction &instruction) {
  switch (instruction.getOpcode()) {
  case Instruction::Load:
    return cast<LoadInst>(instruction).getAlign().value();
  case Instruction::Store:
    return cast<StoreInst>(instruction).getAlign().value();
  case Instruction::Alloca: {
    auto &alloca = cast<AllocaInst>(instruction);
    return mix(alloca.getAlign().value(), alloca.getAllocatedType());
  }
  case Instruction::GetElementPtr:
    return mix(0, cast<GetElementPtrInst>(instruction).getSourceElementType());
  case Instruction::ICmp:
  case Instruction::FCmp:
    return cast<CmpInst>(instruction).getPredicate();
  case Instruction::Call:
  case Instruction::Invoke:
  case Instruction::CallBr: {
    auto &call = cast<CallBase>(instruction);
    auto *plain = dyn_cast<CallInst>(&call);
    uint64_t tail = plain ? uint64_t(plain->getTailCallKind()) : 0;
    return mix(mix(tail, call.getAttributes().getRawPointer()), call.getFunctionType());
  }
  case Instruction::PHI: {
    uint64_t hash = 0;
    for (const BasicBlock *block : cast<PHINode>(instruction).blocks())
      hash = mix(hash, block);
    return hash;
  }
  case Instruction::ShuffleVector: {
    uint64_t hash = 0;
    for (int lane : cast<ShuffleVectorInst>(instruction).getShuffleMask())
      hash = mix(hash, static_cast<uint64_t>(lane));
    return hash;
  }
  default:
    return 0;
  }
}

uint64_t metadata(const Instruction &instruction) {
  if (!instruction.hasMetadataOtherThanDebugLoc())
    return 0;
  SmallVector<std::pair<unsigned, MDNode *>, 4> attachments;
  instruction.getAllMetadataOtherThanDebugLoc(attachments);
  uint64_t hash = 1;
  for (auto &[kind, node] : attachments)
    hash = mix(mix(hash, kind), node);
  return hash;
}

uint64_t header(const GlobalValue &global) {
  uint64_t hash = mix(0, static_cast<uint64_t>(global.getLinkage()) |
                             uint64_t(global.getUnnamedAddr()) << 8 |
                             uint64_t(global.getVisibility()) << 16);
  if (auto *function = dyn_cast<Function>(&global))
    return mix(mix(hash, function->getAttributes().getRawPointer()),
               function->getCallingConv());
  if (auto *variable = dyn_cast<GlobalVariable>(&global)) {
    hash = mix(hash, variable->isConstant() |
                         (variable->getAlign() ? variable->getAlign()->value() : 0) << 1);
    return mix(hash, variable->hasInitializer() ? variable->getInitializer() : nullptr);
  }
  return hash;
}

uint64_t body(const Function &function) {
  uint64_t hash = header(function);
  for (const BasicBlock &block : function) {
    hash = mix(hash, &block);
    for (const Instruction &instruction : block) {
      hash = mix(hash, instruction.getOpcode() |
                           uint64_t(instruction.getRawSubclassOptionalData()) << 16 |
                           fastMathBits(instruction) << 24);
      hash = mix(mix(hash, &instruction), instruction.getType());
      for (const Use &operand : instruction.operands())
        hash = mix(hash, operand.get());
      hash = mix(mix(hash, details(instruction)), metadata(instruction));
    }
  }
  return hash;
}

} // namespace

Fingerprints fingerprint(const Module &module) {
  Fingerprints found;
  for (const Function &function : module)
    if (function.isDeclaration())
      found.globals = mix(mix(found.globals, &function), header(function));
    else
      found.functions.emplace_back(&function, body(function));
  for (const GlobalVariable &variable : module.globals())
    found.globals = mix(mix(found.globals, &variable), header(variable));
  return found;
}

} // namespace mirgym
