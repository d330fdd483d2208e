// The store on a real file: what survives a reopening, and what is refused.
#include "gateway/grpc/wizard_store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <future>

#include "orchestrator/base/random.h"

namespace gateway {
namespace {

using campaign::v1::CampaignSpec;
using campaign::v1::Wizard;

class WizardStoreTest : public ::testing::Test {
 protected:
  WizardStoreTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wizards_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    Open();
  }
  ~WizardStoreTest() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Open() {
    store_.reset();
    store_ = *WizardStore::Open((directory_ / "wizards.db").string(), clock_, random_);
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
    return Wait<Wizard>([&](auto done) { store_->Create(spec, request_id, std::move(done)); });
  }
  absl::StatusOr<Wizard> Get(const std::string& id) {
    return Wait<Wizard>([&](auto done) { store_->Get(id, std::move(done)); });
  }

  base::SystemClock clock_;
  base::SystemRandom random_;
  std::filesystem::path directory_;
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
          id,
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
