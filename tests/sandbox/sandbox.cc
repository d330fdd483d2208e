#include "tests/sandbox/sandbox.h"

#include "tests/sandbox/admin.h"
#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

// Who made a resource: X-Workflow-Id, else what precedes the first '/' of the idempotency key.
std::string WorkflowOf(const Request& request) {
  const std::string_view header = request.Header("x-workflow-id");
  if (!header.empty()) return std::string(header);
  const std::string_view key = request.Header("idempotency-key");
  return std::string(key.substr(0, key.find('/')));
}

// An answer that was cut off on its way: no JSON parser takes it.
void Mangle(Response* response) {
  if (response->status == 204) response->status = 200;
  if (response->body.empty()) {
    response->body = "{\"unterminated\": ";
    response->content_type = "application/json";
    return;
  }
  response->body.resize((response->body.size() + 1) / 2);
  response->body += "\x01<";
}

// A careless vendor: it refuses, and repeats what it was sent to prove who calls.
Response Echo(const Request& request, int status) {
  std::string sent;
  for (const auto& [name, value] : request.headers) {
    const std::string lower = Lower(name);
    if (lower == "authorization" || lower == "x-figma-token" || lower == "webhook-signature") {
      sent += (sent.empty() ? "" : "; ") + name + ": " + value;
    }
  }
  const std::string message = "refused, you sent " + sent;
  return JsonResponse(status, {{"ok", false},
                               {"message", message},
                               {"err", message},
                               {"error", {{"message", message}, {"type", message}}},
                               {"errors", {{{"message", message}}}}});
}

// A body of which a part can be sent.
void FillBody(Response* response) {
  if (response->status == 204) response->status = 200;
  if (!response->body.empty()) return;
  response->body = "{\"empty\": true}";
  response->content_type = "application/json";
}

// What a proxy or a captive portal puts in place of the answer.
void PutPage(Response* response) {
  if (response->status == 204) response->status = 200;
  response->content_type = "text/html; charset=utf-8";
  response->body = "<!DOCTYPE html><html><body>Please sign in</body></html>";
}

}  // namespace

Sandbox::Sandbox() {
  vendors_.push_back(MakeNotion(store_));
  vendors_.push_back(MakeOpenAi(store_));
  vendors_.push_back(MakeFigma(store_));
  vendors_.push_back(MakeFigmaRender(store_));
  vendors_.push_back(MakeGitHub(store_));
  vendors_.push_back(MakeSlack(store_));
  vendors_.push_back(MakeSendGrid(store_));
  vendors_.push_back(MakeBuffer(store_));
  vendors_.push_back(MakeGrafana(store_));
  vendors_.push_back(MakeCms(store_));
  vendors_.push_back(MakeGoogleChat(store_));
  vendors_.push_back(MakeMemory(store_));
  vendors_.push_back(MakeWebDriver(store_));
  vendors_.push_back(MakeSite(store_));
  std::vector<FaultPlace> places;
  for (const auto& vendor : vendors_) places.push_back({vendor->name(), vendor->Operations()});
  faults_ = std::make_unique<Faults>(store_, std::move(places));
  admin_ = std::make_unique<Admin>(*this);
}

Sandbox::~Sandbox() = default;

absl::Status Sandbox::Open(const std::string& data_directory) {
  absl::Status status = store_.Open(data_directory);
  if (!status.ok()) return status;
  faults_->Load();
  for (const auto& vendor : vendors_) vendor->Seed();
  return store_.Commit();
}

void Sandbox::Reset() {
  const Json hooks = Hooks(store_).config();
  store_.Clear();
  if (!hooks.empty()) Hooks(store_).Configure(hooks);
  calls_.Clear();
  faults_->Load();
  for (const auto& vendor : vendors_) vendor->Seed();
}

Reply Sandbox::Handle(const Request& request) {
  if (!request.segments.empty() && request.segments[0] == "__sandbox") {
    return {admin_->Handle(request)};
  }
  Vendor* vendor = VendorOf(request);
  if (vendor != nullptr) return HandleVendor(*vendor, request);
  Json prefixes = Json::array();
  for (const auto& known : vendors_) prefixes.push_back(known->prefix());
  return {JsonResponse(404, {{"error", "no vendor lives at " + request.path},
                             {"prefixes", prefixes},
                             {"admin", "/__sandbox/resources"}})};
}

Vendor* Sandbox::VendorOf(const Request& request) const {
  for (const auto& vendor : vendors_) {
    const std::string& prefix = vendor->prefix();
    if (request.path.starts_with(prefix) &&
        (request.path.size() == prefix.size() || request.path[prefix.size()] == '/')) {
      return vendor.get();
    }
  }
  return nullptr;
}

Reply Sandbox::HandleVendor(Vendor& vendor, const Request& request) {
  Call call{.request = request,
            .workflow_id = WorkflowOf(request),
            .idempotency_key = std::string(request.Header("idempotency-key")),
            .now_ms = store_.NowMs()};
  const Route* route = vendor.Match(request, &call.params);
  CallEntry entry{.time_ms = call.now_ms,
                  .vendor = vendor.name(),
                  .operation = vendor.OperationOf(call, route),
                  .method = request.method,
                  .path = request.target,
                  .workflow_id = call.workflow_id,
                  .idempotency_key = call.idempotency_key,
                  .traceparent = std::string(request.Header("traceparent"))};

  Reply reply;
  std::string kind;
  FaultAnswer answer;
  for (const Fault& fault : faults_->Strike(
           {.vendor = vendor.name(),
            .operation = entry.operation,
            .method = request.method,
            .path = request.path,
            .vendor_path = std::string_view(request.path).substr(vendor.prefix().size()),
            .workflow_id = call.workflow_id})) {
    entry.fault += (entry.fault.empty() ? "" : "+") + fault.kind;
    reply.delay_ms += fault.latency_ms;
    if (fault.kind != "latency") kind = fault.kind;
    answer = {fault.status, fault.retry_after_s, fault.code};
  }

  if (kind == "hang") {
    reply.delivery = Delivery::kHang;
  } else if (kind == "reset") {
    reply.delivery = Delivery::kReset;
  } else if (kind == "error") {
    reply.response = vendor.ErrorAnswer(answer);
    if (answer.retry_after_s) {
      reply.response.With("Retry-After", std::to_string(*answer.retry_after_s));
    }
  } else if (kind == "echo") {
    reply.response = Echo(request, answer.status.value_or(400));
  } else if (kind == "rate_limit") {
    reply.response = vendor.RateLimitAnswer(answer);
  } else {
    reply.response = vendor.Serve(call, route);
    if (kind == "malformed") Mangle(&reply.response);
    if (kind == "wrong_content_type") PutPage(&reply.response);
    if (kind == "truncated" || kind == "slow_body" || kind == "endless_body") {
      FillBody(&reply.response);
    }
    if (kind == "endless_body") reply.delivery = Delivery::kEndless;
    if (kind == "truncated") reply.delivery = Delivery::kCut;
    if (kind == "slow_body") reply.delivery = Delivery::kDrip;
    if (kind == "lost_response") reply.delivery = Delivery::kLose;
  }
  const bool answers = reply.delivery == Delivery::kAnswer || reply.delivery == Delivery::kCut ||
                       reply.delivery == Delivery::kDrip || reply.delivery == Delivery::kEndless;
  entry.status = answers ? reply.response.status : 0;
  calls_.Add(std::move(entry));
  return reply;
}

}  // namespace sandbox
