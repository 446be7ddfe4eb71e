#include "fusion.h"

#include "analyses.h"
#include "errors.h"
#include "loops.h"

#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/Transforms/Scalar/LoopFuse.h"
#include "llvm/Transforms/Utils/LoopSimplify.h"

using namespace llvm;

namespace mirgym {

namespace {

// What may not be moved, right behind a loop: the loop stays apart from the one after it.
std::vector<Instruction *> keepApart(Function &function, const std::vector<bool> &chosen) {
  DominatorTree tree(function);
  LoopInfo info(tree);
  std::vector<Loop *> loops = loopsOf(function, info);
  auto *type = FunctionType::get(Type::getVoidTy(function.getContext()), false);
  InlineAsm *nothing = InlineAsm::get(type, "", "", /*hasSideEffects=*/true);
  std::vector<Instruction *> barriers;
  for (size_t i = 0; i < loops.size(); ++i) {
    if (chosen[i])
      continue;
    SmallVector<BasicBlock *, 4> exits;
    loops[i]->getUniqueExitBlocks(exits);
    for (BasicBlock *exit : exits)
      if (auto place = exit->getFirstInsertionPt(); place != exit->end())
        barriers.push_back(IRBuilder<>(exit, place).CreateCall(type, nothing));
  }
  return barriers;
}

// Whether the function changed.
bool fuse(Function &function, const std::vector<bool> &chosen) {
  std::vector<Instruction *> barriers = keepApart(function, chosen);
  Analyses analyses(*function.getParent());
  FunctionPassManager passes;
  passes.addPass(LoopSimplifyPass());
  passes.addPass(LoopFusePass());
  bool changed = !passes.run(function, analyses.functions).areAllPreserved();
  for (Instruction *barrier : barriers)
    barrier->eraseFromParent();
  return changed;
}

} // namespace

DenseSet<const Function *> fuseLoops(Module &module, const std::vector<uint32_t> &loops) {
  std::vector<LoopPlace> places = placesOfLoops(module);
  DenseMap<Function *, std::vector<bool>> chosen;
  for (uint32_t loop : loops)
    if (loop >= places.size())
      throw EngineError(ErrorKind::BadRequest, "loop " + std::to_string(loop) +
                                                   ": the module has " +
                                                   std::to_string(places.size()) + " loops");
  for (uint32_t loop : loops)
    chosen[places[loop].function];
  for (uint32_t number = 0; number < places.size(); ++number)
    if (auto found = chosen.find(places[number].function); found != chosen.end())
      found->second.push_back(is_contained(loops, number));
  DenseSet<const Function *> changed;
  for (Function &function : module)
    if (auto found = chosen.find(&function); found != chosen.end())
      if (fuse(function, found->second))
        changed.insert(&function);
  return changed;
}

} // namespace mirgym
