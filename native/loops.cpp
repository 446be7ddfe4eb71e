#include "loops.h"

#include "analyses.h"
#include "errors.h"

#include "llvm/Analysis/AliasAnalysis.h"
#include "llvm/Analysis/AssumptionCache.h"
#include "llvm/Analysis/DemandedBits.h"
#include "llvm/Analysis/IVDescriptors.h"
#include "llvm/Analysis/LoopAccessAnalysis.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/OptimizationRemarkEmitter.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/ScalarEvolutionExpressions.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/CodeExtractor.h"
#include "llvm/Transforms/Vectorize/LoopVectorizationLegality.h"

#include <algorithm>
#include <array>

using namespace llvm;

namespace mirgym {

namespace {

// Columns of the facts, in the order of mirgym.loops.LoopFacts.
enum Fact : unsigned {
  FactFunction, FactHeader, FactParent, FactDepth, FactChildren,
  FactBlocks, FactInstructions, FactExits,
  FactTripCount, FactTripMultiple, FactMaxTripCount,
  FactLoads, FactStores = FactLoads + 4, // each by stride: four columns
  FactReductions = FactStores + 4, FactCalls, FactBranches,
  FactIntegerOps, FactFloatOps, FactDivisions, FactSmallestBits, FactWidestBits,
  FactVectorizable, FactSafeBits, FactRuntimeChecks,
  FactWidth, FactInterleave, FactUnroll,
  factCount
};
using Facts = std::array<int64_t, factCount>;

enum Stride : unsigned { Invariant, Unit, Strided, Irregular };

constexpr char widthName[] = "llvm.loop.vectorize.width";
constexpr char interleaveName[] = "llvm.loop.interleave.count";
constexpr char unrollName[] = "llvm.loop.unroll.count";
constexpr char unrollDisableName[] = "llvm.loop.unroll.disable";

// How far an access moves from one iteration of the loop to the next.
Stride strideOf(Value *pointer, Type *accessed, const Loop &loop, ScalarEvolution &evolution) {
  const SCEV *address = evolution.getSCEV(pointer);
  // An inner loop starts somewhere else in each iteration of this one.
  auto *recurrence = dyn_cast<SCEVAddRecExpr>(address);
  while (recurrence && recurrence->getLoop() != &loop && loop.contains(recurrence->getLoop())) {
    address = recurrence->getStart();
    recurrence = dyn_cast<SCEVAddRecExpr>(address);
  }
  if (evolution.isLoopInvariant(address, &loop))
    return Invariant;
  if (!recurrence || recurrence->getLoop() != &loop || !recurrence->isAffine())
    return Irregular;
  auto *step = dyn_cast<SCEVConstant>(recurrence->getStepRecurrence(evolution));
  TypeSize size = evolution.getDataLayout().getTypeAllocSize(accessed);
  if (!step || size.isScalable() || step->getAPInt().getSignificantBits() > 64)
    return Strided;
  int64_t bytes = step->getAPInt().getSExtValue();
  return bytes == int64_t(size) || bytes == -int64_t(size) ? Unit : Strided;
}

class FactFinder {
public:
  FactFinder(Function &function, FunctionAnalysisManager &analyses)
      : function(function), analyses(analyses),
        evolution(analyses.getResult<ScalarEvolutionAnalysis>(function)) {}

  Facts find(Loop &loop) {
    facts.fill(0);
    facts[FactDepth] = loop.getLoopDepth();
    facts[FactChildren] = static_cast<int64_t>(loop.getSubLoops().size());
    SmallVector<BasicBlock *, 4> exiting;
    loop.getExitingBlocks(exiting);
    facts[FactExits] = static_cast<int64_t>(exiting.size());
    facts[FactTripCount] = evolution.getSmallConstantTripCount(&loop);
    facts[FactTripMultiple] = evolution.getSmallConstantTripMultiple(&loop);
    facts[FactMaxTripCount] = evolution.getSmallConstantMaxTripCount(&loop);
    for (BasicBlock *block : loop.blocks()) {
      ++facts[FactBlocks];
      for (Instruction &instruction : *block)
        count(instruction, loop);
    }
    countReductions(loop);
    askVectorizer(loop);
    readHints(loop);
    return facts;
  }

private:
  void count(Instruction &instruction, const Loop &loop) {
    ++facts[FactInstructions];
    if (auto *load = dyn_cast<LoadInst>(&instruction))
      countAccess(FactLoads, load->getPointerOperand(), load->getType(), loop);
    else if (auto *store = dyn_cast<StoreInst>(&instruction))
      countAccess(FactStores, store->getPointerOperand(), store->getValueOperand()->getType(),
                  loop);
    else if (auto *branch = dyn_cast<CondBrInst>(&instruction))
      facts[FactBranches] += loop.contains(branch->getSuccessor(0)) &&
                             loop.contains(branch->getSuccessor(1));
    else if (isa<CallBase>(instruction))
      facts[FactCalls] += !isa<IntrinsicInst>(instruction);
    else if (instruction.isBinaryOp() || instruction.isUnaryOp())
      countOperation(instruction);
  }

