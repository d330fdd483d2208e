// context, login, logout: which server to talk to, and as whom.
#include <unistd.h>

#include <iostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/cli/command.h"
#include "gateway/cli/table.h"
#include "gateway/cli/text_file.h"

namespace cli {

namespace {

constexpr char kDefaultContext[] = "default";

struct Arguments {
  std::string name;
};

void Save(Session& session, const std::string& said) {
  if (absl::Status status = session.contexts().Save(); !status.ok()) return session.Fail(status);
  std::cout << said << "\n";
}

void NoSuch(Session& session, const std::string& name) {
  session.Fail(absl::NotFoundError(absl::StrCat("there is no context ", name,
                                                "; `campaignctl context list` shows those there "
                                                "are")));
}

void List(Session& session) {
  Table table({"", "CONTEXT", "ADDRESS", "NAMESPACE", "TLS", "SIGNED IN"});
  for (const auto& [name, context] : session.contexts().all()) {
    table.Add({name == session.contexts().current() ? "*" : "", name, context.address, context.ns,
               context.tls || !context.tls_ca.empty() ? "yes" : "no",
               context.token.empty() ? "no" : "yes"});
  }
  std::cout << table.Text();
}

// What was given on the command line; the rest stays as it is.
void Keep(const Session& session, Context* context) {
  const auto take = [](const std::string& given, std::string* kept) {
    if (!given.empty()) *kept = given;
  };
  take(session.address, &context->address);
  take(session.ns, &context->ns);
  take(session.tls_ca, &context->tls_ca);
  take(session.tls_certificate, &context->tls_certificate);
  take(session.tls_key, &context->tls_key);
  context->tls = context->tls || session.tls;
}

void Set(Session& session, const std::string& name) {
  Context& context = session.contexts()[name];
  Keep(session, &context);
  if (session.contexts().current().empty()) session.contexts().Use(name);
  Save(session, absl::StrCat("context ", name, " is ",
                             context.address.empty() ? "127.0.0.1:7233" : context.address));
}

void Use(Session& session, const std::string& name) {
  if (session.contexts().Find(name) == nullptr) return NoSuch(session, name);
  session.contexts().Use(name);
  Save(session, absl::StrCat("using context ", name));
}

void Delete(Session& session, const std::string& name) {
  if (!session.contexts().Remove(name)) return NoSuch(session, name);
  Save(session, absl::StrCat("context ", name, " and its credential are gone"));
}

// From --token-file, else asked for: without an echo on a terminal.
absl::StatusOr<std::string> AskToken(const Session& session) {
  if (!session.token_file.empty()) return ReadFile(session.token_file);
  if (isatty(STDIN_FILENO) == 1) {
    const char* typed = getpass("API key or token: ");
    return std::string(typed == nullptr ? "" : typed);
  }
  return ReadFile("-");
}

// The name of the context that `login` and `logout` are about; made when there is none.
std::string ContextName(Session& session) {
  if (!session.context.empty()) return session.context;
  const std::string& current = session.contexts().current();
  return current.empty() ? kDefaultContext : current;
}

void Login(Session& session) {
  const std::string name = ContextName(session);
  absl::StatusOr<std::string> token = AskToken(session);
  if (!token.ok()) return session.Fail(token.status());
  const std::string clean(absl::StripAsciiWhitespace(*token));
  if (clean.empty()) {
    return session.Fail(absl::InvalidArgumentError(
        "no token was given: type it, pipe it in, or name its file with --token-file"));
  }
  Context& context = session.contexts()[name];
  Keep(session, &context);  // the next commands go the way that is tried here
  session.context = name;
  ConnectionOptions options = session.Options();
  options.token = clean;
  auto connection = Connection::Open(options);
  if (!connection.ok()) return session.Fail(connection.status());
  using Stub = campaign::v1::AccessService::Stub;
  auto caller = (*connection)->Call(&Stub::GetCaller, campaign::v1::GetCallerRequest());
  if (!caller.ok()) return session.Fail(caller.status());
  context.token = clean;
  session.contexts().Use(name);
  const std::string who = caller->identity().empty()
                              ? "which asks nobody who they are"
                              : absl::StrCat("as ", caller->identity(), " (", caller->role(), ")");
  Save(session, absl::StrCat("signed in to ", options.address, " ", who, "; context ", name));
}

void Logout(Session& session) {
  const std::string name = ContextName(session);
  if (session.contexts().Find(name) == nullptr) return NoSuch(session, name);
  session.contexts()[name].token.clear();
  Save(session, absl::StrCat("signed out of context ", name,
                             "; the key itself is valid until it is revoked"));
}

}  // namespace

void AddContextCommands(CLI::App& app, Session& session) {
  auto a = std::make_shared<Arguments>();
  CLI::App* context =
      AddCommand(app, "context", "The servers that this user works with, under names",
                 "campaignctl context set prod --address campaigns.example.com:7233 --tls\n"
                 "  campaignctl context use prod\n"
                 "  campaignctl --context prod list",
                 nullptr);
  AddCommand(*context, "list", "Lists them; * marks the one in use", "campaignctl context list",
             [&session] { List(session); });
  const std::pair<CLI::App*, const char*> named[] = {
      {AddCommand(*context, "set",
                  "Makes or changes one: --address, --namespace, --tls, --tls-ca, ...",
                  "campaignctl context set prod --address campaigns.example.com:7233 --tls",
                  [&session, a] { Set(session, a->name); }),
       "Its name"},
      {AddCommand(*context, "use", "Uses it from now on", "campaignctl context use prod",
                  [&session, a] { Use(session, a->name); }),
       "Its name"},
      {AddCommand(*context, "delete", "Forgets it and its credential",
                  "campaignctl context delete prod", [&session, a] { Delete(session, a->name); }),
       "Its name"}};
  for (const auto& [command, description] : named) {
    command->add_option("NAME", a->name, description)->required();
  }
  AddCommand(app, "login", "Keeps a credential, and the way to the server, after trying them",
             "campaignctl login --address campaigns.example.com:7233 --tls  # asks for the key\n"
             "  campaignctl --context prod login --token-file key.txt",
             [&session] { Login(session); });
  AddCommand(app, "logout", "Forgets the credential of the context in use", "campaignctl logout",
             [&session] { Logout(session); });
}

}  // namespace cli
