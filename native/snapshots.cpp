#include "snapshots.h"

#include "errors.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Instructions.h"

#include <algorithm>
#include <cstring>
#include <string>

using namespace llvm;

namespace mirgym {

namespace {

enum Head : size_t { Calls, Taken, Used, HeadWords };

struct Buffer {
  uint64_t *head, *events, *sites, *values;
} buffer;
const uint64_t *slots = nullptr;
const uint64_t *eventsSoFar = nullptr;
TraceLimits limits;

Buffer layOut(uint64_t *words, const TraceLimits &limits) {
  uint64_t *events = words + HeadWords, *sites = events + limits.snapshots;
  return {words, events, sites, sites + limits.snapshots};
}

// Only where the next event is one that is kept.
void take(uint32_t site, uint32_t firstSlot, uint32_t count) {
  uint64_t *head = buffer.head;
  if (*eventsSoFar - limits.skip >= limits.limit || head[Taken] == limits.snapshots ||
      head[Calls]++ % limits.every != 0)
    return;
  buffer.events[head[Taken]] = *eventsSoFar;
  buffer.sites[head[Taken]++] = site;
  std::memcpy(buffer.values + head[Used], slots + firstSlot, count * sizeof(uint64_t));
  head[Used] += count;
}

} // namespace

void *snapshotFunction() { return reinterpret_cast<void *>(take); }

void shadowValues(Function &function, ArrayRef<SampledValue> values, ArrayRef<TraceSite> sites,
                  const SlotPlace &place) {
  Module &module = *function.getParent();
  Type *word = Type::getInt64Ty(module.getContext());
  Type *half = Type::getInt32Ty(module.getContext());
  FunctionCallee callee = module.getOrInsertFunction(
      snapshotSymbol, Type::getVoidTy(module.getContext()), half, half, half);
  cast<Function>(callee.getCallee())->setDoesNotThrow();
  size_t slot = place.slot, site = place.site, count = values.size();
  uint32_t number = 0;
  for (BasicBlock &block : function) {
    Instruction *start = startOf(block);
    for (; !values.empty() && values.front().block == number; values = values.drop_front()) {
      Value *value = values.front().value;
      auto *instruction = dyn_cast<Instruction>(value);
      bool isThere = !instruction || isa<PHINode>(instruction);
      Instruction *at = isThere ? start : instruction->getNextNode();
      IRBuilder<> builder(module.getContext());
      if (at) {
        builder.SetInsertPoint(at);
        builder.CreateStore(asWord(builder, value),
                            builder.CreateConstInBoundsGEP1_64(word, place.slots, slot));
      }
      ++slot;
    }
    auto own = sites.take_while(
        [&](const TraceSite &one) { return one.instruction->getParent() == &block; });
    if (start && !own.empty())
      IRBuilder<>(start).CreateCall(callee, {ConstantInt::get(half, site),
                                             ConstantInt::get(half, place.slot),
                                             ConstantInt::get(half, count)});
    site += own.size();
    sites = sites.drop_front(own.size());
    ++number;
  }
}

void checkSnapshots(const TraceLimits &limits, size_t runs, size_t largest) {
  if (!limits.every)
    throw EngineError(ErrorKind::BadRequest,
                      "a snapshot at every 0th block; expected at least every 1st");
  uint64_t most = mostSnapshotWords / std::max<size_t>(runs, 1) / (largest + 2);
  if (limits.snapshots > most)
    throw EngineError(ErrorKind::BadRequest,
                      std::to_string(limits.snapshots) + " snapshots of each of " +
                          std::to_string(runs) + " runs are too many: a function has " +
                          std::to_string(largest) + " values, so take at most " +
                          std::to_string(most) +
                          " and spread them with a larger distance between them");
}

size_t snapshotWords(const TraceLimits &limits, size_t largest) {
  return HeadWords + limits.snapshots * (2 + largest);
}

void snapshotTo(uint64_t *words, const uint64_t *slotsOfProgram, const uint64_t *events,
                const TraceLimits &wanted) {
  buffer = layOut(words, wanted);
  slots = slotsOfProgram;
  eventsSoFar = events;
  limits = wanted;
  std::fill_n(buffer.head, size_t(HeadWords), 0);
}

Snapshots readSnapshots(const uint64_t *words, const TraceLimits &limits) {
  Buffer from = layOut(const_cast<uint64_t *>(words), limits);
  return {{from.events, from.events + from.head[Taken]},
          {from.sites, from.sites + from.head[Taken]},
          {from.values, from.values + from.head[Used]}};
}

} // namespace mirgym
