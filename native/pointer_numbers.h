// Numbers for pointers, emptied in constant time: entries of an older generation do
// not count.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mirgym {

class PointerNumbers {
public:
  static constexpr uint32_t absent = UINT32_MAX;

  void clear() {
    used = 0;
    if (entries.empty() || ++generation == 0) {
      entries.assign(std::max<size_t>(entries.size(), 1024), Entry());
      generation = 1;
    }
  }

  void insert(const void *pointer, uint32_t number) {
    if (++used * 2 > entries.size()) {
      grow();
      ++used;
    }
    size_t at = slot(pointer);
    while (entries[at].generation == generation)
      at = (at + 1) & (entries.size() - 1);
    entries[at] = {pointer, generation, number};
  }

  uint32_t find(const void *pointer) const {
    size_t at = slot(pointer);
    while (entries[at].generation == generation) {
      if (entries[at].pointer == pointer)
        return entries[at].number;
      at = (at + 1) & (entries.size() - 1);
    }
    return absent;
  }

private:
  struct Entry {
    const void *pointer = nullptr;
    uint32_t generation = 0;
    uint32_t number = 0;
  };

  size_t slot(const void *pointer) const {
    // Objects are at least 8 bytes apart; multiply to spread the rest.
    uint64_t spread =
        (reinterpret_cast<uintptr_t>(pointer) >> 3) * 0x9e3779b97f4a7c15ULL;
    return (spread >> 32) & (entries.size() - 1);
  }

  void grow() {
    std::vector<Entry> old(entries.size() * 2);
    old.swap(entries);
    used = 0;
    for (const Entry &entry : old)
      if (entry.generation == generation)
        insert(entry.pointer, entry.number);
  }

  std::vector<Entry> entries;
  size_t used = 0;
  uint32_t generation = 0;
};

} // namespace mirgym
