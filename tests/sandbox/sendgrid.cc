// SendGrid v3: mail send, batches, cancelling and pausing of scheduled sends. A mail of a
// cancelled batch never goes out, also when it arrives after the batch was cancelled.

#include <algorithm>
#include <set>

#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

// The address of an email within a personalization: "personalizations.0.to.1.email".
std::string EmailField(const std::string& field, const char* kind, size_t i) {
  return field + "." + kind + "." + std::to_string(i) + ".email";
}

std::string Duplicate(const std::string& email, const std::string& field, const char* kind) {
  return "Each email address in the personalization block should be unique between to, cc, and "
         "bcc. We found the first duplicate instance of [" +
         email + "] in the " + field + "." + kind + " field.";
}

constexpr int64_t kScheduleAheadS = 72 * 3600;
constexpr size_t kPersonalizationsMax = 1000;
constexpr size_t kCategoriesMax = 10;
constexpr char kHelp[] =
    "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message.";

Json ErrorJson(const std::string& message, const std::string& field = "",
               const std::string& help = "") {
  Json error = {{"message", message}, {"field", field.empty() ? Json() : Json(field)}};
  if (!help.empty()) error["help"] = kHelp + help;
  return error;
}

Response Errors(int status, const Json& errors) {
  return JsonResponse(status, {{"errors", errors.is_array() ? errors : Json::array({errors})}});
}

bool IsAddress(const std::string& email) {
  const size_t at = email.find('@');
  return at != std::string::npos && at > 0 && at + 1 < email.size() &&
         email.find('@', at + 1) == std::string::npos &&
         email.find_first_of(" \t\r\n<>,") == std::string::npos;
}

// Collects everything that is wrong with a mail/send body, and what matters of it.
class MailReader {
 public:
  MailReader(const Json& body, int64_t now_ms) : body_(body), now_s_(now_ms / 1000) {}

  void Read() {
    if (!body_.is_object()) {
      Fail("Bad Request", "", "");
      return;
    }
    ReadPersonalizations();
    ReadFrom();
    ReadSubject();
    ReadContent();
    CheckSendAt(Member(body_, "send_at"), "send_at");
    const Json& categories = Member(body_, "categories");
    if (categories.size() > kCategoriesMax) {
      Fail("There cannot be more than 10 categories per request.", "categories", "categories");
    }
  }

  const Json& errors() const { return errors_; }
  const std::set<std::string>& recipients() const { return recipients_; }
  const std::string& subject() const { return subject_; }
  int64_t send_at_s() const { return send_at_s_; }

 private:
  void Fail(const std::string& message, const std::string& field, const std::string& help) {
    errors_.push_back(ErrorJson(message, field, help));
  }

  void ReadPersonalizations() {
    const Json& list = Member(body_, "personalizations");
    if (!list.is_array() || list.empty()) {
      Fail("The personalizations field is required and must have at least one personalization.",
           "personalizations", "personalizations");
      return;
    }
    if (list.size() > kPersonalizationsMax) {
      Fail("There cannot be more than 1000 personalizations in a single request.",
           "personalizations", "personalizations");
      return;
    }
    every_has_subject_ = true;
    for (size_t i = 0; i < list.size(); ++i) {
      ReadPersonalization(list[i], "personalizations." + std::to_string(i));
    }
  }

  void ReadPersonalization(const Json& one, const std::string& field) {
    const Json& to = Member(one, "to");
    if (!to.is_array() || to.empty()) {
      Fail(
          "The to array is required for all personalization objects, and must have at least one "
          "email object with a valid email address.",
          field + ".to", "to");
    }
    std::set<std::string> own;
    for (const char* kind : {"to", "cc", "bcc"}) {
      const Json& people = Member(one, kind);
      for (size_t i = 0; people.is_array() && i < people.size(); ++i) {
        const std::string email = Lower(StringOr(people[i], "email"));
        if (!IsAddress(email)) {
          Fail("Does not contain a valid address.", EmailField(field, kind, i), "personalizations");
        } else if (!own.insert(email).second) {
          Fail(Duplicate(email, field, kind), field, "recipient-errors");
        }
        recipients_.insert(email);
      }
    }
    if (subject_.empty()) subject_ = StringOr(one, "subject");
    every_has_subject_ = every_has_subject_ && !StringOr(one, "subject").empty();
    CheckSendAt(Member(one, "send_at"), field + ".send_at");
  }

