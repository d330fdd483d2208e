// A vendor-sandbox of the test's own: the real program, started on a free port, ended with the
// object. Also an HTTP client to talk to it.
// Thread-safety: one thread.
//
// Example:
//   Process sandbox;                                  // state in memory
//   Answer answer = sandbox.Get("/__sandbox/healthz");
//   EXPECT_EQ(answer.status, 200);
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sandbox {

using Json = nlohmann::json;

struct Answer {
  int status = 0;  // 0 = no answer came
  int curl_code = 0;
  std::string headers;
  std::string body;

  // The body as JSON (discarded value when it is none).
  Json json() const { return Json::parse(body, nullptr, false); }
  // Value of a header (any case), or "".
  std::string Header(const std::string& name) const;
};

struct Ask {
  std::string method = "GET";
  std::string path;
  std::string body;
  std::vector<std::string> headers;
  long timeout_ms = 10'000;
};

class Process {
 public:
  // Empty directory = state in memory.
  explicit Process(std::string data_directory = "");
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Starts it again after Kill or Stop, on the same data directory and a new port.
  void Start();
  // SIGKILL, and waits.
  void Kill();
  // SIGTERM, waits, and gives the exit code (-1 when it did not exit by itself).
  int Stop();

  const std::string& url() const { return url_; }

  Answer Send(const Ask& ask) const;
  Answer Get(const std::string& path) const { return Send({.path = path}); }
  // With a good token and all headers that any vendor requires, and the caller's key.
  Answer Call(const std::string& method, const std::string& path, const Json& body = nullptr,
              const std::string& key = "wf-1/step") const;

  // What /__sandbox/resources says of a workflow.
  Json Resources(const std::string& query = "") const;
  // Adds a fault; EXPECTs that it was taken.
  void AddFault(const Json& fault) const;

 private:
  std::string data_directory_;
  std::string url_;
  pid_t pid_ = -1;
};

}  // namespace sandbox
