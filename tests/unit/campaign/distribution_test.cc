// The distribution over channels that a test plays, in virtual time: a mail and a post that wait
// for their time at vendors that go away and come back, a page that is public at once; and a server
// that is killed at every record of the journal.
#include "activities/campaign/distribution.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "activities/campaign/distribute_journal.h"
#include "activities/campaign/names.h"
#include "activities/campaign/undo_report.h"
#include "gtest/gtest.h"
#include "orchestrator/base/log.h"
#include "orchestrator/history/time.h"
#include "tests/support/manual_loop.h"

namespace campaign {
namespace {

using base::Outcome;
using base::Task;

constexpr absl::Duration kWindow = absl::Minutes(15);

struct Vendor {
  struct Item {
    std::string id;
    absl::Time made_at;
    absl::Time send_at;
    absl::Time gone_at = absl::InfiniteFuture();  // canceled, deleted
    bool Lives() const { return gone_at >= send_at; }
  };
  absl::Duration down_from = absl::InfiniteDuration();
  absl::Duration down_until = absl::ZeroDuration();
  absl::Duration pause = absl::Seconds(10);  // to the breaker's next probe
  std::vector<Item> items;
};

// What lasts when the server is killed, and the time.
struct World {
  test::ManualLoop loop;
  absl::Time start = loop.clock().Now();
  Vendor mails;
  Vendor posts;
  int pages = 0;
  std::optional<orchestrator::v1::Payload> checkpoint;
  int saves = 0;
  int kill_at_save = 0;           // 0: never
  bool kill_before_save = false;  // or just after it
  bool dead = false;

  absl::Duration elapsed() { return loop.clock().Now() - start; }
  // Why a call does not get through now.
  std::optional<base::Failure> Trouble(Vendor& vendor) {
    if (dead) return base::Failure::Canceled("killed");
    if (elapsed() < vendor.down_from || elapsed() >= vendor.down_until) {
      vendor.pause = absl::Seconds(10);
      return std::nullopt;
    }
    const absl::Duration pause = vendor.pause;
    vendor.pause = std::min(vendor.pause * 2, absl::Minutes(5));
    return base::Failure::NotAttempted("CircuitOpen", "its breaker is open", pause);
  }
  std::vector<Vendor::Item> Living(const Vendor& vendor) {
    std::vector<Vendor::Item> living;
    std::copy_if(vendor.items.begin(), vendor.items.end(), std::back_inserter(living),
                 [](const Vendor::Item& item) { return item.Lives(); });
    return living;
  }
};

class Context : public sdk::ActivityContext {
 public:
  explicit Context(World& world) : world_(world) {
    info_.workflow_id = "wf-1";
    info_.scheduled_time = info_.started_time = world.loop.clock().Now();
    info_.deadline = world.loop.clock().Now() + absl::Minutes(10);
    loop_ = &world.loop;
    last_heartbeat_ = world.checkpoint;
  }
  Task<sdk::Done> RecordHeartbeatRaw(orchestrator::v1::Payload details) override {
    if (world_.dead) co_return base::Failure::Canceled("killed");
    const bool killed = ++world_.saves == world_.kill_at_save;
    if (!killed || !world_.kill_before_save) world_.checkpoint = details;
    world_.dead = killed;
    if (killed) co_return base::Failure::Canceled("killed");
    co_return base::Unit{};
  }

 private:
  World& world_;
};

// The parts of a channel that these tests do not use.
class TestChannel : public Channel {
 public:
  explicit TestChannel(World& world) : world_(world) {}
  base::Done Check(const v1::CampaignSpec&) const override { return base::Unit{}; }
  std::vector<ChannelCall> Plan(const ChannelPlan&) const override { return {}; }
  Task<void> UndoLate(ChannelUndo, UndoReport*, outbound::CallContext) const override { co_return; }

