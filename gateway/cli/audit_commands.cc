// audit [list|export|verify|head]: the audit trail. verify also works without a server, on a copy
// of audit.db or on an export.
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "gateway/audit/audit_log.h"
#include "gateway/audit/entry_proto.h"
#include "gateway/audit/head_file.h"
#include "gateway/audit/verify.h"
#include "gateway/cli/command.h"
#include "gateway/cli/human.h"
#include "gateway/cli/options.h"
#include "gateway/cli/table.h"
#include "gateway/cli/text_file.h"
#include "gateway/json/field_violations.h"
#include "gateway/json/json_reader.h"
#include "gateway/json/json_writer.h"
#include "google/protobuf/util/time_util.h"
#include "orchestrator/base/status_macros.h"

namespace cli {

namespace {

namespace cv1 = campaign::v1;
using Stub = cv1::AuditService::Stub;

struct Arguments {
  std::string filter;
  std::string actor, action, subject, outcome, since, until;
  int limit = 50;
  bool oldest_first = false;
  int64_t after = 0;
  std::string file;
  std::string expected_head;
  std::string head_file;
  std::string key_file;
  bool part = false;
};

std::string Quoted(const std::string& text) {
  if (!text.empty() && text.back() == '*') {
    return absl::StrCat(
        "\"",
        absl::StrReplaceAll(text.substr(0, text.size() - 1), {{"\\", "\\\\"}, {"\"", "\\\""}}),
        "*\"");
  }
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

// The options as a filter, together with --filter.
absl::StatusOr<std::string> Filter(const Arguments& a) {
  std::string filter = a.filter.empty() ? "" : absl::StrCat("(", a.filter, ")");
  const auto add = [&](const std::string& condition) {
    absl::StrAppend(&filter, filter.empty() ? "" : " AND ", condition);
  };
  if (!a.actor.empty()) add(absl::StrCat("actor = ", Quoted(a.actor)));
  if (!a.action.empty()) add(absl::StrCat("action = ", Quoted(a.action)));
  if (!a.subject.empty()) add(absl::StrCat("subject = ", Quoted(a.subject)));
  if (!a.outcome.empty()) add(absl::StrCat("outcome = ", Quoted(a.outcome)));
  for (const auto& [option, text, sign] :
       {std::tuple("--since", &a.since, ">="), std::tuple("--until", &a.until, "<")}) {
    if (text->empty()) continue;
    google::protobuf::Timestamp time;
    RETURN_IF_ERROR(ReadTime(option, *text, &time));
    add(absl::StrCat("time ", sign, " \"", google::protobuf::util::TimeUtil::ToString(time), "\""));
  }
  return filter;
}

void List(Session& session, const Arguments& a) {
  const auto filter = Filter(a);
  if (!filter.ok()) return session.Fail(filter.status());
  cv1::ListAuditEventsRequest request;
  request.set_filter(*filter);
  request.set_page_size(a.limit);
  if (a.oldest_first) request.set_order_by("sequence");
  auto list = session.connection().Call(&Stub::ListAuditEvents, request);
  if (!list.ok()) return session.Fail(list.status());
  Table table({"EVENT", "TIME", "WHO", "ACTION", "SUBJECT", "OUTCOME", "DETAIL"});
  for (const cv1::AuditEvent& event : list->events()) {
    table.Add({absl::StrCat(event.sequence()), HumanTime(event.time()), event.actor(),
               event.action(), event.subject(), event.outcome(), event.detail()});
  }
  session.Print(*list, table.Text());
}

void Export(Session& session, const Arguments& a) {
  const auto filter = Filter(a);
  if (!filter.ok()) return session.Fail(filter.status());
  cv1::ExportAuditEventsRequest request;
  request.set_filter(*filter);
  request.set_after_sequence(a.after);
  const bool to_file = !a.file.empty() && a.file != "-";
  std::ofstream file;
  if (to_file) {
    file.open(a.file, std::ios::trunc | std::ios::binary);
    if (!file) {
      return session.Fail(absl::InvalidArgumentError(absl::StrCat("cannot write ", a.file)));
    }
  }
  std::ostream& out = to_file ? static_cast<std::ostream&>(file) : std::cout;
  grpc::ClientContext context;
  session.connection().AddCaller(&context);
  auto reader = session.connection().audit().ExportAuditEvents(&context, request);
  cv1::AuditEvent event;
  cv1::AuditHead head;
  int64_t count = 0;
  while (out && reader->Read(&event)) {
    out << gateway::ToJson(event) << "\n";
    head.set_sequence(event.sequence());
    head.set_hash(event.hash());
    ++count;
  }
  out.flush();
  if (!out) {
    context.TryCancel();
    return session.Fail(absl::UnavailableError(absl::StrCat("writing ", a.file, " failed")));
  }
  if (absl::Status status = FromGrpc(reader->Finish()); !status.ok()) return session.Fail(status);
  if (to_file) {
    session.Print(head, absl::StrCat("exported ", count, " events to ", a.file,
                                     "; the last: ", head.sequence(), ":", head.hash(), "\n"));
  }
}

cv1::VerifyAuditResponse ToResponse(const audit::Verdict& verdict) {
  cv1::VerifyAuditResponse response;
  response.set_intact(verdict.intact);
  *response.mutable_head() = audit::ToProto(verdict.head);
  response.set_events_checked(verdict.checked);
  response.set_first_bad_sequence(verdict.first_bad);
  response.set_problem(verdict.problem);
  return response;
}

// A file of JSON lines, as export writes it.
absl::StatusOr<audit::Verdict> VerifyLines(const Arguments& a,
                                           const std::optional<audit::Head>& expected) {
  std::ifstream file(a.file, std::ios::binary);
  std::vector<audit::Witness> witnesses;
  if (expected.has_value()) witnesses.push_back({"the expected head", *expected});
  audit::Verifier verifier(std::move(witnesses), a.part);
  std::string line;
  for (int64_t number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    cv1::AuditEvent event;
    gateway::FieldViolations violations;
    absl::Status status = gateway::ReadJson(line, &event, &violations);
    if (status.ok()) status = violations.ToStatus();
    const absl::StatusOr<audit::Entry> entry =
        status.ok() ? audit::FromProto(event) : absl::StatusOr<audit::Entry>(status);
    if (!entry.ok()) {
      return absl::DataLossError(absl::StrCat(a.file, ":", number, ": is no event of an export: ",
                                              std::string(entry.status().message())));
    }
    if (!verifier.Add(*entry)) break;
  }
  return verifier.Finish();
}

bool IsDatabase(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[15] = {};
  file.read(magic, sizeof magic);
  return std::string(magic, sizeof magic) == "SQLite format 3";
}

absl::StatusOr<audit::Verdict> VerifyOffline(const Arguments& a,
                                             const std::optional<audit::Head>& expected) {
  if (!std::ifstream(a.file)) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", a.file));
  }
  if (!IsDatabase(a.file)) return VerifyLines(a, expected);
  std::string head_file = a.head_file;
  if (head_file.empty()) {  // the one beside it, when there is one
    const std::string folder = a.file.substr(0, a.file.rfind('/') + 1);
    if (std::ifstream(folder + audit::kHeadFileName)) head_file = folder + audit::kHeadFileName;
  }
  std::string key;
  if (!a.key_file.empty()) {
    ASSIGN_OR_RETURN(key, ReadFile(a.key_file));
    while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  }
  return audit::VerifyFile(a.file, head_file == "-" ? "" : head_file, key, expected);
}

void PrintVerdict(Session& session, const cv1::VerifyAuditResponse& verdict) {
  const std::string head = absl::StrCat(verdict.head().sequence(), ":", verdict.head().hash());
  if (verdict.intact()) {
    return session.Print(verdict,
                         absl::StrCat("intact: ", verdict.events_checked(), " events\nhead: ", head,
                                      "\nnext: keep the head elsewhere; later, `campaignctl audit "
                                      "verify --expected-head HEAD` shows that nothing up to it "
                                      "was cut off or written anew\n"));
  }
  session.Print(verdict, absl::StrCat("NOT INTACT, from event ", verdict.first_bad_sequence(),
                                      " on: ", verdict.problem(),
                                      "\ngood before it: ", verdict.events_checked(), " events\n"));
  session.exit_code = kMismatch;
}

void Verify(Session& session, const Arguments& a) {
  std::optional<audit::Head> expected;
  if (!a.expected_head.empty()) {
    expected = audit::ParseHead(a.expected_head);
    if (!expected.has_value()) {
      return session.Fail(absl::InvalidArgumentError(
          absl::StrCat("--expected-head ", a.expected_head, ": must be SEQUENCE:HASH")));
    }
  }
  if (!a.file.empty()) {
    const absl::StatusOr<audit::Verdict> verdict = VerifyOffline(a, expected);
    if (!verdict.ok()) return session.Fail(verdict.status());
    return PrintVerdict(session, ToResponse(*verdict));
  }
  cv1::VerifyAuditRequest request;
  request.set_expected_head(a.expected_head);
  auto verdict = session.connection().Call(&Stub::VerifyAudit, request, absl::Hours(1));
  if (!verdict.ok()) return session.Fail(verdict.status());
  PrintVerdict(session, *verdict);
}

void AddFilterOptions(CLI::App* command, const std::shared_ptr<Arguments>& a) {
  command->add_option("--actor", a->actor, "Who did it: ann@example.com, key:ci");
  command->add_option("--action", a->action, "What: ApproveCampaign, settings.change");
  command->add_option("--subject", a->subject,
                      "On what: workflow/spring; a * at the end stands for any rest");
  command->add_option("--outcome", a->outcome, "How it ended: STARTED, OK, PERMISSION_DENIED");
  command->add_option("--since", a->since, "Not before this time or day (UTC)");
  command->add_option("--until", a->until, "Before this time or day (UTC)");
  command->add_option("--filter", a->filter, "AIP-160, over all fields of an event");
}

}  // namespace

void AddAuditCommands(CLI::App& app, Session& session) {
  CLI::App* audit = AddCommand(app, "audit", "The audit trail: who did what, and is it whole",
                               "campaignctl audit list --actor ann@example.com\n  campaignctl "
                               "audit verify",
                               nullptr);
  auto list = std::make_shared<Arguments>();
  CLI::App* command = AddCommand(
      *audit, "list", "Lists events, the newest first",
      "campaignctl audit list --subject workflow/spring --since 2026-11-01\n  campaignctl audit "
      "list --filter 'outcome != OK AND NOT action = \"sign-in.failed\"' --output json",
      [&session, list] { List(session, *list); });
  AddFilterOptions(command, list);
  command->add_option("--limit", list->limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("--oldest-first", list->oldest_first, "The oldest first");

  auto out = std::make_shared<Arguments>();
  command = AddCommand(*audit, "export", "Writes events as JSON lines, the oldest first",
                       "campaignctl audit export -o audit.jsonl\n  campaignctl audit verify --file "
                       "audit.jsonl",
                       [&session, out] { Export(session, *out); });
  AddFilterOptions(command, out);
  command->add_option("-o,--file", out->file, "Where to write them (default: standard output)");
  command->add_option("--after", out->after, "Only events behind this one");

  auto verify = std::make_shared<Arguments>();
  command = AddCommand(
      *audit, "verify", "Finds events that were changed, taken out, moved, put in or cut off",
      "campaignctl audit verify --expected-head 1041:6b86b273...\n  campaignctl audit verify "
      "--file backup/audit.db\n  campaignctl audit verify --file audit.jsonl",
      [&session, verify] { Verify(session, *verify); });
  command->add_option("--expected-head", verify->expected_head,
                      "A head that was kept elsewhere, SEQUENCE:HASH");
  command->add_option("--file", verify->file,
                      "Check this file, without a server: audit.db or an export");
  command->add_option("--head-file", verify->head_file,
                      "The head of that audit.db (default: audit.head beside it; -: none)");
  command->add_option("--key-file", verify->key_file, "The file with the key of the head");
  command->add_flag("--part", verify->part,
                    "The export begins behind the first event (export --after)");
}

}  // namespace cli
