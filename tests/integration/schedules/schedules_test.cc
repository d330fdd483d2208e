// Schedules on the real engine. Paused schedules are backfilled, so that nothing depends on when
// the test runs.
#include "absl/strings/str_cat.h"
#include "orchestrator/history/time.h"
#include "tests/integration/schedules/system_fixture.h"
#include "tests/support/await.h"

namespace engine_test {
namespace {

using Policy = v1::OverlapPolicy;

constexpr int64_t kFirst = 1'735'689'600;  // 2025-01-01T00:00:00Z

class SchedulesTest : public SystemTest {
 protected:
  static v1::ScheduleInput Hourly(const std::string& id, const std::string& input = "") {
    v1::ScheduleInput schedule;
    schedule.set_schedule_id(id);
    schedule.set_paused(true);
    schedule.mutable_schedule()->mutable_spec()->add_crons("0 * * * *");
    v1::ScheduleAction* action = schedule.mutable_schedule()->mutable_action();
    action->set_workflow_type("report");
    *action->mutable_input() = history::ToPayload(T(input));
    return schedule;
  }
  static v1::BackfillScheduleRequest Backfill(int hours, Policy::Value overlap) {
    v1::BackfillScheduleRequest request;
    v1::ScheduleBackfill* backfill = request.add_backfills();
    backfill->mutable_start_time()->set_seconds(kFirst);
    backfill->mutable_end_time()->set_seconds(kFirst + 3600 * (hours - 1));
    backfill->set_overlap(overlap);
    request.set_request_id("backfill");
    return request;
  }
  absl::StatusOr<v1::ScheduleInfo> Describe(const std::string& id) {
    v1::QueryWorkflowRequest request;
    request.set_workflow_id(schedules::WorkflowIdOf(id));
    request.set_query_name(schedules::kDescribe);
    *request.mutable_input() = history::ToPayload(v1::DescribeScheduleQuery());
    const auto answer = Await<v1::QueryWorkflowResponse>(
        [&](auto done) { client->Query(request, std::move(done)); });
    if (!answer.ok()) return answer.status();
    return history::FromPayload<v1::ScheduleInfo>(answer->result());
  }
  // Waits, by long polls of the history, until `holds`.
  v1::ScheduleInfo WaitForSchedule(const std::string& id,
                                   const std::function<bool(const v1::ScheduleInfo&)>& holds) {
    absl::StatusOr<v1::ScheduleInfo> info = absl::UnknownError("not asked");
    test::Await(
        [&] {
          info = Describe(id);  // an injected fault may fail it
          if (info.ok() && holds(*info)) return true;
          v1::GetWorkflowHistoryRequest request;
          request.set_workflow_id(schedules::WorkflowIdOf(id));
          request.set_after_event_id(1 << 20);
          request.mutable_wait()->set_nanos(5'000'000);
          (void)Await<v1::GetWorkflowHistoryResponse>(
              [&](auto done) { client->GetHistory(request, std::move(done)); });
          return false;
        },
        "the schedule " + id);
    return *info;
  }
  static bool Idle(const v1::ScheduleInfo& info, int starts) {
    return info.backfills().empty() && info.waiting() == 0 &&
           info.counts().started() + info.counts().already_started() >= starts;
  }
};

TEST_F(SchedulesTest, StartsEachBackfilledTimeOnceWithItsNameAndAttributes) {
  OpenAll();
  ASSERT_TRUE(StartSystem(schedules::kScheduleType, "schedule:s", Hourly("s")).ok());
  const auto updated =
      SendUpdate("schedule:s", schedules::kBackfill, "", Backfill(30, Policy::ALLOW));
  ASSERT_TRUE(updated.ok()) << updated.status();
  ASSERT_TRUE(updated->has_result()) << updated->ShortDebugString();
  const v1::ScheduleInfo info =
      WaitForSchedule("s", [](const v1::ScheduleInfo& i) { return Idle(i, 30); });
  EXPECT_EQ(info.counts().started(), 30);
  EXPECT_EQ(info.recent_size(), 10);
  EXPECT_EQ(ResultText("s-2025-01-01T00:00:00Z"), "reported");
  EXPECT_EQ(ResultText("s-2025-01-02T05:00:00Z"), "reported");
  const v1::WorkflowInfo run = Info("s-2025-01-01T07:00:00Z");
  EXPECT_EQ(run.search_attributes().fields().at("ScheduleId").keyword(), "s");
  EXPECT_EQ(run.search_attributes().fields().at("ScheduledTime").datetime().seconds(),
            kFirst + 7 * 3600);
}

TEST_F(SchedulesTest, ATimeIsStartedOnceAlsoWhenItIsBackfilledAgainOrTheScheduleMadeAnew) {
  OpenAll();
  ASSERT_TRUE(StartSystem(schedules::kScheduleType, "schedule:s", Hourly("s")).ok());
  ASSERT_TRUE(SendUpdate("schedule:s", schedules::kBackfill, "", Backfill(3, Policy::ALLOW)).ok());
  WaitForSchedule("s", [](const v1::ScheduleInfo& i) { return Idle(i, 3); });
  for (const char* hour : {"00", "01", "02"}) {
    EXPECT_EQ(ResultText(absl::StrCat("s-2025-01-01T", hour, ":00:00Z")), "reported");
  }
  ASSERT_TRUE(SendUpdate("schedule:s", schedules::kDelete, "", v1::DeleteScheduleRequest()).ok());
  (void)Result("schedule:s");
  v1::StartWorkflowRequest again;
  again.set_workflow_id("schedule:s");
  again.set_workflow_type(schedules::kScheduleType);
  again.set_request_id("again");
  *again.mutable_input() = history::ToPayload(Hourly("s"));
  ASSERT_TRUE(Await<v1::StartWorkflowResponse>([&](auto done) {
                client->StartWorkflow(again, std::move(done));
              }).ok());
  ASSERT_TRUE(SendUpdate("schedule:s", schedules::kBackfill, "", Backfill(5, Policy::ALLOW)).ok());
  const v1::ScheduleInfo info =
      WaitForSchedule("s", [](const v1::ScheduleInfo& i) { return Idle(i, 5); });
  EXPECT_EQ(info.counts().started(), 2);
  EXPECT_EQ(info.counts().already_started(), 3);
  (void)Result("s-2025-01-01T03:00:00Z");
  (void)Result("s-2025-01-01T04:00:00Z");
  const auto effects = Effects("s-");
  EXPECT_EQ(effects.size(), 5u);
  for (const auto& [id, runs] : effects) EXPECT_EQ(runs.size(), 1u) << id;
}

TEST_F(SchedulesTest, OneAfterTheOtherWaitsForTheRunBeforeAlsoOverARestart) {
  OpenAll();
  ASSERT_TRUE(StartSystem(schedules::kScheduleType, "schedule:s", Hourly("s", "wait")).ok());
  ASSERT_TRUE(
      SendUpdate("schedule:s", schedules::kBackfill, "", Backfill(3, Policy::BUFFER_ALL)).ok());
  WaitForSchedule(
      "s", [](const v1::ScheduleInfo& i) { return i.counts().started() == 1 && i.waiting() == 2; });
  WaitFor("schedule:s", [](const v1::WorkflowInfo& i) { return i.pending_activities_size() == 1; });
  CloseAll();  // the watch is in flight
  OpenAll();
  for (const int hour : {0, 1, 2}) {
    const std::string id = absl::StrCat("s-2025-01-01T0", hour, ":00:00Z");
    WaitForSchedule("s",
                    [&](const v1::ScheduleInfo& i) { return i.counts().started() == hour + 1; });
    EXPECT_EQ(Effects("s-").count(absl::StrCat("s-2025-01-01T0", hour + 1, ":00:00Z")), 0u);
    ASSERT_TRUE(Signal(id, "end", "").ok());
    EXPECT_EQ(ResultText(id), "ended");
  }
  WaitForSchedule("s", [](const v1::ScheduleInfo& i) { return Idle(i, 3); });
}

TEST_F(SchedulesTest, CancelOtherCancelsTheOpenRunThenStarts) {
  OpenAll();
  v1::ScheduleInput input = Hourly("s", "wait");
  input.mutable_schedule()->mutable_policies()->set_overlap(Policy::CANCEL_OTHER);
  ASSERT_TRUE(StartSystem(schedules::kScheduleType, "schedule:s", input).ok());
  v1::TriggerScheduleRequest trigger;
  trigger.set_overlap(Policy::CANCEL_OTHER);
  std::vector<std::string> ids;
  for (const char* request : {"t1", "t2"}) {
    trigger.set_request_id(request);
    const auto response = SendUpdate("schedule:s", schedules::kTrigger, request, trigger);
    ASSERT_TRUE(response.ok() && response->has_result()) << response.status();
    ids.push_back(
        history::FromPayload<v1::TriggerScheduleResponse>(response->result())->workflow_id());
    WaitForSchedule("s", [&](const v1::ScheduleInfo& i) {
      return i.counts().started() == static_cast<int64_t>(ids.size());
    });
  }
  EXPECT_EQ(Result(ids[0]).status(), v1::RunStatus::CANCELED);
  EXPECT_EQ(Info(ids[1]).status(), v1::RunStatus::RUNNING);
}

TEST_F(SchedulesTest, WrongUpdatesLeaveNoTrace) {
  OpenAll();
  ASSERT_TRUE(StartSystem(schedules::kScheduleType, "schedule:s", Hourly("s")).ok());
  const int64_t length = Info("schedule:s").history_length();
  v1::UpdateScheduleRequest update;
  update.mutable_schedule()->mutable_spec()->add_crons("61 * * * *");
  const auto response = SendUpdate("schedule:s", schedules::kUpdate, "", update);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_TRUE(response->has_rejected());
  EXPECT_EQ(response->rejected().message(),
            "schedule.spec.crons[0]: cron field minute: 61 is not from 0 to 59");
  EXPECT_EQ(Info("schedule:s").history_length(), length);
}

TEST_F(SchedulesTest, ContinuesAsNewBeforeItsHistoryIsLarge) {
  OpenAll();
  ASSERT_TRUE(StartSystem(schedules::kScheduleType, "schedule:s", Hourly("s")).ok());
  ASSERT_TRUE(
      SendUpdate("schedule:s", schedules::kBackfill, "", Backfill(700, Policy::ALLOW)).ok());
  const v1::ScheduleInfo info =
      WaitForSchedule("s", [](const v1::ScheduleInfo& i) { return Idle(i, 700); });
  EXPECT_EQ(info.counts().started(), 700);
  EXPECT_NE(Info("schedule:s").first_run_id(), Info("schedule:s").run_id());
  EXPECT_LT(Info("schedule:s").history_length(), 5000);
}

// A schedule's whole life, with the N-th commit lost, for every N.
class SchedulesFaultTest : public SchedulesTest, public ::testing::WithParamInterface<Where> {
 protected:
  bool RunWithFault(int number) {
    FailCommit(number, GetParam());
    OpenAll();
    const std::string id = absl::StrCat("f", number);
    const std::string schedule = schedules::WorkflowIdOf(id);
    test::Await([&] { return StartSystem(schedules::kScheduleType, schedule, Hourly(id)).ok(); },
                schedule + " to be started");
    test::Await(
        [&] {
          return SendUpdate(schedule, schedules::kBackfill, "update",
                            Backfill(2, Policy::BUFFER_ALL))
              .ok();
        },
        schedule + " to take its backfill");
    WaitForSchedule(id, [](const v1::ScheduleInfo& i) { return Idle(i, 2); });
    for (const char* hour : {"00", "01"}) {
      EXPECT_EQ(ResultText(absl::StrCat(id, "-2025-01-01T", hour, ":00:00Z")), "reported");
    }
    const auto effects = Effects(id + "-");
    EXPECT_EQ(effects.size(), 2u) << "commit " << number;
    for (const auto& [workflow_id, runs] : effects) {
      EXPECT_EQ(runs.size(), 1u) << workflow_id << ", commit " << number;
    }
    const bool reached = failing_->failed_once();
    CloseAll();
    return reached;
  }
};

TEST_P(SchedulesFaultTest, AnyCommitMayBeLostAndEachTimeHasOneStart) {
  int faults = 0;
  for (int n = 1; RunWithFault(n); ++n) ++faults;
  EXPECT_GE(faults, 3);
}

INSTANTIATE_TEST_SUITE_P(Where, SchedulesFaultTest,
                         ::testing::Values(Where::kBeforeWriting, Where::kAfterWriting),
                         [](const auto& info) {
                           return info.param == Where::kBeforeWriting ? "BeforeWriting"
                                                                      : "AfterWriting";
                         });

}  // namespace
}  // namespace engine_test
