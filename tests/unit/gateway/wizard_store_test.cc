// The store on a real file: what survives a reopening, and what is refused.
#include "gateway/grpc/wizard_store.h"

#include <gtest/gtest.h>

#include <future>

#include "gateway/grpc/ids.h"
#include "orchestrator/base/random.h"
#include "orchestrator/database/durable.h"
#include "orchestrator/database/statement.h"
#include "tests/support/temporary_folder.h"

namespace gateway {
namespace {

using campaign::v1::CampaignSpec;
using campaign::v1::Wizard;

class WizardStoreTest : public ::testing::Test {
 protected:
  WizardStoreTest() { Open(); }
  void Open() {
    store_.reset();
    store_ = *WizardStore::Open(folder_.File("wizards.db"), clock_, random_);
  }
  // Calls the store and waits for its answer.
  template <typename T, typename Fn>
  absl::StatusOr<T> Wait(Fn call) {
    std::promise<absl::StatusOr<T>> answer;
    call([&](absl::StatusOr<T> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
  }
  absl::StatusOr<Wizard> Create(const std::string& name, const std::string& request_id) {
    CampaignSpec spec;
    spec.set_campaign_name(name);
    return Wait<Wizard>([&](auto done) {
      store_->Create({.ns = "default", .spec = spec, .request_id = request_id}, std::move(done));
    });
  }
  absl::StatusOr<Wizard> Get(const std::string& id) {
    return Wait<Wizard>([&](auto done) { store_->Get("default", id, std::move(done)); });
  }

  base::SystemClock clock_;
  base::SystemRandom random_;
  test::TemporaryFolder folder_;
  std::unique_ptr<WizardStore> store_;
};

TEST_F(WizardStoreTest, KeepsWizardsOverAReopening) {
  const auto made = Create("Spring", "r1");
  ASSERT_TRUE(made.ok()) << made.status();
  Open();
  EXPECT_EQ(Get(made->wizard_id())->campaign().campaign_name(), "Spring");
  EXPECT_EQ(Create("Spring", "r1")->wizard_id(), made->wizard_id());
  EXPECT_EQ(Create("Summer", "r1").status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(Create("Spring", "")->wizard_id(), made->wizard_id());
}

TEST_F(WizardStoreTest, ARefusedChangeWritesNothingAndAnIdleOneKeepsTheRevision) {
  const std::string id = Create("Spring", "")->wizard_id();
  const auto update = [&](absl::Status result, const std::string& name) {
    return Wait<Wizard>([&](auto done) {
      store_->Update(
          "default", id,
          [=](Wizard& wizard) {
            wizard.mutable_campaign()->set_campaign_name(name);
            return result;
          },
          std::move(done));
    });
  };
  EXPECT_FALSE(update(absl::FailedPreconditionError("no"), "Winter").ok());
  EXPECT_EQ(Get(id)->campaign().campaign_name(), "Spring");
  EXPECT_EQ(update(absl::OkStatus(), "Spring")->revision(), 1);
  EXPECT_EQ(update(absl::OkStatus(), "Winter")->revision(), 2);
  EXPECT_EQ(Get("wz-none").status().code(), absl::StatusCode::kNotFound);
}

// A file as releases before namespaces wrote it.
TEST_F(WizardStoreTest, WizardsOfAnEarlierReleaseAreThereInTheDefaultNamespace) {
  store_.reset();
  const std::string path = folder_.File("old.db");
  Wizard old;
  old.set_wizard_id("wz-old");
  old.mutable_campaign()->set_campaign_name("Spring");
  old.set_status(kWizardDraft);
  old.set_revision(3);
  {
    auto db = database::OpenDurable(path, R"sql(
        CREATE TABLE wizards (wizard_id TEXT PRIMARY KEY, request_id TEXT UNIQUE,
          request_digest TEXT NOT NULL, created_us INTEGER NOT NULL, wizard BLOB NOT NULL)
        WITHOUT ROWID)sql");
    ASSERT_TRUE(db.ok()) << db.status();
    auto insert = database::Statement::Prepare(
        **db, "INSERT INTO wizards VALUES ('wz-old', 'r1', ?1, 0, ?2)");
    CampaignSpec spec = old.campaign();
    const std::string digest = HashHex(spec.SerializeAsString());
    const std::string bytes = old.SerializeAsString();
    insert->BindText(1, digest);
    insert->BindBlob(2, bytes);
    ASSERT_TRUE(insert->Run().ok());
  }
  for (int times = 0; times < 2; ++times) {
    store_ = *WizardStore::Open(path, clock_, random_);
    const auto wizard = Get("wz-old");
    ASSERT_TRUE(wizard.ok()) << wizard.status();
    EXPECT_EQ(wizard->namespace_(), "default");
    EXPECT_EQ(wizard->revision(), 3);
    EXPECT_FALSE(wizard->etag().empty());
    EXPECT_EQ(Create("Spring", "r1")->wizard_id(), "wz-old");
  }
}

TEST_F(WizardStoreTest, AnswersAfterClose) {
  store_->Close();
  EXPECT_EQ(Get("wz-1").status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(WizardStoreTest, SaysWhenTheFileCannotBeOpened) {
  EXPECT_EQ(WizardStore::Open("/nonexistent/wizards.db", clock_, random_).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace gateway
