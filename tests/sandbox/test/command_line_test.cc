// The program's flags and exit codes.

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <sstream>
#include <string>
#include <vector>

namespace sandbox {
namespace {

struct Ended {
  int code = -1;
  std::string output;  // both streams
};

Ended RunProgram(const std::string& arguments) {
  std::vector<std::string> words = {SANDBOX_PROGRAM};
  std::istringstream in(arguments);
  for (std::string word; in >> word;) words.push_back(word);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  int ends[2];
  if (pipe(ends) != 0) return {};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  pid_t pid = -1;
  const int problem = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  Ended ended;
  std::array<char, 4096> part;
  for (ssize_t n; (n = read(ends[0], part.data(), part.size())) > 0;) {
    ended.output.append(part.data(), static_cast<size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  if (problem == 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)) {
    ended.code = WEXITSTATUS(status);
  }
  return ended;
}

TEST(CommandLine, TellsItsVersion) {
  const Ended ended = RunProgram("--version");
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output, "vendor-sandbox " CAMPAIGND_VERSION "\n");
}

TEST(CommandLine, HelpIsNoMistake) {
  const Ended ended = RunProgram("--help");
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.output.find("--data-dir"), std::string::npos) << ended.output;
}

TEST(CommandLine, WrongFlagsEndWithTwoAndAreNamed) {
  for (const char* arguments : {"--no-such-flag", "--listen", "--listen nowhere",
                                "--listen 127.0.0.1:70000", "--listen 127.0.0.1:port"}) {
    const Ended ended = RunProgram(arguments);
    EXPECT_EQ(ended.code, 2) << arguments;
    const std::string flag = std::string(arguments).substr(0, std::string(arguments).find(' '));
    EXPECT_NE(ended.output.find(flag), std::string::npos) << ended.output;
  }
}

TEST(CommandLine, WhatCannotBeStartedEndsWithOne) {
  const Ended ended = RunProgram("--listen 127.0.0.1:0 --data-dir /dev/null/sandbox");
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.output.find("/dev/null/sandbox"), std::string::npos) << ended.output;
}

}  // namespace
}  // namespace sandbox
