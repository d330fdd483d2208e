// One call to GitHub's REST API of one repository: headers, body, and what the answer means. For
// the .cc files of this folder only.
// Thread-safety: loop thread only.
//
// Example:
//   base::Outcome<Answer> answer = co_await api.Call("GET", "/pulls/7", {}, "pulls.get", context);
#pragma once

#include <string>

#include "activities/connectors/wire/json.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/secret.h"

namespace github {

// 2xx, or one of the statuses that callers expect (404, 405, 409, 410, 422).
struct Answer {
  int status = 0;
  wire::Json body;
  bool ok() const { return status >= 200 && status < 300; }
  // message and errors[].message.
  std::string Words() const;
};

class Api {
 public:
  Api(outbound::Outbound& outbound, std::string base_url, base::Secret token, std::string owner,
      std::string repo);

  // `path` below /repos/OWNER/REPO; a null body sends none.
  base::Task<base::Outcome<Answer>> Call(std::string method, std::string path, wire::Json body,
                                         std::string operation, outbound::CallContext context,
                                         outbound::Repeat repeat = outbound::Repeat::kSafe);
  base::EventLoop& loop() { return outbound_.loop(); }

 private:
  outbound::Outbound& outbound_;
  const base::Secret token_;
  const std::string repo_url_;
};

// The failure for an answer that the caller did not expect.
base::Failure Refused(const std::string& what, const Answer& answer);

// GitHub says "slow down" with 403 or 429: Retry-After, else the reset of a spent budget, else a
// minute for the secondary limits (known by their words).
outbound::Classification Classify(const outbound::HttpRequest& request,
                                  const outbound::HttpResponse& response);

// The sha-1 that git gives to a file's bytes.
std::string BlobSha(const std::string& content);
// True when JSON can carry the bytes as they are.
bool IsUtf8(const std::string& text);

}  // namespace github
