// The wire format of a session: one request in, one reply out, both plain bytes.
// The in-process session calls it directly and the worker reads it from a socket,
// so the two cannot differ. mirgym/wire.py is the Python side and documents it.
#pragma once

#include "session.h"

#include <string>
#include <string_view>

namespace mirgym {

enum class Verb : unsigned char {
  Load = 1,
  Step = 2,
  Observe = 3,
  Snapshot = 4,
  Restore = 5,
  Emit = 6,
  Verify = 7,
  Functions = 8,
  Fork = 9, // answered by the worker loop itself
  Execute = 10,
  HintLoops = 11,
  NoteBranches = 12,
  Trace = 13,
  FuseLoops = 14,
};

// Never throws: an error becomes a reply of its kind.
std::string handleRequest(Session &session, std::string_view request);

std::string errorReply(unsigned char kind, std::string_view message);

} // namespace mirgym
