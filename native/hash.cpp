#include "hash.h"

#include "fast_math.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Operator.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

using namespace llvm;

namespace mirgym {

namespace {

// Tags keep values of different kinds apart.
enum Tag : uint64_t {
  TagInt = 0x11, TagFP, TagSplat, TagUndef, TagPoison, TagZero, TagData,
  TagAggregate, TagExpr, TagBlockAddress, TagGlobal, TagSelf, TagLocal, TagAsm,
  TagMetadata, TagOtherConstant, TagDistinct, TagCycle, TagString,
  TagTokenNone,
};

// A folded multiplication, as in wyhash: one instruction pair, and every bit of the
// input reaches every bit of the output.
inline uint64_t mix(uint64_t hash, uint64_t value) {
  __uint128_t product = static_cast<__uint128_t>(hash ^ 0xa0761d6478bd642fULL) *
                        (value ^ 0xe7037ed1a0b428dbULL);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64) ^
         (hash << 1);
}

uint64_t finish(uint64_t hash) {
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53ULL;
  return hash ^ (hash >> 33);
}

uint64_t hashBytes(StringRef bytes) { return xxh3_64bits(bytes); }

uint64_t alignmentHash(MaybeAlign alignment) {
  return alignment ? alignment->value() : 0;
}

uint64_t hashInt(uint64_t hash, const APInt &value) {
  hash = mix(hash, value.getBitWidth());
  for (unsigned i = 0; i < value.getNumWords(); ++i)
    hash = mix(hash, value.getRawData()[i]);
  return hash;
}

} // namespace

bool isPlainData(const Constant *constant) {
  // Larger aggregates are tables, which are never copied whole into registers.
  constexpr unsigned largestAggregate = 64;
  if (isa<ConstantData>(constant))
    return true;
  return isa<ConstantAggregate>(constant) &&
         constant->getNumOperands() <= largestAggregate &&
         all_of(constant->operands(), [](const Use &operand) {
           return isPlainData(cast<Constant>(operand.get()));
         });
}

inline uint64_t StructuralHasher::typeHash(Type *type) {
  RecentType &recent = recentTypes[(reinterpret_cast<uintptr_t>(type) >> 4) % 64];
  if (recent.type != type)
    recent = {type, newTypeHash(type)};
  return recent.hash;
}

uint64_t StructuralHasher::newTypeHash(Type *type) {
  auto found = types.find(type);
  if (found != types.end())
    return found->second;
  uint64_t hash = mix(1, type->getTypeID());
  switch (type->getTypeID()) {
  case Type::IntegerTyID:
    hash = mix(hash, type->getIntegerBitWidth());
    break;
  case Type::PointerTyID:
    hash = mix(hash, type->getPointerAddressSpace());
    break;
  case Type::ArrayTyID:
    hash = mix(hash, type->getArrayNumElements());
    break;
  case Type::FixedVectorTyID:
  case Type::ScalableVectorTyID:
    hash = mix(hash, cast<VectorType>(type)->getElementCount().getKnownMinValue());
    break;
  case Type::StructTyID: {
    auto *structure = cast<StructType>(type);
    hash = mix(hash, structure->isPacked() | structure->isOpaque() << 1);
    if (structure->isOpaque() && structure->hasName())
      hash = mix(hash, hashBytes(structure->getName()));
    break;
  }
  case Type::FunctionTyID:
    hash = mix(hash, cast<FunctionType>(type)->isVarArg());
    break;
  case Type::TargetExtTyID: {
    auto *target = cast<TargetExtType>(type);
    hash = mix(hash, hashBytes(target->getName()));
    for (unsigned parameter : target->int_params())
      hash = mix(hash, parameter);
    break;
  }
  default:
    break;
  }
  for (Type *part : type->subtypes())
    hash = mix(hash, typeHash(part));
  return types[type] = finish(hash);
}

