// Records the golden histories of a release: runs the sample order, and programs that make every
// event type, on a real engine, and writes what their histories hold. Run it once a release, for a
// new folder; never over an old one.
//
//   build/bin/record_histories tests/replay/golden/0.2
#include <filesystem>
#include <iostream>

#include "tests/integration/engine/engine_fixture.h"
#include "tests/integration/samples/order_workflow.h"
#include "tests/replay/history_file.h"
#include "tests/replay/program_workflow.h"

namespace {

namespace sv1 = ::samples::v1;
namespace v1 = ::orchestrator::v1;

class Recorder : public engine_test::EngineTest {
 public:
  Recorder() {
    samples::RegisterOrder(registry, &shop_);
    replay::RegisterProgram(registry);
  }
  ~Recorder() override { Close(); }
  void TestBody() override {}

  void Record(const std::string& folder) {
    Open();
    StartOrder("shipped", 4'900, "4242", 1);
    (void)Result("shipped");
    StartOrder("declined", 4'900, "declined", 1);
    (void)Result("declined");
    StartOrder("canceled", 4'900, "4242", 3'600'000);
    WaitUntilQuiet("canceled");
    Cancel("canceled");
    (void)Result("canceled");
    StartOrder("released", 250'000, "4242", 1);
    WaitUntilQuiet("released");
    ChangeAddress("released");
    CHECK(SignalWith("released", "note", "ring twice").ok());
    CHECK(SignalWith("released", "release", "ok").ok());
    (void)Result("released");
    StartOrder("waiting", 250'000, "4242", 1);
    WaitUntilQuiet("waiting");
    ChangeAddress("waiting");
    for (const char* id : {"shipped", "declined", "canceled", "released", "waiting"}) {
      Write(id, folder + "/order_" + id + ".jsonl");
    }
    RecordPrograms(folder);
  }

 private:
  void Write(const std::string& id, const std::string& path) {
    const std::vector<v1::HistoryEvent> events = History(id);
    replay::WriteFile(events, Info(id).status(), path);
    std::cout << id << ": " << events.size() << " events" << std::endl;
  }

  void StartProgram(const std::string& id, const std::string& program,
                    int execution_timeout_ms = 0) {
    v1::StartWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_workflow_type(replay::kProgramType);
    *request.mutable_input() = history::ToPayload(engine_test::T(program));
    request.mutable_execution_timeout()->set_seconds(execution_timeout_ms / 1000);
    request.mutable_execution_timeout()->set_nanos(execution_timeout_ms % 1000 * 1'000'000);
    CHECK(Await<v1::StartWorkflowResponse>([&](auto done) {
            client->StartWorkflow(request, std::move(done));
          }).ok());
  }
  void UntilItWaits(const std::string& id) {
    WaitFor(id, [](const v1::WorkflowInfo& info) { return info.history_length() >= 4; });
  }
  void UntilBlocked(const std::string& id) {
    WaitFor(id, [](const v1::WorkflowInfo& info) { return info.status() == v1::RunStatus::STUCK; });
  }
  void Decide(const std::string& id, client::CompensationVerb verb) {
    v1::CompensationVerbRequest request;
    request.set_workflow_id(id);
    request.set_step("golden.do");
    request.set_reason("by hand");
    request.set_identity("ann");
    CHECK(Await<v1::CompensationVerbResponse>([&](auto done) {
            client->Compensation(verb, request, std::move(done));
          }).ok());
  }

  // Each program's events are in the test's list of types; see program_workflow.h.
  void RecordPrograms(const std::string& folder) {
    StartProgram("activities", "do a;fail b;expire;stop;sleep;untimer;effect;patch");
    StartProgram("failed", "step a;step fail");
    StartProgram("ended", "end Unhappy");
    StartProgram("continued", "step a;again pivot+do_b");
    StartProgram("timed_out", "wait", 50);
    StartProgram("described", "search eu;memo hello;do a");
    StartProgram("local", "local a;local fail;do b;local c");
    for (const char* id :
         {"activities", "failed", "ended", "timed_out", "described", "local", "continued"}) {
      (void)Result(id);
    }
    StartProgram("skipped", "step broken;abort");
    UntilBlocked("skipped");
    Decide("skipped", client::CompensationVerb::kSkip);
    (void)Result("skipped");
    StartProgram("resolved", "step broken;abort");
    UntilBlocked("resolved");
    Decide("resolved", client::CompensationVerb::kResolve);
    (void)Result("resolved");
    StartProgram("asked", "wait;do a");
    UntilItWaits("asked");
    CHECK(Update("asked", "ask", "why").ok());
    CHECK(Signal("asked", "go", "on").ok());
    (void)Result("asked");
    StartProgram("terminated", "step a;wait");
    WaitFor("terminated", [](const v1::WorkflowInfo& info) { return info.history_length() >= 11; });
    Terminate("terminated");
    (void)Result("terminated");
    RecordFamily();
    for (const char* id : {"activities", "failed", "ended", "timed_out", "described", "local",
                           "skipped", "resolved", "asked", "terminated", "parent"}) {
      Write(id, folder + "/" + id + ".jsonl");
    }
    WriteFirstRun("continued", folder + "/continued.jsonl");
    RecordPaused(folder);
  }

  // A parent with children that end in each way, and messages to runs that are there or not.
  void RecordFamily() {
    StartProgram("taken", "wait");
    StartProgram("friend", "wait");
    StartProgram("rival", "wait");
    for (const char* id : {"taken", "friend", "rival"}) UntilItWaits(id);
    StartProgram("parent",
                 "child good do_a;child bad end_Unhappy;child taken;child-canceled stopped;"
                 "child-expires late;tell friend;tell nobody;cancel rival;cancel nobody;"
                 "child killed");
    WaitForStart("killed");
    Terminate("killed");
    (void)Result("parent");
  }
  void WaitForStart(const std::string& id) {
    v1::GetWorkflowRequest request;
    request.set_workflow_id(id);
    while (!Await<v1::WorkflowInfo>([&](auto done) {
              client->GetWorkflow(request, std::move(done));
            }).ok()) {
    }
    UntilItWaits(id);
  }

  void RecordPaused(const std::string& folder) {
    StartProgram("paused", "wait;do a");
    UntilItWaits("paused");
    v1::PauseWorkflowRequest pause;
    pause.set_workflow_id("paused");
    pause.set_reason("lunch");
    pause.set_identity("ann");
    CHECK(Await<v1::PauseWorkflowResponse>([&](auto done) {
            client->Pause(pause, std::move(done));
          }).ok());
    CHECK(Signal("paused", "go", "on").ok());
    v1::ResumeWorkflowRequest resume;
    resume.set_workflow_id("paused");
    resume.set_identity("ann");
    CHECK(Await<v1::ResumeWorkflowResponse>([&](auto done) {
            client->Resume(resume, std::move(done));
          }).ok());
    (void)Result("paused");
    Write("paused", folder + "/paused.jsonl");
    v1::ResetWorkflowRequest reset;
    reset.set_workflow_id("paused");
    reset.set_event_id(4);
    reset.set_reason("again");
    reset.set_identity("ann");
    CHECK(Await<v1::ResetWorkflowResponse>([&](auto done) {
            client->ResetWorkflow(reset, std::move(done));
          }).ok());
    (void)Result("paused");
    Write("paused", folder + "/reset.jsonl");
  }

  void WriteFirstRun(const std::string& id, const std::string& path) {
    const std::string first = History(id).front().workflow_execution_started().first_run_id();
    v1::GetWorkflowHistoryRequest request;
    request.set_workflow_id(id);
    request.set_run_id(first);
    const auto response = Await<v1::GetWorkflowHistoryResponse>(
        [&](auto done) { client->GetHistory(request, std::move(done)); });
    CHECK(response.ok()) << response.status();
    replay::WriteFile({response->events().begin(), response->events().end()}, response->status(),
                      path);
    Write(id, path.substr(0, path.size() - 6) + "_2.jsonl");
  }

  void Terminate(const std::string& id) {
    v1::TerminateWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_reason("no longer wanted");
    request.set_identity("ann");
    CHECK(Await<v1::TerminateWorkflowResponse>([&](auto done) {
            client->Terminate(request, std::move(done));
          }).ok());
  }

  void StartOrder(const std::string& id, int64_t cents, const std::string& card, int grace_ms) {
    sv1::OrderInput input;
    input.set_item("lamp");
    input.set_quantity(2);
    input.set_cents(cents);
    input.set_card(card);
    input.set_address("1 Main Street");
    input.mutable_grace()->set_seconds(grace_ms / 1000);
    input.mutable_grace()->set_nanos(grace_ms % 1000 * 1'000'000);
    v1::StartWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_workflow_type("order");
    *request.mutable_input() = history::ToPayload(input);
    CHECK(Await<v1::StartWorkflowResponse>([&](auto done) {
            client->StartWorkflow(request, std::move(done));
          }).ok());
  }
  // Both steps are done and nothing runs.
  void WaitUntilQuiet(const std::string& id) {
    WaitFor(id, [](const v1::WorkflowInfo& info) {
      return info.history_length() >= 17 && info.pending_activities_size() == 0;
    });
  }
  void ChangeAddress(const std::string& id) {
    sv1::AddressChange change;
    change.set_address("2 Side Street");
    v1::UpdateWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_update_name("change_address");
    request.set_update_id("change-1");
    *request.mutable_input() = history::ToPayload(change);
    CHECK(Await<v1::UpdateWorkflowResponse>([&](auto done) {
            client->Update(request, std::move(done));
          }).ok());
  }
  absl::Status SignalWith(const std::string& id, const std::string& name, const std::string& text) {
    sv1::Note note;
    note.set_text(text);
    v1::SignalWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_signal_name(name);
    *request.mutable_input() = history::ToPayload(note);
    return Await<v1::SignalWorkflowResponse>(
               [&](auto done) { client->Signal(request, std::move(done)); })
        .status();
  }
  void Cancel(const std::string& id) {
    v1::CancelWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_reason("the customer changed his mind");
    CHECK(Await<v1::CancelWorkflowResponse>([&](auto done) {
            client->Cancel(request, std::move(done));
          }).ok());
  }

  samples::Shop shop_;

 public:
  samples::Shop& shop() { return shop_; }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || std::filesystem::exists(argv[1])) {
    std::cerr << "usage: record_histories NEW_FOLDER   (it must not exist yet)\n";
    return 2;
  }
  std::filesystem::create_directories(argv[1]);
  Recorder recorder;
  recorder.shop().declined_cards.insert("declined");
  recorder.Record(argv[1]);
  return 0;
}
