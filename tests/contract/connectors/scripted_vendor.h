// ScriptedTest: the real pipeline over a transport that answers from a function, for answers that
// no well-behaved vendor gives. Requests are kept.
//
// Thread-safety: the test's thread only; the function runs on the loop while the test waits.
//
// Example:
//   TEST_F(ScriptedTest, TakesNullsApart) {
//     Script([](const outbound::HttpRequest&) { return Answer(200, R"({"images":{}})"); });
//     figma::FigmaClient client(scripted(), {.token = "secret-token"});
//   }
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "activities/outbound/pipeline.h"
#include "activities/outbound/transport.h"
#include "tests/contract/connectors/fixture.h"

namespace connector_test {

inline outbound::Transfer Answer(int status, std::string body,
                                 std::vector<std::pair<std::string, std::string>> headers = {}) {
  outbound::Transfer transfer{.end = outbound::TransferEnd::kAnswered, .sent = true};
  transfer.response.status = status;
  transfer.response.headers = std::move(headers);
  transfer.response.body = std::move(body);
  return transfer;
}

inline outbound::Transfer LostAnswer() {
  return {.end = outbound::TransferEnd::kBroken, .message = "connection reset", .sent = true};
}

class ScriptedTest : public LoopTest {
 protected:
  using Answerer = std::function<outbound::Transfer(const outbound::HttpRequest&)>;

  void Script(Answerer answerer) { transport_.answerer = std::move(answerer); }
  // One answer after the other, the last one again and again.
  void ScriptList(std::vector<outbound::Transfer> answers) {
    Script([answers = std::move(answers), next = size_t{0}](const outbound::HttpRequest&) mutable {
      const size_t at = std::min(next++, answers.size() - 1);
      return answers[at];
    });
  }
  outbound::Outbound& scripted() { return pipeline_; }
  const std::vector<outbound::HttpRequest>& requests() const { return transport_.requests; }
  std::string HeaderOf(const outbound::HttpRequest& request, std::string_view name) const {
    for (const auto& [key, value] : request.headers) {
      if (key == name) return value;
    }
    return "";
  }

 private:
  struct FunctionTransport : outbound::Transport {
    base::Task<outbound::Transfer> Send(outbound::HttpRequest request, outbound::TransferLimits,
                                        base::CancelToken) override {
      requests.push_back(request);
      co_return answerer(request);
    }
    Answerer answerer;
    std::vector<outbound::HttpRequest> requests;
  };
  FunctionTransport transport_;
  base::SeededRandom random_{11};
  outbound::Pipeline pipeline_{loop(), transport_, random_, metrics(), {}};
};

}  // namespace connector_test
