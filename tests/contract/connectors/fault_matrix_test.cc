// Plays the fault matrix against vendor-sandbox, and keeps its table in docs/connectors.md.
#include "tests/contract/connectors/fault_matrix.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"

namespace connector_test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The real pipeline with fewer tries, short pauses and a time-out of our choice.
class QuickOutbound : public outbound::Outbound {
 public:
  QuickOutbound(outbound::Outbound& inner, absl::Duration timeout)
      : inner_(inner), timeout_(timeout) {}

  base::Task<base::Outcome<outbound::HttpResponse>> Call(const outbound::Vendor& vendor,
                                                         outbound::HttpRequest request,
                                                         outbound::CallContext context) override {
    std::unique_ptr<outbound::Vendor>& quick = vendors_[vendor.name];
    if (quick == nullptr) {
      quick = std::make_unique<outbound::Vendor>(vendor);
      quick->timeout = timeout_;
      quick->tries_max = kTries;
      quick->backoff_initial = absl::Milliseconds(1);
      quick->backoff_max = absl::Milliseconds(4);
    }
    if (request.timeout > timeout_) request.timeout = timeout_;
    return inner_.Call(*quick, std::move(request), std::move(context));
  }
  base::EventLoop& loop() override { return inner_.loop(); }

 private:
  outbound::Outbound& inner_;
  const absl::Duration timeout_;
  std::map<std::string, std::unique_ptr<outbound::Vendor>> vendors_;
};

// Makes a connector blind: its look-ups find nothing, as if it had none.
class BlindOutbound : public outbound::Outbound {
 public:
  BlindOutbound(outbound::Outbound& inner, std::map<std::string, std::string> nothing)
      : inner_(inner), nothing_(std::move(nothing)) {}

  base::Task<base::Outcome<outbound::HttpResponse>> Call(const outbound::Vendor& vendor,
                                                         outbound::HttpRequest request,
                                                         outbound::CallContext context) override {
    const auto found = nothing_.find(request.operation);
    if (found != nothing_.end()) {
      co_return outbound::HttpResponse{.status = 200, .body = found->second};
    }
    base::Outcome<outbound::HttpResponse> response =
        co_await inner_.Call(vendor, std::move(request), std::move(context));
    co_return response;
  }
  base::EventLoop& loop() override { return inner_.loop(); }

 private:
  outbound::Outbound& inner_;
  const std::map<std::string, std::string> nothing_;
};

// One mode of one cell.
struct Cell {
  const Operation* operation;
  const Fault* fault;
  Mode mode;
  std::unique_ptr<Case> run;
  int calls_before = 0;

  std::string Name() const {
    return absl::StrCat(operation->vendor, " ", operation->name, " (", operation->call, "), ",
                        fault->name, mode == Mode::kOnce ? ", once" : ", always");
  }
};

class FaultMatrixTest : public SandboxTest {
 protected:
  // What is not as the table says, a line each.
  std::vector<std::string> Play(const std::vector<Operation>& operations) {
    problems_.clear();
    for (const bool slow : {false, true}) {
      std::vector<Cell> cells = CellsOf(operations, slow);
      if (!cells.empty()) PlayAtOnce(cells, slow ? slow_ : patient_);
    }
    return problems_;
  }
  std::vector<std::string> PlayVendor(const std::string& vendor) {
    std::vector<Operation> operations;
    for (const Operation& operation : Operations()) {
      if (operation.vendor == vendor) operations.push_back(operation);
    }
    return Play(operations);
  }
  // The same, over connectors that find nothing when they look.
  std::vector<std::string> PlayBlind(const std::string& operation_name,
                                     std::map<std::string, std::string> nothing) {
    blind_ = std::make_unique<BlindOutbound>(patient_, std::move(nothing));
    std::vector<Operation> operations;
    for (const Operation& operation : Operations()) {
      if (operation.name == operation_name) operations.push_back(operation);
    }
    std::vector<Cell> cells = CellsOf(operations, /*slow=*/false);
    problems_.clear();
    PlayAtOnce(cells, *blind_);
    return problems_;
  }

