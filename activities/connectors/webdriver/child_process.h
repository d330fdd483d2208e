// ChildProcess: a program started in a process group of its own, that dies when the thread that
// started it ends (PR_SET_PDEATHSIG), whose standard output can be read through a pipe.
//
// Thread-safety: externally synchronised. Start blocks for the time of a fork and exec.
//
// Example:
//   base::Outcome<webdriver::ChildProcess> child =
//       webdriver::ChildProcess::Start({"/usr/bin/chromedriver", "--port=0"});
//   child->Kill(SIGTERM);
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/base/outcome.h"

namespace webdriver {

class ChildProcess {
 public:
  ChildProcess() = default;
  ChildProcess(ChildProcess&& other) noexcept { *this = std::move(other); }
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();  // kills the whole group and reaps the child

  // Runs argv[0] with the arguments. Standard input is /dev/null, standard error is ours when
  // `keep_stderr`, else /dev/null too. Failure "ProcessNotStarted" (permanent) says why.
  static base::Outcome<ChildProcess> Start(std::vector<std::string> argv, bool keep_stderr = false);

  bool started() const { return pid_ > 0; }
  int pid() const { return pid_; }
  // Read end of the child's standard output, non-blocking; -1 before Start.
  int stdout_fd() const { return stdout_fd_; }
  // False once the child has ended (reaps it).
  bool Alive();
  // Sends the signal to the whole process group.
  void Kill(int signal);

 private:
  int pid_ = -1;
  int stdout_fd_ = -1;
  bool reaped_ = false;
};

}  // namespace webdriver
