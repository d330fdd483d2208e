// What Google Chat was promised, on a real file: what survives a reopening.
#include "gateway/webhooks/google_chat_store.h"

#include <gmock/gmock.h>

#include <memory>

#include "tests/support/temporary_folder.h"

namespace webhooks {
namespace {

class GoogleChatStoreTest : public testing::Test {
 protected:
  GoogleChatStoreTest() { Open(); }
  void Open() {
    store_.reset();
    store_ = *GoogleChatStore::Open(folder_.File("webhooks.db"));
  }

  test::TemporaryFolder folder_;
  std::unique_ptr<GoogleChatStore> store_;
};

TEST_F(GoogleChatStoreTest, KeepsPromisesUntilTheyAreKept) {
  ChatWatch watch{.workflow_id = "c1",
                  .space = "spaces/A",
                  .thread = "spaces/A/threads/T",
                  .since = absl::FromUnixSeconds(1'000)};
  ASSERT_TRUE(store_->AddWatch(watch).ok());
  watch.review = ChatWatch::Review::kShown;
  watch.review_message = "spaces/A/messages/1";
  ASSERT_TRUE(store_->SaveReview(watch).ok());
  // Promised again: what was done for it is not forgotten.
  ASSERT_TRUE(store_->AddWatch({.workflow_id = "c1", .space = "spaces/A"}).ok());
  ASSERT_TRUE(store_->AddWatch({.ns = "other", .workflow_id = "c1", .space = "spaces/A"}).ok());
  Open();
  auto watches = *store_->Watches();
  ASSERT_EQ(watches.size(), 2);
  EXPECT_EQ(watches[1].key(), watch.key());
  EXPECT_EQ(watches[1].review, ChatWatch::Review::kShown);
  EXPECT_EQ(watches[1].review_message, "spaces/A/messages/1");
  EXPECT_EQ(watches[1].thread, "spaces/A/threads/T");
  EXPECT_EQ(watches[1].since, absl::FromUnixSeconds(1'000));
  ASSERT_TRUE(store_->RemoveWatch(watch).ok());
  Open();
  watches = *store_->Watches();
  ASSERT_EQ(watches.size(), 1);
  EXPECT_EQ(watches[0].ns, "other");
}

TEST_F(GoogleChatStoreTest, KeepsMessagesUntilTheyAreSent) {
  const ChatMessage message{.request_id = "r1",
                            .workflow_id = "c1",
                            .space = "spaces/A",
                            .text = "done \"it\"",
                            .cards = "[]"};
  ASSERT_TRUE(store_->AddMessage(message).ok());
  ASSERT_TRUE(store_->AddMessage(message).ok());
  Open();
  const auto messages = *store_->Messages();
  ASSERT_EQ(messages.size(), 1);
  EXPECT_EQ(messages[0].text, "done \"it\"");
  EXPECT_EQ(messages[0].cards, "[]");
  ASSERT_TRUE(store_->RemoveMessage("r1").ok());
  EXPECT_TRUE(store_->Messages()->empty());
}

}  // namespace
}  // namespace webhooks