 protected:
  World& world_;
};

class Mails : public TestChannel {
 public:
  using TestChannel::TestChannel;
  absl::string_view name() const override { return kEmail; }
  Task<Outcome<v1::ChannelResult>> Publish(v1::DistributeInput, DistributeJournal* journal,
                                           outbound::CallContext) const override {
    if (journal->checkpoint().email_accepted()) co_return v1::ChannelResult();
    if (auto trouble = world_.Trouble(world_.mails)) co_return *trouble;
    const std::string id = absl::StrCat("batch-", world_.mails.items.size());
    const std::vector<std::string> used(journal->checkpoint().email_batch_ids().begin(),
                                        journal->checkpoint().email_batch_ids().end());
    for (const std::string& old : used) Cancel(old);
    base::Done saved = co_await journal->Save(
        [id](v1::DistributeCheckpoint& saving) { saving.add_email_batch_ids(id); });
    if (!saved.ok()) co_return saved.failure();
    world_.mails.items.push_back(
        {.id = id,
         .made_at = world_.loop.clock().Now(),
         .send_at = history::FromProto(journal->checkpoint().email_send_at())});
    saved = co_await journal->Save(
        [](v1::DistributeCheckpoint& saving) { saving.set_email_accepted(true); });
    if (!saved.ok()) co_return saved.failure();
    co_return v1::ChannelResult();
  }
  Task<void> Undo(ChannelUndo undo, UndoReport* report, outbound::CallContext) const override {
    if (auto trouble = world_.Trouble(world_.mails)) {
      report->AddFailure(*trouble, "email");
      co_return;
    }
    for (const std::string& id : undo.happened.email_batch_ids()) Cancel(id);
  }

