#include "llvm_setup.h"

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/PassRegistry.h"
#include "llvm/InitializePasses.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace mirgym {

static FatalHook fatalHook = nullptr;

static void onFatalError(void *, const char *reason, bool) {
  if (fatalHook)
    fatalHook(reason);
  std::fprintf(stderr, "LLVM ERROR: %s\n", reason);
  std::abort();
}

void setFatalHook(FatalHook hook) { fatalHook = hook; }

void setUpLLVM() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
    llvm::PassRegistry &registry = *llvm::PassRegistry::getPassRegistry();
    llvm::initializeCore(registry);
    llvm::initializeCodeGen(registry);
    llvm::initializeTarget(registry);
    llvm::install_fatal_error_handler(onFatalError);
    llvm::install_bad_alloc_error_handler(onFatalError);
  });
}

} // namespace mirgym
