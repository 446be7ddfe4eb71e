// The parent's end of a worker's socket: frames out, frames in (see serve.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mirgym {

enum class Received { Reply, Closed, TimedOut, Interrupted };

enum class Sent { Whole, Closed, TimedOut };

// Sends one request; a worker that does not read it by the deadline hangs.
Sent sendRequest(int socket, std::string_view request, uint32_t limitMs,
                 int64_t deadlineNs);

// Waits for one reply until `deadlineNs` on the monotonic clock. For the first
// `spinUs` it polls without sleeping: being woken costs more than most passes take.
// `partial` keeps what has arrived when a signal interrupts; pass it in again.
Received receiveReply(int socket, int64_t deadlineNs, int64_t spinUs,
                      std::string &partial);

int64_t monotonicNs();

} // namespace mirgym
