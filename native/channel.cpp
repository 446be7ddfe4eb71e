#include "channel.h"

#include <cerrno>
#include <cstring>
#include <ctime>

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace mirgym {

int64_t monotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

Sent sendRequest(int socket, std::string_view request, uint32_t limitMs,
                 int64_t deadlineNs) {
  uint32_t header[2] = {static_cast<uint32_t>(request.size()), limitMs};
  std::string frame(reinterpret_cast<const char *>(header), sizeof(header));
  frame.append(request);
  size_t sent = 0;
  while (sent < frame.size()) {
    ssize_t put = send(socket, frame.data() + sent, frame.size() - sent,
                       MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put > 0) {
      sent += static_cast<size_t>(put);
    } else if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      int64_t left = deadlineNs - monotonicNs();
      if (left <= 0)
        return Sent::TimedOut;
      pollfd ready{socket, POLLOUT, 0};
      poll(&ready, 1, static_cast<int>(left / 1'000'000 + 1));
    } else if (put == 0 || errno != EINTR) {
      return Sent::Closed;
    }
  }
  return Sent::Whole;
}

namespace {

constexpr size_t headerSize = 4;

// How many bytes are still to come, given what has.
size_t missing(const std::string &partial) {
  if (partial.size() < headerSize)
    return headerSize - partial.size();
  uint32_t length;
  std::memcpy(&length, partial.data(), headerSize);
  return headerSize + length - partial.size();
}

// Waits until the socket is readable; Reply stands for "readable".
Received wait(int socket, int64_t deadlineNs, int64_t spinUntilNs) {
  while (monotonicNs() < spinUntilNs) {
    pollfd ready{socket, POLLIN, 0};
    if (poll(&ready, 1, 0) > 0)
      return Received::Reply;
    sched_yield();
  }
  int64_t left = deadlineNs - monotonicNs();
  if (left <= 0)
    return Received::TimedOut;
  pollfd ready{socket, POLLIN, 0};
  int found = poll(&ready, 1, static_cast<int>(left / 1'000'000 + 1));
  if (found < 0)
    return errno == EINTR ? Received::Interrupted : Received::Closed;
  return found == 0 ? Received::TimedOut : Received::Reply;
}

} // namespace

Received receiveReply(int socket, int64_t deadlineNs, int64_t spinUs,
                      std::string &partial) {
  int64_t spinUntil = spinUs > 0 ? monotonicNs() + spinUs * 1000 : 0;
  char buffer[64 * 1024];
  while (size_t left = missing(partial)) {
    // Small replies come whole: read past the header at once, a socket holds no
    // second reply.
    size_t room = partial.size() < headerSize ? sizeof(buffer)
                                              : std::min(left, sizeof(buffer));
    ssize_t got = recv(socket, buffer, room, MSG_DONTWAIT);
    if (got > 0) {
      partial.append(buffer, static_cast<size_t>(got));
    } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      Received woken = wait(socket, deadlineNs, spinUntil);
      if (woken != Received::Reply)
        return woken;
    } else if (got == 0 || errno != EINTR) {
      return Received::Closed;
    }
  }
  return Received::Reply;
}

} // namespace mirgym
