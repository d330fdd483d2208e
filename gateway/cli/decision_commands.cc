// approve, reject and update-content.

#include "absl/strings/str_cat.h"
#include "gateway/cli/command.h"
#include "gateway/cli/human.h"
#include "gateway/cli/table.h"
#include "gateway/cli/text_file.h"

namespace cli {

namespace {

namespace cv1 = campaign::v1;
using Stub = cv1::CampaignService::Stub;
using DecideMethod = grpc::Status (Stub::*)(grpc::ClientContext*, const cv1::DecideCampaignRequest&,
                                            cv1::DecideCampaignResponse*);

struct DecideArguments {
  std::string id;
  std::string by = Session::User();
  std::string comment;
};

void Decide(Session& session, DecideMethod method, const DecideArguments& a) {
  cv1::DecideCampaignRequest request;
  request.set_workflow_id(a.id);
  request.set_decided_by(a.by);
  request.set_comment(a.comment);
  request.set_via("cli");
  auto response = session.connection().Call(method, request);
  if (!response.ok()) return session.Fail(response.status());
  const auto& decision = response->decision();
  session.Print(*response,
                absl::StrCat(a.id, " ", decision.decision(), " by ", decision.decided_by(), " at ",
                             HumanTime(decision.decided_at()), "\n"));
}

void AddDecide(CLI::App& app, Session& session, const std::string& name,
               const std::string& description, const std::string& example,
               const std::string& comment_option, DecideMethod method) {
  auto a = std::make_shared<DecideArguments>();
  CLI::App* command = AddCommand(app, name, description, example,
                                 [&session, a, method] { Decide(session, method, *a); });
  command->add_option("WORKFLOW_ID", a->id, "The campaign's workflow id")->required();
  command->add_option("--by", a->by, "Who decides")->capture_default_str();
  command->add_option(comment_option, a->comment, "Why; shown to everybody");
}

struct ContentArguments {
  std::string id;
  std::string content_id;
  std::string text;
  std::string file;
  std::string by = Session::User();
};

void UpdateContent(Session& session, const ContentArguments& a) {
  cv1::UpdateContentRequest request;
  request.set_workflow_id(a.id);
  request.set_content_id(a.content_id);
  request.set_new_content(a.text);
  request.set_updated_by(a.by);
  if (!a.file.empty()) {
    absl::StatusOr<std::string> text = ReadFile(a.file);
    if (!text.ok()) return session.Fail(text.status());
    request.set_new_content(*std::move(text));
  }
  auto response = session.connection().Call(&Stub::UpdateContent, request);
  if (!response.ok()) return session.Fail(response.status());
  Table table({"CONTENT", "TEXT"});
  for (const auto& piece : response->content()) table.Add({piece.content_id(), piece.text()});
  session.Print(*response, absl::StrCat("revision ", response->content_revision(), "\n",
                                        table.empty() ? "" : table.Text()));
}

}  // namespace

void AddDecisionCommands(CLI::App& app, Session& session) {
  AddDecide(app, session, "approve",
            "Approves a campaign that waits for it; the first decision wins",
            "campaignctl approve campaign-2c26b46b68ffc68f --comment \"looks good\"", "--comment",
            &Stub::ApproveCampaign);
  AddDecide(app, session, "reject", "Rejects a campaign, which is then undone",
            "campaignctl reject campaign-2c26b46b68ffc68f --reason \"wrong audience\"",
            "--reason,--comment", &Stub::RejectCampaign);

  auto a = std::make_shared<ContentArguments>();
  CLI::App* update = AddCommand(
      app, "update-content", "Changes a piece of a campaign's content while it is under review",
      "campaignctl update-content campaign-2c26b46b68ffc68f --id headline --text \"Bloom again\"",
      [&session, a] { UpdateContent(session, *a); });
  update->add_option("WORKFLOW_ID", a->id, "The campaign's workflow id")->required();
  update->add_option("--id", a->content_id, "Which piece")
      ->required()
      ->check(CLI::IsMember(
          {"headline", "tagline", "email_subject", "email_body", "social_post", "blog_outline"}));
  auto* source = update->add_option_group("source", "The new text");
  source->add_option("--text", a->text, "The text itself");
  source->add_option("--file", a->file, "A file that holds it; - for standard input");
  source->require_option(1);
  update->add_option("--by", a->by, "Who changes it")->capture_default_str();
}

}  // namespace cli
