// The schedule workflow in virtual time, against a pretended engine: runs that are open for a
// while. Every run of the workflow is replayed at its end by WorkflowTestEnv. Each continue-as-new
// begins in a new environment, whose clock begins anew: the schedule sees its clock go back.
#include "orchestrator/schedules/schedule_workflow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "orchestrator/history/time.h"
#include "orchestrator/sdk/testing/workflow_test_env.h"

namespace schedules {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Policy = v1::OverlapPolicy;
using sdk::testing::WorkflowTestEnv;

// The environment's time begins here: 2027-01-15T08:00:00Z.
constexpr absl::Time kBegin = absl::FromUnixSeconds(1'800'000'000);

absl::Time At(const char* text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return time;
}

std::string Text(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

class ScheduleWorkflowTest : public ::testing::Test {
 protected:
  ScheduleWorkflowTest() {
    input_.set_schedule_id("s");
    input_.mutable_schedule()->mutable_action()->set_workflow_type("report");
    spec().add_crons("0 * * * *");
  }
  v1::ScheduleSpec& spec() { return *input_.mutable_schedule()->mutable_spec(); }
  v1::SchedulePolicies& policies() { return *input_.mutable_schedule()->mutable_policies(); }
  void EndAfter(absl::Duration duration) {
    *spec().mutable_end_time() = history::ToProto(kBegin + duration);
  }

  // Runs the schedule to its end, over continue-as-new; `script` fills the first environment.
  v1::ScheduleInfo Run(const std::function<void(WorkflowTestEnv&)>& script = nullptr) {
    v1::Payload input = history::ToPayload(input_);
    for (environments_ = 1; environments_ < 100; ++environments_) {
      WorkflowTestEnv env;
      SetUpEnv(env);
      if (script != nullptr && environments_ == 1) script(env);
      env.Start(kScheduleType, input);
      const sdk::Outcome<v1::ScheduleInfo> info = env.Result<v1::ScheduleInfo>();
      events_ = env.History().size();
      if (info.ok()) return *info;
      if (info.failure().type != "ContinuedAsNew") {
        ADD_FAILURE() << info.failure().ToString();
        return {};
      }
      input = env.History().back().workflow_execution_continued_as_new().input();
      EXPECT_LT(events_, 5000u);
    }
    ADD_FAILURE() << "does not end";
    return {};
  }

  void SetUpEnv(WorkflowTestEnv& env) {
    env_ = &env;
    env.AddWorkflow<v1::ScheduleInput, v1::ScheduleInfo>(kScheduleType, &RunSchedule);
    env.OnActivity(
        kStart, [this](const v1::StartWorkflowRequest& request) { return Start(request); },
        {.takes = start_takes_, .defaults = {.start_to_close_timeout = absl::Hours(100)}});
    env.OnActivity(kLook, [this](const v1::ScheduledRuns& runs) -> sdk::Outcome<v1::ScheduledRuns> {
      v1::ScheduledRuns open;
      for (const auto& run : runs.runs()) {
        if (IsOpen(run.workflow_id())) *open.add_runs() = run;
      }
      return open;
    });
    env.OnActivity(kWatch,
                   [this](const v1::ScheduledRuns& runs) -> sdk::Outcome<v1::ScheduledRuns> {
                     for (const auto& run : runs.runs()) {
                       if (IsOpen(run.workflow_id()))
                         return sdk::Failure::Retryable("Open", "is open");
                     }
                     return runs;
                   },
                   {.defaults = {.start_to_close_timeout = absl::Hours(1000),
                                 .retry = sdk::RetryPolicy{.initial_interval = absl::Minutes(1),
                                                           .backoff_coefficient = 1,
                                                           .jitter = 0}}});
    env.OnActivity(kStop, [this](const v1::ScheduledRuns& runs) -> sdk::Outcome<v1::ScheduledRuns> {
      for (const auto& run : runs.runs()) {
        stopped_.push_back((runs.terminate() ? "T " : "C ") + run.workflow_id());
        // What is canceled still undoes what it did.
        ends_[run.workflow_id()] =
            env_->Now() + (runs.terminate() ? absl::ZeroDuration() : absl::Minutes(5));
      }
      return runs;
    });
  }

  sdk::Outcome<v1::StartWorkflowResponse> Start(const v1::StartWorkflowRequest& request) {
    if (refuse_) return sdk::Failure::Permanent("InvalidArgument", "no such type");
    v1::StartWorkflowResponse response;
    response.set_run_id("run of " + request.workflow_id());
    response.set_already_started(ends_.contains(request.workflow_id()));
    EXPECT_EQ(request.search_attributes().fields().at("ScheduleId").keyword(), "s");
    if (response.already_started()) return response;
    starts_.push_back(request.workflow_id());
    start_times_.push_back(env_->Now());
    ends_[request.workflow_id()] = env_->Now() + run_takes_;
    return response;
  }
  bool IsOpen(const std::string& workflow_id) const {
    return ends_.contains(workflow_id) && env_->Now() < ends_.at(workflow_id);
  }
  // The starts as hours and minutes of the first days.
  std::string Starts() const {
    std::vector<std::string> texts;
    for (const std::string& id : starts_) texts.push_back(id.substr(id.find('T') + 1, 5));
    return absl::StrJoin(texts, " ");
  }

  v1::ScheduleInput input_;
  absl::Duration run_takes_ = absl::Minutes(1);
  absl::Duration start_takes_ = absl::ZeroDuration();
  bool refuse_ = false;
  std::vector<std::string> starts_;  // workflow ids, in order
  std::vector<absl::Time> start_times_;
  std::map<std::string, absl::Time> ends_;
  std::vector<std::string> stopped_;
  WorkflowTestEnv* env_ = nullptr;
  int environments_ = 0;
  size_t events_ = 0;
};

TEST_F(ScheduleWorkflowTest, StartsOnceADayOverAYearWithBothClockChanges) {
  spec().clear_crons();
  spec().add_crons("30 2 * * *");
  spec().set_time_zone("Europe/Berlin");
  EndAfter(absl::Hours(24 * 365));
  const v1::ScheduleInfo info = Run();
  ASSERT_EQ(starts_.size(), 365u);
  EXPECT_EQ(std::set<std::string>(starts_.begin(), starts_.end()).size(), 365u);
  EXPECT_EQ(info.counts().started(), 365);
  EXPECT_EQ(info.counts().missed() + info.counts().skipped() + info.counts().failed(), 0);
  EXPECT_EQ(starts_.front(), "s-2027-01-16T01:30:00Z");
  EXPECT_EQ(starts_.back(), "s-2028-01-15T01:30:00Z");
  // 28 March: 02:30 does not exist. 31 October: it is there twice.
  EXPECT_THAT(starts_, ::testing::IsSupersetOf({"s-2027-03-27T01:30:00Z", "s-2027-03-28T01:00:00Z",
                                                "s-2027-03-29T00:30:00Z", "s-2027-10-31T00:30:00Z",
                                                "s-2027-11-01T01:30:00Z"}));
  for (size_t i = 0; i < starts_.size(); ++i) {
    EXPECT_EQ(starts_[i], "s-" + Text(start_times_[i]));  // never early, never late
  }
  EXPECT_GE(environments_, 2);  // its history stays small
  EXPECT_EQ(info.recent_size(), 10);
}

TEST_F(ScheduleWorkflowTest, SkipsWhileARunIsOpen) {
  run_takes_ = absl::Minutes(90);
  EndAfter(absl::Hours(6));
  const v1::ScheduleInfo info = Run();
  EXPECT_EQ(Starts(), "09:00 11:00 13:00");
  EXPECT_EQ(info.counts().skipped(), 3);
}

TEST_F(ScheduleWorkflowTest, BuffersOne) {
  policies().set_overlap(Policy::BUFFER_ONE);
  run_takes_ = absl::Minutes(150);
  EndAfter(absl::Hours(5));  // 9, 10, 11, 12, 13
  const v1::ScheduleInfo info = Run();
  // 9 runs until 11:30; 10 waits, 11 is skipped; 10 runs until 14:00; 12 waits, 13 is skipped.
  EXPECT_EQ(Starts(), "09:00 10:00 12:00");
  EXPECT_EQ(Text(start_times_[1]), "2027-01-15T11:30:00Z");
  EXPECT_EQ(info.counts().skipped(), 2);
}

TEST_F(ScheduleWorkflowTest, BuffersAll) {
  policies().set_overlap(Policy::BUFFER_ALL);
  run_takes_ = absl::Minutes(150);
  EndAfter(absl::Hours(5));
  const v1::ScheduleInfo info = Run();
  EXPECT_EQ(Starts(), "09:00 10:00 11:00 12:00 13:00");
  EXPECT_EQ(Text(start_times_[4]), "2027-01-15T19:00:00Z");
  EXPECT_EQ(info.counts().skipped(), 0);
}

TEST_F(ScheduleWorkflowTest, AllowsOverlap) {
  policies().set_overlap(Policy::ALLOW);
  run_takes_ = absl::Hours(100);
  EndAfter(absl::Hours(3));
  Run();
  EXPECT_EQ(Starts(), "09:00 10:00 11:00");
}

TEST_F(ScheduleWorkflowTest, CancelsTheOtherAndWaitsForItsEnd) {
  policies().set_overlap(Policy::CANCEL_OTHER);
  run_takes_ = absl::Minutes(90);
  EndAfter(absl::Hours(2));
  Run();
  EXPECT_EQ(Starts(), "09:00 10:00");
  EXPECT_THAT(stopped_, ElementsAre("C s-2027-01-15T09:00:00Z"));
  EXPECT_EQ(Text(start_times_[1]), "2027-01-15T10:05:00Z");
}

TEST_F(ScheduleWorkflowTest, TerminatesTheOther) {
  policies().set_overlap(Policy::TERMINATE_OTHER);
  run_takes_ = absl::Minutes(90);
  EndAfter(absl::Hours(2));
  Run();
  EXPECT_THAT(stopped_, ElementsAre("T s-2027-01-15T09:00:00Z"));
  EXPECT_EQ(Text(start_times_[1]), "2027-01-15T10:00:00Z");
}

TEST_F(ScheduleWorkflowTest, WhatIsLateIsMadeUpForWithinTheCatchUpWindow) {
  policies().mutable_catch_up_window()->set_seconds(3600 * 2);
  policies().set_overlap(Policy::ALLOW);
  start_takes_ = absl::Hours(5) + absl::Minutes(30);  // as if the engine were down
  EndAfter(absl::Hours(6));
  const v1::ScheduleInfo info = Run();
  // The start of 9 ends at 14:30: 10, 11 and 12 are too late, 13 and 14 are not.
  EXPECT_EQ(Starts(), "09:00 13:00 14:00");
  EXPECT_EQ(info.counts().missed(), 3);
}

TEST_F(ScheduleWorkflowTest, ARefusedStartIsCountedAndShown) {
  refuse_ = true;
  EndAfter(absl::Hours(2));
  const v1::ScheduleInfo info = Run();
  EXPECT_EQ(info.counts().failed(), 2);
  EXPECT_EQ(info.recent(0).failure().message(), "no such type");
}

TEST_F(ScheduleWorkflowTest, PausedItStartsNothingAndMakesUpForNothing) {
  EndAfter(absl::Hours(6));
  const v1::ScheduleInfo info = Run([](WorkflowTestEnv& env) {
    env.At(absl::Minutes(90), [&env] {  // 9:30
      v1::PauseScheduleRequest request;
      request.set_note("budget");
      const auto info = env.Update<v1::ScheduleInfo>(kPause, request);
      ASSERT_TRUE(info.ok()) << info.failure().ToString();
      EXPECT_TRUE(info->paused());
      EXPECT_EQ(info->note(), "budget");
    });
    env.At(absl::Minutes(210), [&env] {  // 11:30
      ASSERT_TRUE(env.Update<v1::ScheduleInfo>(kResume, v1::PauseScheduleRequest()).ok());
    });
  });
  EXPECT_EQ(Starts(), "09:00 12:00 13:00 14:00");
  EXPECT_EQ(info.revision(), 3);
}

TEST_F(ScheduleWorkflowTest, ATriggerStartsNowAlsoWhenPausedAndOnceForARequest) {
  EndAfter(absl::Hours(3));
  input_.set_paused(true);
  std::string first;
  const v1::ScheduleInfo info = Run([&first](WorkflowTestEnv& env) {
    env.At(absl::Minutes(10), [&] {
      v1::TriggerScheduleRequest request;
      request.set_request_id("r1");
      first = env.Update<v1::TriggerScheduleResponse>(kTrigger, request)->workflow_id();
      EXPECT_EQ(env.Update<v1::TriggerScheduleResponse>(kTrigger, request)->workflow_id(), first);
      request.set_request_id("r2");
      EXPECT_NE(env.Update<v1::TriggerScheduleResponse>(kTrigger, request)->workflow_id(), first);
    });
    env.At(absl::Minutes(150), [&env] {
      ASSERT_TRUE(env.Update<v1::ScheduleInfo>(kResume, v1::PauseScheduleRequest()).ok());
    });
  });
  EXPECT_THAT(starts_, ElementsAre("s-2027-01-15T08:10:00.000Z", "s-2027-01-15T08:10:00.001Z",
                                   "s-2027-01-15T11:00:00Z"));
  EXPECT_EQ(first, starts_[0]);
  EXPECT_EQ(info.counts().started(), 3);
}

TEST_F(ScheduleWorkflowTest, ABackfillStartsWhatHadNoStartOneAfterTheOther) {
  EndAfter(absl::Hours(3));
  run_takes_ = absl::Minutes(10);
  const v1::ScheduleInfo info = Run([](WorkflowTestEnv& env) {
    env.At(absl::Minutes(130), [&env] {  // 10:10; 9 and 10 had their start
      v1::BackfillScheduleRequest request;
      v1::ScheduleBackfill* backfill = request.add_backfills();
      *backfill->mutable_start_time() = history::ToProto(At("2027-01-15T06:00:00Z"));
      *backfill->mutable_end_time() = history::ToProto(At("2027-01-15T09:00:00Z"));
      const auto info = env.Update<v1::ScheduleInfo>(kBackfill, request);
      ASSERT_TRUE(info.ok()) << info.failure().ToString();
      EXPECT_EQ(info->backfills_size(), 1);
    });
  });
  EXPECT_EQ(Starts(), "09:00 10:00 06:00 07:00 08:00 11:00");
  EXPECT_EQ(Text(start_times_[2]), "2027-01-15T10:10:00Z");
  EXPECT_EQ(Text(start_times_[3]), "2027-01-15T10:20:00Z");
  EXPECT_EQ(info.counts().already_started(), 1);
  EXPECT_EQ(info.backfills_size(), 0);
}

TEST_F(ScheduleWorkflowTest, AnUpdateChangesTimesFromNowOnAndIsChecked) {
  EndAfter(absl::Hours(6));
  v1::UpdateScheduleRequest update;
  v1::ScheduleSpec changed = spec();
  changed.set_crons(0, "30 * * * *");
  Run([&](WorkflowTestEnv& env) {
    env.At(absl::Minutes(100), [&] {  // 9:40
      update.mutable_schedule()->mutable_spec()->add_crons("99 * * * *");
      update.mutable_schedule()->mutable_spec()->set_time_zone("Mars/Olympus");
      const auto refused = env.Update<v1::ScheduleInfo>(kUpdate, update);
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ(refused.failure().type, kInvalid);
      EXPECT_THAT(refused.failure().message,
                  HasSubstr("schedule.spec.crons[0]: cron field minute"));
      EXPECT_THAT(refused.failure().message, HasSubstr("schedule.spec.time_zone"));
      *update.mutable_schedule()->mutable_spec() = changed;
      update.set_revision(7);
      EXPECT_EQ(env.Update<v1::ScheduleInfo>(kUpdate, update).failure().type, kOtherRevision);
      update.set_revision(1);
      EXPECT_EQ(env.Update<v1::ScheduleInfo>(kUpdate, update)->revision(), 2);
    });
    env.At(absl::Minutes(250), [&] {  // 12:10
      v1::DescribeScheduleQuery query;
      *query.mutable_now() = history::ToProto(env.Now());
      query.set_next_times(2);
      const auto info = env.Query<v1::ScheduleInfo>(kDescribe, query);
      ASSERT_TRUE(info.ok());
      ASSERT_EQ(info->next_times_size(), 2);
      EXPECT_EQ(Text(history::FromProto(info->next_times(0))), "2027-01-15T12:30:00Z");
      EXPECT_EQ(info->recent_size(), 3);
      ASSERT_TRUE(env.Update<v1::ScheduleInfo>(kDelete, v1::DeleteScheduleRequest()).ok());
    });
  });
  EXPECT_EQ(Starts(), "09:00 10:30 11:30");
}

TEST_F(ScheduleWorkflowTest, DeletedWhileAStartWaitsItEnds) {
  policies().set_overlap(Policy::BUFFER_ONE);
  run_takes_ = absl::Hours(1000);
  Run([](WorkflowTestEnv& env) {
    env.At(absl::Minutes(150), [&env] {
      ASSERT_TRUE(env.Update<v1::ScheduleInfo>(kDelete, v1::DeleteScheduleRequest()).ok());
    });
  });
  EXPECT_EQ(Starts(), "09:00");
}

TEST_F(ScheduleWorkflowTest, JitterMakesStartsLateButKeepsTheirNames) {
  spec().mutable_jitter()->set_seconds(600);
  EndAfter(absl::Hours(24));
  Run();
  ASSERT_EQ(starts_.size(), 24u);
  int late = 0;
  for (size_t i = 0; i < starts_.size(); ++i) {
    const absl::Time time = kBegin + absl::Hours(i + 1);
    EXPECT_EQ(starts_[i], "s-" + Text(time));
    EXPECT_GE(start_times_[i], time);
    EXPECT_LT(start_times_[i], time + absl::Minutes(10));
    if (start_times_[i] > time) ++late;
  }
  EXPECT_GT(late, 20);
}

TEST_F(ScheduleWorkflowTest, RefusesAnInputThatIsWrong) {
  spec().clear_crons();
  WorkflowTestEnv env;
  SetUpEnv(env);
  const auto info = env.Run<v1::ScheduleInput, v1::ScheduleInfo>(kScheduleType, input_);
  ASSERT_FALSE(info.ok());
  EXPECT_EQ(info.failure().type, kInvalid);
}

}  // namespace
}  // namespace schedules
