#include "instrument.h"

#include "branches.h"
#include "charges.h"
#include "errors.h"

#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <algorithm>

using namespace llvm;

namespace mirgym {

namespace {

bool isCounted(const Function &function) {
  // A naked function is assembly only, and one that is available elsewhere is not
  // emitted here.
  return !function.isDeclarationForLinker() && !function.hasFnAttribute(Attribute::Naked);
}

// Reciprocal throughput is what the target's tables are fullest in: they serve the
// vectorizers. The tables take branches as predicted and so as free; here each costs one,
// or an unrolled loop would gain nothing.
uint64_t instructionCost(const Instruction &instruction, const TargetTransformInfo &costs) {
  constexpr uint64_t unknown = 10; // the target cannot say: as dear as a call
  if (isa<UncondBrInst, CondBrInst>(instruction))
    return 1;
  InstructionCost cost =
      costs.getInstructionCost(&instruction, TargetTransformInfo::TCK_RecipThroughput);
  if (!cost.isValid())
    return unknown;
  return static_cast<uint64_t>(std::max<InstructionCost::CostType>(cost.getValue(), 0));
}

// Bytes that a memory intrinsic works on; null for any other instruction.
Value *memoryLength(Instruction &instruction, IRBuilder<> &builder) {
  if (auto *memory = dyn_cast<AnyMemIntrinsic>(&instruction))
    return memory->getLength();
  if (auto *pattern = dyn_cast<MemSetPatternInst>(&instruction)) {
    const DataLayout &layout = instruction.getDataLayout();
    uint64_t size = layout.getTypeAllocSize(pattern->getValue()->getType());
    Value *count = builder.CreateZExtOrTrunc(pattern->getLength(), builder.getInt64Ty());
    return builder.CreateMul(count, builder.getInt64(size));
  }
  return nullptr;
}

class Instrumenter {
public:
  Instrumenter(Module &module, TargetMachine &machine, Counting counting)
      : module(module), machine(machine), counting(counting) {}

  std::vector<CountedFunction> run() {
    checkMain();
    checkSamples();
    std::vector<CountedFunction> functions;
    std::vector<std::pair<Instruction *, Value *>> dynamicLengths;
    counters = new GlobalVariable(module, Type::getInt64Ty(module.getContext()), false,
                                  GlobalValue::ExternalLinkage, nullptr, countersSymbol);
    if (counting == Counting::Snapshots)
      shadows = new GlobalVariable(module, Type::getInt64Ty(module.getContext()), false,
                                   GlobalValue::ExternalLinkage, nullptr, slotsSymbol);
    for (Function &function : module)
      if (isCounted(function))
        functions.push_back(countBlocks(function));
    redirectLibraryCalls();
    gatherConstructors();
    return functions;
  }

private:
  struct CountedBlock {
    BasicBlock *block;
    Value *count; // with this execution; null where there is no place for it
  };

  [[noreturn]] static void refuse(const std::string &why) {
    throw EngineError(ErrorKind::NotRunnable, why);
  }

  void checkMain() {
    Triple::ArchType here = Triple(sys::getProcessTriple()).getArch();
    if (!module.getTargetTriple().getTriple().empty() &&
        module.getTargetTriple().getArch() != here)
      refuse("the module is for " + module.getTargetTriple().str() +
             ", which this machine cannot run");
    Function *main = module.getFunction("main");
    if (!main || main->isDeclarationForLinker())
      refuse("the module defines no function 'main', so it cannot be run");
    FunctionType *type = main->getFunctionType();
    bool fits = type->getNumParams() <= 3 && !type->isVarArg() &&
                main->getCallingConv() == CallingConv::C &&
                (type->getReturnType()->isIntegerTy(32) || type->getReturnType()->isVoidTy());
    for (unsigned i = 0; fits && i < type->getNumParams(); ++i)
      fits = i == 0 ? type->getParamType(i)->isIntegerTy(32)
                    : type->getParamType(i)->isPointerTy();
    if (!fits)
      refuse("'main' is not a C program's main: int main(int, char **)");
    main->setLinkage(GlobalValue::ExternalLinkage);
  }

