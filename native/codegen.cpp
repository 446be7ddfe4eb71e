#include "codegen.h"

#include "errors.h"
#include "llvm_setup.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Mangler.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <map>

using namespace llvm;

namespace mirgym {

namespace {

using Bytes = SmallVector<char, 0>;

[[noreturn]] void fail(const Twine &why) {
  throw EngineError(ErrorKind::Codegen, why.str());
}

Bytes emitInPlace(Module &module, bool functionSections) {
  TargetMachine &machine = targetMachineFor(module);
  machine.Options.FunctionSections = functionSections;
  Bytes object;
  raw_svector_ostream out(object);
  legacy::PassManager passes;
  TargetLibraryInfoImpl libraryInfo(module.getTargetTriple());
  passes.add(new TargetLibraryInfoWrapperPass(libraryInfo));
  if (machine.addPassesToEmitFile(passes, out, nullptr, CodeGenFileType::ObjectFile,
                                  /*DisableVerify=*/true))
    fail("target " + module.getTargetTriple().str() + " cannot emit object files");
  passes.run(module);
  return object;
}

std::unique_ptr<object::ObjectFile> openObject(const Bytes &bytes) {
  MemoryBufferRef buffer(StringRef(bytes.data(), bytes.size()), "object");
  auto file = object::ObjectFile::createObjectFile(buffer);
  if (!file)
    fail("the emitted object cannot be read back: " + toString(file.takeError()));
  return std::move(*file);
}

bool isCountedSection(const object::SectionRef &section) {
  Expected<StringRef> name = section.getName();
  if (!name) {
    consumeError(name.takeError());
    return false;
  }
  return name->starts_with(".text") || *name == "__text";
}

// The name of the section without the function's own name at its end.
StringRef sectionPrefix(StringRef section, StringRef function) {
  section.consume_back(function);
  return section.rtrim('.');
}

// Code generation folds loads from and copies of such data into functions.
bool isFoldableData(const GlobalValue *global) {
  auto *variable = dyn_cast<GlobalVariable>(global);
  return variable && variable->isConstant() && variable->hasInitializer() &&
         isa<ConstantData>(variable->getInitializer());
}

} // namespace

TargetMachine &targetMachineFor(const Module &module) {
  thread_local std::map<std::string, std::unique_ptr<TargetMachine>> machines;
  setUpLLVM();
  Triple triple = module.getTargetTriple();
  if (triple.getTriple().empty())
    triple = Triple(sys::getDefaultTargetTriple());
  bool pic = module.getPICLevel() != PICLevel::NotPIC;
  std::optional<CodeModel::Model> codeModel = module.getCodeModel();
  std::string kind = triple.str() + (pic ? "/pic/" : "/static/") +
                     std::to_string(codeModel ? int(*codeModel) : -1);
  std::unique_ptr<TargetMachine> &machine = machines[kind];
  if (!machine) {
    std::string why;
    const Target *target = TargetRegistry::lookupTarget(triple, why);
    if (!target)
      fail("no code generator for the module's target '" + triple.str() +
           "': " + why + ". This build emits code for " +
           sys::getDefaultTargetTriple() +
           " only; use the objective ir_instructions for other targets");
    machine.reset(target->createTargetMachine(
        triple, "", "", TargetOptions(), pic ? Reloc::PIC_ : Reloc::Static, codeModel,
        CodeGenOptLevel::Default));
    if (!machine)
      fail("no target machine for '" + triple.str() + "'");
  }
  return *machine;
}

std::string emitObject(const Module &module) {
  Bytes object = emitInPlace(*CloneModule(module), /*functionSections=*/false);
  return std::string(object.begin(), object.end());
}

int64_t objectTextSize(const Module &module) {
  Bytes object = emitInPlace(*CloneModule(module), /*functionSections=*/false);
  std::unique_ptr<object::ObjectFile> file = openObject(object);
  int64_t total = 0;
  for (const object::SectionRef &section : file->sections())
    if (isCountedSection(section))
      total += static_cast<int64_t>(section.getSize());
  return total;
}

uint32_t TextMeter::sectionNumber(StringRef prefix) {
  for (size_t i = 0; i < sections.size(); ++i)
    if (sections[i] == prefix)
      return static_cast<uint32_t>(i) + 1;
  sections.push_back(prefix.str());
  return static_cast<uint32_t>(sections.size());
}

int64_t TextMeter::functionSize(uint64_t hash) const {
  auto found = cache.find(hash);
  return found == cache.end() ? -1 : int64_t(found->second.size);
}

void TextMeter::emitMissing(const Module &module, const FunctionHashes &hashes,
                            const DenseMap<const Function *, bool> &missing) {
  ValueToValueMapTy map;
  std::unique_ptr<Module> part =
      CloneModule(module, map, [&](const GlobalValue *global) {
        if (auto *function = dyn_cast<Function>(global))
          return missing.contains(function);
        return isFoldableData(global);
      });
  Mangler mangler;
  StringMap<const Function *> original;
  for (const auto &[function, unused] : missing) {
    auto *copy = cast<Function>(map[function]);
    // A private function has no symbol to find it by.
    if (copy->hasPrivateLinkage())
      copy->setLinkage(GlobalValue::InternalLinkage);
    if (!copy->hasName())
      copy->setName("anonymous");
    SmallString<64> symbol;
    targetMachineFor(module).getNameWithPrefix(symbol, copy, mangler);
    original[symbol] = function;
  }
  for (GlobalVariable &variable : make_early_inc_range(part->globals()))
    if (variable.use_empty() && !variable.isDeclaration())
      variable.eraseFromParent();
  Bytes object = emitInPlace(*part, /*functionSections=*/true);
  std::unique_ptr<object::ObjectFile> file = openObject(object);
  for (const object::SymbolRef &symbol : file->symbols()) {
    Expected<object::SymbolRef::Type> type = symbol.getType();
    Expected<StringRef> name = symbol.getName();
    Expected<object::section_iterator> section = symbol.getSection();
    if (!type || !name || !section)
      fail("the emitted object has a damaged symbol");
    if (*type != object::SymbolRef::ST_Function || *section == file->section_end())
      continue;
    auto found = original.find(*name);
    if (found == original.end())
      continue;
    Text text;
    if (isCountedSection(**section)) {
      text.size = static_cast<uint32_t>((*section)->getSize());
      text.alignment = static_cast<uint32_t>((*section)->getAlignment().value());
      if (!found->second->hasComdat())
        text.section = sectionNumber(sectionPrefix(cantFail((*section)->getName()),
                                                   *name));
    }
    cache[hashes.lookup(found->second)] = text;
  }
}

int64_t TextMeter::textSize(const Module &module, const FunctionHashes &hashes) {
  if (!module.getTargetTriple().isOSBinFormatELF() &&
      !module.getTargetTriple().getTriple().empty())
    return objectTextSize(module); // no sections of their own for functions
  constexpr size_t cacheLimit = 1 << 20;
  if (cache.size() > cacheLimit)
    cache.clear();
  DenseMap<const Function *, bool> missing;
  for (const Function &function : module)
    if (!function.isDeclarationForLinker() && !cache.contains(hashes.lookup(&function)))
      missing[&function] = true;
  if (!missing.empty())
    emitMissing(module, hashes, missing);
  std::vector<uint64_t> ends(sections.size() + 1, 0);
  int64_t apart = 0;
  for (const Function &function : module) {
    auto found = cache.find(hashes.lookup(&function));
    if (function.isDeclarationForLinker() || found == cache.end())
      continue;
    const Text &text = found->second;
    if (text.section == 0)
      apart += text.size;
    else
      ends[text.section] =
          alignTo(ends[text.section], text.alignment) + text.size;
  }
  for (uint64_t end : ends)
    apart += static_cast<int64_t>(end);
  return apart;
}

} // namespace mirgym
