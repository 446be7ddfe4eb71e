#include "codegen.h"

#include "errors.h"
#include "hash.h"
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
#include "llvm/Support/xxhash.h"
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

TargetMachine &machineFor(const Module &module, CodeGenOptLevel level) {
  thread_local std::map<std::string, std::unique_ptr<TargetMachine>> machines;
  setUpLLVM();
  Triple triple = module.getTargetTriple();
  if (triple.getTriple().empty())
    triple = Triple(sys::getDefaultTargetTriple());
  bool pic = module.getPICLevel() != PICLevel::NotPIC;
  std::optional<CodeModel::Model> codeModel = module.getCodeModel();
  std::string kind = triple.str() + (pic ? "/pic/" : "/static/") +
                     std::to_string(codeModel ? int(*codeModel) : -1) + "/O" +
                     std::to_string(int(level));
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
        level));
    if (!machine)
      fail("no target machine for '" + triple.str() + "'");
  }
  return *machine;
}

Bytes emitInPlace(Module &module, TargetMachine &machine, bool functionSections) {
  if (module.getTargetTriple().getTriple().empty())
    module.setTargetTriple(machine.getTargetTriple());
  if (module.getDataLayoutStr().empty())
    module.setDataLayout(machine.createDataLayout());
  if (!machine.isCompatibleDataLayout(module.getDataLayout()))
    fail("the module's data layout '" + module.getDataLayoutStr() +
         "' does not fit its target " + module.getTargetTriple().str());
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

Bytes emitInPlace(Module &module, bool functionSections) {
  return emitInPlace(module, targetMachineFor(module), functionSections);
}

std::unique_ptr<object::ObjectFile> openObject(const Bytes &bytes) {
  MemoryBufferRef buffer(StringRef(bytes.data(), bytes.size()), "object");
  auto file = object::ObjectFile::createObjectFile(buffer);
  if (!file)
    fail("the emitted object cannot be read back: " + toString(file.takeError()));
  return std::move(*file);
}

bool isCountedSection(StringRef name) {
  return name.starts_with(".text") || name == "__text";
}

bool isCountedSection(const object::SectionRef &section) {
  Expected<StringRef> name = section.getName();
  if (!name) {
    consumeError(name.takeError());
    return false;
  }
  return isCountedSection(*name);
}

// The name of the section without the function's own name at its end.
StringRef sectionPrefix(StringRef section, StringRef function) {
  section.consume_back(function);
  return section.rtrim('.');
}

bool isFoldableData(const GlobalValue *global) {
  auto *variable = dyn_cast<GlobalVariable>(global);
  return variable && variable->isConstant() && variable->hasInitializer() &&
         isPlainData(variable->getInitializer());
}

} // namespace

TargetMachine &targetMachineFor(const Module &module) {
  return machineFor(module, CodeGenOptLevel::Default);
}

std::string emitObject(const Module &module) {
  Bytes object = emitInPlace(*CloneModule(module), /*functionSections=*/false);
  return std::string(object.begin(), object.end());
}

std::string emitForExecution(Module &module) {
  TargetMachine &machine = machineFor(module, CodeGenOptLevel::None);
  machine.Options.EmulatedTLS = true;
  Bytes object = emitInPlace(module, machine, /*functionSections=*/false);
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

int64_t TextMeter::functionSize(uint64_t codegenHash) const {
  auto found = cache.find(codegenHash);
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
    copy->setSection(""); // several functions may share a section by name
    SmallString<64> symbol;
    targetMachineFor(module).getNameWithPrefix(symbol, copy, mangler);
    original[symbol] = function;
  }
  for (GlobalVariable &variable : make_early_inc_range(part->globals()))
    if (variable.use_empty() && !variable.isDeclaration())
      variable.eraseFromParent();
  Bytes object = emitInPlace(*part, /*functionSections=*/true);
  std::unique_ptr<object::ObjectFile> file = openObject(object);
  DenseMap<uint64_t, uint64_t> bySection; // to codegen hashes
  DenseMap<uint64_t, StringRef> functionOfSection;
  for (const object::SymbolRef &symbol : file->symbols()) {
    Expected<object::SymbolRef::Type> type = symbol.getType();
    Expected<StringRef> name = symbol.getName();
    Expected<object::section_iterator> section = symbol.getSection();
    if (!type || !name || !section)
      fail("the emitted object has a damaged symbol");
    auto found = original.find(*name);
    if (*type != object::SymbolRef::ST_Function || found == original.end())
      continue;
    Text text;
    StringRef chosen = found->second->getSection();
    if (chosen.empty() ? isCountedSection(**section) : isCountedSection(chosen)) {
      text.size = static_cast<uint32_t>((*section)->getSize());
      text.alignment = static_cast<uint32_t>((*section)->getAlignment().value());
      if (!found->second->hasComdat())
        text.section = sectionNumber(
            chosen.empty() ? sectionPrefix(cantFail((*section)->getName()), *name)
                           : chosen);
    }
    uint64_t hash = hashes.lookup(found->second).codegen;
    cache[hash] = text;
    bySection[(*section)->getIndex()] = hash;
    functionOfSection[(*section)->getIndex()] = found->second->getName();
  }
  for (const object::SectionRef &section : file->sections()) {
    auto target = section.getRelocatedSection();
    if (!target || *target == file->section_end())
      continue;
    if (auto found = bySection.find((*target)->getIndex()); found != bySection.end())
      collectTailJumps(section, cantFail((*target)->getContents()),
                       functionOfSection, module, cache[found->second].jumps);
  }
}