  void ReadFrom() {
    const std::string email = StringOr(Member(body_, "from"), "email");
    if (email.empty()) {
      Fail(
          "The from object must be provided for every email send. It is an object that requires "
          "the email parameter, but may also contain a name parameter.",
          "from.email", "from");
    } else if (!IsAddress(email)) {
      Fail("The from email does not contain a valid address.", "from.email", "from");
    }
  }

  void ReadSubject() {
    const std::string subject = StringOr(body_, "subject");
    if (subject.empty() && !every_has_subject_ && StringOr(body_, "template_id").empty()) {
      Fail(
          "The subject is required. You can get around this requirement if you use a template "
          "with a subject defined or if every personalization has a subject defined.",
          "subject", "subject");
    }
    if (!subject.empty()) subject_ = subject;
  }

  void ReadContent() {
    const Json& content = Member(body_, "content");
    if ((!content.is_array() || content.empty()) && StringOr(body_, "template_id").empty()) {
      Fail(
          "Unless a valid template_id is provided, the content parameter is required. There must "
          "be at least one defined content block. We typically suggest both text/plain and "
          "text/html blocks are included, but only one block is required.",
          "content", "content");
      return;
    }
    for (size_t i = 0; content.is_array() && i < content.size(); ++i) {
      const std::string field = "content." + std::to_string(i);
      if (StringOr(content[i], "type").empty()) {
        Fail("The content type must be a string at least one character in length.", field + ".type",
             "content.type");
      }
      if (StringOr(content[i], "value").empty()) {
        Fail("The content value must be a string at least one character in length.",
             field + ".value", "content.value");
      }
    }
  }

  void CheckSendAt(const Json& value, const std::string& field) {
    if (value.is_null()) return;
    if (!value.is_number_integer()) {
      Fail("The send_at parameter must be an integer.", field, "send_at");
      return;
    }
    const auto at = value.get<int64_t>();
    if (at > now_s_ + kScheduleAheadS) {
      Fail("The send_at time can not be more than 72 hours in the future.", field, "send_at");
    }
    send_at_s_ = std::max(send_at_s_, at);
  }

  const Json& body_;
  const int64_t now_s_;
  Json errors_ = Json::array();
  std::set<std::string> recipients_;
  std::string subject_;
  bool every_has_subject_ = false;
  int64_t send_at_s_ = 0;
};

class SendGrid : public Vendor {
 public:
  explicit SendGrid(Store& store) : Vendor("sendgrid", "/sendgrid", store) {
    Add("POST", "/v3/mail/batch", "mail.batch", &SendGrid::CreateBatch);
    Add("GET", "/v3/mail/batch/{id}", "mail.validateBatch", &SendGrid::ValidateBatch);
    Add("POST", "/v3/mail/send", "mail.send", &SendGrid::Send);
    Add("POST", "/v3/user/scheduled_sends", "scheduledSends.create", &SendGrid::CreateStatus);
    Add("GET", "/v3/user/scheduled_sends", "scheduledSends.list", &SendGrid::ListStatuses);
    Add("GET", "/v3/user/scheduled_sends/{id}", "scheduledSends.get", &SendGrid::GetStatus);
    Add("PATCH", "/v3/user/scheduled_sends/{id}", "scheduledSends.update", &SendGrid::UpdateStatus);
    Add("DELETE", "/v3/user/scheduled_sends/{id}", "scheduledSends.delete",
        &SendGrid::DeleteStatus);
    Add("GET", "/v3/scopes", "scopes.list", &SendGrid::Scopes);
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    const int status = fault.status.value_or(500);
    return Errors(status,
                  ErrorJson(status == 503 ? "Service Unavailable" : "Internal Server Error"));
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    const int64_t reset = store_.NowMs() / 1000 + fault.retry_after_s.value_or(1);
    return Errors(fault.status.value_or(429), ErrorJson("too many requests"))
        .With("X-RateLimit-Limit", "600")
        .With("X-RateLimit-Remaining", "0")
        .With("X-RateLimit-Reset", std::to_string(reset));
  }

