// Errors of the engine. The wire carries the kind as one byte; mirgym/wire.py
// turns it into the Python exception of the same name.
#pragma once

#include <stdexcept>
#include <string>

namespace mirgym {

enum class ErrorKind : unsigned char {
  InvalidModule = 1,
  UnknownPass = 2,
  ModuleTooLarge = 3,
  Codegen = 4,
  Verify = 5,
  NoModule = 6,
  BadRequest = 7,
  Crashed = 8,
  Timeout = 9,
  NotRunnable = 10,
};

class EngineError : public std::runtime_error {
public:
  EngineError(ErrorKind kind, const std::string &message)
      : std::runtime_error(message), kind(kind) {}
  ErrorKind kind;
};

} // namespace mirgym
