// Records the golden histories of a release: runs the sample order on a real engine and writes
// what its history holds. Run it once a release, for a new folder; never over an old one.
//
//   build/bin/record_histories tests/replay/golden/0.2
#include <filesystem>
#include <iostream>

#include "tests/integration/engine/engine_fixture.h"
#include "tests/integration/samples/order_workflow.h"
#include "tests/replay/history_file.h"

namespace {

namespace sv1 = ::samples::v1;
namespace v1 = ::orchestrator::v1;

class Recorder : public engine_test::EngineTest {
 public:
  Recorder() { samples::RegisterOrder(registry, &shop_); }
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
    (void)SignalWith("released", "note", "ring twice");
    (void)SignalWith("released", "release", "ok");
    (void)Result("released");
    StartOrder("waiting", 250'000, "4242", 1);
    WaitUntilQuiet("waiting");
    ChangeAddress("waiting");
    for (const char* id : {"shipped", "declined", "canceled", "released", "waiting"}) {
      v1::History history;
      for (const v1::HistoryEvent& event : History(id)) *history.add_events() = event;
      replay::WriteHistory(history, folder + "/order_" + id + ".txtpb");
      std::cout << id << ": " << history.events_size() << " events" << std::endl;
    }
  }

 private:
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
