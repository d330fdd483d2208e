#include "tests/sandbox/test/process.h"

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>

namespace sandbox {
namespace {

size_t Append(char* data, size_t size, size_t count, void* target) {
  static_cast<std::string*>(target)->append(data, size * count);
  return size * count;
}

std::string ReadLine(int fd) {
  std::string line;
  char c = 0;
  while (read(fd, &c, 1) == 1 && c != '\n') line.push_back(c);
  return line;
}

}  // namespace

std::string Answer::Header(const std::string& name) const {
  std::istringstream lines(headers);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.c_str(), name.c_str(), name.size()) == 0) {
      const size_t from = line.find_first_not_of(' ', name.size() + 1);
      if (from == std::string::npos) return "";
      return line.substr(from, line.find_last_not_of("\r ") - from + 1);
    }
  }
  return "";
}

Process::Process(std::string data_directory) : data_directory_(std::move(data_directory)) {
  Start();
}

Process::~Process() {
  if (pid_ > 0) Kill();
}

void Process::Start() {
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  pid_ = fork();
  ASSERT_GE(pid_, 0);
  if (pid_ == 0) {
    dup2(pipe_fds[1], STDOUT_FILENO);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    std::vector<const char*> arguments = {SANDBOX_PROGRAM, "--listen", "127.0.0.1:0"};
    if (!data_directory_.empty()) {
      arguments.push_back("--data-dir");
      arguments.push_back(data_directory_.c_str());
    }
    arguments.push_back(nullptr);
    execv(SANDBOX_PROGRAM, const_cast<char* const*>(arguments.data()));
    _exit(127);
  }
  close(pipe_fds[1]);
  const std::string line = ReadLine(pipe_fds[0]);
  close(pipe_fds[0]);
  const size_t at = line.find("http://");
  ASSERT_NE(at, std::string::npos) << "the sandbox did not start: " << line;
  url_ = line.substr(at);
}

void Process::Kill() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int Process::Stop() {
  kill(pid_, SIGTERM);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Answer Process::Send(const Ask& ask) const {
  Answer answer;
  CURL* curl = curl_easy_init();
  curl_slist* headers = nullptr;
  for (const std::string& header : ask.headers)
    headers = curl_slist_append(headers, header.c_str());
  curl_easy_setopt(curl, CURLOPT_URL, (url_ + ask.path).c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask.method.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ask.timeout_ms);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, Append);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.headers);
  if (!ask.body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(ask.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, ask.body.c_str());
  }
  answer.curl_code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = answer.curl_code == CURLE_OK ? static_cast<int>(status) : 0;
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
  return answer;
}

Answer Process::Call(const std::string& method, const std::string& path, const Json& body,
                     const std::string& key) const {
  return Send({.method = method,
               .path = path,
               .body = body.is_null() ? "" : body.dump(),
               .headers = {"Authorization: Bearer token-1", "X-Figma-Token: token-1",
                           "Notion-Version: 2025-09-03", "User-Agent: sandbox-tests",
                           "Content-Type: application/json", "Idempotency-Key: " + key}});
}

Json Process::Resources(const std::string& query) const {
  const Answer answer = Get("/__sandbox/resources" + query);
  EXPECT_EQ(answer.status, 200) << answer.body;
  return answer.json();
}

void Process::AddFault(const Json& fault) const {
  const Answer answer = Send({.method = "POST", .path = "/__sandbox/faults", .body = fault.dump()});
  EXPECT_EQ(answer.status, 201) << answer.body;
}

}  // namespace sandbox
