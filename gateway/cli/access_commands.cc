// keys create|list|revoke, users set|list|delete, whoami.
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gateway/cli/command.h"
#include "gateway/cli/human.h"
#include "gateway/cli/options.h"
#include "gateway/cli/table.h"
#include "orchestrator/history/time.h"

namespace cli {

namespace {

namespace cv1 = campaign::v1;
using Stub = cv1::AccessService::Stub;

std::string TimeOr(bool has, const google::protobuf::Timestamp& time, const char* otherwise) {
  return has ? HumanTime(time) : otherwise;
}

void CreateKey(Session& session, const std::string& name, const std::string& role,
               const std::string& expires_in) {
  cv1::CreateApiKeyRequest request;
  request.set_name(name);
  request.set_role(role);
  if (!expires_in.empty()) {
    google::protobuf::Duration duration;
    const absl::Status status = ReadDuration("--expires-in", expires_in, &duration);
    if (!status.ok()) return session.Fail(status);
    *request.mutable_expires_at() = history::ToProto(absl::Now() + history::FromProto(duration));
  }
  auto made = session.connection().Call(&Stub::CreateApiKey, request);
  if (!made.ok()) return session.Fail(made.status());
  const cv1::ApiKey& key = made->api_key();
  session.Print(
      *made,
      absl::StrCat(Pairs({{"key", key.key_id()},
                          {"name", key.name()},
                          {"role", key.role()},
                          {"namespace", key.namespace_()},
                          {"expires", TimeOr(key.has_expires_at(), key.expires_at(), "never")}}),
                   "secret, shown this once:\n", made->secret(), "\n"));
}

void ListKeys(Session& session, bool all) {
  Table table(
      {"KEY", "NAME", "ROLE", "NAMESPACE", "CREATED", "BY", "EXPIRES", "LAST USED", "REVOKED"});
  cv1::ListApiKeysResponse whole;
  cv1::ListApiKeysRequest request;
  request.set_include_ended(all);
  do {
    auto page = session.connection().Call(&Stub::ListApiKeys, request);
    if (!page.ok()) return session.Fail(page.status());
    for (const cv1::ApiKey& key : page->api_keys()) {
      table.Add({key.key_id(), key.name(), key.role(), key.namespace_(),
                 HumanTime(key.created_at()), key.created_by(),
                 TimeOr(key.has_expires_at(), key.expires_at(), "never"),
                 TimeOr(key.has_last_used_at(), key.last_used_at(), "never"),
                 TimeOr(key.has_revoked_at(), key.revoked_at(), "")});
      *whole.add_api_keys() = key;
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  session.Print(whole, table.Text());
}

void RevokeKey(Session& session, const std::string& key_id) {
  cv1::RevokeApiKeyRequest request;
  request.set_key_id(key_id);
  auto key = session.connection().Call(&Stub::RevokeApiKey, request);
  if (!key.ok()) return session.Fail(key.status());
  session.Print(*key, absl::StrCat(key->key_id(), " (", key->name(), ") was revoked at ",
                                   HumanTime(key->revoked_at()), " by ", key->revoked_by(), "\n"));
}

void SetUser(Session& session, const std::string& email, const std::string& role) {
  cv1::SetUserRequest request;
  request.set_email(email);
  request.set_role(role);
  auto user = session.connection().Call(&Stub::SetUser, request);
  if (!user.ok()) return session.Fail(user.status());
  session.Print(*user, absl::StrCat(user->email(), " is ", user->role(), " in the namespace ",
                                    user->namespace_(), "\n"));
}

void ListUsers(Session& session) {
  Table table({"EMAIL", "ROLE", "NAMESPACE", "CHANGED", "BY"});
  cv1::ListUsersResponse whole;
  cv1::ListUsersRequest request;
  do {
    auto page = session.connection().Call(&Stub::ListUsers, request);
    if (!page.ok()) return session.Fail(page.status());
    for (const cv1::User& user : page->users()) {
      table.Add({user.email(), user.role(), user.namespace_(), HumanTime(user.updated_at()),
                 user.updated_by()});
      *whole.add_users() = user;
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  session.Print(whole, table.Text());
}

void DeleteUser(Session& session, const std::string& email) {
  cv1::DeleteUserRequest request;
  request.set_email(email);
  auto gone = session.connection().Call(&Stub::DeleteUser, request);
  if (!gone.ok()) return session.Fail(gone.status());
  session.Print(*gone, absl::StrCat(email, " has no entry any more\n"));
}

void WhoAmI(Session& session) {
  auto caller = session.connection().Call(&Stub::GetCaller, cv1::GetCallerRequest());
  if (!caller.ok()) return session.Fail(caller.status());
  session.Print(*caller, Pairs({{"identity", caller->identity().empty() ? "(the server asks nobody)"
                                                                        : caller->identity()},
                                {"role", caller->role()},
                                {"namespace", caller->namespace_()},
                                {"credential", caller->credential()},
                                {"key", caller->key_id()},
                                {"address", caller->address()}}));
}

void AddKeys(CLI::App& app, Session& session) {
  CLI::App* keys = AddCommand(app, "keys", "API keys: who may call without being a person",
                              "campaignctl keys create ci --role editor", nullptr);
  struct Arguments {
    std::string name, role, expires_in, key_id;
    bool all = false;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* create = AddCommand(
      *keys, "create", "Makes a key in the namespace of --namespace and shows its secret once",
      "campaignctl keys create ci --role editor --namespace marketing --expires-in 2160h",
      [&session, a] { CreateKey(session, a->name, a->role, a->expires_in); });
  create->add_option("NAME", a->name, "What it is for; calls are by key:NAME")->required();
  create->add_option("--role", a->role, "What it may do")
      ->required()
      ->check(CLI::IsMember({"viewer", "editor", "admin"}));
  create->add_option("--expires-in", a->expires_in, "How long it is good for (default: for ever)");
  CLI::App* list =
      AddCommand(*keys, "list", "Shows the keys, newest first", "campaignctl keys list --all",
                 [&session, a] { ListKeys(session, a->all); });
  list->add_flag("--all", a->all, "Also those that were revoked or have expired");
  CLI::App* revoke = AddCommand(*keys, "revoke", "Ends a key at once and for good",
                                "campaignctl keys revoke ck_ab12cd34",
                                [&session, a] { RevokeKey(session, a->key_id); });
  revoke->add_option("KEY", a->key_id, "How the key begins, as `keys list` shows it")->required();
}

void AddUsers(CLI::App& app, Session& session) {
  CLI::App* users = AddCommand(app, "users", "People and their roles",
                               "campaignctl users set ann@example.com --role editor", nullptr);
  struct Arguments {
    std::string email, role;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* set =
      AddCommand(*users, "set", "Gives a person a role in the namespace of --namespace",
                 "campaignctl users set ann@example.com --role editor --namespace marketing",
                 [&session, a] { SetUser(session, a->email, a->role); });
  set->add_option("EMAIL", a->email, "Whose role")->required();
  set->add_option("--role", a->role, "What the person may do; none: nothing")
      ->required()
      ->check(CLI::IsMember({"none", "viewer", "editor", "admin"}));
  AddCommand(*users, "list", "Shows the people with an entry", "campaignctl users list",
             [&session] { ListUsers(session); });
  CLI::App* remove = AddCommand(
      *users, "delete", "Removes a person's entry: what their token says counts again",
      "campaignctl users delete ann@example.com", [&session, a] { DeleteUser(session, a->email); });
  remove->add_option("EMAIL", a->email, "Whose entry")->required();
}

}  // namespace

void AddAccessCommands(CLI::App& app, Session& session) {
  AddKeys(app, session);
  AddUsers(app, session);
  AddCommand(app, "whoami", "Shows what the server makes of your credential", "campaignctl whoami",
             [&session] { WhoAmI(session); });
}

}  // namespace cli
