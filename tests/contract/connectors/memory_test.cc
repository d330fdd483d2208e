// Every MemoryStore does the same: the embedded one on a real file, and the gateway against the
// sandbox.
#include "activities/connectors/memory/embedded_memory.h"
#include "activities/connectors/memory/memory_file.h"
#include "activities/connectors/memory/memory_gateway.h"
#include "activities/connectors/memory/memory_store.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/scripted_vendor.h"
#include "tests/support/temporary_folder.h"

namespace connector_test {
namespace {

using memory::Item;

Item Insight(std::string key, std::string content) {
  return {.name_space = "insights_test",
          .key = std::move(key),
          .kind = "insight",
          .content = std::move(content),
          .metadata_json = R"({"source":"test"})"};
}

std::vector<std::string> Keys(const std::vector<memory::Recalled>& found) {
  std::vector<std::string> keys;
  for (const memory::Recalled& recalled : found) keys.push_back(recalled.item.key);
  return keys;
}

class MemoryTest : public SandboxTest, public testing::WithParamInterface<std::string> {
 protected:
  MemoryTest() {
    if (GetParam() == "gateway") {
      store_ = std::make_unique<memory::MemoryGateway>(
          outbound(), memory::MemoryGateway::Options{url("/memory"), "memory-token-1"});
    } else {
      store_ = memory::OpenEmbeddedMemory(loop(), worker_, ":memory:").value();
    }
  }
  outbound::CallContext context() { return Context("wf-memory"); }

  blocking::Worker worker_{clock(), "test-disk"};
  std::unique_ptr<memory::MemoryStore> store_;
};

TEST_P(MemoryTest, PutReplacesByNamespaceAndKey) {
  ASSERT_TRUE(Run(store_->Put(Insight("k/1 ä", "old words"), context())).ok());
  ASSERT_TRUE(Run(store_->Put(Insight("k/1 ä", "new words"), context())).ok());
  const auto got = Run(store_->Get("insights_test", "k/1 ä", context()));
  ASSERT_TRUE(got.ok()) << got.failure().ToString();
  ASSERT_TRUE(got->has_value());
  EXPECT_EQ((*got)->content, "new words");
  EXPECT_EQ((*got)->kind, "insight");
  EXPECT_EQ((*got)->key, "k/1 ä");
  EXPECT_EQ(Json::parse((*got)->metadata_json), Json({{"source", "test"}}));
}

TEST_P(MemoryTest, DeleteSaysWhetherItWasThere) {
  ASSERT_TRUE(Run(store_->Put(Insight("gone", "words"), context())).ok());
  const auto first = Run(store_->Delete("insights_test", "gone", context()));
  ASSERT_TRUE(first.ok()) << first.failure().ToString();
  EXPECT_TRUE(*first);
  const auto second = Run(store_->Delete("insights_test", "gone", context()));
  ASSERT_TRUE(second.ok()) << second.failure().ToString();
  EXPECT_FALSE(*second);
  EXPECT_FALSE(Run(store_->Get("insights_test", "gone", context()))->has_value());
}

TEST_P(MemoryTest, RecallFindsByWords) {
  ASSERT_TRUE(Run(store_->Put(Insight("shoes", "runners love light shoes"), context())).ok());
  ASSERT_TRUE(Run(store_->Put(Insight("tents", "campers love dry tents"), context())).ok());
  const auto found = Run(store_->Recall("light shoes", "insights_test", "insight", 5, context()));
  ASSERT_TRUE(found.ok()) << found.failure().ToString();
  ASSERT_FALSE(found->empty());
  EXPECT_EQ((*found)[0].item.key, "shoes");
  EXPECT_GT((*found)[0].score, 0);
  const auto other_kind =
      Run(store_->Recall("light shoes", "insights_test", "draft", 5, context()));
  ASSERT_TRUE(other_kind.ok());
  EXPECT_TRUE(other_kind->empty());
}

TEST_P(MemoryTest, RefusesBadItems) {
  Item item = Insight("", "x");
  EXPECT_EQ(Run(store_->Put(item, context())).failure().type, "InvalidMemoryItem");
  item.key = "k";
  item.metadata_json = "[1]";
  EXPECT_EQ(Run(store_->Put(item, context())).failure().type, "InvalidMemoryItem");
}

INSTANTIATE_TEST_SUITE_P(Stores, MemoryTest, testing::Values("embedded", "gateway"),
                         [](const auto& info) { return info.param; });

class GatewayFaultTest : public SandboxTest, public testing::WithParamInterface<std::string> {};

TEST_P(GatewayFaultTest, PutAndDeleteAreDoneOnce) {
  memory::MemoryGateway gateway(outbound(), {.base_url = url("/memory"), .token = "memory-token"});
  AddFault(R"({"vendor":"memory","count":2,"kind":")" + GetParam() + "\"}");
  ASSERT_TRUE(Run(gateway.Put(Insight("k", "words"), Context("wf-1"))).ok());
  AddFault(R"({"vendor":"memory","count":2,"kind":")" + GetParam() + "\"}");
  ASSERT_TRUE(Run(gateway.Delete("insights_test", "k", Context("wf-1"))).ok());
  const auto got = Run(gateway.Get("insights_test", "k", Context("wf-1")));
  ASSERT_TRUE(got.ok()) << got.failure().ToString();
  EXPECT_FALSE(got->has_value());
}