  void checkSamples() {
    size_t values = 0;
    for (Function &function : module)
      if (hasValues() && isCounted(function))
        values += valuesToSample(function).size();
    if (values > mostSampledValues)
      refuse("the module has " + std::to_string(values) + " values, and at most " +
             std::to_string(mostSampledValues) + " can be sampled: run it without samples and snapshots");
  }

  bool hasValues() const {
    return counting == Counting::Values || counting == Counting::Snapshots;
  }

  CountedFunction countBlocks(Function &function) {
    CountedFunction counted{function.getName().str()};
    if (counting == Counting::Values)
      counted.values = valuesToSample(function);
    if (counting == Counting::Trace || counting == Counting::Snapshots)
      counted.sites = sitesToTrace(function);
    if (counting == Counting::Snapshots && !counted.sites.empty())
      counted.slots = valuesToSample(function);
    TargetTransformInfo costs = machine.getTargetTransformInfo(function);
    // All weights first: the counting itself costs nothing.
    for (const BasicBlock &block : function) {
      uint64_t weight = 0;
      for (const Instruction &instruction : block)
        weight += instructionCost(instruction, costs);
      counted.weights.push_back(weight);
    }
    size_t index = 0;
    std::vector<CountedBlock> blocks;
    for (BasicBlock &block : function) {
      counted.weights[index++] += chargeLengths(block);
      ++slots;
      blocks.push_back({&block, nullptr});
      Instruction *start = startOf(block);
      if (!start)
        continue;
      IRBuilder<> builder(start);
      blocks.back().count = add(builder, slots, builder.getInt64(1));
    }
    if (!counted.sites.empty() && shadows)
      shadowValues(function, counted.slots, counted.sites, {shadows, shadowed, sites});
    shadowed += counted.slots.size();
    if (counting != Counting::Blocks)
      countBranches(function, counted);
    sampleValues(counted, blocks);
    return counted;
  }

  void sampleValues(const CountedFunction &function, ArrayRef<CountedBlock> blocks) {
    ArrayRef<SampledValue> left(function.values);
    size_t mask = slots + 1, first = mask + blocks.size();
    for (size_t number = 0; number < blocks.size(); ++number, ++mask) {
      auto own = left.take_while([&](const SampledValue &one) { return one.block == number; });
      if (blocks[number].count && !own.empty())
        sampleBlock(*blocks[number].block, blocks[number].count, own, {counters, mask, first});
      left = left.drop_front(own.size());
      first += own.size() * samplesPerValue;
    }
    slots += function.sampleWords();
  }

  void countBranches(Function &function, CountedFunction &counted) {
    std::vector<Branch> branches = splitBranches(function);
    for (const Branch &branch : branches) {
      IRBuilder<> builder(branch.block, branch.block->begin());
      add(builder, ++slots, builder.getInt64(1));
    }
    counted.branches = branches.size();
    if (counted.sites.empty())
      return;
    traceSites(module, counted.sites, sites, branches);
    sites += counted.sites.size();
  }

  // Charges for memory intrinsics: the known ones are returned, the others are added up
  // when they run.
  uint64_t chargeLengths(BasicBlock &block) {
    uint64_t known = 0;
    for (Instruction &instruction : make_early_inc_range(block)) {
      IRBuilder<> builder(&instruction);
      Value *length = memoryLength(instruction, builder);
      if (auto *constant = dyn_cast_or_null<ConstantInt>(length)) {
        known += bulkCharge(constant->getLimitedValue());
      } else if (length) {
        Value *bytes = builder.CreateZExtOrTrunc(length, builder.getInt64Ty());
        Value *rounded = builder.CreateAdd(bytes, builder.getInt64(bulkBytesPerUnit - 1));
        add(builder, 0, builder.CreateUDiv(rounded, builder.getInt64(bulkBytesPerUnit)));
      }
    }
    return known;
  }

