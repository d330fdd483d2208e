// The kill switch and the breakers as operators use them: service, store and what survives.
#include <sqlite3.h>

#include <future>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/grpc/operations_service.h"
#include "gmock/gmock.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/random.h"
#include "tests/support/temporary_folder.h"

namespace gateway {
namespace {

using testing::HasSubstr;

class OperationsTest : public testing::Test {
 protected:
  OperationsTest() {
    base::SetLogLevel(base::LogLevel::kOff);
    Start();
  }

  // As at the start of a server: nothing in memory, everything from the file.
  void Start() {
    service_.reset();
    store_.reset();
    kill_switch_ = std::make_unique<outbound::KillSwitch>(metrics_, absl::Seconds(10));
    breakers_ =
        std::make_unique<outbound::Breakers>(clock_, random_, metrics_, outbound::BreakerOptions());
    breakers_->Register("github");
    auto store = OperationsStore::Open(path(), clock_, *kill_switch_, *breakers_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    service_ = std::make_unique<OperationsServiceImpl>(
        OperationsServiceImpl::Dependencies{*store_, *kill_switch_, *breakers_});
  }
  std::string path() const { return folder_.File("operations.db"); }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(void (OperationsServiceImpl::*method)(CallInfo, Request,
                                                                      Callback<Response>),
                                Request request) {
    std::promise<absl::StatusOr<Response>> answered;
    (service_.get()->*method)({}, std::move(request), [&answered](absl::StatusOr<Response> answer) {
      answered.set_value(std::move(answer));
    });
    return answered.get_future().get();
  }
  absl::StatusOr<cv1::KillSwitch> Switch(bool on, const std::string& reason) {
    cv1::SetKillSwitchRequest request;
    request.set_on(on);
    request.set_reason(reason);
    request.set_identity("ann");
    return Call(&OperationsServiceImpl::SetKillSwitch, request);
  }
  cv1::ForceBreakerRequest Order(const std::string& service, const std::string& reason) {
    cv1::ForceBreakerRequest request;
    request.set_service(service);
    request.set_reason(reason);
    request.set_identity("bob");
    return request;
  }
  std::string Log() {
    auto changes =
        Call(&OperationsServiceImpl::ListOperatorChanges, cv1::ListOperatorChangesRequest());
    std::string text;
    for (const auto& change : changes->changes()) {
      absl::StrAppend(&text, change.id(), " ", change.identity(), " ", change.subject(), " ",
                      change.action(), ": ", change.reason(), "\n");
    }
    return text;
  }

  base::SystemClock clock_;
  base::SystemRandom random_;
  base::Metrics metrics_;
  test::TemporaryFolder folder_;
  std::unique_ptr<outbound::KillSwitch> kill_switch_;
  std::unique_ptr<outbound::Breakers> breakers_;
  std::unique_ptr<OperationsStore> store_;
  std::unique_ptr<OperationsServiceImpl> service_;
};

TEST_F(OperationsTest, TheKillSwitchIsInForceAndSurvivesARestart) {
  EXPECT_FALSE(Call(&OperationsServiceImpl::GetKillSwitch, cv1::GetKillSwitchRequest())->on());
  const auto on = Switch(true, "wrong price");
  ASSERT_TRUE(on.ok()) << on.status();
  EXPECT_TRUE(on->on());
  EXPECT_EQ(on->changed_by(), "ann");
  EXPECT_TRUE(on->has_changed_at());
  EXPECT_TRUE(kill_switch_->on());
  Start();
  EXPECT_TRUE(kill_switch_->on());
  const auto state = Call(&OperationsServiceImpl::GetKillSwitch, cv1::GetKillSwitchRequest());
  EXPECT_EQ(state->reason(), "wrong price");
  EXPECT_EQ(state->changed_by(), "ann");
  ASSERT_TRUE(Switch(false, "price is right").ok());
  EXPECT_FALSE(kill_switch_->on());
  Start();
  EXPECT_FALSE(kill_switch_->on());
}

TEST_F(OperationsTest, TheKillSwitchIsOnBeforeTheOrderIsStored) {
  cv1::SetKillSwitchRequest request;
  request.set_on(true);
  request.set_reason("now");
  std::promise<bool> answered;
  service_->SetKillSwitch({}, request,
                          [&](absl::StatusOr<cv1::KillSwitch>) { answered.set_value(true); });
  EXPECT_TRUE(kill_switch_->on());
  answered.get_future().get();
}

TEST_F(OperationsTest, TheSameStateAgainIsNoChange) {
  ASSERT_TRUE(Switch(true, "first").ok());
  const auto again = Switch(true, "second");
  EXPECT_EQ(again->reason(), "first");
  EXPECT_EQ(Log(), "1 ann kill-switch on: first\n");
}

TEST_F(OperationsTest, EveryChangeNeedsAReasonAndIsLogged) {
  const auto without = Switch(true, "");
  EXPECT_EQ(without.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(kill_switch_->on());
  ASSERT_TRUE(Switch(true, "wrong price").ok());
  ASSERT_TRUE(Switch(false, "fixed").ok());
  ASSERT_TRUE(Call(&OperationsServiceImpl::ForceBreakerOpen, Order("github", "upkeep")).ok());
  ASSERT_TRUE(Call(&OperationsServiceImpl::ResetBreaker, Order("github", "done")).ok());
  EXPECT_EQ(Log(),
            "4 bob breaker github reset: done\n"
            "3 bob breaker github force-open: upkeep\n"
            "2 ann kill-switch off: fixed\n"
            "1 ann kill-switch on: wrong price\n");
}

TEST_F(OperationsTest, TheLogComesInPagesAndCannotBeChanged) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Switch(i % 2 == 0, absl::StrCat("r", i)).ok());
  cv1::ListOperatorChangesRequest request;
  request.set_page_size(2);
  std::string ids;
  do {
    auto page = Call(&OperationsServiceImpl::ListOperatorChanges, request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& change : page->changes()) absl::StrAppend(&ids, change.id(), " ");
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(ids, "5 4 3 2 1 ");
  request.set_page_token("x");
  EXPECT_EQ(Call(&OperationsServiceImpl::ListOperatorChanges, request).status().code(),
            absl::StatusCode::kInvalidArgument);

  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
  for (const char* sql : {"DELETE FROM changes", "UPDATE changes SET reason = 'nothing'"}) {
    EXPECT_NE(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    EXPECT_THAT(sqlite3_errmsg(db), HasSubstr("only grows"));
  }
  sqlite3_close(db);
}

TEST_F(OperationsTest, BreakersAreListedAndForced) {
  auto list = Call(&OperationsServiceImpl::ListBreakers, cv1::ListBreakersRequest());
  ASSERT_EQ(list->breakers_size(), 1);
  EXPECT_EQ(list->breakers(0).service(), "github");
  EXPECT_EQ(list->breakers(0).state(), "closed");
  const auto forced = Call(&OperationsServiceImpl::ForceBreakerOpen, Order("github", "upkeep"));
  ASSERT_TRUE(forced.ok()) << forced.status();
  EXPECT_EQ(forced->state(), "open");
  EXPECT_EQ(forced->forced(), "open");
  EXPECT_EQ(forced->forced_by(), "bob");
  EXPECT_EQ(forced->reason(), "upkeep");
  EXPECT_FALSE(breakers_->WouldGo("github", ""));
  Start();
  EXPECT_FALSE(breakers_->WouldGo("github", ""));
  EXPECT_EQ(breakers_->Get("github")->forced_by, "bob");
  ASSERT_TRUE(Call(&OperationsServiceImpl::ResetBreaker, Order("github", "done")).ok());
  EXPECT_TRUE(breakers_->WouldGo("github", ""));
  Start();
  EXPECT_TRUE(breakers_->WouldGo("github", ""));
}

TEST_F(OperationsTest, AForcedHostSurvivesARestart) {
  for (int i = 0; i < 3; ++i) (void)breakers_->Ask("images", "cdn:443");
  ASSERT_TRUE(
      Call(&OperationsServiceImpl::ForceBreakerOpen, Order("images@cdn:443", "upkeep")).ok());
  Start();
  EXPECT_FALSE(breakers_->WouldGo("images", "cdn:443"));
  EXPECT_TRUE(breakers_->WouldGo("images", "other:443"));
}

TEST_F(OperationsTest, UnknownServicesAndMissingReasonsAreRefused) {
  EXPECT_EQ(Call(&OperationsServiceImpl::ForceBreakerOpen, Order("githup", "x")).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Call(&OperationsServiceImpl::ForceBreakerOpen, Order("github", "")).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Log(), "");
}

}  // namespace
}  // namespace gateway