 private:
  std::vector<Cell> CellsOf(const std::vector<Operation>& operations, bool slow) {
    std::vector<Cell> cells;
    for (const Operation& operation : operations) {
      for (const Fault& fault : FaultsOf(operation.vendor)) {
        if (fault.slow != slow) continue;
        for (const Mode mode : {Mode::kOnce, Mode::kAlways}) {
          if (fault.nature == Nature::kNoSession && mode == Mode::kOnce) continue;
          cells.push_back({&operation, &fault, mode, std::make_unique<Case>()});
        }
      }
    }
    return cells;
  }

  void PlayAtOnce(std::vector<Cell>& cells, outbound::Outbound& outbound) {
    Admin("POST", "/__sandbox/reset", "{}");
    for (size_t i = 0; i < cells.size(); ++i) {
      Case& run = *cells[i].run;
      run.outbound = &patient_;
      run.origin = url("");
      run.workflow_id = absl::StrCat("wf-", i, "x");
      run.context = Context(run.workflow_id);
      run.context.deadline = clock().Now() + absl::Minutes(5);
      run.now = clock().Now();
    }
    RunStep(cells, &Operation::prepare);
    for (Cell& cell : cells) {
      if (!cell.run->result->ok()) Problem(cell, "cannot be prepared", *cell.run->result);
    }
    CountCalls(cells, [](Cell& cell, int calls) { cell.calls_before = calls; });
    for (Cell& cell : cells) {
      cell.run->outbound = &outbound;
      Strike(cell);
    }
    RunStep(cells, &Operation::act);
    CountCalls(cells, [this](Cell& cell, int calls) { CheckOutcome(cell, calls); });
    ClearFaults();
    for (Cell& cell : cells) {
      cell.run->attempt = 2;
      cell.run->origin = url("");
    }
    RunStep(cells, &Operation::act);
    for (Cell& cell : cells) {
      if (!cell.run->result->ok()) Problem(cell, "the next attempt failed", *cell.run->result);
    }
    CheckResources(cells);
  }

  void Strike(Cell& cell) {
    const Fault& fault = *cell.fault;
    if (fault.nature == Nature::kNoSession) {
      // TLS to a port that speaks plain HTTP.
      cell.run->origin.replace(0, 4, "https");
      return;
    }
    Json json = {{"vendor", cell.operation->vendor},
                 {"operation", cell.operation->call},
                 {"workflow_id", cell.run->workflow_id},
                 {"kind", fault.kind}};
    if (fault.status != 0) json["status"] = fault.status;
    if (!fault.code.empty()) json["code"] = fault.code;
    if (cell.mode == Mode::kOnce) json["count"] = 1;
    if (fault.nature == Nature::kLimited) {
      json["retry_after_s"] = cell.mode == Mode::kOnce ? 1 : 3600;
    }
    AddFault(json.dump());
  }

  // Runs the step of all cells at once and waits for the last one.
  void RunStep(std::vector<Cell>& cells, Step Operation::* step) {
    auto done = std::make_shared<std::promise<void>>();
    std::future<void> future = done->get_future();
    auto left = std::make_shared<size_t>(cells.size());
    loop().Post([&cells, step, done, left] {
      for (Cell& cell : cells) {
        Case* const run = cell.run.get();
        base::Spawn((cell.operation->*step)(run),
                    [run, done, left](std::exception_ptr error, base::Done* result) {
                      run->result = error ? base::Done(base::Failure::Permanent("Test", "thrown"))
                                          : std::move(*result);
                      if (--*left == 0) done->set_value();
                    });
      }
    });
    future.wait();
  }

  template <typename Fn>
  void CountCalls(std::vector<Cell>& cells, Fn fn) {
    const Json answer =
        Admin("GET", "/__sandbox/calls?limit=100000&vendor=" + cells[0].operation->vendor);
    std::map<std::pair<std::string, std::string>, int> counts;
    for (const Json& call : answer.value("calls", Json::array())) {
      ++counts[{call.value("workflow_id", ""), call.value("operation", "")}];
    }
    for (Cell& cell : cells) fn(cell, counts[{cell.run->workflow_id, cell.operation->call}]);
  }

  void CheckOutcome(Cell& cell, int calls) {
    const Expected expected = ExpectedOf(*cell.operation, *cell.fault, cell.mode);
    Expected seen{.calls = calls - cell.calls_before};
    const base::Done& result = *cell.run->result;
    if (!result.ok()) {
      seen.type = result.failure().type;
      seen.retryable = result.failure().retryable;
      seen.waits = result.failure().not_attempted;
    }
    if (seen == expected) return;
    Problem(cell,
            absl::StrCat("expected \"", expected.ToString(), "\", was \"", seen.ToString(), "\""),
            result);
  }

