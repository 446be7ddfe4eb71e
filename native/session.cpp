#include "session.h"

#include "analyses.h"
#include "errors.h"
#include "fusion.h"
#include "llvm_setup.h"
#include "modules.h"

#include "llvm/Analysis/LoopInfo.h"

#include <chrono>

using namespace llvm;

namespace mirgym {

namespace {

void setLevel(Function &function, SizeLevel level) {
  if (level == SizeLevel::AsIs || function.isDeclaration() ||
      function.hasFnAttribute(Attribute::OptimizeNone))
    return;
  function.removeFnAttr(Attribute::MinSize);
  function.removeFnAttr(Attribute::OptimizeForSize);
  if (level == SizeLevel::None)
    return;
  function.addFnAttr(Attribute::OptimizeForSize);
  if (level == SizeLevel::Minsize)
    function.addFnAttr(Attribute::MinSize);
}

// LLVM 23 ends the process when it meets these; say what to use instead.
void refuseFatalPipelines(StringRef pipeline) {
  if (pipeline.contains("<Os>") || pipeline.contains("<Oz>"))
    throw EngineError(ErrorKind::UnknownPass,
                      "pipeline '" + pipeline.str() +
                          "': LLVM 23 has no Os and Oz pipelines; the size level "
                          "is an attribute of the functions. Load the program "
                          "with level Oz and run 'default<O2>'");
}

} // namespace

Module &Session::loaded() {
  if (!module)
    throw EngineError(ErrorKind::NoModule,
                      "no module is loaded; load a program first");
  return *module;
}

void Session::forgetFigures() {
  moduleKey.reset();
  instructionCount.reset();
  textSize.reset();
  objectSize.reset();
  instCountBytes.reset();
  autophaseBytes.reset();
  ir2vecBytes.reset();
  irText.reset();
}

void Session::adopt(std::unique_ptr<LLVMContext> newContext,
                    std::unique_ptr<Module> newModule) {
  hasher = std::make_unique<StructuralHasher>();
  figures.clear();
  dirty.clear();
  allDirty = false;
  variablesChanged = true;
  sentViews.clear();
  module = std::move(newModule); // the old module goes before its context
  context = std::move(newContext);
  forgetFigures();
}

void Session::load(StringRef bytes, SizeLevel level, double growthLimit) {
  constexpr double roomForSmallModules = 10'000, noLimit = 1e18;
  auto fresh = newContext();
  auto parsed = parseModule(bytes, *fresh);
  for (Function &function : *parsed)
    setLevel(function, level);
  adopt(std::move(fresh), std::move(parsed));
  // Written so that NaN gives the room for small modules, and infinity no limit.
  double limit = std::max(roomForSmallModules, double(instructions()) * growthLimit);
  instructionLimit = static_cast<int64_t>(std::min(limit, noLimit));
}

void Session::restore(StringRef bytes) {
  auto fresh = newContext();
  auto parsed = parseModule(bytes, *fresh);
  adopt(std::move(fresh), std::move(parsed));
  if (instructionLimit == 0)
    instructionLimit = INT64_MAX;
}

// Passes that change IR and then report that all analyses are preserved, in LLVM 23.1
// (attributes and flags mostly, but ipsccp and slp-vectorizer change code, too).
static bool understatesChanges(StringRef pipeline) {
  constexpr StringLiteral names[] = {
      "sccp", "argpromotion", "indvars", "slp-vectorizer", "load-store-vectorizer",
      "instcombine", "infer-alignment", "called-value-propagation",
      "sandbox-vectorizer", "attributor", "default<", "lto"};
  return any_of(names, [&](StringRef name) { return pipeline.contains(name); });
}

// Marks the function that a pass changed; a pass over more than one function
// marks them all.
static void registerDirtyTracking(PassInstrumentationCallbacks &callbacks,
                                  DenseSet<const Function *> &dirty, bool &allDirty) {
  callbacks.registerAfterPassCallback([&dirty, &allDirty](
                                          StringRef pass, Any unit,
                                          const PreservedAnalyses &preserved) {
    if (preserved.areAllPreserved() || allDirty)
      return;
    if (auto *function = any_cast<const Function *>(&unit))
      dirty.insert(*function);
    else if (auto *loop = any_cast<const Loop *>(&unit))
      dirty.insert((*loop)->getHeader()->getParent());
    // An adaptor only reports what the passes inside it did.
    else if (!isSpecialPass(pass, {"PassManager", "PassAdaptor",
                                   "DevirtSCCRepeatedPass"}))
      allDirty = true;
  });
  callbacks.registerAfterPassInvalidatedCallback(
      [&allDirty](StringRef, const PreservedAnalyses &) { allDirty = true; });
}

PreservedAnalyses Session::runPipeline(const std::string &pipeline) {
  PassInstrumentationCallbacks callbacks;
  registerDirtyTracking(callbacks, dirty, allDirty);
  Analyses analyses(*module, &callbacks);
  ModulePassManager passes;
  if (Error error = analyses.builder.parsePassPipeline(passes, pipeline))
    throw EngineError(ErrorKind::UnknownPass, toString(std::move(error)));
  return passes.run(*module, analyses.modules);
}

StepOutcome Session::step(const std::string &pipeline, const OptionList &options) {
  loaded();
  refuseFatalPipelines(pipeline);
  StepOutcome outcome;
  ScopedOptions scope(options);
  bool review = understatesChanges(pipeline);
  Fingerprints before = review ? fingerprint(*module) : Fingerprints();
  auto start = std::chrono::steady_clock::now();
  PreservedAnalyses preserved = runPipeline(pipeline);
  outcome.passNs = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::steady_clock::now() - start)
          .count());
  outcome.changed = !preserved.areAllPreserved();
  if (review && !allDirty && findUnreportedChanges(before))
    outcome.changed = true;
  if (!outcome.changed)
    return outcome;
  forgetDirtyFunctions();
  forgetFigures();
  int64_t size = instructions();
  if (size > instructionLimit) {
    int64_t limit = instructionLimit;
    module.reset();
    throw EngineError(ErrorKind::ModuleTooLarge,
                      "the module grew to " + std::to_string(size) +
                          " instructions after '" + pipeline +
                          "', over the limit of " + std::to_string(limit));
  }
  return outcome;
}

