// One module under optimisation: load, step, look, snapshot, restore.
//
// Every step builds its analyses anew: keeping them changed results in some
// sequences and would break replay. What did not change is never computed again:
// a step whose passes preserve all analyses keeps every cached figure.
#pragma once

#include "autophase.h"
#include "branches.h"
#include "codegen.h"
#include "counts.h"
#include "execute.h"
#include "fingerprint.h"
#include "hash.h"
#include "ir2vec.h"
#include "loops.h"
#include "options.h"
#include "views.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PassManager.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mirgym {

// The size attributes that clang gives every function at an optimisation level.
enum class SizeLevel : unsigned char {
  AsIs = 0,     // leave the module's own attributes
  None = 1,     // O0 to O3
  Optsize = 2,  // Os
  Minsize = 3,  // Oz
};

enum Metric : uint32_t { MetricText = 1, MetricObjectText = 2 };
constexpr uint32_t wantKey = 4; // travels in the mask of metrics
enum View : uint32_t {
  ViewInstCount = 1,
  ViewAutophase = 2,
  ViewIR = 4,
  ViewFunctions = 8,     // the encoder's views of all functions
  ViewNewFunctions = 16, // without those that were sent since the last load
  ViewIr2vec = 32,
  ViewFunctionFeatures = 64, // the integer features of each function with a body
  ViewLoops = 128,           // facts and code of every loop
};
enum class EmitKind : unsigned char { Bitcode = 0, Text = 1, Object = 2 };

struct StepOutcome {
  bool changed = false;
  // Time of parsing the pipeline, building the analysis managers and running the
  // passes: what a bare pass manager takes, in nanoseconds.
  uint64_t passNs = 0;
};

struct FunctionRecord {
  std::string name;
  uint64_t key;
  int64_t instructions;
  int64_t textBytes; // -1 when it was never emitted
};

class Session {
public:
  // Starts an episode in a fresh context. The module may not grow past
  // `growthLimit` times its first size (or 10,000 instructions, if that is more).
  void load(llvm::StringRef bytes, SizeLevel level, double growthLimit);

  StepOutcome step(const std::string &pipeline, const OptionList &options);

  // Tells loops how they are to be vectorized and unrolled; runs nothing. See loops.h.
  StepOutcome hintLoops(const std::vector<LoopHints> &hints);

  // Fuses loops with those after them. See fusion.h.
  StepOutcome fuseLoops(const std::vector<uint32_t> &loops);

  uint64_t key();
  int64_t instructions();
  int64_t metric(Metric metric);
  std::string view(View view);

  std::string snapshot();
  void restore(llvm::StringRef bytes);
  std::string emit(EmitKind kind);
  void verify();
  std::vector<FunctionRecord> functions();
  // Runs the module as it is; it stays so. See execute.h.
  Execution execute(const std::vector<std::string> &libraries,
                    const std::vector<RunRequest> &runs, const RunLimits &limits,
                    Counting counting, const TraceLimits &traceLimits = {});
  // Tells the passes how often each branch is taken. See branches.h.
  StepOutcome noteBranches(const std::vector<FunctionBranches> &counts);
  void forgetSentViews();

private:
  // What stays known of a function's view once its bytes are sent.
  struct ViewFacts {
    uint64_t key;
    std::vector<const llvm::Function *> callees; // with a body, each once
  };
  // What is known of each function; computed when it is asked for.
  struct FunctionFigures {
    std::optional<FunctionHash> hash;
    std::optional<int64_t> instructions;
    std::optional<InstCounts> instCounts;
    std::optional<AutophaseFeatures> autophase;
    std::optional<Ir2vecCounts> ir2vec;
    std::optional<ViewFacts> view;
  };

  llvm::Module &loaded();
  void adopt(std::unique_ptr<llvm::LLVMContext> context,
             std::unique_ptr<llvm::Module> module);
  void forgetFigures();
  // Drops the figures of the functions that the last pipeline changed.
  StepOutcome changedIn(llvm::DenseSet<const llvm::Function *> functions);
  void forgetDirtyFunctions();
  // Finds what the last pipeline changed without saying so, and marks it dirty; call it
  // only when no function can have been deleted.
  bool findUnreportedChanges(const Fingerprints &before);
  const TextMeter::FunctionHashes &functionHashes();
  template <typename Vector>
  std::string sumOverFunctions(std::optional<Vector> FunctionFigures::*figure,
                               Vector (*compute)(const llvm::Function &));
  std::string functionViews(bool all);
  std::string functionFeatures();
  llvm::PreservedAnalyses runPipeline(const std::string &pipeline);

  // Declared first, destroyed last: the module lives in the context.
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  std::unique_ptr<StructuralHasher> hasher;
  TextMeter meter; // outlives episodes: its keys are structural

  TextMeter::FunctionHashes hashes; // filled by functionHashes()
  llvm::DenseMap<const llvm::Function *, FunctionFigures> figures;
  llvm::DenseSet<const llvm::Function *> dirty;
  bool allDirty = false;
  bool variablesChanged = true; // since the last module hash

  std::optional<uint64_t> moduleKey;
  std::optional<int64_t> instructionCount;
  std::optional<int64_t> textSize, objectSize;
  std::optional<std::string> instCountBytes, autophaseBytes, ir2vecBytes, irText;
  ViewBuilder viewBuilder;
  llvm::DenseSet<uint64_t> sentViews; // keys, since the last load or restore
  int64_t instructionLimit = 0;
};

} // namespace mirgym