// Facts for the optimiser that leave no trace in machine code.
static AttributeSet codegenAttributes(LLVMContext &context, AttributeSet set) {
  for (Attribute::AttrKind kind :
       {Attribute::NoRecurse, Attribute::NoCallback, Attribute::MustProgress,
        Attribute::NoFree, Attribute::NoSync, Attribute::InlineHint,
        Attribute::NoInline, Attribute::AlwaysInline})
    set = set.removeAttribute(context, kind);
  return set;
}

uint64_t StructuralHasher::attributeSetHash(AttributeSet set) {
  uint64_t hash = 2;
  for (Attribute attribute : set)
    if (attribute.isTypeAttribute()) // a type without a name prints as its address
      hash = mix(mix(hash, attribute.getKindAsEnum()),
                 attribute.getValueAsType() ? typeHash(attribute.getValueAsType()) : 0);
    else
      hash = mix(hash, hashBytes(attribute.getAsString()));
  return hash;
}

const FunctionHash &StructuralHasher::attributesHash(AttributeList list) {
  auto [found, isNew] = attributeLists.try_emplace(list.getRawPointer());
  if (!isNew || list.isEmpty())
    return found->second;
  FunctionHash hash{2, 2};
  for (unsigned index : list.indexes()) {
    AttributeSet set = list.getAttributes(index);
    if (!set.hasAttributes())
      continue;
    hash.key = mix(mix(hash.key, index), attributeSetHash(set));
    AttributeSet relevant = codegenAttributes(*listContext, set);
    if (relevant.hasAttributes())
      hash.codegen =
          mix(mix(hash.codegen, index), attributeSetHash(relevant));
  }
  return found->second = hash;
}

uint64_t StructuralHasher::constantBody(const Constant *constant) {
  uint64_t hash = mix(3, typeHash(constant->getType()));
  // Equal zeros and splats have several representations in memory.
  if (constant->isNullValue())
    return mix(hash, TagZero);
  if (constant->getType()->isVectorTy())
    if (const Constant *element = constant->getSplatValue())
      return mix(mix(hash, TagSplat), constantHash(element));
  if (auto *integer = dyn_cast<ConstantInt>(constant))
    return hashInt(mix(hash, TagInt), integer->getValue());
  if (auto *real = dyn_cast<ConstantFP>(constant))
    return hashInt(mix(hash, TagFP), real->getValueAPF().bitcastToAPInt());
  if (isa<PoisonValue>(constant))
    return mix(hash, TagPoison);
  if (isa<UndefValue>(constant))
    return mix(hash, TagUndef);
  if (isa<ConstantTokenNone>(constant))
    return mix(hash, TagTokenNone);
  if (auto *sequence = dyn_cast<ConstantDataSequential>(constant))
    return mix(mix(hash, TagData), hashBytes(sequence->getRawDataValues()));
  if (auto *address = dyn_cast<BlockAddress>(constant)) {
    metBlockAddress = true;
    uint32_t position = 0;
    for (const BasicBlock &block : *address->getFunction()) {
      if (&block == address->getBasicBlock())
        break;
      ++position;
    }
    return mix(mix(mix(hash, TagBlockAddress),
                   referenceHash(address->getFunction())), position);
  }
  if (auto *expression = dyn_cast<ConstantExpr>(constant)) {
    hash = mix(mix(hash, TagExpr), expression->getOpcode());
    hash = mix(hash, expression->getRawSubclassOptionalData());
    if (auto *gep = dyn_cast<GEPOperator>(expression))
      hash = mix(hash, typeHash(gep->getSourceElementType()));
  } else {
    hash = mix(mix(hash, TagAggregate), constant->getValueID());
  }
  for (const Use &operand : constant->operands())
    hash = mix(hash, constantHash(cast<Constant>(operand.get())));
  return hash;
}

uint64_t StructuralHasher::constantHash(const Constant *constant) {
  if (auto *global = dyn_cast<GlobalValue>(constant)) {
    if (auto *function = dyn_cast<Function>(global))
      callees.insert(function);
    return referenceHash(global);
  }
  return constantBody(constant);
}

// Tells globals without names (`@0`, `@1`) apart.
static uint64_t positionWithoutName(const GlobalValue *global) {
  uint64_t position = 0;
  for (const GlobalValue &other : global->getParent()->global_values()) {
    if (&other == global)
      break;
    position += !other.hasName();
  }
  return position;
}

