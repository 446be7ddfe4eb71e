#include "charges.h"

#include "llvm/ADT/StringMap.h"

#include <cstdlib>
#include <cstring>
#include <cwchar>

namespace mirgym {

namespace {

uint64_t *total = nullptr;

// How many bytes a comparison looks at.
size_t commonLength(const char *left, const char *right, size_t limit) {
  size_t i = 0;
  while (i < limit && left[i] == right[i] && left[i])
    ++i;
  return i;
}

size_t lengthTo(const char *start, const char *found) {
  return found ? size_t(found - start) : std::strlen(start);
}

void *copy(void *to, const void *from, size_t size) {
  chargeBulk(size);
  return std::memcpy(to, from, size);
}
void *copyToEnd(void *to, const void *from, size_t size) {
  return static_cast<char *>(copy(to, from, size)) + size;
}
void *move(void *to, const void *from, size_t size) {
  chargeBulk(size);
  return std::memmove(to, from, size);
}
void *fill(void *to, int byte, size_t size) {
  chargeBulk(size);
  return std::memset(to, byte, size);
}
void clear(void *to, size_t size) { fill(to, 0, size); }
int compare(const void *left, const void *right, size_t size) {
  chargeBulk(size);
  return std::memcmp(left, right, size);
}
const void *find(const void *from, int byte, size_t size) {
  const void *found = std::memchr(from, byte, size);
  chargeBulk(found ? size_t(static_cast<const char *>(found) - static_cast<const char *>(from))
                   : size);
  return found;
}
void *allocateCleared(size_t count, size_t size) {
  void *made = std::calloc(count, size);
  if (made)
    chargeBulk(count * size);
  return made;
}
size_t length(const char *text) {
  size_t size = std::strlen(text);
  chargeString(size);
  return size;
}
size_t boundedLength(const char *text, size_t limit) {
  size_t size = strnlen(text, limit);
  chargeString(size);
  return size;
}
size_t wideLength(const wchar_t *text) {
  size_t size = std::wcslen(text);
  chargeString(size * sizeof(wchar_t));
  return size;
}
char *copyText(char *to, const char *from) {
  chargeString(std::strlen(from));
  return std::strcpy(to, from);
}
char *copyTextToEnd(char *to, const char *from) {
  chargeString(std::strlen(from));
  return stpcpy(to, from);
}
char *copyPadded(char *to, const char *from, size_t size) {
  chargeString(size); // it fills up with zeros
  return std::strncpy(to, from, size);
}
char *append(char *to, const char *from) {
  chargeString(std::strlen(to) + std::strlen(from));
  return std::strcat(to, from);
}
char *appendBounded(char *to, const char *from, size_t limit) {
  chargeString(std::strlen(to) + strnlen(from, limit));
  return std::strncat(to, from, limit);
}
char *duplicate(const char *text) {
  chargeString(std::strlen(text));
  return strdup(text);
}
int compareText(const char *left, const char *right) {
  chargeString(commonLength(left, right, SIZE_MAX));
  return std::strcmp(left, right);
}
int compareBounded(const char *left, const char *right, size_t limit) {
  chargeString(commonLength(left, right, limit));
  return std::strncmp(left, right, limit);
}
const char *findChar(const char *text, int byte) {
  const char *found = std::strchr(text, byte);
  chargeString(lengthTo(text, found));
  return found;
}
const char *findLastChar(const char *text, int byte) {
  chargeString(std::strlen(text));
  return std::strrchr(text, byte);
}
const char *findText(const char *text, const char *wanted) {
  const char *found = std::strstr(text, wanted);
  chargeString(lengthTo(text, found) + std::strlen(wanted));
  return found;
}
const char *findAny(const char *text, const char *bytes) {
  const char *found = std::strpbrk(text, bytes);
  chargeString(lengthTo(text, found));
  return found;
}
size_t spanOf(const char *text, const char *bytes) {
  size_t size = std::strspn(text, bytes);
  chargeString(size);
  return size;
}
size_t spanWithout(const char *text, const char *bytes) {
  size_t size = std::strcspn(text, bytes);
  chargeString(size);
  return size;
}

template <typename Function> void *address(Function *function) {
  return reinterpret_cast<void *>(function);
}

} // namespace

void chargeBulk(uint64_t bytes) { *total += bulkCharge(bytes); }
void chargeString(uint64_t bytes) { *total += bytes / stringBytesPerUnit + 1; }

void chargeTo(uint64_t *where) { total = where; }

void *chargedFunction(llvm::StringRef name) {
  static const llvm::StringMap<void *> functions = {
      {"memcpy", address(copy)},
      {"mempcpy", address(copyToEnd)},
      {"memmove", address(move)},
      {"memset", address(fill)},
      {"bzero", address(clear)},
      {"memcmp", address(compare)},
      {"bcmp", address(compare)},
      {"memchr", address(find)},
      {"calloc", address(allocateCleared)},
      {"strlen", address(length)},
      {"strnlen", address(boundedLength)},
      {"wcslen", address(wideLength)},
      {"strcpy", address(copyText)},
      {"stpcpy", address(copyTextToEnd)},
      {"strncpy", address(copyPadded)},
      {"strcat", address(append)},
      {"strncat", address(appendBounded)},
      {"strdup", address(duplicate)},
      {"strcmp", address(compareText)},
      {"strncmp", address(compareBounded)},
      {"strchr", address(findChar)},
      {"strrchr", address(findLastChar)},
      {"strstr", address(findText)},
      {"strpbrk", address(findAny)},
      {"strspn", address(spanOf)},
      {"strcspn", address(spanWithout)},
  };
  return functions.lookup(name);
}

} // namespace mirgym
