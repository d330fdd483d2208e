#include "gateway/webhooks/delivery_store.h"

#include <gtest/gtest.h>

#include "tests/unit/webhooks/fixture.h"

namespace webhooks {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class DeliveryStoreTest : public InboxFixture {
 protected:
  DeliveryStoreTest() { Reopen(); }
  void Reopen() {
    store_.reset();
    store_ = *DeliveryStore::Open(path());
  }
  bool Add(const std::string& id, absl::Time at = kNow) {
    return *store_->Add(
        {.source = "github", .id = id, .digest = "d" + id, .body = "body", .received_at = at});
  }
  std::unique_ptr<DeliveryStore> store_;
};

TEST_F(DeliveryStoreTest, KeepsWhatIsOpenOldestFirst) {
  EXPECT_TRUE(Add("b", kNow + absl::Seconds(1)));
  EXPECT_TRUE(Add("a"));
  EXPECT_FALSE(Add("a"));
  Reopen();
  const std::vector<Delivery> open = *store_->Open();
  ASSERT_EQ(open.size(), 2u);
  EXPECT_EQ(open[0].id, "a");
  EXPECT_EQ(open[0].body, "body");
  EXPECT_EQ(open[0].received_at, kNow);
  EXPECT_EQ(open[1].id, "b");
}

TEST_F(DeliveryStoreTest, ForgetsTheBodyWhenItIsDoneAndTheIdLater) {
  EXPECT_TRUE(Add("a"));
  ASSERT_TRUE(store_->Close("github", "a", "done", kNow).ok());
  EXPECT_EQ(store_->Open()->size(), 0u);
  EXPECT_FALSE(Add("a"));
  ASSERT_TRUE(store_->Expire(kNow).ok());
  EXPECT_FALSE(Add("a"));
  ASSERT_TRUE(store_->Expire(kNow + absl::Seconds(1)).ok());
  EXPECT_TRUE(Add("a"));
}

TEST_F(DeliveryStoreTest, NeverForgetsWhatIsOpen) {
  EXPECT_TRUE(Add("a"));
  ASSERT_TRUE(store_->Expire(kNow + absl::Hours(1000)).ok());
  EXPECT_EQ(store_->Open()->size(), 1u);
}

}  // namespace
}  // namespace webhooks
