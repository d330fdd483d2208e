// Buffer: one post per marker, also when its answers come as HTTP 200 and are lost.
#include "activities/connectors/buffer/buffer_client.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"

namespace connector_test {
namespace {

using buffer::BufferClient;
using buffer::Post;

class BufferTest : public SandboxTest {
 protected:
  buffer::PostSpec Spec(const std::string& workflow_id = "wf-1") {
    return {.channel_id = "channel-linkedin",
            .text = "Spring is here https://acme.example.com/?utm_id=" + workflow_id + "&x=1",
            .marker = "utm_id=" + workflow_id + "&",
            .due_at = clock().Now() + absl::Minutes(15),
            .since = clock().Now() - absl::Minutes(1),
            .image_url = "https://assets.example.com/a.png"};
  }
  BufferClient client_{outbound(), {.base_url = url("/buffer"), .token = "buffer-contract"}};
};

TEST_F(BufferTest, MakesOnePostHoweverOftenAsked) {
  const auto first = Run(client_.EnsurePost(Spec(), Context("wf-1")));
  ASSERT_TRUE(first.ok()) << first.failure().ToString();
  EXPECT_TRUE(first->created);
  EXPECT_EQ(first->status, "scheduled");
  const auto second = Run(client_.EnsurePost(Spec(), Context("wf-1")));
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(second->created);
  EXPECT_EQ(first->id, second->id);
  EXPECT_EQ(AliveCount("buffer", "post"), 1);
  const Json posts = Resources("buffer", "post")["resources"];
  EXPECT_EQ(posts[0]["detail"]["assets"][0]["image"]["url"], "https://assets.example.com/a.png");
}

class BufferFaultTest : public BufferTest, public testing::WithParamInterface<const char*> {};

TEST_P(BufferFaultTest, LeavesOnePost) {
  AddFault(
      Json{{"vendor", "buffer"}, {"operation", "createPost"}, {"kind", GetParam()}, {"count", 2}}
          .dump());
  buffer::PostSpec spec = Spec();
  spec.first_try = true;
  const auto post = Run(client_.EnsurePost(spec, Context("wf-1")));
  ASSERT_TRUE(post.ok()) << post.failure().ToString();
  EXPECT_EQ(Resources("buffer", "post")["resources"].size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Faults, BufferFaultTest,
                         testing::Values("lost_response", "reset", "error", "malformed",
                                         "rate_limit"));

TEST_F(BufferTest, UndoTwiceIsFine) {
  const auto post = Run(client_.EnsurePost(Spec(), Context("wf-1")));
  ASSERT_TRUE(post.ok());
  AddFault(R"({"vendor":"buffer","operation":"deletePost","kind":"lost_response","count":1})");
  ASSERT_TRUE(Run(client_.DeletePost(post->id, Context("wf-1"))).ok());
  const auto again = Run(client_.DeletePost(post->id, Context("wf-1")));
  ASSERT_TRUE(again.ok()) << again.failure().ToString();
  EXPECT_FALSE(*again);
  EXPECT_EQ(AliveCount("buffer", "post"), 0);
}

TEST_F(BufferTest, UndoFindsPostsByTheirMarkerAndNoOthers) {
  ASSERT_TRUE(Run(client_.EnsurePost(Spec("wf-1"), Context("wf-1"))).ok());
  ASSERT_TRUE(Run(client_.EnsurePost(Spec("wf-11"), Context("wf-11"))).ok());
  const buffer::PostSpec spec = Spec("wf-1");
  const auto deleted =
      Run(client_.DeletePosts(spec.channel_id, spec.marker, spec.since, Context("wf-1")));
  ASSERT_TRUE(deleted.ok()) << deleted.failure().ToString();
  EXPECT_EQ(deleted->size(), 1u);
  EXPECT_EQ(AliveCount("buffer", "post"), 1);
  const auto again =
      Run(client_.DeletePosts(spec.channel_id, spec.marker, spec.since, Context("wf-1")));
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->empty());
}

// Found by tests/e2e/chaos.py: the server's clock had jumped by an hour, a lost answer led to a
// look for posts made since then, and to a second post.
TEST_F(BufferTest, FindsItsPostThoughOurClockIsHoursAhead) {
  ASSERT_TRUE(Run(client_.EnsurePost(Spec(), Context("wf-1"))).ok());
  buffer::PostSpec ahead = Spec();
  ahead.since += absl::Hours(12);
  const auto again = Run(client_.EnsurePost(ahead, Context("wf-1")));
  ASSERT_TRUE(again.ok()) << again.failure().ToString();
  EXPECT_FALSE(again->created);
  EXPECT_EQ(AliveCount("buffer", "post"), 1);
}

TEST_F(BufferTest, FindsAPostBehindManyPages) {
  ASSERT_TRUE(Run(client_.EnsurePost(Spec("wf-first"), Context("wf-first"))).ok());
  for (int i = 0; i < 120; ++i) {
    buffer::PostSpec other = Spec("other-" + std::to_string(i));
    other.first_try = true;
    ASSERT_TRUE(Run(client_.EnsurePost(other, Context("wf-x"))).ok());
  }
  const buffer::PostSpec spec = Spec("wf-first");
  const auto found =
      Run(client_.FindPost(spec.channel_id, spec.marker, spec.since, Context("wf-first")));
  ASSERT_TRUE(found.ok()) << found.failure().ToString();
  EXPECT_TRUE(found->has_value());
}

TEST_F(BufferTest, ListsChannels) {
  const auto channels = Run(client_.ListChannels(Context("wf-1")));
  ASSERT_TRUE(channels.ok()) << channels.failure().ToString();
  ASSERT_FALSE(channels->empty());
  EXPECT_EQ(channels->front().service, "linkedin");
}

TEST_F(BufferTest, TypedErrorsInsideTwoHundredAreFailures) {
  buffer::PostSpec spec = Spec();
  spec.channel_id = "missing-channel";
  spec.first_try = true;
  const auto missing = Run(client_.EnsurePost(spec, Context("wf-1")));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.failure().type, "NotFound");
  spec = Spec();
  spec.text = spec.marker + std::string(4000, 'x');
  const auto long_text = Run(client_.EnsurePost(spec, Context("wf-1")));
  ASSERT_FALSE(long_text.ok());
  EXPECT_EQ(long_text.failure().type, "InvalidRequest");
  EXPECT_FALSE(long_text.failure().retryable);
  BufferClient stranger(outbound(), {.base_url = url("/buffer"), .token = "invalid"});
  const auto refused = Run(stranger.ListChannels(Context("wf-1")));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure().type, "Unauthorized");
  spec.marker = "not in the text";
  EXPECT_FALSE(Run(client_.EnsurePost(spec, Context("wf-1"))).ok());
}

}  // namespace
}  // namespace connector_test
