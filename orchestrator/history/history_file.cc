#include "orchestrator/history/history_file.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "orchestrator/base/status_macros.h"

namespace history {
namespace {

using google::protobuf::Message;

constexpr char kTypePrefix[] = "type.googleapis.com";

google::protobuf::util::TypeResolver& Types() {
  static auto* types = google::protobuf::util::NewTypeResolverForDescriptorPool(
      kTypePrefix, google::protobuf::DescriptorPool::generated_pool());
  return *types;
}

// MessageToJsonString would give the entries of maps in any order.
std::string Sorted(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&out);
  out.Trim();
  return bytes;
}

absl::Status AppendLine(const Message& message, std::string* text) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string line;
  const auto status = google::protobuf::util::BinaryToJsonString(
      &Types(), absl::StrCat(kTypePrefix, "/", std::string(message.GetDescriptor()->full_name())),
      Sorted(message), &line, options);
  if (!status.ok()) return absl::InvalidArgumentError(std::string(status.message()));
  absl::StrAppend(text, line, "\n");
  return absl::OkStatus();
}

absl::Status At(size_t line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", what));
}

absl::Status ReadLine(absl::string_view json, size_t line, Message* message) {
  const auto status = google::protobuf::util::JsonStringToMessage(std::string(json), message);
  if (status.ok()) return absl::OkStatus();
  return At(line, absl::StrCat("no ", std::string(message->GetDescriptor()->name()),
                               " of this version: ", std::string(status.message())));
}

absl::Status CheckHeader(const v1::HistoryFileHeader& header) {
  if (header.format() != kHistoryFileFormat) {
    return At(1, absl::StrCat("this is no exported history: its format is \"", header.format(),
                              "\", not \"", kHistoryFileFormat, "\""));
  }
  if (header.version() > kHistoryFileVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("line 1: the file is of version ", header.version(),
                     ", this program reads up to ", kHistoryFileVersion, "; use a newer one"));
  }
  if (header.version() < 1) return At(1, "the header has no version");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckServed(const std::vector<v1::HistoryEvent>& events) {
  int64_t expected = 1;
  for (const v1::HistoryEvent& event : events) {
    if (event.event_id() != expected) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected event ", expected, ", found ", event.event_id()));
    }
    if (event.attributes_case() == v1::HistoryEvent::ATTRIBUTES_NOT_SET) {
      return absl::InvalidArgumentError(absl::StrCat("event ", expected, " has no attributes"));
    }
    if (event.has_workflow_task()) {
      return absl::InvalidArgumentError(
          absl::StrCat("event ", expected, " is in stored form; export the history again"));
    }
    if (event.has_workflow_execution_started() != (expected == 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("event ", expected,
                       ": a history has WorkflowExecutionStarted as its first "
                       "event, and once"));
    }
    ++expected;
  }
  if (events.empty()) return absl::InvalidArgumentError("there are no events");
  return absl::OkStatus();
}

HistoryFile MakeHistoryFile(std::vector<v1::HistoryEvent> events, v1::RunStatus::Value status) {
  HistoryFile file;
  if (!events.empty()) {
    const v1::WorkflowExecutionStarted& started = events.front().workflow_execution_started();
    file.header.set_namespace_(started.namespace_());
    file.header.set_workflow_type(started.workflow_type());
    file.header.set_workflow_id(started.workflow_id());
    file.header.set_run_id(started.run_id());
  }
  file.header.set_format(kHistoryFileFormat);
  file.header.set_version(kHistoryFileVersion);
  file.header.set_status(status);
  file.header.set_event_count(static_cast<int64_t>(events.size()));
  file.events = std::move(events);
  return file;
}

absl::StatusOr<std::string> WriteHistoryFile(const HistoryFile& file) {
  std::string text;
  RETURN_IF_ERROR(AppendLine(file.header, &text));
  for (const v1::HistoryEvent& event : file.events) {
    const absl::Status status = AppendLine(event, &text);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("event ", event.event_id(), ": ", std::string(status.message())));
    }
  }
  return text;
}

absl::StatusOr<HistoryFile> ReadHistoryFile(absl::string_view text) {
  HistoryFile file;
  size_t number = 0;
  absl::ConsumeSuffix(&text, "\n");
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (++number == 1) {
      RETURN_IF_ERROR(ReadLine(line, number, &file.header));
      RETURN_IF_ERROR(CheckHeader(file.header));
      continue;
    }
    file.events.emplace_back();
    RETURN_IF_ERROR(ReadLine(line, number, &file.events.back()));
  }
  if (file.header.event_count() != static_cast<int64_t>(file.events.size())) {
    return At(number,
              absl::StrCat("the header promises ", file.header.event_count(),
                           " events, the file has ", file.events.size(), ": it is not whole"));
  }
  RETURN_IF_ERROR(CheckServed(file.events));
  return file;
}

}  // namespace history
