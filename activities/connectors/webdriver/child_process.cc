#include "activities/connectors/webdriver/child_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace webdriver {
namespace {

// Runs in the child between fork and exec: async-signal-safe calls only.
[[noreturn]] void BecomeProgram(char* const* argv, int out, int error_pipe, int null_fd,
                                bool keep_stderr, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  // The parent may have died before prctl.
  if (getppid() == parent) {
    dup2(null_fd, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    if (!keep_stderr) dup2(null_fd, STDERR_FILENO);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // databases and sockets are ours
    execvp(argv[0], argv);
  }
  const int error = errno;
  [[maybe_unused]] ssize_t n = write(error_pipe, &error, sizeof(error));
  _exit(127);
}

base::Failure NotStarted(const std::string& program, int error) {
  return base::Failure::Permanent("ProcessNotStarted",
                                  absl::StrCat("cannot start ", program, ": ", strerror(error)));
}

}  // namespace

base::Outcome<ChildProcess> ChildProcess::Start(std::vector<std::string> argv, bool keep_stderr) {
  std::vector<char*> raw;
  for (std::string& argument : argv) raw.push_back(argument.data());
  raw.push_back(nullptr);
  int out[2] = {-1, -1};
  int error_pipe[2] = {-1, -1};
  if (pipe2(out, O_CLOEXEC) != 0) return NotStarted(argv[0], errno);
  if (pipe2(error_pipe, O_CLOEXEC) != 0) {
    const int error = errno;
    close(out[0]);
    close(out[1]);
    return NotStarted(argv[0], error);
  }
  const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeProgram(raw.data(), out[1], error_pipe[1], null_fd, keep_stderr, parent);
  }
  const int fork_error = errno;
  close(out[1]);
  close(error_pipe[1]);
  close(null_fd);
  int error = pid < 0 ? fork_error : 0;
  if (pid > 0) {
    setpgid(pid, pid);  // also here: whoever comes first
    ssize_t n;
    do {
      n = read(error_pipe[0], &error, sizeof(error));
    } while (n < 0 && errno == EINTR);
    if (n != sizeof(error)) error = 0;  // closed by exec
  }
  close(error_pipe[0]);
  if (error != 0) {
    if (pid > 0) waitpid(pid, nullptr, 0);
    close(out[0]);
    return NotStarted(argv[0], error);
  }
  fcntl(out[0], F_SETFL, O_NONBLOCK);
  ChildProcess child;
  child.pid_ = pid;
  child.stdout_fd_ = out[0];
  return child;
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(stdout_fd_, other.stdout_fd_);
  std::swap(reaped_, other.reaped_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    Kill(SIGKILL);
    if (!reaped_) waitpid(pid_, nullptr, 0);
  }
  if (stdout_fd_ >= 0) close(stdout_fd_);
}

bool ChildProcess::Alive() {
  if (pid_ <= 0 || reaped_) return false;
  if (waitpid(pid_, nullptr, WNOHANG) == pid_) reaped_ = true;
  return !reaped_;
}

void ChildProcess::Kill(int signal) {
  if (pid_ > 0) kill(-pid_, signal);
}

}  // namespace webdriver
