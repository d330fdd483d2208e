// Breakers over a SQLite file: restarts, and several processes that call the same vendor. Two
// Breakers with a database each on one file are two processes; both run on one manual loop.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "activities/outbound/breakers.h"
#include "gateway/grpc/breaker_database.h"
#include "gtest/gtest.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/random.h"
#include "tests/support/manual_loop.h"
#include "tests/support/temporary_folder.h"

namespace outbound_test {
namespace {

using outbound::BreakerForce;
using outbound::Breakers;
using outbound::BreakerState;
using outbound::BreakerStatus;
using outbound::BreakerStore;
using outbound::CircuitBreaker;
using outbound::StoredBreaker;

// A process: its database and its breakers.
struct Process {
  Process(test::ManualLoop& loop, const std::string& path, uint64_t seed)
      : random(seed), breakers(loop.clock(), random, metrics, {}) {
    auto opened = gateway::BreakerDatabase::Open(path);
    EXPECT_TRUE(opened.ok()) << opened.status();
    store = *std::move(opened);
    const absl::Status shared = breakers.Share(*store, loop);
    EXPECT_TRUE(shared.ok()) << shared;
  }
  BreakerStatus Status() {
    auto status = breakers.Get("acme");
    EXPECT_TRUE(status.ok()) << status.status();
    return status.value_or(BreakerStatus());
  }
  std::unique_ptr<gateway::BreakerDatabase> store;
  base::SeededRandom random;
  base::Metrics metrics;
  Breakers breakers;
};

class BreakerStoreTest : public testing::Test {
 protected:
  BreakerStoreTest() { base::SetLogLevel(base::LogLevel::kOff); }
  std::unique_ptr<Process> Start(uint64_t seed) {
    return std::make_unique<Process>(loop_, path_, seed);
  }
  void Open(Process& process) {
    for (int i = 0; i < 5; ++i) {
      process.breakers.Failed("acme", "", process.breakers.Ask("acme", "").ticket,
                              {.reason = "refused"});
    }
    EXPECT_EQ(process.Status().state, BreakerState::kOpen);
    loop_.RunReady();
  }
  // Asks all processes again and again, for a while; who may probe does, and does not end.
  struct Asked {
    int probes = 0;
    Process* prober = nullptr;
    CircuitBreaker::Ticket ticket;
  };
  Asked AskAll(std::initializer_list<Process*> processes, absl::Duration time) {
    Asked asked;
    for (absl::Duration at; at < time; at += absl::Milliseconds(100)) {
      for (Process* process : processes) {
        const CircuitBreaker::Admission admission = process->breakers.Ask("acme", "");
        if (!admission.go) continue;
        ++asked.probes;
        asked.prober = process;
        asked.ticket = admission.ticket;
      }
      loop_.Advance(absl::Milliseconds(100));
    }
    return asked;
  }