StepOutcome Session::hintLoops(const std::vector<LoopHints> &hints) {
  return changedIn(mirgym::hintLoops(loaded(), hints));
}

StepOutcome Session::fuseLoops(const std::vector<uint32_t> &loops) {
  return changedIn(mirgym::fuseLoops(loaded(), loops));
}

StepOutcome Session::changedIn(DenseSet<const Function *> functions) {
  dirty = std::move(functions);
  StepOutcome outcome;
  outcome.changed = !dirty.empty();
  if (outcome.changed) {
    forgetDirtyFunctions();
    forgetFigures();
  }
  return outcome;
}

bool Session::findUnreportedChanges(const Fingerprints &before) {
  Fingerprints after = fingerprint(*module);
  bool sameFunctions = before.functions.size() == after.functions.size();
  if (!sameFunctions || before.globals != after.globals)
    allDirty = true;
  bool found = allDirty;
  for (size_t i = 0; sameFunctions && i < after.functions.size(); ++i)
    if (before.functions[i] != after.functions[i]) {
      dirty.insert(after.functions[i].first);
      found = true;
    }
  return found;
}

void Session::forgetDirtyFunctions() {
  if (allDirty) {
    figures.clear();
    variablesChanged = true;
  }
  // A function that a later pass of the same pipeline deleted is gone from here too:
  // only passes over the module delete functions, and they make everything dirty.
  for (const Function *function : dirty)
    figures.erase(function);
  dirty.clear();
  allDirty = false;
}

const TextMeter::FunctionHashes &Session::functionHashes() {
  hasher->beginRound(variablesChanged);
  variablesChanged = false;
  hashes.clear();
  for (const Function &function : loaded()) {
    if (function.isDeclaration())
      continue;
    std::optional<FunctionHash> &known = figures[&function].hash;
    if (!known)
      known = hasher->hashFunction(function);
    hashes[&function] = *known;
  }
  return hashes;
}

uint64_t Session::key() {
  loaded();
  if (!moduleKey)
    moduleKey = hasher->hashModule(*module, functionHashes());
  return *moduleKey;
}

int64_t Session::instructions() {
  loaded();
  if (instructionCount)
    return *instructionCount;
  int64_t total = 0;
  for (const Function &function : loaded()) {
    if (function.isDeclaration())
      continue;
    std::optional<int64_t> &known = figures[&function].instructions;
    if (!known)
      known = static_cast<int64_t>(function.getInstructionCount());
    total += *known;
  }
  instructionCount = total;
  return total;
}

template <typename Vector>
std::string Session::sumOverFunctions(std::optional<Vector> FunctionFigures::*figure,
                                      Vector (*compute)(const Function &)) {
  Vector sum{};
  for (const Function &function : loaded()) {
    Vector own;
    if (function.isDeclaration()) {
      own = compute(function);
    } else {
      std::optional<Vector> &known = figures[&function].*figure;
      if (!known)
        known = compute(function);
      own = *known;
    }
    for (size_t i = 0; i < sum.size(); ++i)
      sum[i] += own[i];
  }
  return std::string(reinterpret_cast<const char *>(sum.data()),
                     sum.size() * sizeof(sum[0]));
}

int64_t Session::metric(Metric metric) {
  Module &current = loaded();
  if (metric == MetricObjectText) {
    if (!objectSize)
      objectSize = objectTextSize(current);
    return *objectSize;
  }
  if (!textSize) {
    key(); // brings the functions' hashes up to date
    textSize = meter.textSize(current, hashes);
  }
  return *textSize;
}

