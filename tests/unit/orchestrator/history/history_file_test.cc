#include "orchestrator/history/history_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"

namespace history {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<v1::HistoryEvent> Events() {
  std::vector<v1::HistoryEvent> events(2);
  events[0].set_event_id(1);
  events[0].mutable_event_time()->set_seconds(1795243929);
  events[0].mutable_event_time()->set_nanos(625062061);
  auto* started = events[0].mutable_workflow_execution_started();
  started->set_namespace_("default");
  started->set_workflow_id("order-17");
  started->set_workflow_type("order");
  started->set_run_id("run-1");
  started->set_random_seed(18446744073709551615u);
  for (const char* key : {"z", "encoding", "m", "a"}) {
    (*started->mutable_input()->mutable_metadata())[key] = "value of " + std::string(key);
  }
  started->mutable_input()->set_data(std::string("\0\xff\n\"", 4));
  events[1].set_event_id(2);
  events[1].mutable_workflow_task_scheduled();
  return events;
}

std::string Written() {
  return WriteHistoryFile(MakeHistoryFile(Events(), v1::RunStatus::RUNNING)).value();
}

std::string ErrorOf(const std::string& text) {
  return std::string(ReadHistoryFile(text).status().message());
}

TEST(HistoryFile, HasAHeaderThenAnEventALine) {
  EXPECT_EQ(Written(),
            "{\"format\":\"campaignd.history\",\"version\":1,\"namespace\":\"default\","
            "\"workflow_type\":\"order\",\"workflow_id\":\"order-17\",\"run_id\":\"run-1\","
            "\"status\":\"RUNNING\",\"event_count\":\"2\"}\n"
            "{\"event_id\":\"1\",\"event_time\":\"2026-11-21T06:52:09.625062061Z\","
            "\"workflow_execution_started\":{\"namespace\":\"default\","
            "\"workflow_id\":\"order-17\",\"workflow_type\":\"order\",\"input\":{\"metadata\":{"
            "\"a\":\"value of a\",\"encoding\":\"value of encoding\",\"m\":\"value of m\","
            "\"z\":\"value of z\"},\"data\":\"AP8KIg==\"},"
            "\"random_seed\":\"18446744073709551615\",\"run_id\":\"run-1\"}}\n"
            "{\"event_id\":\"2\",\"workflow_task_scheduled\":{}}\n");
}

TEST(HistoryFile, ReadsWhatItWroteAndWritesTheSameAgain) {
  const auto file = ReadHistoryFile(Written());
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->header.workflow_id(), "order-17");
  EXPECT_EQ(file->header.status(), v1::RunStatus::RUNNING);
  ASSERT_EQ(file->events.size(), 2u);
  EXPECT_EQ(file->events[0].workflow_execution_started().input().data(),
            std::string("\0\xff\n\"", 4));
  EXPECT_EQ(WriteHistoryFile(*file).value(), Written());
}

TEST(HistoryFile, RefusesWhatIsNoHistoryFile) {
  EXPECT_THAT(ErrorOf(""), StartsWith("line 1: "));
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("this is no exported history"));
  EXPECT_THAT(ErrorOf("[1, 2"), StartsWith("line 1: "));
  const auto newer =
      ReadHistoryFile(absl::StrReplaceAll(Written(), {{"\"version\":1", "\"version\":2"}}));
  EXPECT_EQ(newer.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(HistoryFile, RefusesAFileThatIsCutShort) {
  const std::string whole = Written();
  const std::string without_last = whole.substr(0, whole.rfind('\n', whole.size() - 2) + 1);
  EXPECT_THAT(ErrorOf(without_last), HasSubstr("promises 2 events, the file has 1"));
  EXPECT_THAT(ErrorOf(whole.substr(0, whole.size() - 5)), StartsWith("line 3: "));
}

TEST(HistoryFile, NamesTheLineOfAnEventThatItDoesNotKnow) {
  EXPECT_THAT(ErrorOf(absl::StrReplaceAll(Written(),
                                          {{"workflow_task_scheduled", "workflow_task_dreamt"}})),
              ::testing::AllOf(StartsWith("line 3: no HistoryEvent of this version: "),
                               HasSubstr("workflow_task_dreamt")));
}

TEST(CheckServed, RefusesGapsSecondStartsAndTheStoredForm) {
  std::vector<v1::HistoryEvent> events = Events();
  EXPECT_TRUE(CheckServed(events).ok());
  EXPECT_FALSE(CheckServed({}).ok());
  events[1].set_event_id(3);
  EXPECT_THAT(std::string(CheckServed(events).message()), HasSubstr("expected event 2, found 3"));
  events[1].set_event_id(2);
  events[1].mutable_workflow_execution_started();
  EXPECT_FALSE(CheckServed(events).ok());
  events[1].mutable_workflow_task();
  EXPECT_THAT(std::string(CheckServed(events).message()), HasSubstr("stored form"));
  events[1].clear_attributes();
  EXPECT_THAT(std::string(CheckServed(events).message()), HasSubstr("no attributes"));
}

}  // namespace
}  // namespace history
