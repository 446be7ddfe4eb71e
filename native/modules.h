// Bitcode and IR in, bitcode and IR out. Every function gives one clear
// EngineError(InvalidModule) on bad input.
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

#include <memory>
#include <string>
#include <vector>

namespace mirgym {

// A fresh context whose diagnostics stay off the user's terminal.
std::unique_ptr<llvm::LLVMContext> newContext();

// Parses bitcode (LLVM 3.0 to 23) or textual IR, and verifies it.
// `path` names the input in messages.
std::unique_ptr<llvm::Module> parseModule(llvm::StringRef bytes,
                                          llvm::LLVMContext &context,
                                          llvm::StringRef path = "module");

// LLVM 23 bitcode. Use-list order is kept: without it the next pass may give
// other IR than it would have given on the module in memory.
std::string toBitcode(const llvm::Module &module);
std::string toText(const llvm::Module &module);

// Links several modules into one; the first one's triple and layout are kept.
std::string linkModules(const std::vector<std::string> &inputs);

// Reads, checks and writes back as LLVM 23 bitcode.
std::string normaliseModule(llvm::StringRef bytes, llvm::StringRef path);

// Whether the module defines any function.
bool hasFunctionBody(llvm::StringRef bytes);

// Throws EngineError(Verify) with LLVM's text when the module is not valid IR.
void verifyOrThrow(llvm::Module &module);

} // namespace mirgym