INSTANTIATE_TEST_SUITE_P(Kinds, GatewayFaultTest,
                         testing::Values("error", "reset", "lost_response", "malformed"),
                         [](const auto& info) { return info.param; });

TEST(MemoryFile, KeepsItsItemsAndSeedsOnce) {
  const test::TemporaryFolder folder;
  const std::string path = folder.File("memory.db");
  {
    auto file = memory::MemoryFile::Open(path);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE((*file)->Get("brand", "voice-casual")->has_value());
    ASSERT_TRUE((*file)->Put(Insight("k", "lasting words"), 1).ok());
    ASSERT_TRUE(*(*file)->Delete("brand", "voice-casual"));
  }
  auto file = memory::MemoryFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_FALSE((*file)->Get("brand", "voice-casual")->has_value());
  EXPECT_EQ(Keys(*(*file)->Recall("lasting", "insights_test", "", 5)),
            std::vector<std::string>{"k"});
}

TEST(MemoryFile, RecallSurvivesAnyQuery) {
  auto file = memory::MemoryFile::Open(":memory:");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Put(Insight("old", "alpha \"beta\""), 1).ok());
  ASSERT_TRUE((*file)->Put(Insight("new", "gamma"), 2).ok());
  for (const char* query : {"\"", "a AND", "NEAR(", "* ' ; --", "col:x", "\xC3", "()^-+"}) {
    EXPECT_TRUE((*file)->Recall(query, "insights_test", "", 5).ok()) << query;
  }
  EXPECT_EQ(Keys(*(*file)->Recall(" ,. ", "insights_test", "", 5)),
            (std::vector<std::string>{"new", "old"}));
  EXPECT_EQ(Keys(*(*file)->Recall("BETAS", "insights_test", "", 5)),
            (std::vector<std::string>{"old"}));
}

TEST(MemoryFile, AReplacedItemIsFoundByItsNewWordsOnly) {
  auto file = memory::MemoryFile::Open(":memory:");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Put(Insight("k", "apples"), 1).ok());
  ASSERT_TRUE((*file)->Put(Insight("k", "pears"), 2).ok());
  EXPECT_TRUE((*file)->Recall("apples", "insights_test", "", 5)->empty());
  EXPECT_EQ((*file)->Recall("pears", "insights_test", "", 5)->size(), 1u);
  ASSERT_TRUE(*(*file)->Delete("insights_test", "k"));
  EXPECT_TRUE((*file)->Recall("pears", "insights_test", "", 5)->empty());
}

TEST(MemoryFile, RefusesAFileThatIsNone) {
  EXPECT_FALSE(memory::MemoryFile::Open("/proc/self/nothing/memory.db").ok());
}

}  // namespace
}  // namespace connector_test
