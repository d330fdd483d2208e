// Goal: what AuditLog answers is durable and chained, and what happened to its files in between is
// noticed. Method: real files in a folder of the test.
#include "gateway/audit/audit_log.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gateway/audit/filter_sql.h"
#include "gateway/audit/head_file.h"
#include "orchestrator/base/metrics.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/audit/trail.h"

namespace audit {
namespace {

Event Approval(const std::string& actor, const std::string& subject) {
  return {.actor = actor,
          .credential = "jwt",
          .action = "ApproveCampaign",
          .subject = subject,
          .outcome = kStarted,
          .ns = "default"};
}

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() { Open(); }

  void Open(AuditLog::Options options = {}) {
    log_.reset();
    options.directory = folder_.path();
    auto opened = AuditLog::Open(std::move(options), clock_, &metrics_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    log_ = *std::move(opened);
  }
  absl::StatusOr<int64_t> Append(Event event) {
    absl::StatusOr<int64_t> result = 0;
    absl::Notification done;
    log_->Append(std::move(event), [&](absl::StatusOr<int64_t> sequence) {
      result = std::move(sequence);
      done.Notify();
    });
    done.WaitForNotification();
    return result;
  }
  std::vector<Entry> Read(const std::string& filter = "") {
    std::vector<Entry> entries;
    absl::Notification done;
    log_->Read({.where = *ToSql(filter)}, [&](absl::StatusOr<std::vector<Entry>> read) {
      EXPECT_TRUE(read.ok()) << read.status();
      if (read.ok()) entries = *std::move(read);
      done.Notify();
    });
    done.WaitForNotification();
    return entries;
  }
  Verdict Verify(std::optional<Head> expected = std::nullopt) {
    Verdict verdict;
    absl::Notification done;
    log_->Verify(expected, [&](absl::StatusOr<Verdict> result) {
      EXPECT_TRUE(result.ok()) << result.status();
      if (result.ok()) verdict = *std::move(result);
      done.Notify();
    });
    done.WaitForNotification();
    return verdict;
  }
  absl::StatusOr<Verdict> VerifyFiles(const std::string& key = "",
                                      std::optional<Head> expected = std::nullopt) {
    return VerifyFile(folder_.File(kFileName), folder_.File(kHeadFileName), key, expected);
  }
  // What somebody does who may write the file. The triggers are no obstacle to him.
  int Sql(const std::string& sql, bool force = true) {
    sqlite3* db = nullptr;
    sqlite3_open(folder_.File(kFileName).c_str(), &db);
    if (force) {
      sqlite3_exec(db,
                   "DROP TRIGGER events_stay; DROP TRIGGER events_last; DROP TRIGGER events_follow",
                   nullptr, nullptr, nullptr);
    }
    const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
    sqlite3_close(db);
    return code;
  }
  // Ten approvals between the start and the stop of a server: events 1 to 12.
  void Fill() {
    for (int i = 0; i < 10; ++i) {
      Event event = Approval("ann", absl::StrCat("workflow/", i));
      event.outcome = kOk;
      ASSERT_TRUE(Append(event).ok());
    }
    log_->Close();
  }

  test::TemporaryFolder folder_;
  base::SystemClock clock_;
  base::Metrics metrics_;
  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTest, ChainsWhatItIsTold) {
  EXPECT_EQ(*Append(Approval("ann", "workflow/a")), 2) << "behind the start of the server";
  Event ended = Approval("ann", "workflow/a");
  ended.outcome = kOk;
  ended.started_by = 2;
  log_->AppendLater(ended);
  const std::vector<Entry> entries = Read();
  ASSERT_EQ(entries.size(), 3);
  EXPECT_EQ(entries[0].event.action, "server.start");
  EXPECT_EQ(entries[1].event.actor, "ann");
  EXPECT_EQ(entries[2].event.started_by, 2);
  EXPECT_EQ(entries[2].prev_hash, entries[1].hash);
  const Verdict verdict = Verify();
  EXPECT_TRUE(verdict.intact) << verdict.problem;
  EXPECT_EQ(verdict.checked, 3);
  EXPECT_EQ(log_->head(), verdict.head);
  EXPECT_TRUE(absl::StrContains(metrics_.Expose(), "audit_sequence 3")) << metrics_.Expose();
}

TEST_F(AuditLogTest, WhatIsAnsweredIsInTheFileAtOnce) {
  ASSERT_TRUE(Append(Approval("ann", "workflow/a")).ok());
  auto other = AuditDatabase::OpenForReading(folder_.File(kFileName));
  ASSERT_TRUE(other.ok());
  EXPECT_EQ((*other)->ReadHead()->sequence, 2);
  EXPECT_EQ(HeadFile::Read(folder_.File(kHeadFileName), "")->head, *(*other)->ReadHead());
}

TEST_F(AuditLogTest, ManyAtOnceShareCommits) {
  constexpr int kThreads = 8;
  constexpr int kEach = 500;
  absl::BlockingCounter done(kThreads * kEach);
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        log_->Append(Approval("ann", absl::StrCat(t, "/", i)), [&](absl::StatusOr<int64_t> s) {
          if (!s.ok()) ++failed;
          done.DecrementCount();
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done.Wait();
  EXPECT_EQ(failed, 0);
  const Verdict verdict = Verify();
  EXPECT_TRUE(verdict.intact) << verdict.problem;
  EXPECT_EQ(verdict.checked, 1 + kThreads * kEach);
}

TEST_F(AuditLogTest, TheFileRefusesToChange) {
  Fill();
  EXPECT_EQ(Sql("UPDATE events SET actor = 'bob' WHERE sequence = 3", false), SQLITE_CONSTRAINT);
  EXPECT_EQ(Sql("DELETE FROM events WHERE sequence = 12", false), SQLITE_CONSTRAINT);
  EXPECT_EQ(Sql("INSERT INTO events SELECT 99, time_us, actor, credential, action, subject, "
                "outcome, detail, correlation_id, address, namespace, started_by, prev_hash, hash "
                "FROM events WHERE sequence = 3",
                false),
            SQLITE_CONSTRAINT);
  EXPECT_TRUE(VerifyFiles()->intact);
}

TEST_F(AuditLogTest, FindsAChangedRow) {
  Fill();
  ASSERT_EQ(Sql("UPDATE events SET actor = 'bob' WHERE sequence = 5"), SQLITE_OK);
  EXPECT_EQ(VerifyFiles()->first_bad, 5);
}

TEST_F(AuditLogTest, FindsAMissingRow) {
  Fill();
  ASSERT_EQ(Sql("DELETE FROM events WHERE sequence = 5"), SQLITE_OK);
  EXPECT_EQ(VerifyFiles()->first_bad, 5);
}

TEST_F(AuditLogTest, FindsRowsThatChangedPlaces) {
  Fill();
  ASSERT_EQ(Sql("UPDATE events SET sequence = 100 WHERE sequence = 5;"
                "UPDATE events SET sequence = 5 WHERE sequence = 6;"
                "UPDATE events SET sequence = 6 WHERE sequence = 100"),
            SQLITE_OK);
  EXPECT_EQ(VerifyFiles()->first_bad, 5);
}

TEST_F(AuditLogTest, FindsARowThatWasPutIn) {
  Fill();
  ASSERT_EQ(Sql("UPDATE events SET sequence = -sequence WHERE sequence > 5;"
                "UPDATE events SET sequence = 1 - sequence WHERE sequence < 0;"
                "INSERT INTO events SELECT 6, time_us, 'mallory', credential, action, subject, "
                "outcome, detail, correlation_id, address, namespace, started_by, prev_hash, hash "
                "FROM events WHERE sequence = 5"),
            SQLITE_OK);
  EXPECT_EQ(VerifyFiles()->first_bad, 6);
}

TEST_F(AuditLogTest, FindsAnEndThatWasCutOff) {
  Fill();
  ASSERT_EQ(Sql("DELETE FROM events WHERE sequence > 9"), SQLITE_OK);
  const Verdict verdict = *VerifyFiles();
  EXPECT_EQ(verdict.first_bad, 10);
  EXPECT_TRUE(absl::StrContains(verdict.problem, "the head file knows event 12"));
  // The next start says so, in the trail itself.
  Open();
  const std::vector<Entry> entries = Read("action = \"audit.suspect\"");
  ASSERT_EQ(entries.size(), 1);
  EXPECT_TRUE(absl::StrContains(entries[0].event.detail, "the end is missing"));
}

TEST_F(AuditLogTest, AHeadKeptElsewhereFindsAnEndThatWasCutOffWithItsHeadFile) {
  Fill();
  const Head kept = log_->head();
  ASSERT_EQ(Sql("DELETE FROM events WHERE sequence > 9"), SQLITE_OK);
  auto file = HeadFile::Open(folder_.File(kHeadFileName), "");
  ASSERT_TRUE(
      (*file)->Write(*(*AuditDatabase::OpenForReading(folder_.File(kFileName)))->ReadHead()).ok());
  EXPECT_TRUE(VerifyFiles()->intact) << "without a key and without a head, this cannot be seen";
  EXPECT_EQ(VerifyFiles("", kept)->first_bad, 10);
}

TEST_F(AuditLogTest, ASignedHeadCannotBeWrittenWithoutTheKey) {
  Open({.key = "a secret of the operator"});
  Fill();
  EXPECT_TRUE(VerifyFiles("a secret of the operator")->intact);
  EXPECT_EQ(VerifyFiles("").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(VerifyFiles("another").status().code(), absl::StatusCode::kDataLoss);
  auto forged = HeadFile::Open(folder_.File(kHeadFileName), "a guess");
  ASSERT_TRUE((*forged)->Write({3, Sha256("x")}).ok());
  EXPECT_EQ(VerifyFiles("a secret of the operator").status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(AuditLogTest, AMissingOrUnsignedHeadIsSaidAtTheNextStart) {
  Fill();
  std::filesystem::remove(folder_.File(kHeadFileName));
  EXPECT_FALSE(VerifyFiles().ok());
  Open();
  EXPECT_EQ(Read("action = \"audit.suspect\"").size(), 1);
  log_->Close();
  Open({.key = "k"});
  EXPECT_EQ(Read("action = \"audit.suspect\"").size(), 2);
  log_->Close();
  Open({.key = "k"});
  EXPECT_EQ(Read("action = \"audit.suspect\"").size(), 2);
}

TEST_F(AuditLogTest, AHeadFileThatWasDamagedIsNotBelieved) {
  Fill();
  const std::string path = folder_.File(kHeadFileName);
  std::ifstream in(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (const std::string& damaged :
       {std::string(), whole.substr(0, whole.size() / 2), std::string("nonsense\n"),
        std::string(whole).replace(whole.find(":") - 1, 1, "3")}) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << damaged;
    EXPECT_EQ(HeadFile::Read(path, "").status().code(), absl::StatusCode::kDataLoss) << damaged;
  }
  std::ofstream(path, std::ios::binary | std::ios::trunc) << whole;
  EXPECT_EQ(HeadFile::Read(path, "")->head.sequence, 12);
}

TEST_F(AuditLogTest, ARunningServerNoticesAChangeOfItsFile) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Append(Approval("ann", "workflow/a")).ok());
  EXPECT_TRUE(Verify().intact);
  ASSERT_EQ(Sql("UPDATE events SET detail = 'x' WHERE sequence = 3"), SQLITE_OK);
  EXPECT_EQ(Verify().first_bad, 3);
}

TEST_F(AuditLogTest, WhatSomebodyElseAppendedIsToldApart) {
  ASSERT_TRUE(Append(Approval("ann", "workflow/a")).ok());
  ASSERT_EQ(Sql("INSERT INTO events SELECT 3, time_us, 'mallory', credential, action, subject, "
                "outcome, detail, correlation_id, address, namespace, started_by, prev_hash, hash "
                "FROM events WHERE sequence = 2",
                false),
            SQLITE_OK);
  EXPECT_FALSE(Append(Approval("ann", "workflow/b")).ok()) << "its place is taken";
  EXPECT_TRUE(Append(Approval("ann", "workflow/c")).ok());
  EXPECT_EQ(Read("action = \"audit.suspect\"").size(), 1);
  EXPECT_EQ(Verify().first_bad, 3);
}

TEST_F(AuditLogTest, ACallWithoutAnEndIsClosedAtTheNextStart) {
  ASSERT_EQ(*Append(Approval("ann", "workflow/a")), 2);
  ASSERT_EQ(*Append(Approval("bob", "workflow/b")), 3);
  Event ended = Approval("ann", "workflow/a");
  ended.outcome = kOk;
  ended.started_by = 2;
  log_->AppendLater(ended);
  Open();
  const std::vector<Entry> unknown = Read("outcome = UNKNOWN");
  ASSERT_EQ(unknown.size(), 1);
  EXPECT_EQ(unknown[0].event.started_by, 3);
  EXPECT_EQ(unknown[0].event.actor, "bob");
  Open();
  EXPECT_EQ(Read("outcome = UNKNOWN").size(), 1) << "once";
}

TEST_F(AuditLogTest, WhatCannotBeRecordedIsRefusedAndTheRestWaits) {
  std::atomic<bool> full = false;
  Open({.fail_commit = [&] {
    return full ? absl::UnavailableError("the disk is full") : absl::OkStatus();
  }});
  full = true;
  EXPECT_EQ(Append(Approval("ann", "workflow/a")).status().code(), absl::StatusCode::kUnavailable);
  log_->AppendLater({.actor = "ann", .action = "outbound.call", .outcome = kOk});
  EXPECT_TRUE(Read("action = \"outbound.call\"").empty());
  full = false;
  EXPECT_EQ(Read("action = \"outbound.call\"").size(), 1);
  EXPECT_TRUE(Append(Approval("ann", "workflow/b")).ok());
  EXPECT_TRUE(Verify().intact);
}

TEST_F(AuditLogTest, SettingsAreRecordedWhenTheyChangeAndSecretsWithoutTheirValue) {
  std::map<std::string, SettingValue> settings = {
      {"server.log_level", {.value = "info", .source = "default", .is_default = true}},
      {"outbound.private_networks", {.value = "false", .source = "default", .is_default = true}},
      {"vendors.slack.token", {.value = "xoxb-secret-1", .secret = true, .source = "environment"}}};
  ASSERT_TRUE(log_->RecordSettings(settings).ok());
  std::vector<Entry> entries = Read("action = \"settings.change\"");
  ASSERT_EQ(entries.size(), 1) << "what is not as it comes";
  EXPECT_EQ(entries[0].event.subject, "setting/vendors.slack.token");
  EXPECT_EQ(entries[0].event.detail, "set (environment)");
  Open();
  ASSERT_TRUE(log_->RecordSettings(settings).ok());
  EXPECT_EQ(Read("action = \"settings.change\"").size(), 1) << "nothing has changed";
  settings["outbound.private_networks"] = {.value = "true", .source = "campaignd.yaml:3"};
  settings["vendors.slack.token"].value = "xoxb-secret-2";
  ASSERT_TRUE(log_->RecordSettings(settings).ok());
  entries = Read("action = \"settings.change\"");
  ASSERT_EQ(entries.size(), 3);
  EXPECT_EQ(entries[1].event.detail, "\"false\" -> \"true\" (campaignd.yaml:3)");
  EXPECT_EQ(entries[2].event.detail, "changed (environment)");
  log_->Close();
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_FALSE(absl::StrContains(bytes, "xoxb")) << file.path();
  }
}

TEST_F(AuditLogTest, AFloodOfRefusalsLeavesFewEvents) {
  for (int i = 0; i < 50'000; ++i) {
    log_->AppendRefusal({.action = "sign-in.failed",
                         .outcome = "UNAUTHENTICATED",
                         .address = absl::StrCat("10.0.", i % 5000)});
  }
  log_->Close();
  Open();
  const size_t events = Read("action = \"sign-in.failed\"").size();
  EXPECT_GE(events, 1);
  EXPECT_LE(events, 300);
  EXPECT_TRUE(absl::StrContains(metrics_.Expose(),
                                "audit_refusals_total{action=\"sign-in.failed\"} 50000"));
}

TEST_F(AuditLogTest, AnotherProgramRecordsWhileTheServerIsStopped) {
  Open({.key = "k"});
  log_->Close();
  AuditLog::Options options;
  options.directory = folder_.path();
  options.key = "k";
  const auto sequence = AuditLog::AppendOffline(options, clock_, Approval("uid:0", "key/ck_1"));
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  EXPECT_TRUE(VerifyFiles("k")->intact);
  Open({.key = "k"});
  EXPECT_EQ(Read("outcome = UNKNOWN AND actor = \"uid:0\"").size(), 1) << "it did not end";
  const size_t suspect = Read("action = \"audit.suspect\"").size();
  log_->Close();
  ASSERT_EQ(Sql("DELETE FROM events WHERE sequence > 2"), SQLITE_OK);
  ASSERT_TRUE(AuditLog::AppendOffline(options, clock_, Approval("uid:0", "key/ck_2")).ok());
  Open({.key = "k"});
  EXPECT_EQ(Read("action = \"audit.suspect\"").size(), 1)
      << "said before its head is replaced; there were " << suspect << " that are cut off";
}

TEST_F(AuditLogTest, RefusesAfterClose) {
  log_->Close();
  EXPECT_EQ(Append(Approval("ann", "workflow/a")).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace audit