  void countAccess(Fact first, Value *pointer, Type *accessed, const Loop &loop) {
    ++facts[first + strideOf(pointer, accessed, loop, evolution)];
    TypeSize size = evolution.getDataLayout().getTypeSizeInBits(accessed);
    if (size.isScalable())
      return;
    int64_t bits = static_cast<int64_t>(size.getFixedValue());
    int64_t &smallest = facts[FactSmallestBits], &widest = facts[FactWidestBits];
    smallest = smallest ? std::min(smallest, bits) : bits;
    widest = std::max(widest, bits);
  }

  void countOperation(const Instruction &instruction) {
    ++facts[instruction.getType()->isFPOrFPVectorTy() ? FactFloatOps : FactIntegerOps];
    switch (instruction.getOpcode()) {
    case Instruction::SDiv:
    case Instruction::UDiv:
    case Instruction::SRem:
    case Instruction::URem:
    case Instruction::FDiv:
    case Instruction::FRem:
      ++facts[FactDivisions];
    }
  }

  void countReductions(Loop &loop) {
    if (!loop.getLoopLatch() || !loop.getLoopPreheader())
      return;
    for (PHINode &phi : loop.getHeader()->phis()) {
      RecurrenceDescriptor reduction;
      facts[FactReductions] += RecurrenceDescriptor::isReductionPHI(
          &phi, &loop, reduction, &analyses.getResult<DemandedBitsAnalysis>(function),
          &analyses.getResult<AssumptionAnalysis>(function),
          &analyses.getResult<DominatorTreeAnalysis>(function), &evolution);
    }
  }

  // As the vectorizer does before it looks at costs. Loops that only reordered
  // floating-point arithmetic would let it vectorize do not count.
  void askVectorizer(Loop &loop) {
    if (!loop.isInnermost() || !loop.isLoopSimplifyForm())
      return;
    auto &remarks = analyses.getResult<OptimizationRemarkEmitterAnalysis>(function);
    auto &costs = analyses.getResult<TargetIRAnalysis>(function);
    LoopVectorizeHints hints(&loop, /*InterleaveOnlyWhenForced=*/false, remarks, &costs);
    LoopVectorizationRequirements requirements;
    PredicatedScalarEvolution predicated(evolution, loop);
    LoopVectorizationLegality legality(
        &loop, predicated, &analyses.getResult<DominatorTreeAnalysis>(function), &costs,
        &analyses.getResult<TargetLibraryAnalysis>(function), &function,
        analyses.getResult<LoopAccessAnalysis>(function),
        &analyses.getResult<LoopAnalysis>(function), &remarks, &requirements, &hints,
        &analyses.getResult<DemandedBitsAnalysis>(function),
        &analyses.getResult<AssumptionAnalysis>(function), /*AllowRuntimeSCEVChecks=*/true,
        &analyses.getResult<AAManager>(function));
    if (!legality.canVectorize(/*UseVPlanNativePath=*/false) || requirements.getExactFPInst())
      return;
    facts[FactVectorizable] = 1;
    if (!legality.isSafeForAnyVectorWidth())
      facts[FactSafeBits] = static_cast<int64_t>(
          std::min<uint64_t>(legality.getMaxSafeVectorWidthInBits(), INT32_MAX));
    if (const RuntimePointerChecking *checks = legality.getRuntimePointerChecking())
      facts[FactRuntimeChecks] = checks->getNumberOfChecks();
  }

  void readHints(const Loop &loop) {
    facts[FactWidth] = getIntLoopAttribute(&loop, widthName);
    facts[FactInterleave] = getIntLoopAttribute(&loop, interleaveName);
    facts[FactUnroll] = getBooleanLoopAttribute(&loop, unrollDisableName)
                            ? 1
                            : getIntLoopAttribute(&loop, unrollName);
  }

