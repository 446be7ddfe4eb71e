#include "modules.h"

#include "errors.h"
#include "llvm_setup.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mirgym {

namespace {

// Remarks and warnings of passes must not reach the user's terminal; the text
// of an error is kept for the message.
class QuietDiagnostics : public DiagnosticHandler {
public:
  std::string lastError;
  bool handleDiagnostics(const DiagnosticInfo &info) override {
    if (info.getSeverity() == DS_Error) {
      raw_string_ostream out(lastError);
      DiagnosticPrinterRawOStream printer(out);
      info.print(printer);
    }
    return true;
  }
};

[[noreturn]] void refuse(StringRef path, const Twine &why) {
  throw EngineError(ErrorKind::InvalidModule, (path + ": " + why).str());
}

bool looksBinary(StringRef bytes) {
  return bytes.take_front(256).contains('\0');
}

std::unique_ptr<Module> parseText(StringRef bytes, LLVMContext &context,
                                  StringRef path) {
  SMDiagnostic diagnostic;
  auto module =
      parseAssembly(MemoryBufferRef(bytes, path), diagnostic, context);
  if (!module)
    refuse(path, Twine("line ") + Twine(diagnostic.getLineNo()) + ": " +
                     diagnostic.getMessage() +
                     ". The input is neither LLVM bitcode nor LLVM IR text that "
                     "LLVM " LLVM_VERSION_STRING
                     " can read; compile it with clang -emit-llvm first");
  return module;
}

} // namespace

std::unique_ptr<LLVMContext> newContext() {
  setUpLLVM();
  auto context = std::make_unique<LLVMContext>();
  context->setDiagnosticHandler(std::make_unique<QuietDiagnostics>());
  return context;
}

std::unique_ptr<Module> parseModule(StringRef bytes, LLVMContext &context,
                                    StringRef path) {
  if (bytes.empty())
    refuse(path, "the input is empty (0 bytes); expected LLVM bitcode or IR text");
  std::unique_ptr<Module> module;
  const auto *begin = reinterpret_cast<const unsigned char *>(bytes.data());
  if (isBitcode(begin, begin + bytes.size())) {
    auto parsed = parseBitcodeFile(MemoryBufferRef(bytes, path), context);
    if (!parsed)
      refuse(path, "cannot read this bitcode: " + toString(parsed.takeError()) +
                       ". It is truncated, damaged, or written by an LLVM newer "
                       "than " LLVM_VERSION_STRING);
    module = std::move(*parsed);
  } else if (looksBinary(bytes)) {
    refuse(path, "not an LLVM module: a binary file without the bitcode magic "
                 "'BC\\xC0\\xDE'; expected the output of clang -emit-llvm -c");
  } else {
    // The parser wants a buffer that ends in a zero byte.
    std::string text = bytes.str();
    module = parseText(text, context, path);
  }
  std::string why;
  raw_string_ostream out(why);
  bool brokenDebugInfo = false;
  if (verifyModule(*module, &out, &brokenDebugInfo))
    refuse(path, "the IR does not verify: " + StringRef(why).rtrim());
  return module;
}

std::string toBitcode(const Module &module) {
  SmallVector<char, 0> buffer;
  raw_svector_ostream out(buffer);
  WriteBitcodeToFile(module, out, /*ShouldPreserveUseListOrder=*/true);
  return std::string(buffer.begin(), buffer.end());
}

std::string toText(const Module &module) {
  std::string text;
  raw_string_ostream out(text);
  module.print(out, nullptr, /*ShouldPreserveUseListOrder=*/false);
  return text;
}

std::string linkModules(const std::vector<std::string> &inputs) {
  if (inputs.empty())
    throw EngineError(ErrorKind::InvalidModule, "nothing to link: no modules given");
  std::unique_ptr<LLVMContext> context = newContext();
  std::unique_ptr<Module> whole = parseModule(inputs[0], *context, "module 1");
  const auto *diagnostics =
      static_cast<const QuietDiagnostics *>(context->getDiagHandlerPtr());
  for (size_t i = 1; i < inputs.size(); ++i) {
    std::string name = "module " + std::to_string(i + 1);
    if (Linker::linkModules(*whole, parseModule(inputs[i], *context, name)))
      refuse(name, "cannot be linked with the ones before it: " +
                       diagnostics->lastError);
  }
  return toBitcode(*whole);
}

std::string normaliseModule(StringRef bytes, StringRef path) {
  std::unique_ptr<LLVMContext> context = newContext();
  return toBitcode(*parseModule(bytes, *context, path));
}

bool hasFunctionBody(StringRef bytes) {
  std::unique_ptr<LLVMContext> context = newContext();
  std::unique_ptr<Module> module = parseModule(bytes, *context, "module");
  return any_of(*module, [](const Function &f) { return !f.isDeclaration(); });
}

void verifyOrThrow(Module &module) {
  std::string why;
  raw_string_ostream out(why);
  if (verifyModule(module, &out))
    throw EngineError(ErrorKind::Verify, StringRef(why).rtrim().str());
}

} // namespace mirgym
