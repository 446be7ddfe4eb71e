#include "counts.h"

#include "llvm/IR/Instructions.h"

using namespace llvm;

namespace mirgym {

namespace {

// Position of each LLVM 23 opcode in LLVM 10's list, which CompilerGym's vector
// follows: branches are one opcode there, and PtrToAddr does not exist.
constexpr unsigned headerSize = 3;

unsigned slotOf(unsigned opcode) {
  // LLVM 10: Ret 1, Br 2, Switch 3 ... CallBr 11, FNeg 12 ... AtomicRMW 37,
  // Trunc 38 ... PtrToInt 47, IntToPtr 48 ... CatchPad 52, ICmp 53 ... Freeze 67.
  unsigned old = opcode;
  if (opcode > Instruction::UncondBr)
    --old;
  if (opcode >= Instruction::PtrToAddr)
    --old;
  return headerSize + old - 1;
}

static_assert(Instruction::UncondBr == 2 && Instruction::CondBr == 3,
              "the map of opcodes was written for LLVM 23");
static_assert(Instruction::PtrToAddr == Instruction::PtrToInt + 1,
              "the map of opcodes was written for LLVM 23");

} // namespace

InstCounts instCounts(const Function &function) {
  InstCounts counts{};
  std::array<int64_t, 128> byOpcode{};
  counts[2] = 1;
  for (const BasicBlock &block : function) {
    ++counts[1];
    for (const Instruction &instruction : block)
      ++byOpcode[instruction.getOpcode()];
  }
  for (unsigned opcode = 1; opcode <= Instruction::Freeze; ++opcode) {
    counts[0] += byOpcode[opcode];
    counts[slotOf(opcode)] += byOpcode[opcode];
  }
  return counts;
}

} // namespace mirgym
