// The vocabulary of the encoder's views: small integers for opcodes, types, values and
// callees. Two things get one code when the encoder need not tell them apart, and no
// code depends on the names of local values or types. mirgym/views.py lists the ranges.
#pragma once

#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"

#include <cstdint>

namespace mirgym {

using Code = uint16_t;

constexpr Code opcodeCodes = 160, typeCodes = 192, calleeCodes = 2048,
               contextCodes = 256, operandCodes = 1024;

// Values (operandCodes): what an operand is, as far as it can be told without its
// place in the function.
enum OperandCode : Code {
  OperandAbsent, OperandUndef, OperandPoison, OperandNull, OperandZero,
  OperandExpression, OperandData, OperandBlockAddress, OperandNone, OperandMetadata,
  OperandAsm, OperandOther, OperandFunction, OperandConstantVariable,
  OperandVariable, OperandThreadLocal, OperandAlias, OperandWideInteger,
  OperandOtherFloat,
  OperandArgument = 20,    // + min(index, 14)
  OperandSameBlock = 40,   // + distance bucket
  OperandOtherBlock = 64,  // + distance bucket
  OperandForward = 88,     // + distance bucket
  OperandBlockAhead = 112, // + min(bits of distance, 7)
  OperandBlockBack = 120,
  OperandInteger = 128,    // + number code, 513 of them
  OperandFloat = 642,      // +0, -0, +inf, -inf, nan; from 648 the rest
};

// What a call calls (calleeCodes, above the 255 codes of flags).
enum CalleeCode : Code {
  CalleeIndirect = 256, CalleeAsm, CalleeSelf, CalleeDefined,
  CalleeExternal = 512,   // + hash of the name
  CalleeIntrinsic = 1280, // + hash of the name without its types
};

// Opcodes are LLVM's own below 70; these tell more.
enum OpcodeCode : Code {
  OpcodeICmp = 80,   // + predicate
  OpcodeFCmp = 90,   // + predicate
  OpcodeCall = 110,  // + 0 external, 1 defined, 2 self, 3 indirect, 4 asm, 5 intrinsic
  OpcodeInvoke = 116,
  OpcodeCallBr = 122,
  OpcodeAtomic = 128, // + operation
};

Code opcodeCode(const llvm::Instruction &instruction, Code callee);
Code typeCode(llvm::Type *type);
// The code of a constant or a global.
Code constantCode(const llvm::Constant *constant);
// Sign, exponent and two leading bits of an integer, as an OperandCode.
Code integerCode(int64_t value);
// `self` is the function that holds the call.
Code calleeCode(const llvm::CallBase &call, const llvm::Function *self);
// Which of nuw, nsw, exact, inbounds, fast-math, volatile, atomic an instruction has.
Code flagsCode(const llvm::Instruction &instruction);
// Two buckets for each power of two, 0 to 23, for a distance of at least 1.
Code distanceBucket(uint32_t distance);

} // namespace mirgym