  Function &function;
  FunctionAnalysisManager &analyses;
  ScalarEvolution &evolution;
  Facts facts;
};

// The loop as a function of its own, in a module that may be changed; no bytes when it
// cannot be taken out of its function.
FunctionView viewAlone(Function &function, size_t number, ViewBuilder &builder) {
  ValueToValueMapTy map;
  Function *copy = CloneFunction(&function, map);
  DominatorTree tree(*copy);
  LoopInfo info(tree);
  Loop *loop = loopsOf(*copy, info)[number];
  CodeExtractor extractor(loop->getBlocks(), &tree, /*AggregateArgs=*/false, nullptr, nullptr,
                          nullptr, /*AllowVarArgs=*/true);
  FunctionView view;
  if (extractor.isEligible())
    if (Function *alone = extractor.extractCodeRegion(CodeExtractorAnalysisCache(*copy)))
      view = builder.build(*alone);
  return view;
}

void checkHints(const LoopHints &hints, size_t loops) {
  auto refuse = [](const std::string &why) {
    throw EngineError(ErrorKind::BadRequest, why);
  };
  constexpr uint32_t maxWidth = 64, maxInterleave = 16, maxUnroll = 1024; // LLVM's, and ours
  auto number = [](uint32_t value) { return std::to_string(value); };
  if (hints.loop >= loops)
    refuse("loop " + number(hints.loop) + ": the module has " + std::to_string(loops) +
           " loops, numbered from 0");
  if (hints.width > maxWidth || (hints.width & (hints.width - 1)))
    refuse("vector width " + number(hints.width) + ": LLVM takes powers of two up to 64");
  if (hints.interleave > maxInterleave || (hints.interleave & (hints.interleave - 1)))
    refuse("interleave count " + number(hints.interleave) +
           ": LLVM takes powers of two up to 16");
  if (hints.unroll > maxUnroll)
    refuse("unroll count " + number(hints.unroll) + ": expected one up to 1024");
}

// As clang does for the pragmas of these names.
void setHints(Loop &loop, const LoopHints &hints) {
  LLVMContext &context = loop.getHeader()->getContext();
  SmallVector<StringRef, 3> replaced;
  SmallVector<MDNode *, 5> added;
  auto add = [&](StringRef name, Constant *value) {
    SmallVector<Metadata *, 2> parts = {MDString::get(context, name)};
    if (value)
      parts.push_back(ConstantAsMetadata::get(value));
    added.push_back(MDNode::get(context, parts));
  };
  auto count = [&](uint32_t value) {
    return ConstantInt::get(Type::getInt32Ty(context), value);
  };
  if (hints.width) {
    replaced.push_back("llvm.loop.vectorize.");
    add(widthName, count(hints.width));
    if (hints.width > 1) {
      add("llvm.loop.vectorize.scalable.enable", ConstantInt::getFalse(context));
      add("llvm.loop.vectorize.enable", ConstantInt::getTrue(context));
    }
  }
  if (hints.interleave) {
    replaced.push_back("llvm.loop.interleave.");
    add(interleaveName, count(hints.interleave));
  }
  if (hints.unroll) {
    replaced.push_back("llvm.loop.unroll.");
    if (hints.unroll == 1)
      add(unrollDisableName, nullptr);
    else
      add(unrollName, count(hints.unroll));
  }
  loop.setLoopID(
      makePostTransformationMetadata(context, loop.getLoopID(), replaced, added));
}

} // namespace

std::string loopView(Module &module, ViewBuilder &builder) {
  Analyses analyses(module);
  std::unique_ptr<Module> scratch; // made when there is a loop
  ValueToValueMapTy toScratch;
  std::string rows;
  auto append = [&rows](const auto &value) {
    rows.append(reinterpret_cast<const char *>(&value), sizeof(value));
  };
  uint32_t count = 0;
  int64_t position = -1;
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    ++position;
    auto &info = analyses.functions.getResult<LoopAnalysis>(function);
    std::vector<Loop *> loops = loopsOf(function, info);
    if (loops.empty())
      continue;
    FactFinder finder(function, analyses.functions);
    if (!scratch)
      scratch = CloneModule(module, toScratch);
    DenseMap<const Loop *, int64_t> numbers = {{nullptr, -1}};
    for (Loop *loop : loops)
      numbers.try_emplace(loop, count + numbers.size() - 1);
    DenseMap<const BasicBlock *, int64_t> positions;
    for (const BasicBlock &block : function)
      positions.try_emplace(&block, positions.size());
    for (size_t i = 0; i < loops.size(); ++i) {
      Facts facts = finder.find(*loops[i]);
      facts[FactFunction] = position;
      facts[FactHeader] = positions.lookup(loops[i]->getHeader());
      facts[FactParent] = numbers.lookup(loops[i]->getParentLoop());
      append(facts);
      FunctionView view = viewAlone(cast<Function>(*toScratch[&function]), i, builder);
      append(view.key);
      append(uint32_t(view.bytes.size()));
      rows.append(view.bytes);
    }
    count += static_cast<uint32_t>(loops.size());
  }
  uint32_t head[2] = {count, factCount};
  return std::string(reinterpret_cast<const char *>(head), sizeof(head)) + rows;
}

std::vector<Loop *> loopsOf(Function &function, const LoopInfo &info) {
  std::vector<Loop *> loops;
  for (BasicBlock &block : function)
    if (info.isLoopHeader(&block))
      loops.push_back(info.getLoopFor(&block));
  return loops;
}

std::vector<LoopPlace> placesOfLoops(Module &module) {
  std::vector<LoopPlace> places;
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    DominatorTree tree(function);
    size_t loops = loopsOf(function, LoopInfo(tree)).size();
    for (size_t i = 0; i < loops; ++i)
      places.push_back({&function, i});
  }
  return places;
}

DenseSet<const Function *> hintLoops(Module &module, const std::vector<LoopHints> &hints) {
  std::vector<LoopPlace> places = placesOfLoops(module);
  for (const LoopHints &one : hints)
    checkHints(one, places.size());
  DenseSet<const Function *> changed;
  for (const LoopHints &one : hints) {
    if (!one.width && !one.interleave && !one.unroll)
      continue;
    LoopPlace place = places[one.loop];
    DominatorTree tree(*place.function);
    LoopInfo info(tree);
    setHints(*loopsOf(*place.function, info)[place.index], one);
    changed.insert(place.function);
  }
  return changed;
}

} // namespace mirgym
