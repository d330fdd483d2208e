// contract_calls ORIGIN VENDOR BASE_URL [SKIPPED_CALL...]: makes every call of a vendor's connector
// over BASE_URL, where a validating proxy stands before the vendor-sandbox at ORIGIN. Ends with 1
// when one fails. See tests/contract/specs/prism_test.py.
#include <algorithm>
#include <cstdio>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "activities/outbound/http_client.h"
#include "activities/outbound/pipeline.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/random.h"
#include "tests/contract/connectors/fault_matrix.h"

namespace connector_test {
namespace {

// Where each vendor lives in the sandbox.
const std::map<std::string, std::string>& Prefixes() {
  static const auto* const kPrefixes = new std::map<std::string, std::string>{
      {"notion", "/notion"}, {"openai", "/openai/v1"},  {"figma", "/figma"},
      {"github", "/github"}, {"sendgrid", "/sendgrid"}, {"slack", "/slack/api"}};
  return *kPrefixes;
}

base::Done RunStep(base::EpollLoop& loop, Step step, Case* run) {
  std::promise<void> done;
  loop.Post([&] {
    base::Spawn(step(run), [&](std::exception_ptr error, base::Done* result) {
      run->result = error ? base::Done(base::Failure::Permanent("Thrown", "an exception"))
                          : std::move(*result);
      done.set_value();
    });
  });
  done.get_future().wait();
  return *run->result;
}

int Main(const std::string& origin, const std::string& vendor, const std::string& base_url,
         const std::vector<std::string>& skipped) {
  base::SystemClock clock;
  base::SystemRandom random;
  base::Metrics metrics;
  base::EpollLoop loop(clock, "contract-io");
  int failed = 0;
  {
    outbound::HttpClient http(loop, {});
    outbound::Pipeline pipeline(loop, http, random, metrics, {});
    loop.Start();
    int number = 0;
    for (const Operation& operation : Operations()) {
      const bool skip = std::find(skipped.begin(), skipped.end(), operation.call) != skipped.end();
      if (operation.vendor != vendor || skip) continue;
      Case run{.outbound = &pipeline, .origin = origin, .now = clock.Now()};
      run.bases = {{Prefixes().at(vendor), base_url}};
      run.workflow_id = "contract-" + std::to_string(++number);
      run.context = {.workflow_id = run.workflow_id,
                     .run_id = "run-1",
                     .activity_name = "contract",
                     .idempotency_key = run.workflow_id + "/contract/1",
                     .deadline = clock.Now() + absl::Seconds(60)};
      // Prepared, made, and made again: the second time it looks first.
      base::Done done = RunStep(loop, operation.prepare, &run);
      for (run.attempt = 1; done.ok() && run.attempt <= 2; ++run.attempt) {
        done = RunStep(loop, operation.act, &run);
      }
      std::printf("%s %s (%s): %s\n", vendor.c_str(), operation.name.c_str(),
                  operation.call.c_str(), done.ok() ? "ok" : done.failure().ToString().c_str());
      failed += done.ok() ? 0 : 1;
    }
    if (number == 0) ++failed;
    loop.Post([&] { http.Shutdown(); });
    loop.Stop();
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace connector_test

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: contract_calls ORIGIN VENDOR BASE_URL [SKIPPED_CALL...]\n");
    return 2;
  }
  return connector_test::Main(argv[1], argv[2], argv[3], {argv + 4, argv + argc});
}