std::string Session::view(View view) {
  Module &current = loaded();
  switch (view) {
  case ViewInstCount:
    if (!instCountBytes)
      instCountBytes =
          sumOverFunctions(&FunctionFigures::instCounts, mirgym::instCounts);
    return *instCountBytes;
  case ViewAutophase:
    if (!autophaseBytes)
      autophaseBytes =
          sumOverFunctions(&FunctionFigures::autophase, mirgym::autophase);
    return *autophaseBytes;
  case ViewIr2vec:
    if (!ir2vecBytes)
      ir2vecBytes =
          sumOverFunctions(&FunctionFigures::ir2vec, mirgym::ir2vecCounts);
    return *ir2vecBytes;
  case ViewFunctionFeatures:
    return functionFeatures();
  case ViewIR:
    if (!irText)
      irText = toText(current);
    return *irText;
  case ViewFunctions:
  case ViewNewFunctions:
    return functionViews(view == ViewFunctions);
  case ViewLoops:
    return loopView(current, viewBuilder);
  }
  throw EngineError(ErrorKind::BadRequest, "unknown view");
}

std::string Session::functionFeatures() {
  std::string out;
  for (const Function &function : loaded()) {
    if (function.isDeclaration())
      continue;
    FunctionFigures &known = figures[&function];
    auto append = [&](auto &figure, auto compute) {
      if (!figure)
        figure = compute(function);
      out.append(reinterpret_cast<const char *>(figure->data()),
                 figure->size() * sizeof((*figure)[0]));
    };
    append(known.instCounts, mirgym::instCounts);
    append(known.autophase, mirgym::autophase);
    append(known.ir2vec, mirgym::ir2vecCounts);
  }
  return out;
}

// The layout is in mirgym/views.py.
std::string Session::functionViews(bool all) {
  DenseMap<const Function *, uint32_t> position;
  for (const Function &function : loaded())
    if (!function.isDeclaration())
      position.try_emplace(&function, position.size());
  std::string out;
  auto number = [&out](auto value) {
    out.append(reinterpret_cast<const char *>(&value), sizeof(value));
  };
  number(uint32_t(position.size()));
  for (const Function &function : *module) {
    if (function.isDeclaration())
      continue;
    FunctionFigures &known = figures[&function];
    std::string bytes;
    if (!known.view || all) {
      FunctionView built = viewBuilder.build(function);
      known.view = ViewFacts{built.key, std::move(built.callees)};
      if (sentViews.insert(built.key).second || all)
        bytes = std::move(built.bytes);
    }
    if (!known.instructions)
      known.instructions = static_cast<int64_t>(function.getInstructionCount());
    number(known.view->key);
    number(uint32_t(*known.instructions));
    StringRef name = function.getName();
    number(uint32_t(name.size()));
    out.append(name.data(), name.size());
    number(uint32_t(known.view->callees.size()));
    for (const Function *callee : known.view->callees)
      number(position.lookup(callee));
    number(uint32_t(bytes.size()));
    out.append(bytes);
  }
  return out;
}

void Session::forgetSentViews() {
  sentViews.clear();
  for (auto &[function, known] : figures)
    known.view.reset();
}

std::string Session::snapshot() { return toBitcode(loaded()); }

std::string Session::emit(EmitKind kind) {
  switch (kind) {
  case EmitKind::Bitcode:
    return toBitcode(loaded());
  case EmitKind::Text:
    return toText(loaded());
  case EmitKind::Object:
    return emitObject(loaded());
  }
  throw EngineError(ErrorKind::BadRequest, "unknown output kind");
}

Execution Session::execute(const std::vector<std::string> &libraries,
                           const std::vector<RunRequest> &runs, const RunLimits &limits,
                           Counting counting, const TraceLimits &traceLimits) {
  return mirgym::execute(loaded(), libraries, runs, limits, counting, traceLimits);
}

StepOutcome Session::noteBranches(const std::vector<FunctionBranches> &counts) {
  uint64_t before = key();
  mirgym::noteBranches(loaded(), counts);
  allDirty = true;
  forgetDirtyFunctions();
  forgetFigures();
  StepOutcome outcome;
  outcome.changed = key() != before;
  return outcome;
}

void Session::verify() { verifyOrThrow(loaded()); }

std::vector<FunctionRecord> Session::functions() {
  key();
  std::vector<FunctionRecord> records;
  for (const Function &function : loaded()) {
    if (function.isDeclaration())
      continue;
    FunctionHash hash = hashes.lookup(&function);
    records.push_back({function.getName().str(), hash.key,
                       static_cast<int64_t>(function.getInstructionCount()), meter.functionSize(hash.codegen)});
  }
  return records;
}

} // namespace mirgym
