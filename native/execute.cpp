#include "execute.h"

#include "arena.h"
#include "channel.h"
#include "charges.h"
#include "codegen.h"
#include "errors.h"
#include "loader.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mirgym {

namespace {

[[noreturn]] void fail(const std::string &what) {
  throw EngineError(ErrorKind::NotRunnable, what + ": " + std::strerror(errno));
}

// Memory that a child shares with this process.
class SharedWords {
public:
  explicit SharedWords(size_t count) : count(count) {
    void *made = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED)
      fail("cannot share memory with the program");
    words = static_cast<uint64_t *>(made);
  }
  ~SharedWords() { munmap(words, bytes()); }
  SharedWords(const SharedWords &) = delete;
  void operator=(const SharedWords &) = delete;

  void clear() { std::memset(words, 0, bytes()); }
  uint64_t *begin() const { return words; }
  uint64_t *end() const { return words + count; }

private:
  size_t bytes() const { return count * sizeof(uint64_t); }
  size_t count;
  uint64_t *words;
};

// The worker has no interest in its children (SIG_IGN), and so would not learn how one
// ended.
class ChildrenAreWaitedFor {
public:
  ChildrenAreWaitedFor() {
    struct sigaction action{};
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, &before);
  }
  ~ChildrenAreWaitedFor() { sigaction(SIGCHLD, &before, nullptr); }

private:
  struct sigaction before{};
};

using Start = void (*)();
using Main = int (*)(int, char **, char **);

struct Entry {
  Start start;
  Main main;
  bool returnsNothing;
  const Arena *arena; // null: the memory of this process
};

// exit() also runs what this process has registered, which is not the child's: the
// handler that was registered last before the program's own ends the process.
int exitCode = 0;
void endHere() {
  std::fflush(nullptr);
  _exit(exitCode);
}

// What the program calls as exit(): it keeps the code until the handlers are done.
[[noreturn]] void exitProgram(int code) {
  exitCode = code;
  std::exit(code);
}

bool redirect(const std::string &path, int flags, int descriptor) {
  int opened = open(path.c_str(), flags, 0644);
  if (opened < 0)
    return false;
  if (opened == descriptor)
    return true;
  bool done = dup2(opened, descriptor) == descriptor;
  close(opened);
  return done;
}

bool openStreams(const RunRequest &run) {
  constexpr int write = O_WRONLY | O_CREAT | O_TRUNC;
  return redirect(run.input.empty() ? "/dev/null" : run.input, O_RDONLY, 0) &&
         redirect(run.output, write, 1) && redirect(run.errors, write, 2) &&
         chdir(run.directory.c_str()) == 0;
}

void closeOthers(int kept) {
  auto last = static_cast<int>(sysconf(_SC_OPEN_MAX));
#ifdef SYS_close_range
  if (syscall(SYS_close_range, 3, kept - 1, 0) == 0 &&
      syscall(SYS_close_range, kept + 1, ~0U, 0) == 0)
    return;
#endif
  for (int descriptor = 3; descriptor < std::min(last, 65536); ++descriptor)
    if (descriptor != kept)
      close(descriptor);
}

// `alive` stays open as long as the child lives; its errno goes through it when the run
// cannot start.
[[noreturn]] void beProgram(const Entry &entry, const RunRequest &run,
                            const RunLimits &limits, std::vector<char *> &arguments,
                            int alive) {
  if (!openStreams(run)) {
    int32_t why = errno;
    ssize_t written = write(alive, &why, sizeof(why));
    _exit(written == sizeof(why) ? 0 : 1);
  }
  closeOthers(alive);
  resetProcessState(run.directory.c_str());
  leaveRoot(run.directory.c_str());
  std::atexit(endHere);
  enterSandbox(limits);
  static Entry program = entry;
  static auto count = static_cast<int>(arguments.size()) - 1;
  static char **given = entry.arena ? entry.arena->adopt(arguments) : arguments.data();
  auto start = [] {
    program.start();
    int code = program.main(count, given, environ);
    exitProgram(program.returnsNothing ? 0 : code);
  };
  if (entry.arena)
    entry.arena->callOnStack(start);
  start();
  _exit(1); // never
}

int remainingMs(int64_t deadline) {
  int64_t left = (deadline - monotonicNs()) / 1'000'000 + 1;
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1'000'000'000));
}

// Waits for the end, or kills at the deadline. The pipe tells the end at once: a child
// that closed its end early is waited for in short sleeps.
RunReport waitFor(pid_t child, int alive, int64_t deadline) {
  RunReport report{Ending::Exited, 0, 0, 0};
  int32_t why = 0;
  pollfd ready{alive, POLLIN, 0};
  while (poll(&ready, 1, remainingMs(deadline)) < 0 && errno == EINTR) {
  }
  bool failed = ready.revents && read(alive, &why, sizeof(why)) == sizeof(why);
  int status = 0;
  for (useconds_t pause = 20; waitpid(child, &status, WNOHANG) == 0;
       pause = std::min<useconds_t>(2 * pause, 1000)) {
    if (monotonicNs() >= deadline) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      report.ending = Ending::TimedOut;
      return report;
    }
    usleep(pause);
  }
  if (failed)
    report = {Ending::NotStarted, why, 0, 0};
  else if (WIFSIGNALED(status))
    report = {Ending::Signalled, WTERMSIG(status), 0, 0};
  else
    report.code = WEXITSTATUS(status);
  return report;
}