// What a reference to a global means for the code that holds it.
uint64_t StructuralHasher::referenceHash(const GlobalValue *global) {
  if (global == self)
    return TagSelf;
  if (auto found = references.find(global); found != references.end())
    return found->second;
  uint64_t hash = mix(TagGlobal, global->getValueID());
  hash = mix(hash, global->hasName() ? hashBytes(global->getName())
                                     : positionWithoutName(global));
  hash = mix(hash, typeHash(global->getValueType()));
  hash = mix(hash, global->isDeclaration() | global->isDSOLocal() << 1 |
                       global->hasLocalLinkage() << 2 |
                       uint64_t(global->getThreadLocalMode()) << 3);
  if (auto *variable = dyn_cast<GlobalVariable>(global))
    hash = mix(hash, variable->isConstant());
  if (auto *variable = dyn_cast<GlobalVariable>(global);
      variable && variable->isConstant() && variable->hasInitializer() &&
      isPlainData(variable->getInitializer()))
    hash = mix(hash, constantBody(variable->getInitializer()));
  return references[global] = finish(hash);
}

// Most nodes (type-based alias information) mean the same everywhere and never
// change: they are hashed once per context. Nodes that are distinct, or reach
// distinct nodes or values, are hashed once per function.
uint64_t StructuralHasher::nodeHash(const MDNode *node) {
  if (auto found = constantNodes.find(node); found != constantNodes.end())
    return found->second;
  auto [found, isNew] = nodes.try_emplace(node, TagCycle);
  if (!isNew) {
    nodeIsLocal = true;
    return found->second;
  }
  bool outerIsLocal = nodeIsLocal;
  nodeIsLocal = node->isDistinct();
  uint64_t hash = mix(TagMetadata, node->getMetadataID());
  // Two distinct nodes of equal content differ: count them as they come.
  if (node->isDistinct())
    hash = mix(hash, TagDistinct + ++distinctNodes);
  for (const MDOperand &operand : node->operands())
    hash = mix(hash, metadataHash(operand.get()));
  hash = finish(hash);
  if (nodeIsLocal) {
    nodes[node] = hash;
  } else {
    nodes.erase(node);
    constantNodes[node] = hash;
  }
  nodeIsLocal |= outerIsLocal;
  return hash;
}

uint64_t StructuralHasher::metadataHash(const Metadata *metadata) {
  if (!metadata)
    return 0;
  if (auto *text = dyn_cast<MDString>(metadata))
    return mix(TagString, hashBytes(text->getString()));
  if (auto *value = dyn_cast<ValueAsMetadata>(metadata)) {
    nodeIsLocal |= !isa<ConstantData>(value->getValue());
    return mix(TagMetadata, valueHash(value->getValue()));
  }
  auto *node = dyn_cast<MDNode>(metadata);
  return node && !isa<DILocation>(node) ? nodeHash(node) : TagMetadata;
}

uint64_t StructuralHasher::valueHash(const Value *value) {
  if (auto *integer = dyn_cast<ConstantInt>(value);
      integer && integer->getType()->isIntegerTy() && integer->getBitWidth() <= 64)
    return mix(TagInt + integer->getBitWidth(), integer->getZExtValue()) ^
           typeHash(integer->getType());
  if (auto *constant = dyn_cast<Constant>(value))
    return constantHash(constant);
  if (uint32_t number = numbers.find(value); number != PointerNumbers::absent)
    return mix(TagLocal, number);
  if (auto *wrapped = dyn_cast<MetadataAsValue>(value))
    return metadataHash(wrapped->getMetadata());
  if (auto *assembly = dyn_cast<InlineAsm>(value)) {
    uint64_t hash = mix(TagAsm, hashBytes(assembly->getAsmString()));
    hash = mix(hash, hashBytes(assembly->getConstraintString()));
    return mix(hash, assembly->hasSideEffects() | assembly->isAlignStack() << 1 |
                         uint64_t(assembly->getDialect()) << 2 |
                         assembly->canThrow() << 4);
  }
  return TagOtherConstant;
}

