// wizard create|list|show|update|approve.
#include <google/protobuf/descriptor.h>

#include <iostream>

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
  int page_size = 0;
  bool all = false;
};

std::string WizardText(const cv1::Wizard& wizard) {
  return Pairs({{"wizard", wizard.wizard_id()},
                {"status", wizard.status()},
                {"revision", std::to_string(wizard.revision())},
                {"workflow", wizard.workflow_id()},
                {"created", HumanTime(wizard.created_at())},
                {"updated", HumanTime(wizard.updated_at())}});
}

void Create(Session& session, const Arguments& a) {
  auto file = ReadSpecFile(a.file);
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
  cv1::ListWizardsResponse all;
  do {
    auto page = session.connection().Call(&Stub::ListWizards, request);
    if (!page.ok()) return session.Fail(page.status());
    all.mutable_wizards()->MergeFrom(page->wizards());
    all.set_next_page_token(page->next_page_token());
    request.set_page_token(page->next_page_token());
  } while (a.all && !request.page_token().empty());
  Table table({"WIZARD", "STATUS", "UPDATED", "WORKFLOW", "CAMPAIGN"});
  for (const auto& wizard : all.wizards()) {
    table.Add({wizard.wizard_id(), wizard.status(), HumanTime(wizard.updated_at()),
               wizard.workflow_id(), wizard.campaign().campaign_name()});
  }
  session.Print(all, table.Text());
  if (!session.json() && !all.next_page_token().empty()) {
    std::cout << "there are more: --all shows them\n";
  }
}

void Update(Session& session, const Arguments& a) {
  auto file = ReadSpecFile(a.file);
  if (!file.ok()) return session.Fail(file.status());
  cv1::UpdateWizardRequest request;
  request.set_wizard_id(a.id);
  *request.mutable_campaign() = file->request.campaign();
  const auto* type = cv1::CampaignSpec::descriptor();
  const std::string prefix = file->nested ? "campaign." : "";
  for (int i = 0; i < type->field_count(); ++i) {  // YAML says which fields are there
    const std::string& name = type->field(i)->name();
    if (file->lines.contains(prefix + name)) request.mutable_update_mask()->add_paths(name);
  }
  auto wizard = session.connection().Call(&Stub::UpdateWizard, request);
  if (!wizard.ok()) return session.Fail(InFileTerms(*file, wizard.status()));
  session.Print(*wizard, WizardText(*wizard));
}

void Approve(Session& session, const Arguments& a) {
  cv1::ApproveWizardRequest request;
  request.set_wizard_id(a.id);
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
  CLI::App* create = add("create", "Makes a draft; what is missing may follow later",
                         "campaignctl wizard create -f draft.yaml", Create);
  add_file(create, "The campaign's file, YAML or JSON; - for standard input");
  create->add_option("--request-id", a->request_id,
                     "Repeating a create with the same id returns the same wizard");
  add_id(add("show", "Shows a draft", "campaignctl wizard show wz-0123456789abcdef", Show));
  CLI::App* list = add("list", "Lists drafts, newest first", "campaignctl wizard list --all", List);
  list->add_option("--page-size", a->page_size, "How many at a time (default 50)");
  list->add_flag("--all", a->all, "All pages");
  CLI::App* update = add("update", "Changes the fields that the file holds",
                         "campaignctl wizard update wz-0123456789abcdef -f changes.yaml", Update);
  add_id(update);
  add_file(update, "The fields to change, YAML or JSON; - for standard input");
  add_id(add("approve", "Starts the draft's campaign",
             "campaignctl wizard approve wz-0123456789abcdef", Approve));
}

}  // namespace cli