  void Advance() override {
    for (Resource* mail : store_.TakeDue("sendgrid")) {
      mail->due_ms = 0;
      if (mail->state == "queued") MarkSent(mail, IntOr(mail->doc, "send_at", 0) * 1000);
      store_.Save(*mail);
    }
  }

 protected:
  std::optional<Response> Refuse(const Call& call) override {
    const std::string token = call.request.AuthToken("Bearer");
    if (token.empty()) {
      return Errors(401, ErrorJson("Permission denied, wrong credentials"));
    }
    if (!IsBadToken(token)) return std::nullopt;
    return Errors(401,
                  ErrorJson("The provided authorization grant is invalid, expired, or revoked"));
  }

  Response NoSuchCall(const Call&) override { return Errors(404, ErrorJson("Not Found")); }

  Response BadBody(const Call&, const std::string&) override {
    return Errors(400, ErrorJson("Bad Request"));
  }

  void Finish(const Call& call, Response* response) override {
    response->With("X-RateLimit-Limit", "600")
        .With("X-RateLimit-Remaining", std::to_string(599 - ++calls_ % 599))  // never 0
        .With("X-RateLimit-Reset", std::to_string(call.now_ms / 60'000 * 60 + 60));
  }

 private:
  Response CreateBatch(Call& call) {
    const uint64_t number = store_.NextNumber("sendgrid/batch");
    Resource batch = call.Make("sendgrid", "batch",
                               Base64Encode("batch-" + std::to_string(number) + "-" +
                                            Hex(HashOf(std::to_string(number)), 16)));
    std::replace(batch.id.begin(), batch.id.end(), '=', '_');
    std::replace(batch.id.begin(), batch.id.end(), '/', '-');
    batch.state = "active";
    batch.doc = {{"batch_id", batch.id}, {"status", ""}};
    return JsonResponse(201, {{"batch_id", store_.Insert(std::move(batch)).id}});
  }

  Resource* FindBatch(const std::string& id) { return store_.Find("sendgrid", "batch", id); }

  Response ValidateBatch(Call& call) {
    if (FindBatch(call.Param("id")) == nullptr) {
      return Errors(400, ErrorJson("invalid batch id", "batch_id"));
    }
    return JsonResponse(200, {{"batch_id", call.Param("id")}});
  }

  Response Send(Call& call) {
    MailReader mail(call.body, call.now_ms);
    mail.Read();
    Json errors = mail.errors();
    const std::string batch_id = StringOr(call.body, "batch_id");
    const Resource* batch = batch_id.empty() ? nullptr : FindBatch(batch_id);
    if (call.body.contains("batch_id") && batch == nullptr) {
      errors.push_back(ErrorJson("The batch_id is invalid.", "batch_id", "batch_id"));
    }
    if (!errors.empty()) return Errors(400, errors);
    const Json& sandbox_mode = Member(Member(call.body, "mail_settings"), "sandbox_mode");
    if (BoolOr(sandbox_mode, "enable", false)) return EmptyResponse(200);

    const std::string id = Base64Encode(
        Sha1Hex("mail " + std::to_string(store_.NextNumber("sendgrid/mail"))).substr(0, 15));
    Resource made = call.Make("sendgrid", "mail", id);
    made.lookup = batch_id;
    Json recipients = Json::array();
    for (const std::string& email : mail.recipients()) {
      recipients.push_back(email);
      made.natural_key += email + ",";
    }
    made.natural_key += "|" + mail.subject();
    made.doc = {{"to", recipients},
                {"from", Member(call.body, "from")},
                {"subject", mail.subject()},
                {"batch_id", batch_id},
                {"send_at", mail.send_at_s()},
                {"categories", Member(call.body, "categories")},
                {"custom_args", Member(call.body, "custom_args")}};
    made.alive = true;
    Apply(batch == nullptr ? "" : StringOr(batch->doc, "status"), &made, call.now_ms);
    store_.Insert(std::move(made));
    return EmptyResponse(202).With("X-Message-Id", id);
  }

  static void MarkSent(Resource* mail, int64_t when_ms) {
    mail->state = "sent";
    mail->alive = true;
    mail->due_ms = 0;
    mail->doc["sent_at"] = IsoSeconds(when_ms);
  }

  // Puts a mail that has not gone out into the state that its batch's status asks for.
  static void Apply(const std::string& status, Resource* mail, int64_t now_ms) {
    mail->due_ms = 0;
    mail->alive = status != "cancel";
    if (status == "cancel") {
      mail->state = "cancelled";
    } else if (status == "pause") {
      mail->state = "paused";
    } else if (IntOr(mail->doc, "send_at", 0) * 1000 > now_ms) {
      mail->state = "queued";
      mail->due_ms = IntOr(mail->doc, "send_at", 0) * 1000;
    } else {
      MarkSent(mail, now_ms);
    }
  }

  void SetStatus(const Call& call, Resource* batch, const std::string& status) {
    batch->doc["status"] = status;
    batch->state = status.empty() ? "active" : status;
    store_.Save(*batch);
    for (Resource* mail : store_.Lookup("sendgrid", "mail", batch->id)) {
      if (mail->state == "sent") continue;
      // A cancelled mail whose time has passed is gone, whatever becomes of the batch.
      const bool is_past = IntOr(mail->doc, "send_at", 0) * 1000 <= call.now_ms;
      if (mail->state == "cancelled" && is_past) continue;
      Apply(status, mail, call.now_ms);
      store_.Save(*mail);
    }
  }

  Response CreateStatus(Call& call) {
    const std::string id = StringOr(call.body, "batch_id");
    const std::string status = StringOr(call.body, "status");
    Json errors = Json::array();
    Resource* batch = id.empty() ? nullptr : FindBatch(id);
    if (batch == nullptr) errors.push_back(ErrorJson("invalid batch id", "batch_id"));
    if (status != "cancel" && status != "pause") {
      errors.push_back(ErrorJson("status must be either cancel or pause", "status"));
    }
    if (!errors.empty()) return Errors(400, errors);
    if (!StringOr(batch->doc, "status").empty()) {
      return Errors(400, ErrorJson("a status for this batch id exists, try PATCH to update the "
                                   "status",
                                   "batch_id"));
    }
    SetStatus(call, batch, status);
    return JsonResponse(201, {{"batch_id", id}, {"status", status}});
  }

  Response ListStatuses(Call& call) {
    Json out = Json::array();
    store_.Each("sendgrid", "batch", "", [&out](Resource& batch) {
      const std::string status = StringOr(batch.doc, "status");
      if (!status.empty()) out.push_back({{"batch_id", batch.id}, {"status", status}});
      return true;
    });
    return JsonResponse(200, out);
  }

  // The batch when it has a status, else null.
  Resource* FindWithStatus(const std::string& id) {
    Resource* batch = FindBatch(id);
    return batch == nullptr || StringOr(batch->doc, "status").empty() ? nullptr : batch;
  }

  Response GetStatus(Call& call) {
    const Resource* batch = FindWithStatus(call.Param("id"));
    Json out = Json::array();
    if (batch != nullptr) {
      out.push_back({{"batch_id", batch->id}, {"status", batch->doc["status"]}});
    }
    return JsonResponse(200, out);
  }

  Response UpdateStatus(Call& call) {
    Resource* batch = FindWithStatus(call.Param("id"));
    if (batch == nullptr) return Errors(404, ErrorJson("batch id not found"));
    const std::string status = StringOr(call.body, "status");
    if (status != "cancel" && status != "pause") {
      return Errors(400, ErrorJson("status must be either cancel or pause", "status"));
    }
    SetStatus(call, batch, status);
    return EmptyResponse(204);
  }

  Response DeleteStatus(Call& call) {
    Resource* batch = FindWithStatus(call.Param("id"));
    if (batch == nullptr) return Errors(404, ErrorJson("batch id not found"));
    SetStatus(call, batch, "");
    return EmptyResponse(204);
  }

  Response Scopes(Call&) {
    return JsonResponse(200, {{"scopes",
                               {"mail.send", "mail.batch.create", "user.scheduled_sends.create",
                                "user.scheduled_sends.update"}}});
  }

  int64_t calls_ = 0;
};

}  // namespace

std::unique_ptr<Vendor> MakeSendGrid(Store& store) { return std::make_unique<SendGrid>(store); }

}  // namespace sandbox