// What the opcode, type, flags and operands do not say.
uint64_t StructuralHasher::instructionExtras(const Instruction &instruction) {
  uint64_t hash = 5;
  switch (instruction.getOpcode()) {
  case Instruction::Alloca: {
    auto &alloca = cast<AllocaInst>(instruction);
    hash = mix(hash, typeHash(alloca.getAllocatedType()));
    return mix(hash, alloca.getAlign().value() | alloca.isUsedWithInAlloca() << 1 |
                         uint64_t(alloca.isSwiftError()) << 40);
  }
  case Instruction::Load: {
    auto &load = cast<LoadInst>(instruction);
    return mix(hash, load.getAlign().value() << 32 | load.isVolatile() |
                         uint64_t(load.getOrdering()) << 1 |
                         uint64_t(load.getSyncScopeID()) << 8);
  }
  case Instruction::Store: {
    auto &store = cast<StoreInst>(instruction);
    return mix(hash, store.getAlign().value() << 32 | store.isVolatile() |
                         uint64_t(store.getOrdering()) << 1 |
                         uint64_t(store.getSyncScopeID()) << 8);
  }
  case Instruction::ICmp:
  case Instruction::FCmp:
    return mix(hash, cast<CmpInst>(instruction).getPredicate());
  case Instruction::Call:
  case Instruction::Invoke:
  case Instruction::CallBr:
    return callExtras(cast<CallBase>(instruction));
  case Instruction::GetElementPtr:
    return mix(hash,
               typeHash(cast<GetElementPtrInst>(instruction).getSourceElementType()));
  case Instruction::PHI:
    for (const BasicBlock *block : cast<PHINode>(instruction).blocks())
      hash = mix(hash, numbers.find(block));
    return hash;
  case Instruction::ExtractValue:
    for (unsigned index : cast<ExtractValueInst>(instruction).indices())
      hash = mix(hash, index);
    return hash;
  case Instruction::InsertValue:
    for (unsigned index : cast<InsertValueInst>(instruction).indices())
      hash = mix(hash, index);
    return hash;
  case Instruction::ShuffleVector:
    for (int lane : cast<ShuffleVectorInst>(instruction).getShuffleMask())
      hash = mix(hash, uint64_t(int64_t(lane)));
    return hash;
  case Instruction::LandingPad: {
    auto &landing = cast<LandingPadInst>(instruction);
    hash = mix(hash, landing.isCleanup());
    for (unsigned i = 0; i < landing.getNumClauses(); ++i)
      hash = mix(hash, landing.isCatch(i));
    return hash;
  }
  case Instruction::Fence:
  case Instruction::AtomicCmpXchg:
  case Instruction::AtomicRMW:
    return atomicExtras(instruction);
  default:
    return hash;
  }
}

uint64_t StructuralHasher::callExtras(const CallBase &call) {
  addAttributes(call.getAttributes());
  uint64_t hash = mix(call.getCallingConv(), typeHash(call.getFunctionType()));
  if (auto *plain = dyn_cast<CallInst>(&call))
    hash = mix(hash, plain->getTailCallKind());
  for (unsigned i = 0; i < call.getNumOperandBundles(); ++i) {
    OperandBundleUse bundle = call.getOperandBundleAt(i);
    hash = mix(mix(hash, bundle.getTagID()), bundle.Inputs.size());
  }
  return hash;
}

uint64_t StructuralHasher::atomicExtras(const Instruction &instruction) {
  if (auto *fence = dyn_cast<FenceInst>(&instruction))
    return mix(11, uint64_t(fence->getOrdering()) | fence->getSyncScopeID() << 8);
  if (auto *exchange = dyn_cast<AtomicCmpXchgInst>(&instruction))
    return mix(mix(12, exchange->getAlign().value()),
               exchange->isVolatile() | exchange->isWeak() << 1 |
                   uint64_t(exchange->getSuccessOrdering()) << 2 |
                   uint64_t(exchange->getFailureOrdering()) << 8 |
                   uint64_t(exchange->getSyncScopeID()) << 16);
  auto &atomic = cast<AtomicRMWInst>(instruction);
  return mix(mix(13, atomic.getAlign().value()),
             atomic.isVolatile() | uint64_t(atomic.getOperation()) << 1 |
                 uint64_t(atomic.getOrdering()) << 16 |
                 uint64_t(atomic.getSyncScopeID()) << 24);
}