// Finds `jmp rel32` and `jcc rel32` to local functions by their relocations.
void TextMeter::collectTailJumps(const object::SectionRef &relocations, StringRef code,
                                 const DenseMap<uint64_t, StringRef> &functionOfSection,
                                 const Module &module, std::vector<TailJump> &jumps) {
  constexpr uint8_t jmp = 0xE9, twoByteOpcode = 0x0F, firstJcc = 0x80, lastJcc = 0x8F;
  for (const object::RelocationRef &relocation : relocations.relocations()) {
    uint64_t at = relocation.getOffset();
    object::symbol_iterator symbol = relocation.getSymbol();
    if (at < 2 || at + 4 > code.size() || symbol == relocations.getObject()->symbol_end())
      continue;
    auto before = static_cast<uint8_t>(code[at - 1]);
    bool conditional = static_cast<uint8_t>(code[at - 2]) == twoByteOpcode &&
                       before >= firstJcc && before <= lastJcc;
    if (before != jmp && !conditional)
      continue;
    Expected<StringRef> name = symbol->getName();
    Expected<object::section_iterator> section = symbol->getSection();
    if (!name || !section)
      fail("the emitted object has a damaged symbol");
    // A function of the same object is named by its section, another one by itself.
    StringRef callee = *name;
    if (*section != relocations.getObject()->section_end())
      callee = functionOfSection.lookup((*section)->getIndex());
    const Function *function = module.getFunction(callee);
    if (function && function->hasLocalLinkage())
      jumps.push_back({xxh3_64bits(callee), static_cast<uint32_t>(at + 4),
                       conditional ? 4u : 3u});
  }
}

int64_t TextMeter::textSize(const Module &module, const FunctionHashes &hashes) {
  const Triple &triple = module.getTargetTriple();
  if (!triple.isX86() || (!triple.isOSBinFormatELF() && !triple.getTriple().empty()))
    return objectTextSize(module); // the layout below is that of x86 ELF
  if (!module.getModuleInlineAsm().empty())
    return objectTextSize(module); // it may hold code, too
  constexpr size_t cacheLimit = 1 << 20;
  if (cache.size() > cacheLimit)
    cache.clear();
  DenseMap<const Function *, bool> missing;
  for (const Function &function : module)
    if (!function.isDeclarationForLinker() &&
        !cache.contains(hashes.lookup(&function).codegen))
      missing[&function] = true;
  if (!missing.empty())
    emitMissing(module, hashes, missing);
  return layOut(module, hashes);
}

int64_t TextMeter::layOut(const Module &module, const FunctionHashes &hashes) const {
  struct Placed {
    const Text *text;
    uint64_t start;
    uint64_t shortened; // bytes saved by short jumps inside
  };
  int64_t apart = 0;
  std::vector<Placed> placed;
  DenseMap<uint64_t, size_t> byName;
  for (const Function &function : module) {
    auto found = cache.find(hashes.lookup(&function).codegen);
    if (function.isDeclarationForLinker() || found == cache.end())
      continue;
    if (found->second.section == 0) {
      apart += found->second.size;
      continue;
    }
    byName[xxh3_64bits(function.getName())] = placed.size();
    placed.push_back({&found->second, 0, 0});
  }
  // Like the assembler: start with every jump short, and lengthen those that do not
  // reach, until all do.
  std::vector<std::vector<bool>> isLong(placed.size());
  for (size_t i = 0; i < placed.size(); ++i)
    isLong[i].resize(placed[i].text->jumps.size());
  std::vector<uint64_t> ends;
  bool changed = true;
  while (changed) {
    changed = false;
    ends.assign(sections.size() + 1, 0);
    for (size_t i = 0; i < placed.size(); ++i) {
      const Text &text = *placed[i].text;
      placed[i].shortened = 0;
      for (size_t j = 0; j < text.jumps.size(); ++j)
        if (!isLong[i][j])
          placed[i].shortened += text.jumps[j].savings;
      placed[i].start = alignTo(ends[text.section], text.alignment);
      ends[text.section] = placed[i].start + text.size - placed[i].shortened;
    }
    for (size_t i = 0; i < placed.size(); ++i) {
      const Text &text = *placed[i].text;
      uint64_t savedBefore = 0;
      for (size_t j = 0; j < text.jumps.size(); ++j) {
        if (isLong[i][j])
          continue;
        savedBefore += text.jumps[j].savings;
        auto target = byName.find(text.jumps[j].target);
        bool reaches = target != byName.end() &&
                       placed[target->second].text->section == text.section;
        if (reaches) {
          auto distance = int64_t(placed[target->second].start) -
                          int64_t(placed[i].start + text.jumps[j].end - savedBefore);
          reaches = distance >= -128 && distance <= 127;
        }
        if (!reaches) {
          isLong[i][j] = true;
          changed = true;
        }
      }
    }
  }
  for (uint64_t end : ends)
    apart += static_cast<int64_t>(end);
  return apart;
}

} // namespace mirgym
