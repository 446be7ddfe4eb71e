#include "options.h"

#include "errors.h"
#include "llvm_setup.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

#include <shared_mutex>

using namespace llvm;

namespace mirgym {

static std::shared_mutex &optionsLock() {
  static std::shared_mutex lock;
  return lock;
}

// These print and end the process.
static bool endsProcess(StringRef name) {
  return name.starts_with("help") || name == "version";
}

ScopedOptions::ScopedOptions(const OptionList &options) {
  optionsLock().lock_shared();
  if (options.empty())
    return;
  optionsLock().unlock_shared();
  optionsLock().lock();
  exclusive = true;
  auto &registered = cl::getRegisteredOptions();
  for (const auto &[name, value] : options) {
    auto found = registered.find(name);
    if (found == registered.end() || endsProcess(name)) {
      undo();
      throw EngineError(ErrorKind::UnknownPass,
                        "unknown LLVM option '" + name +
                            "'; expected the name of one of LLVM's command-line "
                            "options without dashes, such as 'inline-threshold'");
    }
    cl::Option *option = found->second;
    set.push_back(option);
    // addOccurrence prints its own complaint; keep it off the terminal.
    if (option->addOccurrence(0, name, value)) {
      undo();
      throw EngineError(ErrorKind::UnknownPass,
                        "LLVM option '" + name + "' does not take the value '" +
                            value + "'");
    }
  }
}

void ScopedOptions::undo() {
  for (void *entry : set) {
    auto *option = static_cast<cl::Option *>(entry);
    option->setDefault();
    option->reset();
  }
  set.clear();
  if (exclusive)
    optionsLock().unlock();
  else
    optionsLock().unlock_shared();
}

ScopedOptions::~ScopedOptions() { undo(); }

} // namespace mirgym