  // Gives the sum.
  Value *add(IRBuilder<> &builder, size_t slot, Value *amount) {
    Type *word = builder.getInt64Ty();
    Value *address = builder.CreateConstInBoundsGEP1_64(word, counters, slot);
    Value *sum = builder.CreateAdd(builder.CreateLoad(word, address), amount);
    builder.CreateStore(sum, address);
    return sum;
  }

  // Renamed, so that code generation does not know them: it would expand some in line,
  // which nobody could charge.
  void redirectLibraryCalls() {
    for (Function &function : module)
      if (function.isDeclaration() && chargedFunction(function.getName())) {
        function.setName(wrapperPrefix + function.getName());
        function.setAttributes(AttributeList());
      }
  }

  // The constructors of `llvm.global_ctors` by their priorities, in one function. What
  // destructors there are is left to the end of the process.
  void gatherConstructors() {
    LLVMContext &context = module.getContext();
    auto *type = FunctionType::get(Type::getVoidTy(context), false);
    auto *start = Function::Create(type, GlobalValue::ExternalLinkage, startSymbol, module);
    IRBuilder<> builder(BasicBlock::Create(context, "", start));
    GlobalVariable *list = module.getGlobalVariable("llvm.global_ctors");
    std::vector<std::pair<uint64_t, Constant *>> entries;
    if (auto *array = list ? dyn_cast<ConstantArray>(list->getInitializer()) : nullptr)
      for (Value *element : array->operands())
        if (auto *entry = dyn_cast<ConstantStruct>(element))
          entries.emplace_back(cast<ConstantInt>(entry->getOperand(0))->getZExtValue(),
                               entry->getOperand(1));
    stable_sort(entries, less_first());
    for (auto &[priority, constructor] : entries)
      if (!constructor->isNullValue())
        builder.CreateCall(type, constructor);
    builder.CreateRetVoid();
    if (list)
      list->eraseFromParent();
  }

  Module &module;
  TargetMachine &machine;
  Counting counting;
  GlobalVariable *counters = nullptr;
  GlobalVariable *shadows = nullptr; // of values
  size_t slots = 0;    // used so far; slot 0 is for the charges
  size_t sites = 0;    // traced so far
  size_t shadowed = 0; // values so far
};

// The code may lie far from the C library: every reference outside goes through a table
// of addresses.
void makePositionIndependent(Module &module) {
  module.setPICLevel(PICLevel::BigPIC);
  for (GlobalValue &global : module.global_values())
    if (global.isDeclarationForLinker() && !global.isImplicitDSOLocal())
      global.setDSOLocal(false);
}

} // namespace

size_t CountedModule::counters() const {
  size_t count = 0;
  for (const CountedFunction &function : functions)
    count += function.counters();
  return count;
}

size_t CountedModule::slots() const {
  size_t count = 0;
  for (const CountedFunction &function : functions)
    count += function.slots.size();
  return count;
}

size_t CountedModule::mostSlots() const {
  size_t most = 0;
  for (const CountedFunction &function : functions)
    most = std::max(most, function.slots.size());
  return most;
}

uint64_t CountedModule::cost(const uint64_t *counters) const {
  uint64_t total = *counters++;
  for (const CountedFunction &function : functions) {
    for (uint64_t weight : function.weights)
      total += weight * *counters++;
    counters += function.branches + function.sampleWords();
  }
  return total;
}

CountedModule instrument(const Module &module, TargetMachine &machine, Counting counting) {
  CountedModule counted;
  counted.module = CloneModule(module);
  StripDebugInfo(*counted.module);
  counted.functions = Instrumenter(*counted.module, machine, counting).run();
  makePositionIndependent(*counted.module);
  return counted;
}

} // namespace mirgym
