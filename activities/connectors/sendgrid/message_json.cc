#include "activities/connectors/sendgrid/message_json.h"

#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"

namespace sendgrid {
namespace {

using wire::Json;

Json AddressJson(const Address& address) {
  Json json = {{"email", address.email}};
  if (!address.name.empty()) json["name"] = address.name;
  return json;
}

std::string Fault(const Message& message, absl::Time send_at, absl::Time now) {
  if (message.to.empty()) return "the mail has no recipient";
  if (message.to.size() > kRecipientsMax) {
    return wire::Cat("the mail has ", message.to.size(), " recipients, at most ", kRecipientsMax,
                     " fit into one; split the list");
  }
  if (message.from.email.empty()) return "the mail has no sender";
  if (message.subject.empty()) return "the mail has no subject";
  if (message.text.empty() && message.html.empty()) return "the mail has no text";
  if (message.categories.size() > 10) return "the mail has more than 10 categories";
  if (send_at > now + kScheduleAheadMax) {
    return wire::Cat("a mail can be scheduled at most 72 hours ahead, this one is for ",
                     absl::FormatTime(send_at, absl::UTCTimeZone()));
  }
  return "";
}

}  // namespace

base::Outcome<std::string> MailBody(const Message& message, const std::string& batch_id,
                                    absl::Time send_at, absl::Time now,
                                    const outbound::CallContext& context) {
  const std::string fault = Fault(message, send_at, now);
  if (!fault.empty()) return base::Failure::Permanent("InvalidRequest", "sendgrid: " + fault);
  Json custom_args = Json::object();
  for (const auto& [name, value] : message.custom_args) custom_args[name] = value;
  custom_args["workflow_id"] = context.workflow_id;
  custom_args["idempotency_key"] = context.idempotency_key;
  Json personalizations = Json::array();
  for (const Address& recipient : message.to) {
    personalizations.push_back(
        {{"to", Json::array({AddressJson(recipient)})}, {"custom_args", custom_args}});
  }
  Json content = Json::array();  // text/plain has to come first
  if (!message.text.empty()) content.push_back({{"type", "text/plain"}, {"value", message.text}});
  if (!message.html.empty()) content.push_back({{"type", "text/html"}, {"value", message.html}});
  Json body = {{"personalizations", std::move(personalizations)},
               {"from", AddressJson(message.from)},
               {"subject", message.subject},
               {"content", std::move(content)},
               {"send_at", absl::ToUnixSeconds(send_at)},
               {"batch_id", batch_id}};
  if (!message.reply_to.email.empty()) body["reply_to"] = AddressJson(message.reply_to);
  if (!message.categories.empty()) body["categories"] = message.categories;
  return wire::DumpJson(body);
}

}  // namespace sendgrid
