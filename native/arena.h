// Heap and stack of a program whose addresses are looked at: they are the same in every run.
//
// Otherwise a run would go on with the heap of this process as it happens to be. What other
// parts of the process allocate (the C library for its files, a C++ library) lies elsewhere,
// as does what no longer fits. What the program has from malloc it must free by itself: a
// library that does it (__cxa_demangle for a buffer that it is given) ends the run.
#pragma once

#include "llvm/ADT/StringMap.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace mirgym {

class Arena {
public:
  // Throws EngineError(NotRunnable) when there is no room for it.
  Arena();
  ~Arena();
  Arena(const Arena &) = delete;
  void operator=(const Arena &) = delete;

  // malloc and its like, by name, for the program to be linked with.
  static llvm::StringMap<void *> functions();

  // Beginnings and sizes of the program's code and variables. If they are not where they
  // should be, they are shown there one after the other, each on a page of its own.
  void setProgram(const std::vector<std::pair<uint64_t, uint64_t>> &sections);

  // In the child, before the program starts: copies what it is started with to its heap.
  char **adopt(const std::vector<char *> &arguments) const;
  // Calls a function that never returns, on the program's own stack.
  [[noreturn]] void callOnStack(void (*function)()) const;

  // An address of the program as it is in every run. Elsewhere only the place within a page
  // is known: it is shown above 0x7f0000000000.
  uint64_t shown(uint64_t address) const;

private:
  char *heap, *stack;
  struct Section {
    uint64_t begin, end, shown;
  };
  std::vector<Section> program; // by their beginnings
};

} // namespace mirgym
