#include "branches.h"

#include "errors.h"

#include "llvm/Analysis/ProfileSummaryInfo.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/ProfDataUtils.h"
#include "llvm/ProfileData/InstrProf.h"
#include "llvm/ProfileData/ProfileCommon.h"

#include <algorithm>

using namespace llvm;

namespace mirgym {

namespace {

// A block's last instruction if it is a chooser, else null.
Instruction *chooser(BasicBlock &block) {
  Instruction *last = block.getTerminator();
  return last && isChooser(*last) ? last : nullptr;
}

size_t countBranches(Function &function) {
  size_t count = 0;
  for (BasicBlock &block : function)
    if (Instruction *last = chooser(block))
      count += last->getNumSuccessors();
  return count;
}

void checkCounts(Module &module, const std::vector<FunctionBranches> &counts) {
  for (const FunctionBranches &one : counts) {
    Function *function = module.getFunction(one.name);
    if (!function || function->isDeclaration())
      throw EngineError(ErrorKind::BadRequest, "the profile has counts of '" + one.name +
                                                   "', which this module does not define");
    size_t branches = countBranches(*function);
    if (branches != one.taken.size())
      throw EngineError(ErrorKind::BadRequest,
                        "the profile has " + std::to_string(one.taken.size()) +
                            " branches of '" + one.name + "', which has " +
                            std::to_string(branches) + ": it is of another module");
  }
}

// Weights have 32 bits. What was never reached says nothing.
void setWeights(Instruction &chooser, ArrayRef<uint64_t> taken) {
  uint64_t most = *std::max_element(taken.begin(), taken.end());
  chooser.setMetadata(LLVMContext::MD_prof, nullptr);
  if (!most)
    return;
  uint64_t scale = most / UINT32_MAX + 1;
  SmallVector<uint32_t, 8> weights;
  for (uint64_t count : taken)
    weights.push_back(static_cast<uint32_t>(count / scale));
  setBranchWeights(chooser, weights, /*IsExpected=*/false);
}

void noteFunction(Function &function, const FunctionBranches &counts) {
  function.setEntryCount(counts.entries);
  ArrayRef<uint64_t> left(counts.taken);
  for (BasicBlock &block : function)
    if (Instruction *last = chooser(block)) {
      setWeights(*last, left.take_front(last->getNumSuccessors()));
      left = left.drop_front(last->getNumSuccessors());
    }
}

// Which counts are hot and which are cold, for the whole module.
void noteSummary(Module &module, const std::vector<FunctionBranches> &counts) {
  InstrProfSummaryBuilder builder(ProfileSummaryBuilder::DefaultCutoffs);
  for (const FunctionBranches &one : counts) {
    std::vector<uint64_t> all = {one.entries};
    all.insert(all.end(), one.taken.begin(), one.taken.end());
    builder.addRecord(InstrProfRecord(std::move(all)));
  }
  module.setProfileSummary(builder.getSummary()->getMD(module.getContext()),
                           ProfileSummary::PSK_Instr);
}

void noteTemperature(Function &function, const FunctionBranches &counts,
                     ProfileSummaryInfo &summary) {
  uint64_t most = counts.entries;
  for (uint64_t count : counts.taken)
    most = std::max(most, count);
  if (summary.isHotCount(counts.entries))
    function.addFnAttr(Attribute::InlineHint);
  else if (summary.isColdCount(most) && !function.hasFnAttribute(Attribute::Hot))
    function.addFnAttr(Attribute::Cold);
}

} // namespace

bool isChooser(const Instruction &instruction) {
  return isa<CondBrInst, SwitchInst>(instruction) && instruction.getNumSuccessors() > 1;
}

std::vector<Branch> splitBranches(Function &function) {
  std::vector<Instruction *> choosers;
  for (BasicBlock &block : function)
    if (Instruction *last = chooser(block))
      choosers.push_back(last);
  std::vector<Branch> made;
  for (Instruction *last : choosers)
    for (unsigned i = 0; i < last->getNumSuccessors(); ++i) {
      BasicBlock *target = last->getSuccessor(i);
      auto *between = BasicBlock::Create(function.getContext(), "", &function, target);
      UncondBrInst::Create(target, between);
      last->setSuccessor(i, between);
      // Two branches to one target are two entries of its phis: each takes one.
      for (PHINode &phi : target->phis())
        phi.setIncomingBlock(
            static_cast<unsigned>(phi.getBasicBlockIndex(last->getParent())), between);
      made.push_back({between, last, i});
    }
  return made;
}

void noteBranches(Module &module, const std::vector<FunctionBranches> &counts) {
  checkCounts(module, counts);
  for (const FunctionBranches &one : counts)
    noteFunction(*module.getFunction(one.name), one);
  if (counts.empty())
    return;
  noteSummary(module, counts);
  ProfileSummaryInfo summary(module);
  for (const FunctionBranches &one : counts)
    noteTemperature(*module.getFunction(one.name), one, summary);
}

} // namespace mirgym
