// The asset store on a real directory: what is written is whole, keys stay inside, undo is calm.
#include <filesystem>

#include "activities/connectors/assets/asset_store.h"
#include "activities/connectors/assets/content_type.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/support/temporary_folder.h"

namespace connector_test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kPng("\x89PNG\r\n\x1A\n....", 12);
const std::string kSvg = "<?xml version=\"1.0\"?>\n<!-- logo -->\n<svg xmlns=\"x\"></svg>";

class AssetStoreTest : public LoopTest {
 protected:
  test::TemporaryFolder folder_;
  const std::string directory_ = folder_.File("assets");
  blocking::Worker worker_{clock(), "test-disk"};
  assets::AssetStore store_{
      loop(), worker_, {.directory = directory_, .public_base_url = "http://host:8080/"}};
};

TEST_F(AssetStoreTest, StoresReadsAndReplaces) {
  const auto put = Run(store_.Put("wf-1/email_banner.png", kPng));
  ASSERT_TRUE(put.ok()) << put.failure().ToString();
  EXPECT_EQ(put->url, "http://host:8080/assets/wf-1/email_banner.png");
  EXPECT_EQ(put->content_type, "image/png");
  EXPECT_EQ(put->bytes, static_cast<int64_t>(kPng.size()));
  const auto again = Run(store_.Put("wf-1/email_banner.png", kSvg));
  ASSERT_TRUE(again.ok()) << again.failure().ToString();
  const auto read = Run(store_.Read("wf-1/email_banner.png"));
  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_EQ((*read)->bytes, kSvg);
  EXPECT_EQ((*read)->content_type, "image/svg+xml");
}

TEST_F(AssetStoreTest, DeleteLeavesNothingAndMayBeRepeated) {
  ASSERT_TRUE(Run(store_.Put("wf-1/a/b.png", kPng)).ok());
  EXPECT_TRUE(*Run(store_.Delete("wf-1/a/b.png")));
  EXPECT_FALSE(*Run(store_.Delete("wf-1/a/b.png")));
  EXPECT_FALSE(*Run(store_.Delete("never/was.png")));
  EXPECT_FALSE(fs::exists(directory_ + "/wf-1"));
  EXPECT_TRUE(fs::exists(directory_));
  EXPECT_TRUE(fs::is_empty(directory_ + "/.incoming"));
  EXPECT_FALSE(Run(store_.Read("wf-1/a/b.png"))->has_value());
}

TEST_F(AssetStoreTest, ListsByPrefix) {
  for (const char* key : {"wf-1/b.png", "wf-1/a.png", "wf-10/c.png", "other.png"}) {
    ASSERT_TRUE(Run(store_.Put(key, kPng)).ok());
  }
  EXPECT_THAT(*Run(store_.List("wf-1/")), ElementsAre("wf-1/a.png", "wf-1/b.png"));
  EXPECT_THAT(*Run(store_.List("wf-1")), ElementsAre("wf-1/a.png", "wf-1/b.png", "wf-10/c.png"));
  EXPECT_THAT(*Run(store_.List("nothing/")), IsEmpty());
  EXPECT_EQ(Run(store_.List(""))->size(), 4u);
}

TEST_F(AssetStoreTest, RefusesKeysThatLeaveTheDirectory) {
  for (const char* key : {"", "/etc/passwd", "../x.png", "a/../../x.png", "a//b.png", "a/", ".x",
                          "a/.hidden", "a b.png", "a\\b.png", "caf\xC3\xA9.png"}) {
    const auto put = Run(store_.Put(key, kPng));
    ASSERT_FALSE(put.ok()) << key;
    EXPECT_EQ(put.failure().type, "InvalidAsset") << key;
    EXPECT_FALSE(put.failure().retryable) << key;
    EXPECT_FALSE(Run(store_.Read(key)).ok()) << key;
    EXPECT_FALSE(Run(store_.Delete(key)).ok()) << key;
  }
  EXPECT_FALSE(Run(store_.Put(std::string(assets::kKeyBytesMax + 1, 'a'), kPng)).ok());
}

TEST_F(AssetStoreTest, RefusesWhatIsNoPicture) {
  const auto put = Run(store_.Put("x.png", "<html><svg></svg></html>"));
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.failure().type, "InvalidAsset");
  EXPECT_FALSE(Run(store_.Read("x.png"))->has_value());
}

TEST_F(AssetStoreTest, AKeyBelowAnAssetIsAFailureNotACrash) {
  ASSERT_TRUE(Run(store_.Put("a", kPng)).ok());
  EXPECT_FALSE(Run(store_.Put("a/b", kPng)).ok());
  EXPECT_FALSE(*Run(store_.Delete("a/b")));
  EXPECT_TRUE(Run(store_.Read("a"))->has_value());
}

TEST(DetectContentType, KnowsTheFourAndNothingElse) {
  EXPECT_EQ(assets::DetectContentType(kPng), "image/png");
  EXPECT_EQ(assets::DetectContentType("\xFF\xD8\xFF\xE0"), "image/jpeg");
  EXPECT_EQ(assets::DetectContentType("%PDF-1.7"), "application/pdf");
  EXPECT_EQ(assets::DetectContentType("\xEF\xBB\xBF <svg/>"), "image/svg+xml");
  EXPECT_EQ(assets::DetectContentType("<!DOCTYPE svg><svg>"), "image/svg+xml");
  for (const char* other : {"", "GIF89a", "<svgx>", "<!-- <svg>", "<html>", "svg"}) {
    EXPECT_EQ(assets::DetectContentType(other), "") << other;
  }
}

}  // namespace
}  // namespace connector_test