  // After the next attempt: what belongs there is there, once.
  void CheckResources(std::vector<Cell>& cells) {
    const Json answer = Resources(cells[0].operation->vendor);
    std::map<std::pair<std::string, std::string>, int> alive;
    for (const Json& resource : answer.value("resources", Json::array())) {
      if (!resource.value("alive", false)) continue;
      ++alive[{resource.value("workflow_id", ""), resource.value("kind", "")}];
    }
    std::set<std::string> doubled;
    for (const Json& duplicate : answer.value("duplicates", Json::array())) {
      doubled.insert(duplicate.value("workflow_id", ""));
    }
    for (Cell& cell : cells) {
      if (doubled.contains(cell.run->workflow_id)) Problem(cell, "made a duplicate");
      if (cell.operation->kind.empty()) continue;
      const int count = alive[{cell.run->workflow_id, cell.operation->kind}];
      if (count == cell.operation->alive) continue;
      Problem(cell, absl::StrCat("left ", count, " of ", cell.operation->kind, ", not ",
                                 cell.operation->alive));
    }
  }

  void Problem(const Cell& cell, const std::string& what, const base::Done& result = base::Unit{}) {
    problems_.push_back(absl::StrCat(cell.Name(), ": ", what,
                                     result.ok() ? "" : ": " + result.failure().ToString()));
  }

  QuickOutbound patient_{outbound(), absl::Seconds(60)};
  QuickOutbound slow_{outbound(), absl::Milliseconds(700)};
  std::unique_ptr<BlindOutbound> blind_;
  std::vector<std::string> problems_;
};

class VendorMatrixTest : public FaultMatrixTest, public testing::WithParamInterface<std::string> {};

TEST_P(VendorMatrixTest, IsAsTheTableSays) {
  const std::vector<std::string> problems = PlayVendor(GetParam());
  EXPECT_THAT(problems, IsEmpty()) << absl::StrJoin(problems, "\n");
}

INSTANTIATE_TEST_SUITE_P(Vendors, VendorMatrixTest,
                         testing::Values("notion", "webdriver", "memory", "openai", "figma",
                                         "figma-render", "github", "slack", "google_chat",
                                         "sendgrid", "buffer", "grafana", "cms"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// A connector that does not look before it creates makes the matrix red.
TEST_F(FaultMatrixTest, SeesASlackConnectorThatDoesNotLook) {
  const std::vector<std::string> problems =
      PlayBlind("EnsureMessage", {{"conversations.history", R"({"ok":true,"messages":[]})"}});
  EXPECT_THAT(problems, Contains(testing::AllOf(HasSubstr("reset after the effect"),
                                                HasSubstr("made a duplicate"))));
  EXPECT_THAT(problems, Contains(HasSubstr("left 2 of message, not 1")));
}

TEST_F(FaultMatrixTest, SeesABufferConnectorThatDoesNotLook) {
  const std::vector<std::string> problems =
      PlayBlind("EnsurePost",
                {{"posts", R"({"data":{"posts":{"edges":[],"pageInfo":{"hasNextPage":false}}}})"}});
  EXPECT_THAT(problems, Contains(testing::AllOf(HasSubstr("reset after the effect"),
                                                HasSubstr("made a duplicate"))));
}

// --- The document

constexpr char kDocument[] = "docs/connectors.md";
constexpr char kBegin[] = "<!-- fault matrix: begin (generated) -->\n";
constexpr char kEnd[] = "<!-- fault matrix: end -->\n";

TEST(FaultMatrixDocument, HasTheTable) {
  std::ostringstream read;
  read << std::ifstream(kDocument).rdbuf();
  const std::string text = read.str();
  const size_t begin = text.find(kBegin);
  const size_t end = text.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::string wanted =
      absl::StrCat(text.substr(0, begin), kBegin, "\n", MatrixMarkdown(), "\n", text.substr(end));
  if (std::getenv("CAMPAIGND_UPDATE_DOCUMENTS") != nullptr) {
    std::ofstream(kDocument) << wanted;
    return;
  }
  EXPECT_EQ(text, wanted)
      << "run CAMPAIGND_UPDATE_DOCUMENTS=1 build/bin/fault_matrix_tests in the root";
}

}  // namespace
}  // namespace connector_test
