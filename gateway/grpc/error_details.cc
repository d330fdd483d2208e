#include "gateway/grpc/error_details.h"

#include <utility>

#include "absl/strings/cord.h"
#include "gateway/auth/limit_status.h"
#include "google/rpc/error_details.pb.h"

namespace gateway {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kResourceInfoUrl[] = "type.googleapis.com/google.rpc.ResourceInfo";

// The field that names what a request is about, the first that is set, and what that is.
constexpr std::pair<const char*, const char*> kIds[] = {
    {"wizard_id", "wizard"},
    {"schedule_id", "schedule"},
    {"batch_id", "batch"},
    {"service", "breaker"},
    {"key_id", "api key"},
    {"email", "user"},
    {"source_wizard_id", "wizard"},
    {"source_workflow_id", "workflow"},
    {"workflow_id", "workflow"},
    // Of what has no id yet: the key that has begun something else.
    {"request_id", "request"},
};

std::string TextOf(const Message& message, const char* name) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->is_repeated() ||
      field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
    return "";
  }
  return message.GetReflection()->GetString(message, field);
}

void AddDetail(const char* url, const Message& detail, absl::Status* status) {
  const std::string bytes = detail.SerializeAsString();
  status->SetPayload(url, absl::Cord(absl::string_view(bytes)));
}

}  // namespace

Resource ResourceOf(const Message& request) {
  for (const auto& [field, type] : kIds) {
    std::string name = TextOf(request, field);
    if (!name.empty()) return {type, std::move(name), TextOf(request, "namespace")};
  }
  const FieldDescriptor* start = request.GetDescriptor()->FindFieldByName("start");
  if (start == nullptr || start->is_repeated() ||
      start->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return {};
  }
  return ResourceOf(request.GetReflection()->GetMessage(request, start));
}

absl::Status WithDetails(absl::Status status, const Resource& resource) {
  const bool about = absl::IsNotFound(status) || absl::IsAlreadyExists(status);
  if (about && !resource.type.empty() && !status.GetPayload(kResourceInfoUrl).has_value()) {
    google::rpc::ResourceInfo info;
    info.set_resource_type(resource.type);
    info.set_resource_name(resource.name);
    info.set_owner(resource.owner);
    info.set_description(std::string(status.message()));
    AddDetail(kResourceInfoUrl, info, &status);
  }
  if (absl::IsUnavailable(status) && !status.GetPayload(auth::kRetryInfoUrl).has_value()) {
    google::rpc::RetryInfo info;
    info.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(kUnavailableRetryDelay));
    AddDetail(auth::kRetryInfoUrl, info, &status);
  }
  return status;
}

}  // namespace gateway
