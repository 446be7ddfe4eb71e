#include "analyses.h"

#include "codegen.h"
#include "errors.h"

#include "llvm/Analysis/LazyCallGraph.h"
#include "llvm/Analysis/LoopNestAnalysis.h"

using namespace llvm;

namespace mirgym {

static TargetMachine *machineOrNone(const Module &module) {
  try {
    return &targetMachineFor(module);
  } catch (const EngineError &) {
    return nullptr; // passes run without a cost model when the target is not built in
  }
}

Analyses::Analyses(const Module &module, PassInstrumentationCallbacks *callbacks)
    : builder(machineOrNone(module), PipelineTuningOptions(), std::nullopt, callbacks) {
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
}

} // namespace mirgym
