// Samples of the values that a program computes, taken while it runs.
//
// A block's values are written down at its end when the number of that execution is a power
// of two; the latest four such executions are kept, so they spread over the run whatever its
// length. After Shi et al., "Learning Execution through Neural Code Fusion" (ICLR 2020),
// where such snapshots initialise the variables of a program's graph.
//
// Memory: for each block a word whose bit k is set when execution 2^k was sampled, and then
// for each value four words, of which number k mod 4 holds the value in execution 2^k.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/IRBuilder.h"

#include <cstdint>
#include <vector>

namespace mirgym {

constexpr size_t samplesPerValue = 4;
constexpr size_t mostSampledValues = 1 << 20; // in a module: 32 MiB of samples

// 1 to 64: an integer of so many bits. mirgym/values.py has the same.
enum ValueType : uint8_t { ValuePointer = 65, ValueFloat = 66, ValueDouble = 67 };

struct SampledValue {
  llvm::Value *value;
  uint32_t block; // its number in the function
  uint32_t node;  // of the value in the function's graph; see views.h
  uint8_t type;
};

// Arguments, then the results of instructions in the order of their blocks. What has no
// 64 bits, or comes into being with the jump to another block (an invoke's result), is left
// out.
std::vector<SampledValue> valuesToSample(llvm::Function &function);

// Its bits, with zeros above its width.
llvm::Value *asWord(llvm::IRBuilder<> &builder, llvm::Value *value);

// Before what a block does first: after its PHIs, the first `alloca`s and what must be first
// of an exception's handler. Null where there is no such place.
llvm::Instruction *startOf(llvm::BasicBlock &block);

// Where the samples of one block lie in the array of words.
struct SamplePlace {
  llvm::GlobalVariable *words;
  size_t mask;
  size_t first; // of the block's values
};

// `execution` is this execution's number, from 1. Splits the block.
void sampleBlock(llvm::BasicBlock &block, llvm::Value *execution,
                 llvm::ArrayRef<SampledValue> values, const SamplePlace &place);

} // namespace mirgym