  const test::TemporaryFolder folder_;
  const std::string path_ = folder_.File("breakers.db");
  test::ManualLoop loop_;
};

TEST_F(BreakerStoreTest, AnOutageGoesOnAfterARestart) {
  auto before = Start(1);
  Open(*before);
  const BreakerStatus open = before->Status();
  before.reset();  // killed

  loop_.Advance(absl::Seconds(4));
  auto after = Start(2);
  const BreakerStatus restored = after->Status();
  EXPECT_EQ(restored.state, BreakerState::kOpen);
  EXPECT_EQ(restored.reason, open.reason);
  EXPECT_EQ(restored.opened_at, open.opened_at);
  EXPECT_EQ(restored.next_probe_at, open.next_probe_at);
  EXPECT_EQ(AskAll({after.get()}, absl::Seconds(5)).probes, 0);
  const Asked asked = AskAll({after.get()}, absl::Seconds(3));
  EXPECT_EQ(asked.probes, 1);
  // It goes on where it was: the second failed probe of the outage waits twice as long.
  after->breakers.Failed("acme", "", asked.ticket, {.reason = "refused"});
  EXPECT_EQ(after->Status().next_probe_at, loop_.clock().Now() + absl::Seconds(20));
}

TEST_F(BreakerStoreTest, AVendorThatIsBackIsClosedAfterARestart) {
  auto before = Start(1);
  Open(*before);
  loop_.Advance(absl::Seconds(10));
  const Asked asked = AskAll({before.get()}, absl::Seconds(1));
  ASSERT_EQ(asked.probes, 1);
  before->breakers.Succeeded("acme", "", asked.ticket);
  loop_.RunReady();
  before.reset();
  auto after = Start(2);
  EXPECT_TRUE(after->breakers.Ask("acme", "").go);
  EXPECT_EQ(after->Status().state, BreakerState::kClosed);
}

TEST_F(BreakerStoreTest, OneOfManyProbes) {
  auto one = Start(1);
  auto two = Start(2);
  auto three = Start(3);
  Open(*one);
  // The others learn of it from the store by their first calls, without failures of their own.
  EXPECT_EQ(AskAll({two.get(), three.get()}, absl::Seconds(1)).probes, 2);
  EXPECT_EQ(two->Status().state, BreakerState::kOpen);
  EXPECT_EQ(three->Status().next_probe_at, one->Status().next_probe_at);

  loop_.Advance(absl::Seconds(9));
  const Asked first = AskAll({one.get(), two.get(), three.get()}, absl::Seconds(30));
  EXPECT_EQ(first.probes, 1);
  first.prober->breakers.Failed("acme", "", first.ticket, {.reason = "refused"});
  const absl::Time next = first.prober->Status().next_probe_at;
  EXPECT_EQ(next, loop_.clock().Now() + absl::Seconds(20));
  EXPECT_EQ(AskAll({one.get(), two.get(), three.get()}, absl::Seconds(19)).probes, 0);

  const Asked second = AskAll({one.get(), two.get(), three.get()}, absl::Seconds(10));
  EXPECT_EQ(second.probes, 1);
  second.prober->breakers.Succeeded("acme", "", second.ticket);
  (void)AskAll({one.get(), two.get(), three.get()}, absl::Seconds(5));
  for (Process* process : {one.get(), two.get(), three.get()}) {
    EXPECT_EQ(process->Status().state, BreakerState::kClosed);
  }
}

TEST_F(BreakerStoreTest, AProbeWhoseProcessDiedIsGivenToAnother) {
  auto dies = Start(1);
  auto stays = Start(2);
  Open(*dies);
  loop_.Advance(absl::Seconds(10));
  ASSERT_EQ(AskAll({dies.get()}, absl::Seconds(1)).probes, 1);
  dies.reset();
  (void)AskAll({stays.get()}, absl::Seconds(3));  // learns of it; two of its calls may go before
  EXPECT_EQ(AskAll({stays.get()}, absl::Seconds(100)).probes, 0);
  EXPECT_EQ(AskAll({stays.get()}, absl::Seconds(60)).probes, 1);
}

TEST_F(BreakerStoreTest, AnOperatorsResetIsSharedToo) {
  auto one = Start(1);
  auto two = Start(2);
  Open(*one);
  (void)AskAll({two.get()}, absl::Seconds(1));
  ASSERT_EQ(two->Status().state, BreakerState::kOpen);
  ASSERT_TRUE(one->breakers.Force("acme", BreakerForce::kClosed, "ann", "they are up").ok());
  ASSERT_TRUE(one->breakers.Force("acme", BreakerForce::kNone, "ann", "done").ok());
  (void)AskAll({two.get()}, absl::Seconds(3));
  EXPECT_EQ(two->Status().state, BreakerState::kClosed);
}

TEST_F(BreakerStoreTest, AWallClockThatWentBackKeepsNobodyWaiting) {
  auto before = Start(1);
  Open(*before);
  before.reset();
  loop_.manual_clock().Step(absl::Hours(-5));
  auto after = Start(2);
  EXPECT_EQ(after->Status().state, BreakerState::kOpen);
  EXPECT_EQ(AskAll({after.get()}, absl::Seconds(12)).probes, 1);
}

class BreakerHostsTest : public BreakerStoreTest {
 protected:
  void OpenHost(Process& process, const std::string& host) {
    for (int i = 0; i < 5; ++i) {
      process.breakers.Failed("images", host, process.breakers.Ask("images", host).ticket,
                              {.reason = "refused"});
    }
    loop_.RunReady();
  }
  // A call to anybody makes breakers look around.
  void LookAround(Process& process) {
    process.breakers.Ask("acme", "");
    loop_.RunReady();
  }
  static bool Has(Process& process, const std::string& service) {
    return process.breakers.Get(service).ok();
  }
  static std::vector<std::string> Stored(Process& process) {
    const auto loaded = process.store->Load();
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    std::vector<std::string> services;
    for (const StoredBreaker& breaker : *loaded) services.push_back(breaker.service);
    return services;
  }
  static std::string Shown(Process& process) {
    const std::string line = "circuit_breaker_state{service=\"images\"} ";
    const std::string exposed = process.metrics.Expose();
    const size_t at = exposed.find(line);
    return at == std::string::npos ? "none" : exposed.substr(at + line.size(), 1);
  }
};

TEST_F(BreakerHostsTest, OneThatIsGoneIsForgotten) {
  auto process = Start(1);
  OpenHost(*process, "127.0.0.1:40001");
  loop_.Advance(absl::Hours(24));
  LookAround(*process);
  EXPECT_TRUE(Has(*process, "images@127.0.0.1:40001"));
  EXPECT_EQ(Shown(*process), "1");

  loop_.Advance(absl::Seconds(11));  // a day after its probe was due
  LookAround(*process);
  EXPECT_FALSE(Has(*process, "images@127.0.0.1:40001"));
  EXPECT_EQ(Shown(*process), "0");
  // Nor does its record bring it back, here or after a restart.
  loop_.Advance(absl::Seconds(5));
  LookAround(*process);
  EXPECT_FALSE(Has(*process, "images@127.0.0.1:40001"));
  EXPECT_FALSE(Has(*Start(2), "images@127.0.0.1:40001"));
  // The next change takes the record away.
  Open(*process);
  EXPECT_EQ(Stored(*process), std::vector<std::string>{"acme"});
}

TEST_F(BreakerHostsTest, AVendorIsNotForgottenHoweverLongNobodyCalls) {
  auto process = Start(1);
  Open(*process);
  loop_.Advance(absl::Hours(100));
  OpenHost(*process, "a:443");
  EXPECT_EQ(process->Status().state, BreakerState::kOpen);
  EXPECT_EQ(Stored(*process), (std::vector<std::string>{"acme", "images@a:443"}));
}

TEST_F(BreakerHostsTest, OneThatIsClosedAgainIsNewToOthers) {
  auto one = Start(1);
  OpenHost(*one, "a:443");
  loop_.Advance(absl::Seconds(10));
  CircuitBreaker::Admission probe;
  for (int i = 0; i < 2; ++i) {  // the first asks for the probe
    probe = one->breakers.Ask("images", "a:443");
    loop_.RunReady();
  }
  ASSERT_TRUE(probe.go);
  one->breakers.Succeeded("images", "a:443", probe.ticket);
  loop_.RunReady();
  auto two = Start(2);
  LookAround(*two);
  EXPECT_FALSE(Has(*two, "images@a:443"));
}

TEST_F(BreakerHostsTest, TheStoreKeepsThoseThatChangedLast) {
  auto process = Start(1);
  Open(*process);
  for (int i = 0; i < outbound::kStoredHostsMax + 40; ++i) {
    loop_.Advance(absl::Milliseconds(1));
    OpenHost(*process, "host" + std::to_string(i));
  }
  const std::vector<std::string> stored = Stored(*process);
  EXPECT_EQ(stored.size(), 1u + outbound::kStoredHostsMax);
  const auto has = [&](const char* service) {
    return std::find(stored.begin(), stored.end(), service) != stored.end();
  };
  EXPECT_TRUE(has("acme"));
  EXPECT_FALSE(has("images@host39"));
  EXPECT_TRUE(has("images@host40"));
}

// Disk trouble must not keep a vendor's breaker open.
class BrokenStore : public BreakerStore {
 public:
  absl::StatusOr<std::vector<StoredBreaker>> Load() override {
    ++calls;
    return calls == 1 ? absl::StatusOr<std::vector<StoredBreaker>>(std::vector<StoredBreaker>())
                      : absl::UnavailableError("disk full");
  }
  absl::Status Save(const StoredBreaker&) override { return absl::UnavailableError("disk full"); }
  absl::StatusOr<Probe> TakeProbe(const std::string&, absl::Time, const std::string&, absl::Time,
                                  absl::Time) override {
    return absl::UnavailableError("disk full");
  }
  int calls = 0;
};

TEST_F(BreakerStoreTest, AStoreThatFailsKeepsNobodyFromProbing) {
  BrokenStore store;
  base::SeededRandom random(1);
  base::Metrics metrics;
  Breakers breakers(loop_.clock(), random, metrics, {});
  ASSERT_TRUE(breakers.Share(store, loop_).ok());
  for (int i = 0; i < 5; ++i) {
    breakers.Failed("acme", "", breakers.Ask("acme", "").ticket, {.reason = "refused"});
  }
  loop_.Advance(absl::Seconds(10));
  EXPECT_FALSE(breakers.Ask("acme", "").go);  // asks the store
  loop_.RunReady();
  EXPECT_TRUE(breakers.Ask("acme", "").go);
}

}  // namespace
}  // namespace outbound_test
