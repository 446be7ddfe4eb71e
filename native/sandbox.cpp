#include "sandbox.h"

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include <vector>

namespace mirgym {

namespace {

// Frames of unoptimised code are larger than those that the usual 8 MiB are made for.
constexpr rlim_t stackBytes = 64 << 20;

// Never above the limit that holds already.
void limit(int resource, rlim_t soft, rlim_t hard) {
  rlimit now{};
  getrlimit(static_cast<__rlimit_resource_t>(resource), &now);
  rlimit wanted{std::min(soft, now.rlim_max), std::min(hard, now.rlim_max)};
  setrlimit(static_cast<__rlimit_resource_t>(resource), &wanted);
}

rlim_t addressSpaceInUse() {
  unsigned long pages = 0;
  if (FILE *file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%lu", &pages) != 1)
      pages = 0;
    std::fclose(file);
  }
  return rlim_t(pages) * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

#ifdef __linux__

#if defined(__x86_64__)
constexpr uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t architecture = AUDIT_ARCH_AARCH64;
#endif

// Calls that fail with EAGAIN (as at a limit of processes) or EACCES.
constexpr int noProcesses[] = {
    SYS_clone,
    SYS_clone3,
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
};
constexpr int noRights[] = {
    SYS_execve,      SYS_execveat, SYS_socket,        SYS_socketpair,
    SYS_ptrace,      SYS_bpf,      SYS_process_vm_writev, SYS_pidfd_send_signal,
    SYS_io_uring_setup, SYS_unshare, SYS_setns,       SYS_mount,
    SYS_tkill,       SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_process_vm_readv,
};
constexpr int ownProcessOnly[] = {SYS_kill, SYS_tgkill, SYS_prlimit64};

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the filter reads the low half of an argument at its start"
#endif

void filterSystemCalls() {
  std::vector<sock_filter> program;
  auto load = [&](size_t offset) {
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)));
  };
  auto give = [&](uint32_t verdict) { program.push_back(BPF_STMT(BPF_RET | BPF_K, verdict)); };
  // Skips `count` instructions unless the loaded word is `value`.
  auto unlessSkip = [&](uint32_t value, uint8_t count) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count));
  };
  constexpr uint32_t tryAgain = SECCOMP_RET_ERRNO | 11, refused = SECCOMP_RET_ERRNO | 13;
  load(offsetof(seccomp_data, arch));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0));
  give(SECCOMP_RET_KILL_PROCESS);
  load(offsetof(seccomp_data, nr));
#ifdef __x86_64__
  // The x32 calls are the same ones under other numbers.
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
  give(refused);
#endif
  for (int call : noProcesses) {
    unlessSkip(static_cast<uint32_t>(call), 1);
    give(tryAgain);
  }
  for (int call : noRights) {
    unlessSkip(static_cast<uint32_t>(call), 1);
    give(refused);
  }
  for (int call : ownProcessOnly) {
    unlessSkip(static_cast<uint32_t>(call), 5);
    load(offsetof(seccomp_data, args[0]));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(getpid()), 1, 0));
    program.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, uint8_t(call == SYS_prlimit64 ? 0 : 1), 1));
    give(SECCOMP_RET_ALLOW);
    give(refused);
  }
  give(SECCOMP_RET_ALLOW);
  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

#endif // __linux__

} // namespace

void enterSandbox(const RunLimits &limits) {
  auto seconds = static_cast<rlim_t>(limits.cpuSeconds) + 1;
  limit(RLIMIT_CPU, seconds, seconds + 1); // SIGXCPU first, SIGKILL for who ignores it
  limit(RLIMIT_CORE, 0, 0);
  limit(RLIMIT_STACK, stackBytes, stackBytes);
  if (limits.fileBytes)
    limit(RLIMIT_FSIZE, limits.fileBytes, limits.fileBytes);
  if (limits.memoryBytes) {
    rlim_t bytes = addressSpaceInUse() + limits.memoryBytes;
    limit(RLIMIT_AS, bytes, bytes);
  }
#ifdef __linux__
  pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != parent)
    _exit(1);
#if defined(__x86_64__) || defined(__aarch64__)
  filterSystemCalls();
#endif
#endif
}

void leaveRoot(const char *directory) {
  // From here on no system gives out users (systemd.io/UIDS-GIDS).
  const auto own = static_cast<uid_t>(1'900'000'000 + getpid());
  if (geteuid() != 0 || chown(directory, own, own) != 0)
    return;
  if (DIR *opened = opendir(directory)) {
    while (const dirent *entry = readdir(opened))
      if (std::strcmp(entry->d_name, "..") != 0 &&
          fchownat(dirfd(opened), entry->d_name, own, own, AT_SYMLINK_NOFOLLOW) != 0)
        break;
    closedir(opened);
  }
  if (setgroups(0, nullptr) != 0 || setresgid(own, own, own) != 0 ||
      setresuid(own, own, own) != 0)
    return;
#ifdef __linux__
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); // or /proc/self would still belong to root
#endif
}

void resetProcessState(const char *home) {
  for (int signal = 1; signal < NSIG; ++signal)
    if (signal != SIGKILL && signal != SIGSTOP)
      std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::setlocale(LC_ALL, "C"); // the interpreter has chosen another one
  // A new process has its output buffered, this one not under PYTHONUNBUFFERED.
  static char inputBuffer[4096], outputBuffer[4096];
  std::setvbuf(stdin, inputBuffer, _IOFBF, sizeof(inputBuffer));
  std::setvbuf(stdout, outputBuffer, _IOFBF, sizeof(outputBuffer));
  std::srand(1);
  srandom(1);
  clearenv();
  setenv("PATH", "/usr/bin:/bin", 1);
  setenv("LC_ALL", "C", 1);
  setenv("HOME", home, 1);
}

} // namespace mirgym
