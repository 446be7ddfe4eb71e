#include "arena.h"

#include "charges.h"
#include "errors.h"
#include "instrument.h"
#include "loader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <malloc.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <ucontext.h>
#include <unistd.h>

using namespace llvm;

namespace mirgym {

namespace {

constexpr size_t heapBytes = 512 << 20, stackBytes = 64 << 20, guardBytes = 64 << 10,
                 pageBytes = 4096;
constexpr uint64_t programBytes = uint64_t(1) << 40, shownHeap = 0x2000'0000'0000,
                   shownStack = 0x2100'0000'0000, shownElsewhere = 0x7f00'0000'0000;

// Blocks of equal capacity that were freed are used again, the latest first; others are cut
// from the rest.
struct Block {
  uint64_t capacity;
  Block *next;
  char bytes[];
};
static_assert(sizeof(Block) == 16);

struct Heap {
  char *begin, *next, *end;
  Block *free[320];
} heapState;

bool owns(const void *pointer) { return pointer >= heapState.begin && pointer < heapState.end; }

Block *blockOf(void *pointer) {
  return reinterpret_cast<Block *>(static_cast<char *>(pointer) - sizeof(Block));
}

// In steps of 16 bytes up to 1 KiB, then of a quarter of a power of two.
uint64_t capacityFor(uint64_t size) {
  uint64_t step = size <= 1024 ? 16 : bit_floor(size - 1) / 4;
  return alignTo(std::max<uint64_t>(size, 1), step);
}

Block *&freeList(uint64_t capacity) {
  if (capacity <= 1024)
    return heapState.free[capacity / 16];
  unsigned bits = Log2_64(capacity);
  return heapState.free[65 + (bits - 10) * 4 + ((capacity >> (bits - 2)) & 3)];
}

// Null when it no longer fits.
void *cut(uint64_t alignment, uint64_t capacity) {
  auto next = reinterpret_cast<uint64_t>(heapState.next);
  uint64_t start = alignTo(next + sizeof(Block), alignment);
  auto end = reinterpret_cast<uint64_t>(heapState.end);
  if (start > end || capacity > end - start)
    return nullptr;
  heapState.next = reinterpret_cast<char *>(start + capacity);
  auto *pointer = reinterpret_cast<char *>(start);
  blockOf(pointer)->capacity = capacity;
  return pointer;
}

void *allocate(size_t size) {
  if (size > heapBytes)
    return std::malloc(size);
  uint64_t capacity = capacityFor(size);
  Block *&list = freeList(capacity);
  if (Block *block = list) {
    list = block->next;
    return block->bytes;
  }
  void *made = cut(16, capacity);
  return made ? made : std::malloc(size);
}

void release(void *pointer) {
  if (!owns(pointer))
    return std::free(pointer);
  Block *block = blockOf(pointer);
  Block *&list = freeList(block->capacity);
  block->next = list;
  list = block;
}

void *reallocate(void *pointer, size_t size) {
  if (!pointer)
    return allocate(size);
  if (!owns(pointer))
    return std::realloc(pointer, size);
  if (size == 0) {
    release(pointer);
    return nullptr;
  }
  uint64_t capacity = blockOf(pointer)->capacity;
  if (size <= capacity)
    return pointer;
  void *made = allocate(size);
  if (!made)
    return nullptr;
  std::memcpy(made, pointer, capacity);
  release(pointer);
  return made;
}

void *reallocateArray(void *pointer, size_t count, size_t size) {
  size_t bytes;
  if (!__builtin_mul_overflow(count, size, &bytes))
    return reallocate(pointer, bytes);
  errno = ENOMEM;
  return nullptr;
}

void *allocateAligned(size_t alignment, size_t size) {
  if (alignment <= 16)
    return allocate(size);
  bool fits = isPowerOf2_64(alignment) && alignment <= heapBytes && size <= heapBytes;
  void *made = fits ? cut(alignment, capacityFor(size)) : nullptr;
  return made ? made : memalign(alignment, size);
}

int allocateAlignedTo(void **where, size_t alignment, size_t size) {
  if (!isPowerOf2_64(alignment) || alignment % sizeof(void *))
    return EINVAL;
  void *made = allocateAligned(alignment, size);
  if (!made)
    return ENOMEM;
  *where = made;
  return 0;
}

void *allocateCleared(size_t count, size_t size) {
  void *made = reallocateArray(nullptr, count, size);
  if (!made)
    return nullptr;
  chargeBulk(count * size);
  return std::memset(made, 0, count * size);
}

char *duplicateBounded(const char *text, size_t limit) {
  size_t size = strnlen(text, limit);
  auto *made = static_cast<char *>(allocate(size + 1));
  if (!made)
    return nullptr;
  made[size] = '\0';
  return static_cast<char *>(std::memcpy(made, text, size));
}

char *duplicate(const char *text) {
  chargeString(std::strlen(text));
  return duplicateBounded(text, PTRDIFF_MAX);
}

size_t usableSize(void *pointer) {
  return owns(pointer) ? blockOf(pointer)->capacity : malloc_usable_size(pointer);
}

// The C library makes its buffer larger by itself: it must be its own.
ssize_t readTo(char **line, size_t *size, int end, FILE *file) {
  if (owns(*line)) {
    release(*line);
    *line = nullptr;
    *size = 0;
  }
  return getdelim(line, size, end, file);
}
ssize_t readLine(char **line, size_t *size, FILE *file) { return readTo(line, size, '\n', file); }

char *map(uint64_t hint, size_t bytes) {
  void *made = mmap(reinterpret_cast<void *>(hint), bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (made == MAP_FAILED)
    throw EngineError(ErrorKind::NotRunnable,
                      std::string("there is no room for the program's heap and stack: ") +
                          std::strerror(errno) + ". Raise the worker's memory_bytes");
  return static_cast<char *>(made);
}

template <typename Function> void *address(Function *function) {
  return reinterpret_cast<void *>(function);
}

} // namespace

Arena::Arena() : heap(map(shownHeap, heapBytes)) {
  try {
    stack = map(shownStack, stackBytes);
  } catch (...) {
    munmap(heap, heapBytes);
    throw;
  }
  mprotect(stack, guardBytes, PROT_NONE);
  heapState = {heap, heap, heap + heapBytes, {}};
}

Arena::~Arena() {
  munmap(heap, heapBytes);
  munmap(stack, stackBytes);
  heapState = {};
}

StringMap<void *> Arena::functions() {
  StringMap<void *> known = {
      {"malloc", address(allocate)},
      {"free", address(release)},
      {"realloc", address(reallocate)},
      {"reallocarray", address(reallocateArray)},
      {"aligned_alloc", address(allocateAligned)},
      {"memalign", address(allocateAligned)},
      {"posix_memalign", address(allocateAlignedTo)},
      {"malloc_usable_size", address(usableSize)},
      {"strndup", address(duplicateBounded)},
      {"getline", address(readLine)},
      {"getdelim", address(readTo)},
      {"__getdelim", address(readTo)},
  };
  known[(wrapperPrefix + "calloc").str()] = address(allocateCleared);
  known[(wrapperPrefix + "strdup").str()] = address(duplicate);
  return known;
}

void Arena::setProgram(const std::vector<std::pair<uint64_t, uint64_t>> &sections) {
  uint64_t next = programAddress;
  bool there = all_of(sections, [](auto &section) {
    return section.first - programAddress < programBytes;
  });
  program.clear();
  for (auto [begin, size] : sections) {
    program.push_back({begin, begin + size, there ? begin : next});
    next = alignTo(next + size + 1, pageBytes);
  }
  sort(program, [](const Section &a, const Section &b) { return a.begin < b.begin; });
}

char **Arena::adopt(const std::vector<char *> &arguments) const {
  auto **copies = static_cast<char **>(allocate(arguments.size() * sizeof(char *)));
  for (size_t i = 0; i < arguments.size(); ++i)
    copies[i] = arguments[i] ? duplicateBounded(arguments[i], PTRDIFF_MAX) : nullptr;
  return copies;
}

void Arena::callOnStack(void (*function)()) const {
  static ucontext_t own, back;
  getcontext(&own);
  own.uc_stack.ss_sp = stack;
  own.uc_stack.ss_size = stackBytes;
  own.uc_link = &back;
  makecontext(&own, function, 0);
  swapcontext(&back, &own);
  _exit(1); // it returned
}

uint64_t Arena::shown(uint64_t address) const {
  constexpr uint64_t firstPages = 64 << 10, userEnd = uint64_t(1) << 48;
  auto in = [address](uint64_t begin, uint64_t end) { return address >= begin && address < end; };
  auto heapBegin = reinterpret_cast<uint64_t>(heap), stackBegin = reinterpret_cast<uint64_t>(stack);
  if (in(heapBegin, heapBegin + heapBytes))
    return address - heapBegin + shownHeap;
  if (in(stackBegin, stackBegin + stackBytes))
    return address - stackBegin + shownStack;
  auto after = upper_bound(
      program, address, [](uint64_t one, const Section &other) { return one < other.begin; });
  // The end of a section may be pointed to.
  if (after != program.begin() && address <= std::prev(after)->end)
    return address - std::prev(after)->begin + std::prev(after)->shown;
  if (address < firstPages || address >= userEnd) // none, or a number in a pointer's clothes
    return address;
  return shownElsewhere + address % pageBytes;
}

} // namespace mirgym
