// SendGrid: a mail goes out once or not at all, whatever answers are lost.
#include "activities/connectors/sendgrid/sendgrid_client.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"

namespace connector_test {
namespace {

using sendgrid::BatchState;
using sendgrid::SendgridClient;

class SendgridTest : public SandboxTest {
 protected:
  sendgrid::Message Mail() {
    return {.from = {"news@acme.example.com", "Acme"},
            .to = {{"ann@example.com", "Ann"}, {"bob@example.com", ""}},
            .subject = "Spring is here",
            .text = "Hello",
            .html = "<p>Hello</p>",
            .categories = {"campaign"},
            .custom_args = {{"campaign", "spring"}}};
  }
  absl::Time SendAt() { return clock().Now() + absl::Minutes(20); }

  // Writes what it is given into `journal_`, as a durable heartbeat would.
  static base::Task<base::Done> Write(std::vector<std::vector<std::string>>* journal,
                                      std::vector<std::string> batch_ids) {
    journal->push_back(std::move(batch_ids));
    co_return base::Unit{};
  }
  SendgridClient::Journal Journal() {
    return [this](std::vector<std::string> ids) { return Write(&journal_, std::move(ids)); };
  }
  base::Outcome<sendgrid::Scheduled> Send(std::vector<std::string> used = {}) {
    return Run(client_.SendOnce(Mail(), SendAt(), std::move(used), Journal(), Context("wf-1")));
  }
  // Mails that went out once all is due.
  int SentMails() {
    AdvanceClock(absl::Hours(1));
    int sent = 0;
    const Json mails = Resources("sendgrid", "mail");
    for (const Json& mail : mails["resources"]) {
      sent += mail["state"] == "sent";
    }
    return sent;
  }

  std::vector<std::vector<std::string>> journal_;
  SendgridClient client_{outbound(), {.base_url = url("/sendgrid"), .token = "SG.contract"}};
};

TEST_F(SendgridTest, SendsOnceAndJournalsTheBatchFirst) {
  const auto sent = Send();
  ASSERT_TRUE(sent.ok()) << sent.failure().ToString();
  ASSERT_EQ(journal_.size(), 1u);
  EXPECT_THAT(journal_[0], testing::ElementsAre(sent->batch_id));
  EXPECT_EQ(SentMails(), 1);
}

class SendgridFaultTest : public SendgridTest, public testing::WithParamInterface<const char*> {};

TEST_P(SendgridFaultTest, NothingGoesOutTwice) {
  AddFault(
      Json{{"vendor", "sendgrid"}, {"operation", "mail.send"}, {"kind", GetParam()}, {"count", 2}}
          .dump());
  const auto sent = Send();
  ASSERT_TRUE(sent.ok()) << sent.failure().ToString();
  EXPECT_EQ(journal_.back(), sent->batch_ids);
  EXPECT_EQ(journal_.back().back(), sent->batch_id);
  EXPECT_EQ(SentMails(), 1);
}

INSTANTIATE_TEST_SUITE_P(Faults, SendgridFaultTest,
                         testing::Values("lost_response", "reset", "error", "rate_limit"));

TEST_F(SendgridTest, LostAnswersOfEveryOperationStillSendOnce) {
  AddFault(R"({"vendor":"sendgrid","kind":"lost_response","rate":0.5,"seed":3,"count":6})");
  auto sent = Send();
  // As the engine would: the next attempt gets the journal of the last one.
  for (int attempt = 2; !sent.ok() && attempt < 6; ++attempt) {
    sent = Send(journal_.empty() ? std::vector<std::string>{} : journal_.back());
  }
  ASSERT_TRUE(sent.ok()) << sent.failure().ToString();
  ClearFaults();
  EXPECT_EQ(SentMails(), 1);
}

TEST_F(SendgridTest, ANextAttemptCancelsWhatTheCrashedOneMayHaveSent) {
  const auto crashed = Send();
  ASSERT_TRUE(crashed.ok());
  const auto next = Send(crashed->batch_ids);
  ASSERT_TRUE(next.ok()) << next.failure().ToString();
  EXPECT_NE(next->batch_id, crashed->batch_id);
  EXPECT_EQ(SentMails(), 1);
}

TEST_F(SendgridTest, UndoTwiceIsFine) {
  const auto sent = Send();
  ASSERT_TRUE(sent.ok());
  AddFault(R"({"vendor":"sendgrid","operation":"scheduledSends.create","kind":"lost_response",
               "count":1})");
  ASSERT_TRUE(Run(client_.CancelBatch(sent->batch_id, Context("wf-1"))).ok());
  const auto again = Run(client_.CancelBatch(sent->batch_id, Context("wf-1")));
  ASSERT_TRUE(again.ok()) << again.failure().ToString();
  EXPECT_FALSE(*again);
  const auto state = Run(client_.GetBatch(sent->batch_id, Context("wf-1")));
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(*state, BatchState::kCanceled);
  EXPECT_EQ(SentMails(), 0);
}

TEST_F(SendgridTest, UndoOfABatchThatNeverWasIsFine) {
  const auto unused = Run(client_.CreateBatch(Context("wf-1")));
  ASSERT_TRUE(unused.ok());
  EXPECT_TRUE(Run(client_.CancelBatch(*unused, Context("wf-1"))).ok());
  const auto never = Run(client_.CancelBatch("no-such-batch", Context("wf-1")));
  ASSERT_TRUE(never.ok()) << never.failure().ToString();
  EXPECT_FALSE(*never);
}

TEST_F(SendgridTest, RefusesWhatSendGridWouldRefuse) {
  sendgrid::Message mail = Mail();
  mail.to.resize(1001, {"x@example.com", ""});
  const auto many = Run(client_.SendScheduled("b", mail, SendAt(), Context("wf-1")));
  ASSERT_FALSE(many.ok());
  EXPECT_FALSE(many.failure().retryable);
  const auto late =
      Run(client_.SendScheduled("b", Mail(), SendAt() + absl::Hours(80), Context("wf-1")));
  ASSERT_FALSE(late.ok());
  EXPECT_FALSE(late.failure().retryable);
  EXPECT_EQ(CallCount("sendgrid"), 0);
}

TEST_F(SendgridTest, AFailedJournalStopsTheSend) {
  const auto fail = [](std::vector<std::string>) -> base::Task<base::Done> {
    co_return base::Failure::Retryable("LostLease", "the attempt is over");
  };
  const auto sent = Run(client_.SendOnce(Mail(), SendAt(), {}, fail, Context("wf-1")));
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.failure().type, "LostLease");
  EXPECT_EQ(CallCount("sendgrid", "mail.send"), 0);
}

}  // namespace
}  // namespace connector_test
