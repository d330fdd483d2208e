// breakers [list|force-open|force-close|reset].
#include "absl/strings/str_cat.h"
#include "gateway/cli/command.h"
#include "gateway/cli/human.h"
#include "gateway/cli/table.h"

namespace cli {

namespace {

namespace cv1 = campaign::v1;
using Stub = cv1::OperationsService::Stub;

std::string Forced(const cv1::Breaker& breaker) {
  return breaker.forced().empty() ? ""
                                  : absl::StrCat(breaker.forced(), " by ", breaker.forced_by());
}

void AddRow(const cv1::Breaker& breaker, Table* table) {
  table->Add({breaker.service(), breaker.state(), absl::StrCat(breaker.failures()),
              absl::StrCat(breaker.calls_held()), HumanTime(breaker.opened_at()),
              HumanTime(breaker.next_probe_at()), Forced(breaker), breaker.reason()});
}

Table NewTable() {
  return Table(
      {"SERVICE", "STATE", "FAILURES", "HELD", "OPENED", "NEXT PROBE", "FORCED", "REASON"});
}

void List(Session& session) {
  auto list = session.connection().Call(&Stub::ListBreakers, cv1::ListBreakersRequest());
  if (!list.ok()) return session.Fail(list.status());
  Table table = NewTable();
  for (const cv1::Breaker& breaker : list->breakers()) AddRow(breaker, &table);
  session.Print(*list, table.Text());
}

struct Arguments {
  std::string service;
  std::string reason;
};
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const cv1::ForceBreakerRequest&,
                                      cv1::Breaker*);

void AddVerb(CLI::App& breakers, Session& session, const std::string& name,
             const std::string& description, Method method) {
  auto a = std::make_shared<Arguments>();
  CLI::App* verb = AddCommand(
      breakers, name, description,
      absl::StrCat("campaignctl breakers ", name, " github --reason \"maintenance until noon\""),
      [&session, a, method] {
        cv1::ForceBreakerRequest request;
        request.set_service(a->service);
        request.set_reason(a->reason);
        request.set_identity(Session::User());
        auto breaker = session.connection().Call(method, request);
        if (!breaker.ok()) return session.Fail(breaker.status());
        Table table = NewTable();
        AddRow(*breaker, &table);
        session.Print(*breaker, table.Text());
      });
  verb->add_option("SERVICE", a->service, "The service, as `breakers` lists it")->required();
  verb->add_option("--reason", a->reason, "Why; kept in the log of operators' changes")->required();
}

}  // namespace

void AddBreakerCommands(CLI::App& app, Session& session) {
  CLI::App* breakers =
      AddCommand(app, "breakers", "Circuit breakers of the vendors: state, reason, next probe",
                 "campaignctl breakers\n  campaignctl breakers force-open github --reason "
                 "\"maintenance until noon\"",
                 nullptr);
  // `breakers` is short for `breakers list`.
  breakers->require_subcommand(0, 1);
  breakers->callback([&session, breakers] {
    if (breakers->get_subcommands().empty()) List(session);
  });
  AddViewCommand(*breakers, session, "list", "Lists them",
                 "campaignctl breakers list --output json", [&session] { List(session); });
  AddVerb(*breakers, session, "force-open", "Stops all calls to a service, until reset",
          &Stub::ForceBreakerOpen);
  AddVerb(*breakers, session, "force-close", "Lets all calls to a service go, until reset",
          &Stub::ForceBreakerClosed);
  AddVerb(*breakers, session, "reset", "Closes it and lets it work by itself again",
          &Stub::ResetBreaker);
}

}  // namespace cli
