#include "loader.h"

#include "charges.h"
#include "errors.h"
#include "instrument.h"

#include "llvm/ExecutionEngine/RuntimeDyld.h"
#include "llvm/ExecutionEngine/SectionMemoryManager.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/Memory.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstdlib>

#include <dlfcn.h>
#include <sys/stat.h>

using namespace llvm;

namespace mirgym {

namespace {

[[noreturn]] void fail(const std::string &why) {
  throw EngineError(ErrorKind::NotRunnable, why);
}

// `m` is libm.so.6: the name without a version is a linker script, or not installed.
void openLibrary(const std::string &name) {
  if (name.find('/') != std::string::npos)
    fail("the library name '" + name + "' is a path; expected a name as after -l");
  for (int version = -1; version < 20; ++version) {
    std::string file = "lib" + name + ".so";
    if (version >= 0)
      file += "." + std::to_string(version);
    if (dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL))
      return;
  }
  fail("the program needs the library '" + name + "', which cannot be loaded");
}

// What a static part of the C library defines in every program of its own.
void *partOfEveryProgram(StringRef name) {
  static int dsoHandle;
  if (name == "__dso_handle")
    return &dsoHandle;
  if (name == "atexit")
    return reinterpret_cast<void *>(&atexit);
  if (name == "stat")
    return reinterpret_cast<void *>(static_cast<int (*)(const char *, struct stat *)>(&stat));
  if (name == "fstat")
    return reinterpret_cast<void *>(&fstat);
  if (name == "lstat")
    return reinterpret_cast<void *>(&lstat);
  return nullptr;
}

// Asks for memory at the same place in every process, one block after the other: sections
// refer to each other by 32-bit distances.
class Mapper : public SectionMemoryManager::MemoryMapper {
public:
  sys::MemoryBlock allocateMappedMemory(SectionMemoryManager::AllocationPurpose, size_t size,
                                        const sys::MemoryBlock *, unsigned flags,
                                        std::error_code &error) override {
    sys::MemoryBlock made = sys::Memory::allocateMappedMemory(size, &latest, flags, error);
    if (!error)
      latest = made;
    return made;
  }
  std::error_code protectMappedMemory(const sys::MemoryBlock &block, unsigned flags) override {
    return sys::Memory::protectMappedMemory(block, flags);
  }
  std::error_code releaseMappedMemory(sys::MemoryBlock &block) override {
    return sys::Memory::releaseMappedMemory(block);
  }

private:
  sys::MemoryBlock latest{reinterpret_cast<void *>(programAddress), 0};
};

struct WithMapper { // before the manager, which uses it to the end
  Mapper mapper;
};

class Memory : private WithMapper, public SectionMemoryManager {
public:
  explicit Memory(StringMap<void *> own)
      : SectionMemoryManager(&mapper, /*ReserveAlloc=*/true), own(std::move(own)) {}

  uint64_t getSymbolAddress(const std::string &symbol) override {
    return reinterpret_cast<uint64_t>(find(symbol));
  }
  void *find(StringRef name) const {
    if (void *found = own.lookup(name))
      return found;
    if (name.consume_front(wrapperPrefix))
      return chargedFunction(name);
    if (void *part = partOfEveryProgram(name))
      return part;
    return dlsym(RTLD_DEFAULT, name.str().c_str());
  }
  uint8_t *allocateCodeSection(uintptr_t size, unsigned alignment, unsigned id,
                               StringRef name) override {
    return noted(SectionMemoryManager::allocateCodeSection(size, alignment, id, name), size);
  }
  uint8_t *allocateDataSection(uintptr_t size, unsigned alignment, unsigned id, StringRef name,
                               bool readOnly) override {
    return noted(
        SectionMemoryManager::allocateDataSection(size, alignment, id, name, readOnly), size);
  }
  // A weak symbol may be nowhere.
  bool allowsZeroSymbols() override { return true; }

  std::vector<std::pair<uint64_t, uint64_t>> sections;

private:
  uint8_t *noted(uint8_t *section, uintptr_t size) {
    sections.emplace_back(reinterpret_cast<uint64_t>(section), size);
    return section;
  }
  StringMap<void *> own;
};

} // namespace

struct LoadedObject::Parts {
  explicit Parts(StringMap<void *> own) : memory(std::move(own)), linker(memory, memory) {}
  Memory memory;
  RuntimeDyld linker;
};

LoadedObject::LoadedObject(StringRef bytes, const std::vector<std::string> &libraries,
                           StringMap<void *> own)
    : parts(std::make_unique<Parts>(std::move(own))) {
  for (const std::string &library : libraries)
    openLibrary(library);
  auto object = object::ObjectFile::createObjectFile(MemoryBufferRef(bytes, "program"));
  if (!object)
    fail("the emitted object cannot be read back: " + toString(object.takeError()));
  for (const object::SymbolRef &symbol : (*object)->symbols()) {
    uint32_t flags = cantFail(symbol.getFlags());
    StringRef name = cantFail(symbol.getName());
    bool needed = (flags & object::SymbolRef::SF_Undefined) &&
                  !(flags & (object::SymbolRef::SF_Weak | object::SymbolRef::SF_FormatSpecific));
    if (needed && name != "_GLOBAL_OFFSET_TABLE_" && !name.empty() && !parts->memory.find(name))
      fail("the program needs '" + name.str() +
           "', which is neither in the C library nor in the libraries that it names");
  }
  parts->linker.loadObject(**object);
  parts->linker.resolveRelocations();
  parts->linker.registerEHFrames();
  std::string why;
  if (parts->linker.hasError())
    fail("the program cannot be linked: " + parts->linker.getErrorString().str());
  if (parts->memory.finalizeMemory(&why))
    fail("the program's memory cannot be made executable: " + why);
}

LoadedObject::~LoadedObject() { parts->linker.deregisterEHFrames(); }

const std::vector<std::pair<uint64_t, uint64_t>> &LoadedObject::sections() const {
  return parts->memory.sections;
}

void *LoadedObject::symbol(StringRef name) const {
  return parts->linker.getSymbolLocalAddress(name);
}

} // namespace mirgym