 private:
  void Cancel(const std::string& id) const {
    for (Vendor::Item& item : world_.mails.items) {
      if (item.id != id || item.gone_at != absl::InfiniteFuture()) continue;
      const absl::Time now = world_.loop.clock().Now();
      // SendGrid promises no more than this.
      if (now <= item.send_at - absl::Minutes(10)) item.gone_at = now;
    }
  }
};

class Posts : public TestChannel {
 public:
  using TestChannel::TestChannel;
  absl::string_view name() const override { return kSocial; }
  Task<Outcome<v1::ChannelResult>> Publish(v1::DistributeInput, DistributeJournal* journal,
                                           outbound::CallContext) const override {
    const v1::DistributeCheckpoint& checkpoint = journal->checkpoint();
    if (!checkpoint.social_posts().empty()) co_return v1::ChannelResult();
    if (auto trouble = world_.Trouble(world_.posts)) co_return *trouble;
    const bool look = !checkpoint.social_started().empty();
    if (!look) {
      const absl::Time now = journal->Now();
      const base::Done saved = co_await journal->Save([now](v1::DistributeCheckpoint& saving) {
        saving.add_social_started("c");
        *saving.mutable_social_started_at() = history::ToProto(now);
      });
      if (!saved.ok()) co_return saved.failure();
    }
    std::string id;
    for (const Vendor::Item& item : world_.posts.items) {
      if (look && item.Lives()) id = item.id;
    }
    if (id.empty()) {
      id = absl::StrCat("post-", world_.posts.items.size());
      const absl::Time due = history::FromProto(journal->checkpoint().email_send_at());
      world_.posts.items.push_back({.id = id,
                                    .made_at = world_.loop.clock().Now(),
                                    .send_at = std::max(due, world_.loop.clock().Now())});
    }
    const base::Done saved = co_await journal->Save(
        [id](v1::DistributeCheckpoint& saving) { saving.add_social_posts()->set_post_id(id); });
    if (!saved.ok()) co_return saved.failure();
    co_return v1::ChannelResult();
  }
  Task<void> Undo(ChannelUndo, UndoReport* report, outbound::CallContext) const override {
    if (auto trouble = world_.Trouble(world_.posts)) {
      report->AddFailure(*trouble, "social");
      co_return;
    }
    for (Vendor::Item& item : world_.posts.items) {
      const absl::Time now = world_.loop.clock().Now();
      if (item.gone_at == absl::InfiniteFuture() && now < item.send_at) item.gone_at = now;
    }
  }
};

class Pages : public TestChannel {
 public:
  using TestChannel::TestChannel;
  absl::string_view name() const override { return kBlog; }
  Task<Outcome<v1::ChannelResult>> Publish(v1::DistributeInput, DistributeJournal*,
                                           outbound::CallContext) const override {
    if (world_.dead) co_return base::Failure::Canceled("killed");
    world_.pages = 1;
    co_return v1::ChannelResult();
  }
  Task<void> Undo(ChannelUndo, UndoReport*, outbound::CallContext) const override {
    ADD_FAILURE() << "what is public at once stays";
    co_return;
  }
};

// The engine's part: attempts one after another, until the activity ends. `server_down_for`: how
// long a killed server stays away.
Outcome<v1::DistributeOutput> RunToItsEnd(World& world,
                                          absl::Duration server_down_for = absl::Seconds(1)) {
  base::SetLogLevel(base::LogLevel::kOff);
  Channels channels;
  channels.push_back(std::make_unique<Mails>(world));
  channels.push_back(std::make_unique<Posts>(world));
  channels.push_back(std::make_unique<Pages>(world));
  v1::DistributeInput input;
  input.set_workflow_id("wf-1");
  for (const char* channel : {"email", "social", "blog"}) {
    input.mutable_campaign()->add_channels(channel);
  }
  for (int turn = 0, attempts = 0; turn < 1000; ++turn) {
    Context context(world);
    std::optional<Outcome<v1::DistributeOutput>> result;
    base::Spawn(
        RunDistribution(channels, {.undo_window = kWindow, .settle_delay = absl::Seconds(1)},
                        context, input),
        [&result](std::exception_ptr, Outcome<v1::DistributeOutput>* value) {
          result = std::move(*value);
        });
    const absl::Time attempt_end = world.loop.clock().Now() + absl::Hours(1);
    while (!result.has_value() && world.loop.clock().Now() < attempt_end) {
      world.loop.Advance(absl::Milliseconds(100));
    }
    if (!result.has_value()) return base::Failure::Permanent("Endless", "an attempt does not end");
    if (world.dead) {
      world.dead = false;
      world.kill_at_save = 0;
      world.loop.Advance(server_down_for);
      continue;
    }
    if (result->ok() || !result->failure().retryable) return *std::move(result);
    EXPECT_TRUE(result->failure().effect_unknown);
    if (!result->failure().not_attempted && ++attempts >= 2) return *std::move(result);
    world.loop.Advance(std::max(result->failure().retry_after, absl::Seconds(1)));
  }
  return base::Failure::Permanent("Endless", "it does not end");
}

// Once, together, with a whole undo window, and what was taken back was so for certain.
void ExpectSentOnceAndTogether(World& world) {
  const std::vector<Vendor::Item> mails = world.Living(world.mails);
  const std::vector<Vendor::Item> posts = world.Living(world.posts);
  ASSERT_EQ(mails.size(), 1u);
  ASSERT_EQ(posts.size(), 1u);
  // A post that was made, but not recorded, when the server was killed keeps its time.
  EXPECT_GE(mails[0].send_at, posts[0].send_at);
  EXPECT_LE(mails[0].send_at, posts[0].send_at + absl::Seconds(2));
  EXPECT_GE(mails[0].send_at - mails[0].made_at, absl::Minutes(11));
  EXPECT_EQ(world.pages, 1);
}

TEST(Distribution, HandsOverOnceWhenAllIsWell) {
  World world;
  ASSERT_TRUE(RunToItsEnd(world).ok());
  ExpectSentOnceAndTogether(world);
  EXPECT_EQ(world.mails.items.size(), 1u);
}

TEST(Distribution, AShortOutageWaits) {
  World world;
  world.posts.down_from = absl::ZeroDuration();
  world.posts.down_until = absl::Seconds(60);
  ASSERT_TRUE(RunToItsEnd(world).ok());
  ExpectSentOnceAndTogether(world);
  EXPECT_EQ(world.mails.items.size(), 1u);
}

TEST(Distribution, AnOutageOfAnHourPostponesAndSendsNothingTwice) {
  for (const bool mails_down : {false, true}) {
    World world;
    Vendor& down = mails_down ? world.mails : world.posts;
    Vendor& up = mails_down ? world.posts : world.mails;
    down.down_from = absl::ZeroDuration();
    down.down_until = absl::Hours(1);
    ASSERT_TRUE(RunToItsEnd(world).ok());
    ExpectSentOnceAndTogether(world);
    EXPECT_EQ(down.items.size(), 1u);
    EXPECT_EQ(up.items.size(), 2u);  // taken back once, and not handed over before the other is
    EXPECT_GE(world.Living(up)[0].send_at - world.start, absl::Hours(1));
  }
}

TEST(Distribution, AKillAtEveryRecordChangesNothing) {
  for (const bool before : {false, true}) {
    bool each_was_lost = false;
    for (int save = 1; save < 60; ++save) {
      SCOPED_TRACE(absl::StrCat("killed ", before ? "before" : "after", " record ", save));
      World world;
      world.kill_at_save = save;
      world.kill_before_save = before;
      world.posts.down_from = absl::Seconds(0);
      world.posts.down_until = absl::Minutes(40);
      const Outcome<v1::DistributeOutput> output = RunToItsEnd(world);
      ASSERT_TRUE(output.ok()) << output.failure().ToString();
      ExpectSentOnceAndTogether(world);
      if (world.kill_at_save == 0) continue;
      EXPECT_GT(save, 10);  // there were so many records, and no more
      each_was_lost = true;
      break;
    }
    EXPECT_TRUE(each_was_lost) << "there are more records than kills";
  }
}

TEST(Distribution, WhatWentOutWhileTheServerWasDownIsNotSentAgain) {
  World world;
  world.posts.down_from = absl::ZeroDuration();
  world.posts.down_until = absl::Minutes(30);
  world.kill_at_save = 3;  // the mail was handed over
  ASSERT_TRUE(RunToItsEnd(world, /*server_down_for=*/absl::Minutes(20)).ok());
  EXPECT_EQ(world.mails.items.size(), 1u);
  EXPECT_EQ(world.Living(world.mails).size(), 1u);
  EXPECT_EQ(world.Living(world.posts).size(), 1u);
}

TEST(Distribution, AMailThatCannotBeTakenBackInTimeGoesOutOnceAndTheRestFollows) {
  World world;
  world.posts.down_from = absl::ZeroDuration();
  world.posts.down_until = absl::Minutes(30);
  world.mails.down_from = absl::Seconds(30);  // after it took the mail
  world.mails.down_until = absl::Minutes(25);
  const Outcome<v1::DistributeOutput> output = RunToItsEnd(world);
  ASSERT_TRUE(output.ok()) << output.failure().ToString();
  EXPECT_EQ(world.mails.items.size(), 1u);
  EXPECT_EQ(world.Living(world.mails).size(), 1u);
  EXPECT_EQ(world.Living(world.posts).size(), 1u);
}

TEST(Distribution, PostsAreTakenBackBeforeAMailWouldComeTooLate) {
  World world;
  world.mails.down_from = absl::ZeroDuration();
  world.mails.down_until =
      absl::Minutes(6);  // after the mail's last chance, before the posts' time
  ASSERT_TRUE(RunToItsEnd(world).ok());
  ExpectSentOnceAndTogether(world);
  EXPECT_EQ(world.posts.items.size(), 2u);
}

}  // namespace
}  // namespace campaign