// Passes leave flags on instructions that cannot have them; those are neither printed
// nor written.
static uint64_t meaningfulFlags(const Instruction &instruction) {
  switch (instruction.getOpcode()) {
  case Instruction::Call:
  case Instruction::Invoke:
  case Instruction::PHI:
  case Instruction::Select:
    return fastMathBits(instruction) << 8;
  case Instruction::Alloca:
  case Instruction::Load:
  case Instruction::Store:
    return 0;
  default:
    return instruction.getRawSubclassOptionalData() | fastMathBits(instruction) << 8;
  }
}

uint64_t StructuralHasher::instructionHash(const Instruction &instruction) {
  uint64_t hash = mix(instruction.getOpcode(), typeHash(instruction.getType()));
  hash = mix(hash, meaningfulFlags(instruction) |
                       uint64_t(instruction.getNumOperands()) << 16);
  for (const Use &operand : instruction.operands())
    hash = mix(hash, valueHash(operand.get()));
  hash = mix(hash, instructionExtras(instruction));
  if (instruction.hasMetadataOtherThanDebugLoc()) {
    SmallVector<std::pair<unsigned, MDNode *>, 4> attachments;
    instruction.getAllMetadataOtherThanDebugLoc(attachments);
    hash = mix(hash, attachmentsHash(attachments));
  }
  return hash;
}

uint64_t StructuralHasher::attachmentsHash(
    ArrayRef<std::pair<unsigned, MDNode *>> attachments) {
  // Kinds that LLVM does not know by number are numbered as each context meets
  // them, so they share one number here.
  constexpr unsigned firstUnstableKind = 40;
  uint64_t hash = 7;
  for (auto &[kind, node] : attachments)
    if (kind != LLVMContext::MD_dbg)
      hash = mix(mix(hash, std::min(kind, firstUnstableKind)), metadataHash(node));
  return hash;
}

void StructuralHasher::numberLocals(const Function &function) {
  numbers.clear();
  uint32_t next = 0;
  for (const Argument &argument : function.args())
    numbers.insert(&argument, next++);
  for (const BasicBlock &block : function) {
    numbers.insert(&block, next++);
    for (const Instruction &instruction : block)
      // Nobody refers to a value of type void.
      if (!instruction.getType()->isVoidTy())
        numbers.insert(&instruction, next++);
  }
}

void StructuralHasher::beginRound(bool globalsChanged) {
  references.clear();
  if (globalsChanged)
    variables.clear();
}

void StructuralHasher::addAttributes(AttributeList list) {
  const FunctionHash &hash = attributesHash(list);
  attributes.key = mix(attributes.key, hash.key);
  attributes.codegen = mix(attributes.codegen, hash.codegen);
}

FunctionHash StructuralHasher::hashFunction(const Function &function) {
  nodes.clear();
  callees.clear();
  distinctNodes = 0;
  self = &function;
  listContext = &function.getContext();
  attributes = FunctionHash();
  numberLocals(function);
  uint64_t hash = globalHash(function);
  addAttributes(function.getAttributes());
  for (const BasicBlock &block : function) {
    hash = mix(hash, numbers.find(&block));
    for (const Instruction &instruction : block)
      hash = mix(hash, instructionHash(instruction));
  }
  self = nullptr;
  // What is hot or cold in it is so by the summary of the whole module.
  if (function.hasProfileData())
    attributes.codegen = mix(attributes.codegen,
                             metadataHash(function.getParent()->getProfileSummary(false)));
  uint64_t key = finish(mix(hash, attributes.key));
  // A call is generated by what its callee is known to do.
  for (const Function *callee : callees)
    if (!callee->isIntrinsic())
      addAttributes(callee->getAttributes());
  return {key, finish(mix(hash, attributes.codegen))};
}

