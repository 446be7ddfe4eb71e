#include "serve.h"

#include "channel.h"
#include "errors.h"
#include "llvm_setup.h"
#include "requests.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace mirgym {

namespace {

// What the signal handlers need, set before a request is handled.
int replySocket = -1;
volatile sig_atomic_t busy = 0;

bool readAll(int socket, char *to, size_t size) {
  while (size > 0) {
    ssize_t got = read(socket, to, size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    to += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool writeAll(int socket, const char *from, size_t size) {
  while (size > 0) {
    ssize_t put = write(socket, from, size);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return false;
    from += put;
    size -= static_cast<size_t>(put);
  }
  return true;
}

// A worker that waits for its next request looks for it this long before it sleeps:
// being woken takes tens of microseconds on a virtual machine.
constexpr int64_t spinNs = 100'000;

void spinForRequest(int socket) {
  int64_t until = monotonicNs() + spinNs;
  pollfd ready{socket, POLLIN, 0};
  while (poll(&ready, 1, 0) == 0 && monotonicNs() < until)
    sched_yield();
}

// Async-signal-safe: one frame with a constant text, then the end.
[[noreturn]] void lastWords(ErrorKind kind, const char *text) {
  if (busy) {
    char frame[512];
    size_t size = strnlen(text, sizeof(frame) - 5);
    auto length = static_cast<uint32_t>(size + 1);
    std::memcpy(frame, &length, 4);
    frame[4] = static_cast<char>(kind);
    std::memcpy(frame + 5, text, size);
    writeAll(replySocket, frame, size + 5);
  }
  _exit(1);
}

void onCrash(int signal) {
  switch (signal) {
  case SIGSEGV:
    lastWords(ErrorKind::Crashed, "segmentation fault (SIGSEGV)");
  case SIGBUS:
    lastWords(ErrorKind::Crashed, "bus error (SIGBUS)");
  case SIGFPE:
    lastWords(ErrorKind::Crashed, "arithmetic fault (SIGFPE)");
  case SIGILL:
    lastWords(ErrorKind::Crashed, "illegal instruction (SIGILL)");
  case SIGABRT:
    lastWords(ErrorKind::Crashed, "abort (SIGABRT)");
  default:
    lastWords(ErrorKind::Crashed, "fatal signal");
  }
}

void onAlarm(int) { lastWords(ErrorKind::Timeout, "the time limit passed"); }

void onFatal(const char *reason) { lastWords(ErrorKind::Crashed, reason); }

void installHandlers() {
  // A stack overflow needs a stack of its own to be reported from.
  static char alternateStack[64 * 1024];
  stack_t stack{};
  stack.ss_sp = alternateStack;
  stack.ss_size = sizeof(alternateStack);
  sigaltstack(&stack, nullptr);
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    struct sigaction action{};
    action.sa_handler = onCrash;
    action.sa_flags = SA_ONSTACK | SA_RESETHAND;
    sigaction(signal, &action, nullptr);
  }
  struct sigaction alarm{};
  alarm.sa_handler = onAlarm;
  alarm.sa_flags = SA_ONSTACK;
  sigaction(SIGALRM, &alarm, nullptr);
  // Ctrl-C is for the parent, which closes the socket; forked workers are nobody's
  // to wait for.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_IGN);
  setFatalHook(onFatal);
}

void setTimer(uint32_t milliseconds) {
  itimerval timer{};
  timer.it_value.tv_sec = milliseconds / 1000;
  timer.it_value.tv_usec = static_cast<suseconds_t>(milliseconds % 1000) * 1000;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

bool sendWithDescriptor(int socket, const std::string &frame, int descriptor) {
  iovec part{const_cast<char *>(frame.data()), frame.size()};
  char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  return sendmsg(socket, &message, 0) == static_cast<ssize_t>(frame.size());
}

std::string framed(const std::string &reply) {
  auto length = static_cast<uint32_t>(reply.size());
  return std::string(reinterpret_cast<const char *>(&length), 4) + reply;
}

// Returns the socket to go on with: the child's own in the child.
int forkWorker(int socket) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
    std::string why = std::string("cannot make a socket: ") + std::strerror(errno);
    std::string frame =
        framed(errorReply(static_cast<unsigned char>(ErrorKind::Crashed), why));
    writeAll(socket, frame.data(), frame.size());
    return socket;
  }
  pid_t child = fork();
  if (child == 0) {
    close(pair[0]);
    close(socket);
    return pair[1];
  }
  close(pair[1]);
  if (child < 0) {
    std::string why = std::string("cannot fork: ") + std::strerror(errno);
    std::string frame =
        framed(errorReply(static_cast<unsigned char>(ErrorKind::Crashed), why));
    writeAll(socket, frame.data(), frame.size());
  } else {
    std::string reply(1, '\0');
    auto pid = static_cast<int64_t>(child);
    reply.append(reinterpret_cast<const char *>(&pid), sizeof(pid));
    sendWithDescriptor(socket, framed(reply), pair[0]);
  }
  close(pair[0]);
  return socket;
}

} // namespace

void serve(int socket) {
  setUpLLVM();
  installHandlers();
  Session session;
  std::string request;
  while (true) {
    uint32_t header[2]; // length, time limit in ms
    spinForRequest(socket);
    if (!readAll(socket, reinterpret_cast<char *>(header), sizeof(header)))
      return;
    request.resize(header[0]);
    if (!readAll(socket, request.data(), request.size()))
      return;
    if (!request.empty() && request[0] == static_cast<char>(Verb::Fork)) {
      int next = forkWorker(socket);
      if (next != socket)
        session.forgetSentViews(); // the child is a session of its own
      socket = next;
      continue;
    }
    replySocket = socket;
    busy = 1;
    if (header[1])
      setTimer(header[1]);
    std::string frame = framed(handleRequest(session, request));
    if (header[1])
      setTimer(0);
    busy = 0;
    if (!writeAll(socket, frame.data(), frame.size()))
      return;
  }
}

} // namespace mirgym
