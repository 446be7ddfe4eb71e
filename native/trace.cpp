#include "trace.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Instructions.h"

#include <algorithm>

using namespace llvm;

namespace mirgym {

namespace {

struct Buffer {
  uint64_t *total;
  uint64_t *payloads;
  uint32_t *sites;
  TraceLimits limits;
} buffer;

void record(uint32_t site, uint64_t payload) {
  uint64_t place = (*buffer.total)++ - buffer.limits.skip; // huge for those to skip
  if (place >= buffer.limits.limit)
    return;
  buffer.payloads[place] = payload;
  buffer.sites[place] = site;
}

Buffer layOut(uint64_t *words, const TraceLimits &limits) {
  uint64_t *payloads = words + 1;
  return {words, payloads, reinterpret_cast<uint32_t *>(payloads + limits.limit), limits};
}

} // namespace

void *traceFunction() { return reinterpret_cast<void *>(record); }

std::vector<TraceSite> sitesToTrace(Function &function) {
  std::vector<TraceSite> sites;
  uint32_t number = 0;
  for (BasicBlock &block : function)
    for (Instruction &instruction : block) {
      if (auto *load = dyn_cast<LoadInst>(&instruction)) {
        if (load->getPointerAddressSpace() == 0)
          sites.push_back({&instruction, number, SiteKind::Load});
      } else if (isChooser(instruction)) {
        sites.push_back({&instruction, number, SiteKind::Branch});
      }
      ++number;
    }
  return sites;
}

void traceSites(Module &module, ArrayRef<TraceSite> sites, size_t first,
                ArrayRef<Branch> branches) {
  LLVMContext &context = module.getContext();
  Type *word = Type::getInt64Ty(context), *half = Type::getInt32Ty(context);
  FunctionCallee callee =
      module.getOrInsertFunction(traceSymbol, Type::getVoidTy(context), half, word);
  cast<Function>(callee.getCallee())->setDoesNotThrow();
  DenseMap<const Instruction *, size_t> numbers;
  for (const TraceSite &site : sites) {
    size_t number = first + numbers.size();
    numbers[site.instruction] = number;
    if (site.kind != SiteKind::Load)
      continue;
    auto *load = const_cast<LoadInst *>(cast<LoadInst>(site.instruction));
    IRBuilder<> builder(load);
    Value *address = builder.CreatePtrToInt(load->getPointerOperand(), word);
    builder.CreateCall(callee, {ConstantInt::get(half, number), address});
  }
  for (const Branch &branch : branches) {
    IRBuilder<> builder(branch.block, branch.block->begin());
    builder.CreateCall(callee, {ConstantInt::get(half, numbers.lookup(branch.chooser)),
                                ConstantInt::get(word, branch.way)});
  }
}

size_t traceWords(const TraceLimits &limits) { return 1 + limits.limit + (limits.limit + 1) / 2; }

void traceTo(uint64_t *words, const TraceLimits &limits) { buffer = layOut(words, limits); }

Trace readTrace(const uint64_t *words, const TraceLimits &limits) {
  Buffer from = layOut(const_cast<uint64_t *>(words), limits);
  uint64_t total = *from.total;
  uint64_t kept = total < limits.skip ? 0 : std::min(total - limits.skip, limits.limit);
  return {total, {from.sites, from.sites + kept}, {from.payloads, from.payloads + kept}};
}

} // namespace mirgym
