// LLVM command-line options (`cl::opt`) set for the length of one scope.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace mirgym {

using OptionList = std::vector<std::pair<std::string, std::string>>;

// Sets each option, and sets it back to its default on destruction. Options are
// process-wide, so a scope with options has the process's passes to itself, and
// scopes without options share them.
class ScopedOptions {
public:
  explicit ScopedOptions(const OptionList &options);
  ~ScopedOptions();
  ScopedOptions(const ScopedOptions &) = delete;
  ScopedOptions &operator=(const ScopedOptions &) = delete;

private:
  void undo();
  std::vector<void *> set;
  bool exclusive = false;
};

} // namespace mirgym
