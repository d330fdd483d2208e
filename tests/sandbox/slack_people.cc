#include "tests/sandbox/slack_people.h"

#include "tests/sandbox/hooks.h"
#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

constexpr char kTeam[] = "T0SANDBOX";
constexpr char kApp[] = "A0CAMPAIGN";

Response Refuse(int status, const std::string& message) {
  return JsonResponse(status, {{"error", message}});
}

Json UserOf(const Json& body) {
  const Json& user = Member(body, "user");
  const std::string id = StringOr(user, "id", "U0REVIEWER1");
  const std::string name = StringOr(user, "name", Lower(id));
  return {{"id", id}, {"username", name}, {"name", name}, {"team_id", kTeam}};
}

std::string ActionIdOf(const std::string& action) {
  if (action == "approve" || action == "reject") return "campaign_" + action;
  return action;
}

// The button with this action_id, or null.
Json FindButton(const Json& blocks, const std::string& action_id) {
  for (const Json& block : blocks) {
    for (const Json& element : Member(block, "elements")) {
      if (StringOr(element, "action_id") != action_id) continue;
      Json button = element;
      button["block_id"] = StringOr(block, "block_id");
      return button;
    }
  }
  return Json();
}

Response Sent(const std::string& delivery, Json extra) {
  if (delivery.empty()) {
    return Refuse(409, "Slack has no address to call: PUT /__sandbox/hooks first");
  }
  extra["delivery_id"] = delivery;
  return JsonResponse(202, extra);
}

}  // namespace

Resource* SlackPeople::FindMessage(const Json& body) {
  const std::string channel = StringOr(body, "channel");
  if (!channel.empty())
    return store_.Find("slack", "message", channel + "/" + StringOr(body, "ts"));
  Resource* found = nullptr;
  for (Resource* resource : store_.OfWorkflow(StringOr(body, "workflow_id"))) {
    if (resource->vendor != "slack" || resource->kind != "message") continue;
    if (!StringOr(resource->doc, "thread_ts").empty()) continue;  // a reply
    if (found == nullptr || resource->alive) found = resource;
  }
  return found;
}

std::string SlackPeople::MakeTrigger(const std::string& user_id) {
  const std::string number = std::to_string(store_.NextNumber("slack/trigger"));
  Resource trigger;
  trigger.vendor = "slack";
  trigger.kind = "trigger";
  trigger.id = number + "." + Hex(HashOf("trigger/" + number), 16);
  trigger.state = "fresh";
  trigger.seeded = true;
  trigger.doc = {{"user", user_id}};
  return store_.Insert(std::move(trigger)).id;
}

std::string SlackPeople::MakeResponseUrl(const std::string& origin, const std::string& user_id,
                                         const std::string& message_id) {
  const std::string number = std::to_string(store_.NextNumber("slack/response"));
  Resource response;
  response.vendor = "slack";
  response.kind = "response_url";
  response.id = number + "-" + Hex(HashOf("response/" + number), 16);
  response.state = "open";
  response.seeded = true;
  response.doc = {{"user", user_id}, {"message", message_id}, {"uses", 0}};
  return origin + "/slack/api/response/" + store_.Insert(std::move(response)).id;
}

Response SlackPeople::Press(const Json& body, const std::string& origin) {
  Resource* message = FindMessage(body);
  if (message == nullptr || message->state == "deleted") return Refuse(404, "no such message");
  const std::string action_id = ActionIdOf(StringOr(body, "action", "approve"));
  Json button = FindButton(Member(message->doc, "blocks"), action_id);
  if (button.is_null()) {
    // Gone from the message, not from the screen of somebody who has not looked again.
    const Json& marker = Member(Member(message->doc, "metadata"), "event_payload");
    button = {{"type", "button"},
              {"action_id", action_id},
              {"block_id", "campaign_review"},
              {"value", StringOr(marker, "marker")}};
  }
  const Json user = UserOf(body);
  const std::string trigger = MakeTrigger(user["id"]);
  const int64_t us = store_.NowUs();
  button["action_ts"] = std::to_string(us / 1'000'000) + "." + std::to_string(us % 1'000'000);
  const std::string channel = StringOr(message->doc, "channel");
  Json shown = message->doc;
  shown.erase("metadata");
  const std::string response_url = MakeResponseUrl(origin, user["id"], message->id);
  const Json payload = {{"type", "block_actions"},
                        {"user", user},
                        {"api_app_id", kApp},
                        {"token", "deprecated"},
                        {"container",
                         {{"type", "message"},
                          {"message_ts", message->doc["ts"]},
                          {"channel_id", channel},
                          {"is_ephemeral", false}}},
                        {"trigger_id", trigger},
                        {"team", {{"id", kTeam}, {"domain", "sandbox"}}},
                        {"channel", {{"id", channel}, {"name", Lower(channel)}}},
                        {"message", shown},
                        {"response_url", response_url},
                        {"actions", Json::array({button})}};
  return Sent(Hooks(store_).SendSlackInteraction(payload),
              {{"trigger_id", trigger}, {"response_url", response_url}});
}

Response SlackPeople::Submit(const Json& body) {
  Resource* view = nullptr;
  const std::string id = StringOr(body, "view_id");
  store_.Each("slack", "view", "", [&](Resource& each) {
    if (each.state == "open" && (id.empty() || each.id == id)) view = &each;
    return true;
  });
  if (view == nullptr) return Refuse(404, "no dialog is open");
  Json values = Json::object();
  for (const Json& block : Member(Member(view->doc, "view"), "blocks")) {
    const std::string block_id = StringOr(block, "block_id");
    if (StringOr(block, "type") != "input") continue;
    const std::string action = StringOr(Member(block, "element"), "action_id");
    values[block_id][action] = {{"type", "plain_text_input"},
                                {"value", StringOr(Member(body, "values"), block_id)}};
  }
  Json sent = Member(view->doc, "view");
  sent["id"] = view->id;
  sent["state"] = {{"values", values}};
  sent["hash"] = Hex(HashOf(view->id), 10);
  const Json payload = {{"type", "view_submission"},
                        {"team", {{"id", kTeam}, {"domain", "sandbox"}}},
                        {"user", Member(view->doc, "user")},
                        {"api_app_id", kApp},
                        {"token", "deprecated"},
                        {"trigger_id", MakeTrigger(StringOr(Member(view->doc, "user"), "id"))},
                        {"view", sent},
                        {"response_urls", Json::array()}};
  return Sent(Hooks(store_).SendSlackInteraction(payload), {{"view_id", view->id}});
}

Response SlackPeople::Command(const Json& body, const std::string& origin) {
  const Json user = UserOf(body);
  return Sent(
      Hooks(store_).SendSlackCommand({{"token", "deprecated"},
                                      {"team_id", kTeam},
                                      {"team_domain", "sandbox"},
                                      {"channel_id", StringOr(body, "channel", "C0SANDBOX1")},
                                      {"user_id", user["id"]},
                                      {"user_name", user["name"]},
                                      {"command", StringOr(body, "command", "/campaign")},
                                      {"text", StringOr(body, "text")},
                                      {"response_url", MakeResponseUrl(origin, user["id"], "")},
                                      {"trigger_id", MakeTrigger(user["id"])}}),
      Json::object());
}

}  // namespace sandbox
