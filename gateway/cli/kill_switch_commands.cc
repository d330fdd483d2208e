// kill-switch [status|on|off|log].
#include "absl/strings/str_cat.h"
#include "gateway/cli/command.h"
#include "gateway/cli/human.h"
#include "gateway/cli/table.h"

namespace cli {

namespace {

namespace cv1 = campaign::v1;
using Stub = cv1::OperationsService::Stub;

std::string Text(const cv1::KillSwitch& state) {
  std::string text = absl::StrCat(
      "kill switch ", state.on() ? "ON: no call leaves for a vendor" : "off: calls go out", "\n");
  if (state.has_changed_at()) {
    absl::StrAppend(&text, "changed ", HumanTime(state.changed_at()), " by ", state.changed_by(),
                    ": ", state.reason(), "\n");
  }
  if (state.on()) {
    absl::StrAppend(&text, "calls held back: ", state.calls_held(),
                    "\nnext: campaignctl kill-switch off --reason WHY\n");
  }
  return text;
}

void Status(Session& session) {
  auto state = session.connection().Call(&Stub::GetKillSwitch, cv1::GetKillSwitchRequest());
  if (!state.ok()) return session.Fail(state.status());
  session.Print(*state, Text(*state));
}

void Log(Session& session, int limit) {
  cv1::ListOperatorChangesRequest request;
  request.set_page_size(limit);
  auto changes = session.connection().Call(&Stub::ListOperatorChanges, request);
  if (!changes.ok()) return session.Fail(changes.status());
  Table table({"TIME", "WHO", "WHAT", "ACTION", "WHY"});
  for (const cv1::OperatorChange& change : changes->changes()) {
    table.Add({HumanTime(change.time()), change.identity(), change.subject(), change.action(),
               change.reason()});
  }
  session.Print(*changes, table.Text());
}

void AddSwitch(CLI::App& parent, Session& session, bool on, const std::string& description) {
  const std::string name = on ? "on" : "off";
  auto reason = std::make_shared<std::string>();
  CLI::App* command = AddCommand(
      parent, name, description,
      absl::StrCat("campaignctl kill-switch ", name, " --reason \"wrong price in mails\""),
      [&session, reason, on] {
        cv1::SetKillSwitchRequest request;
        request.set_on(on);
        request.set_reason(*reason);
        request.set_identity(Session::User());
        auto state = session.connection().Call(&Stub::SetKillSwitch, request);
        if (!state.ok()) return session.Fail(state.status());
        session.Print(*state, Text(*state));
      });
  command->add_option("--reason", *reason, "Why; kept in the log of operators' changes")
      ->required();
}

}  // namespace

void AddKillSwitchCommands(CLI::App& app, Session& session) {
  CLI::App* parent =
      AddCommand(app, "kill-switch", "Stops every call to every vendor, or lets them go on",
                 "campaignctl kill-switch on --reason \"wrong price in mails\"", nullptr);
  // `kill-switch` is short for `kill-switch status`.
  parent->require_subcommand(0, 1);
  parent->callback([&session, parent] {
    if (parent->get_subcommands().empty()) Status(session);
  });
  AddCommand(*parent, "status", "Shows whether it is on, who changed it and why",
             "campaignctl kill-switch status", [&session] { Status(session); });
  AddSwitch(*parent, session, true, "Stops all calls; campaigns wait");
  AddSwitch(*parent, session, false, "Lets the calls go on");
  auto limit = std::make_shared<int>(50);
  CLI::App* log = AddCommand(*parent, "log", "What operators changed, newest first",
                             "campaignctl kill-switch log --limit 10",
                             [&session, limit] { Log(session, *limit); });
  log->add_option("--limit", *limit, "How many")->check(CLI::Range(1, 1000))->capture_default_str();
}

}  // namespace cli