RunReport runOnce(const Entry &entry, const RunRequest &run, const RunLimits &limits) {
  std::vector<std::string> texts = {"program"}; // the same each time: programs print it
  texts.insert(texts.end(), run.arguments.begin(), run.arguments.end());
  std::vector<char *> arguments;
  for (std::string &text : texts)
    arguments.push_back(text.data());
  arguments.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    fail("cannot make a pipe");
  std::fflush(nullptr); // or the child would print what this process has not yet
  int64_t started = monotonicNs();
  pid_t child = fork();
  if (child == 0)
    beProgram(entry, run, limits, arguments, ends[1]);
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    fail("cannot fork");
  }
  auto wall = static_cast<int64_t>(limits.wallSeconds * 1e9);
  RunReport report = waitFor(child, ends[0], started + wall);
  report.ns = static_cast<uint64_t>(monotonicNs() - started);
  close(ends[0]);
  return report;
}

// Gives addresses as they are in every run.
void showAddresses(const Arena &arena, const std::vector<CountedFunction> &functions,
                   RunReport &report) {
  std::vector<SiteKind> kinds;
  uint64_t *words = report.counters.data();
  for (const CountedFunction &function : functions) {
    for (const TraceSite &site : function.sites)
      kinds.push_back(site.kind);
    words += function.counters();
    uint64_t *samples = words - function.values.size() * samplesPerValue;
    for (const SampledValue &value : function.values) {
      for (size_t i = 0; value.type == ValuePointer && i < samplesPerValue; ++i)
        samples[i] = arena.shown(samples[i]);
      samples += samplesPerValue;
    }
  }
  for (size_t i = 0; i < report.trace.sites.size(); ++i)
    if (kinds[report.trace.sites[i]] == SiteKind::Load)
      report.trace.payloads[i] = arena.shown(report.trace.payloads[i]);
}

// The same for snapshots.
void showPointers(const Arena &arena, const std::vector<CountedFunction> &functions,
                  Snapshots &snapshots) {
  std::vector<const CountedFunction *> owners; // of the sites
  for (const CountedFunction &function : functions)
    owners.insert(owners.end(), function.sites.size(), &function);
  uint64_t *word = snapshots.values.data();
  for (uint32_t site : snapshots.sites)
    for (const SampledValue &value : owners[site]->slots) {
      if (value.type == ValuePointer)
        *word = arena.shown(*word);
      ++word;
    }
}

} // namespace

Execution execute(const llvm::Module &module, const std::vector<std::string> &libraries,
                  const std::vector<RunRequest> &runs, const RunLimits &limits,
                  Counting counting, const TraceLimits &traceLimits) {
  int64_t started = monotonicNs();
  CountedModule counted = instrument(module, targetMachineFor(module), counting);
  SharedWords counters(counted.counters() + 1);
  chargeTo(counters.begin());
  SharedWords events(traceWords(traceLimits));
  traceTo(events.begin(), traceLimits);
  checkSnapshots(traceLimits, runs.size(), counted.mostSlots());
  SharedWords snapshots(snapshotWords(traceLimits, counted.mostSlots()));
  std::vector<uint64_t> slots(counted.slots()); // each run writes to its own copy
  bool returnsNothing = counted.module->getFunction("main")->getReturnType()->isVoidTy();
  std::string object = emitForExecution(*counted.module);
  std::unique_ptr<Arena> arena;
  llvm::StringMap<void *> own;
  if (counting >= Counting::Values) {
    arena = std::make_unique<Arena>();
    own = Arena::functions();
  }
  own[countersSymbol] = counters.begin();
  own[traceSymbol] = traceFunction();
  own[slotsSymbol] = slots.data();
  own[snapshotSymbol] = snapshotFunction();
  own["exit"] = reinterpret_cast<void *>(exitProgram);
  LoadedObject loaded(object, libraries, std::move(own));
  if (arena)
    arena->setProgram(loaded.sections());
  Entry entry{reinterpret_cast<Start>(loaded.symbol(startSymbol)),
              reinterpret_cast<Main>(loaded.symbol("main")), returnsNothing, arena.get()};
  Execution execution{{}, static_cast<uint64_t>(monotonicNs() - started), {}};
  ChildrenAreWaitedFor scope;
  for (const RunRequest &run : runs) {
    counters.clear();
    *events.begin() = 0;
    snapshotTo(snapshots.begin(), slots.data(), events.begin(), traceLimits);
    RunReport report = runOnce(entry, run, limits);
    report.cost = counted.cost(counters.begin());
    report.counters.assign(counters.begin() + 1, counters.end());
    report.trace = readTrace(events.begin(), traceLimits);
    report.snapshots = readSnapshots(snapshots.begin(), traceLimits);
    if (arena) {
      showAddresses(*arena, counted.functions, report);
      showPointers(*arena, counted.functions, report.snapshots);
    }
    execution.runs.push_back(std::move(report));
  }
  execution.functions = std::move(counted.functions);
  return execution;
}

} // namespace mirgym
