// wizard create|clone|list|show|validate|preview|update|approve|delete.
#include <google/protobuf/descriptor.h>

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "gateway/cli/command.h"
#include "gateway/cli/human.h"
#include "gateway/cli/spec_file.h"
#include "gateway/cli/table.h"
#include "gateway/json/json_writer.h"

namespace cli {

namespace {

namespace cv1 = campaign::v1;
using Stub = cv1::CampaignService::Stub;

struct Arguments {
  std::string id;
  std::string file;
  std::string request_id;
  std::string etag;
  std::string filter;
  std::string order_by;
  std::string wizard_id;
  std::string workflow_id;
  int page_size = 0;
  bool all = false;
};

std::string WizardText(const cv1::Wizard& wizard) {
  return Pairs({{"wizard", wizard.wizard_id()},
                {"status", wizard.status()},
                {"revision", std::to_string(wizard.revision())},
                {"etag", wizard.etag()},
                {"workflow", wizard.workflow_id()},
                {"cloned from", wizard.cloned_from()},
                {"created", HumanTime(wizard.created_at())},
                {"created by", wizard.created_by()},
                {"updated", HumanTime(wizard.updated_at())},
                {"approved by", wizard.approved_by()}});
}

void Create(Session& session, const Arguments& a) {
  auto file = ReadSpecFile(a.file, gateway::Completeness::kDraft);
  if (!file.ok()) return session.Fail(file.status());
  cv1::CreateWizardRequest request;
  *request.mutable_campaign() = file->request.campaign();
  request.set_request_id(a.request_id.empty() ? file->request.request_id() : a.request_id);
  auto wizard = session.connection().Call(&Stub::CreateWizard, request);
  if (!wizard.ok()) return session.Fail(InFileTerms(*file, wizard.status()));
  session.Print(*wizard, WizardText(*wizard));
}

void Show(Session& session, const Arguments& a) {
  cv1::GetWizardRequest request;
  request.set_wizard_id(a.id);
  auto wizard = session.connection().Call(&Stub::GetWizard, request);
  if (!wizard.ok()) return session.Fail(wizard.status());
  session.Print(*wizard, WizardText(*wizard) + "campaign  " +
                             gateway::ToJson(wizard->campaign(), {.pretty = true}) + "\n");
}

void List(Session& session, const Arguments& a) {
  cv1::ListWizardsRequest request;
  request.set_page_size(a.page_size);
  request.set_filter(a.filter);
  request.set_order_by(a.order_by);
  cv1::ListWizardsResponse all;
  do {
    auto page = session.connection().Call(&Stub::ListWizards, request);
    if (!page.ok()) return session.Fail(page.status());
    all.mutable_wizards()->MergeFrom(page->wizards());
    all.set_next_page_token(page->next_page_token());
    request.set_page_token(page->next_page_token());
  } while (a.all && !request.page_token().empty());
  Table table({"WIZARD", "STATUS", "UPDATED", "BY", "WORKFLOW", "CAMPAIGN"});
  for (const auto& wizard : all.wizards()) {
    table.Add({wizard.wizard_id(), wizard.status(), HumanTime(wizard.updated_at()),
               wizard.created_by(), wizard.workflow_id(), wizard.campaign().campaign_name()});
  }
  session.Print(all, table.Text());
  if (!session.json() && !all.next_page_token().empty()) {
    std::cout << "there are more: --all shows them\n";
  }
}

// The fields of a campaign that the file holds: YAML says which are there.
void AddMask(const SpecFile& file, google::protobuf::FieldMask* mask) {
  const auto* type = cv1::CampaignSpec::descriptor();
  const std::string prefix = file.nested ? "campaign." : "";
  for (int i = 0; i < type->field_count(); ++i) {
    const std::string& name = type->field(i)->name();
    if (file.lines.contains(prefix + name)) mask->add_paths(name);
  }
}

void Update(Session& session, const Arguments& a) {
  auto file = ReadSpecFile(a.file, gateway::Completeness::kDraft);
  if (!file.ok()) return session.Fail(file.status());
  cv1::UpdateWizardRequest request;
  request.set_wizard_id(a.id);
  request.set_etag(a.etag);
  *request.mutable_campaign() = file->request.campaign();
  AddMask(*file, request.mutable_update_mask());
  auto wizard = session.connection().Call(&Stub::UpdateWizard, request);
  if (!wizard.ok()) return session.Fail(InFileTerms(*file, wizard.status()));
  session.Print(*wizard, WizardText(*wizard));
}

void Clone(Session& session, const Arguments& a) {
  cv1::CloneWizardRequest request;
  request.set_source_wizard_id(a.wizard_id);
  request.set_source_workflow_id(a.workflow_id);
  request.set_request_id(a.request_id);
  if (a.file.empty()) {
    auto wizard = session.connection().Call(&Stub::CloneWizard, request);
    if (!wizard.ok()) return session.Fail(wizard.status());
    return session.Print(*wizard, WizardText(*wizard));
  }
  auto file = ReadSpecFile(a.file, gateway::Completeness::kDraft);
  if (!file.ok()) return session.Fail(file.status());
  *request.mutable_campaign() = file->request.campaign();
  AddMask(*file, request.mutable_override_mask());
  auto wizard = session.connection().Call(&Stub::CloneWizard, request);
  if (!wizard.ok()) return session.Fail(InFileTerms(*file, wizard.status()));
  session.Print(*wizard, WizardText(*wizard));
}

std::string ViolationsText(
    const google::protobuf::RepeatedPtrField<cv1::FieldViolation>& violations) {
  std::string text;
  for (const auto& violation : violations) {
    absl::StrAppend(&text, "  ", violation.field(), " ", violation.description(), "\n");
  }
  return text;
}

void Validate(Session& session, const Arguments& a) {
  cv1::ValidateWizardRequest request;
  request.set_wizard_id(a.id);
  auto answer = session.connection().Call(&Stub::ValidateWizard, request);
  if (!answer.ok()) return session.Fail(answer.status());
  session.Print(*answer, answer->valid()
                             ? absl::StrCat(a.id, " is ready to be approved\n")
                             : absl::StrCat(answer->violations_size(), " to be mended:\n",
                                            ViolationsText(answer->violations())));
  if (!answer->valid()) session.exit_code = kUsage;
}

std::string PreviewText(const cv1::PreviewWizardResponse& preview) {
  Table calls({"PHASE", "VENDOR", "WHAT", "WHERE"});
  for (const auto& phase : preview.phases()) {
    for (const auto& call : phase.calls()) {
      calls.Add({call.phase(), call.vendor(), call.action(), OneLine(call.target(), 60)});
    }
  }
  const cv1::CostEstimate& cost = preview.cost();
  const std::string price =
      cost.price_known() ? absl::StrFormat("at most %.4f USD", cost.usd_max()) : "no known price";
  std::string text = absl::StrCat(
      calls.Text(), "\n",
      Pairs({{"channels", absl::StrJoin(preview.channels(), ", ")},
             {"model", absl::StrCat(cost.model(), ": ", price, " (", cost.prompt_tokens(), " + ",
                                    cost.completion_tokens_max(), " tokens)")},
             {"goes out", absl::StrCat(HumanTime(preview.sends_at()), " at the earliest")}}));
  if (!preview.warnings().empty()) text += "warnings\n";
  for (const auto& warning : preview.warnings()) {
    absl::StrAppend(&text, "  ", warning.subject(), " ", warning.message(), "\n");
  }
  if (!preview.violations().empty()) {
    absl::StrAppend(&text, "to be mended\n", ViolationsText(preview.violations()));
  }
  return text;
}

void Preview(Session& session, const Arguments& a) {
  cv1::PreviewWizardRequest request;
  request.set_wizard_id(a.id);
  auto preview = session.connection().Call(&Stub::PreviewWizard, request);
  if (!preview.ok()) return session.Fail(preview.status());
  session.Print(*preview, PreviewText(*preview));
}

void Delete(Session& session, const Arguments& a) {
  cv1::DeleteWizardRequest request;
  request.set_wizard_id(a.id);
  request.set_etag(a.etag);
  auto deleted = session.connection().Call(&Stub::DeleteWizard, request);
  if (!deleted.ok()) return session.Fail(deleted.status());
  session.Print(*deleted, absl::StrCat(deleted->wizard_id(), " is deleted\n"));
}

void Approve(Session& session, const Arguments& a) {
  cv1::ApproveWizardRequest request;
  request.set_wizard_id(a.id);
  request.set_etag(a.etag);
  auto started = session.connection().Call(&Stub::ApproveWizard, request);
  if (!started.ok()) return session.Fail(started.status());
  session.Print(*started, Pairs({{"workflow", started->workflow_id()},
                                 {"run", started->run_id()},
                                 {"status", started->status()}}));
}

}  // namespace

void AddWizardCommands(CLI::App& app, Session& session) {
  CLI::App* wizard = AddCommand(app, "wizard", "Drafts of campaigns",
                                "campaignctl wizard create -f draft.yaml", nullptr);
  auto a = std::make_shared<Arguments>();
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example, void (*run)(Session&, const Arguments&)) {
    return AddCommand(*wizard, name, description, example,
                      [&session, a, run] { run(session, *a); });
  };
  const auto add_id = [&](CLI::App* command) {
    command->add_option("WIZARD_ID", a->id, "The wizard's id")->required();
  };
  const auto add_file = [&](CLI::App* command, const char* what) {
    command->add_option("-f,--file", a->file, what)->required();
  };
  const auto add_etag = [&](CLI::App* command) {
    command->add_option("--etag", a->etag,
                        "Only if nobody changed it since it had this etag (wizard show)");
  };
  CLI::App* create = add("create", "Makes a draft; what is missing may follow later",
                         "campaignctl wizard create -f draft.yaml", Create);
  add_file(create, "The campaign's file, YAML or JSON; - for standard input");
  create->add_option("--request-id", a->request_id,
                     "Repeating a create with the same id returns the same wizard");
  CLI::App* clone =
      add("clone", "Makes a draft from a past campaign or another wizard",
          "campaignctl wizard clone --workflow campaign-8555c0d21d89b57e -f changes.yaml", Clone);
  auto* source = clone->add_option_group("source");
  source->add_option("--wizard", a->wizard_id, "The wizard to copy");
  source->add_option("--workflow", a->workflow_id, "The campaign to copy, by its workflow id");
  source->require_option(1);
  clone->add_option("-f,--file", a->file, "What is different, YAML or JSON; - for standard input");
  clone->add_option("--request-id", a->request_id,
                    "Repeating a clone with the same id returns the same wizard");
  add_id(add("show", "Shows a draft", "campaignctl wizard show wz-0123456789abcdef", Show));
  CLI::App* list = add("list", "Lists drafts, newest first",
                       "campaignctl wizard list --filter 'status = draft AND created_by = ann' "
                       "--order-by 'update_time desc'",
                       List);
  list->add_option("--filter", a->filter,
                   "Fields status, created_by, campaign_name, workflow_id, create_time and "
                   "update_time, as in 'campaign_name:spring AND NOT status = approved'");
  list->add_option("--order-by", a->order_by,
                   "create_time, update_time, campaign_name, status, created_by, each with desc "
                   "behind it if wanted, with commas between them");
  list->add_option("--page-size", a->page_size, "How many at a time (default 50)");
  list->add_flag("--all", a->all, "All pages");
  CLI::App* update = add("update", "Changes the fields that the file holds",
                         "campaignctl wizard update wz-0123456789abcdef -f changes.yaml", Update);
  add_id(update);
  add_etag(update);
  add_file(update, "The fields to change, YAML or JSON; - for standard input");
  add_id(add("validate", "Says everything that is missing or wrong; changes nothing",
             "campaignctl wizard validate wz-0123456789abcdef", Validate));
  add_id(add("preview", "Shows what the campaign would do and cost; changes nothing",
             "campaignctl wizard preview wz-0123456789abcdef", Preview));
  CLI::App* approve = add("approve", "Starts the draft's campaign",
                          "campaignctl wizard approve wz-0123456789abcdef", Approve);
  add_id(approve);
  add_etag(approve);
  CLI::App* remove = add("delete", "Removes a draft; the campaign of an approved one goes on",
                         "campaignctl wizard delete wz-0123456789abcdef", Delete);
  add_id(remove);
  add_etag(remove);
}

}  // namespace cli