// The header of a global: all but the body of a function.
uint64_t StructuralHasher::globalHash(const GlobalValue &global) {
  uint64_t hash = mix(global.getValueID(), typeHash(global.getValueType()));
  hash = mix(hash, global.getLinkage() | global.getVisibility() << 8 |
                       global.getDLLStorageClass() << 12 |
                       uint64_t(global.getUnnamedAddr()) << 16 |
                       uint64_t(global.getThreadLocalMode()) << 20 |
                       global.isDSOLocal() << 24);
  if (auto *object = dyn_cast<GlobalObject>(&global)) {
    hash = mix(hash, hashBytes(object->getSection()));
    if (object->hasComdat() && !object->isDeclaration())
      hash = mix(hash, hashBytes(object->getComdat()->getName()));
  }
  if (auto *function = dyn_cast<Function>(&global)) {
    hash = mix(hash, alignmentHash(function->getAlign()));
    hash = mix(hash, function->getCallingConv());
    if (function->hasGC())
      hash = mix(hash, hashBytes(function->getGC()));
    for (const Use &extra : function->operands())
      hash = mix(hash, valueHash(extra.get()));
    if (function->hasMetadata()) {
      SmallVector<std::pair<unsigned, MDNode *>, 4> attachments;
      function->getAllMetadata(attachments);
      hash = mix(hash, attachmentsHash(attachments));
    }
  } else if (auto *variable = dyn_cast<GlobalVariable>(&global)) {
    hash = mix(hash, alignmentHash(variable->getAlign()));
    hash = mix(hash, variable->isConstant() |
                         variable->isExternallyInitialized() << 1);
    hash = mix(hash, variable->hasInitializer()
                         ? constantHash(variable->getInitializer()) : 0);
  } else if (auto *alias = dyn_cast<GlobalAlias>(&global)) {
    hash = mix(hash, constantHash(alias->getAliasee()));
  } else if (auto *ifunc = dyn_cast<GlobalIFunc>(&global)) {
    hash = mix(hash, constantHash(ifunc->getResolver()));
  }
  return hash;
}

uint64_t StructuralHasher::hashModule(
    const Module &module,
    const DenseMap<const Function *, FunctionHash> &functionHash) {
  nodes.clear();
  distinctNodes = 0;
  listContext = &module.getContext();
  uint64_t hash = mix(hashBytes(module.getTargetTriple().str()),
                      hashBytes(module.getDataLayoutStr()));
  for (const auto &assembly : module.getModuleInlineAsm())
    hash = mix(hash, hashBytes(assembly.Asm));
  for (const GlobalVariable &variable : module.globals()) {
    auto [found, isNew] = variables.try_emplace(&variable, 0);
    metBlockAddress = false;
    if (isNew)
      found->second = globalHash(variable);
    hash = mix(mix(hash, hashBytes(variable.getName())), found->second);
    // A pass over a function moves its blocks, and so the variable changes.
    if (metBlockAddress)
      variables.erase(found);
  }
  for (const Function &function : module) {
    hash = mix(hash, hashBytes(function.getName()));
    if (auto found = functionHash.find(&function); found != functionHash.end()) {
      hash = mix(hash, found->second.key);
      continue;
    }
    hash = mix(hash, globalHash(function));
    // Reading bitcode sets an intrinsic's attributes to LLVM's own table.
    if (!function.isIntrinsic())
      hash = mix(hash, attributesHash(function.getAttributes()).key);
  }
  for (const GlobalAlias &alias : module.aliases())
    hash = mix(mix(hash, hashBytes(alias.getName())), globalHash(alias));
  for (const GlobalIFunc &ifunc : module.ifuncs())
    hash = mix(mix(hash, hashBytes(ifunc.getName())), globalHash(ifunc));
  if (const NamedMDNode *flags = module.getModuleFlagsMetadata())
    for (const MDNode *flag : flags->operands())
      hash = mix(hash, metadataHash(flag));
  return finish(hash);
}

} // namespace mirgym
