// Who waits for a decision, among more campaigns than one look at the store shows.
#include <gmock/gmock.h>

#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "gateway/webhooks/decisions.h"
#include "gateway/webhooks/google_chat_cards.h"
#include "tests/integration/gateway/gateway_fixture.h"

namespace webhooks {
namespace {

namespace v1 = ::orchestrator::v1;
using testing::HasSubstr;
using testing::Not;

// Lists its campaigns by pages, as a store does.
class PagedClient : public gateway::MemoryClient {
 public:
  explicit PagedClient(int campaigns) {
    for (int i = 0; i < campaigns; ++i) {
      AddCampaign(IdOf(i));
      SetWaiting(i, false);
    }
    campaigns_ = campaigns;
  }
  static std::string IdOf(int i) { return absl::StrFormat("c%03d", i); }
  void SetWaiting(int i, bool waits) {
    Change(IdOf(i), [&](Run& run) { run.progress.set_waiting_for_approval(waits); });
  }
  void ListWorkflows(v1::ListWorkflowsRequest request,
                     client::Callback<v1::ListWorkflowsResponse> done) override {
    ++pages;
    int begin = 0;
    if (!request.page_token().empty()) EXPECT_TRUE(absl::SimpleAtoi(request.page_token(), &begin));
    const int end = std::min(begin + request.page_size(), campaigns_);
    v1::ListWorkflowsResponse response;
    for (int i = begin; i < end; ++i) response.add_workflows()->set_workflow_id(IdOf(i));
    if (end < campaigns_) response.set_next_page_token(std::to_string(end));
    done(std::move(response));
  }
  int pages = 0;

 private:
  int campaigns_ = 0;
};

WaitingCampaigns Listed(PagedClient& client, int count_max = 20) {
  Decisions decisions(client);
  std::optional<WaitingCampaigns> found;
  decisions.ListWaiting("default", count_max, [&](absl::StatusOr<WaitingCampaigns> answer) {
    ASSERT_TRUE(answer.ok()) << answer.status();
    found = *std::move(answer);
  });
  EXPECT_TRUE(found.has_value());
  return std::move(found).value_or(WaitingCampaigns());
}

TEST(ListWaiting, AnOldCampaignIsFoundBehindManyThatDoNotWait) {
  PagedClient client(130);
  client.SetWaiting(3, true);
  client.SetWaiting(128, true);
  const WaitingCampaigns found = Listed(client);
  ASSERT_EQ(found.campaigns.size(), 2U);
  EXPECT_EQ(found.campaigns[0].workflow_id(), "c003");
  EXPECT_EQ(found.campaigns[1].workflow_id(), "c128");
  EXPECT_FALSE(found.cut) << "all were looked at";
  EXPECT_EQ(client.pages, 3);
}

TEST(ListWaiting, EnoughIsEnough) {
  PagedClient client(200);
  for (const int i : {1, 2, 3}) client.SetWaiting(i, true);
  const WaitingCampaigns found = Listed(client, 2);
  ASSERT_EQ(found.campaigns.size(), 2U);
  EXPECT_TRUE(found.cut);
  EXPECT_EQ(client.pages, 1);
}

TEST(ListWaiting, LooksAtSoManyAndSaysSo) {
  PagedClient client(kRunningLookedAtMax + 1);
  client.SetWaiting(kRunningLookedAtMax, true);
  const WaitingCampaigns found = Listed(client);
  EXPECT_TRUE(found.campaigns.empty());
  EXPECT_TRUE(found.cut);
  EXPECT_EQ(client.pages, 10);
  EXPECT_THAT(WaitingCards(found), HasSubstr("There may be more"));
  EXPECT_THAT(WaitingCards({}), Not(HasSubstr("There may be more")));
}

}  // namespace
}  // namespace webhooks
