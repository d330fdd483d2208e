#include "orchestrator/store/sqlite/encoding.h"

#include <algorithm>

namespace store::sqlite {
namespace {

constexpr size_t kUuidTextSize = 36;

bool IsDash(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

// -1 for anything but a lower-case hexadecimal digit, so that text and bytes map one to one.
int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool ParseUuid(const std::string& text, char (&bytes)[16]) {
  if (text.size() != kUuidTextSize) return false;
  size_t out = 0;
  for (size_t i = 0; i < kUuidTextSize;) {
    if (IsDash(i)) {
      if (text[i++] != '-') return false;
      continue;
    }
    const int high = HexValue(text[i]);
    const int low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[out++] = static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

std::string FormatUuid(absl::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(kUuidTextSize);
  for (const char c : bytes) {
    if (IsDash(text.size())) text.push_back('-');
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

}  // namespace

RunKey::RunKey(const base::RunId& run_id)
    : text_(run_id.value()), is_uuid_(ParseUuid(text_, bytes_)) {}

void RunKey::BindTo(database::Statement& statement, int parameter) const {
  if (is_uuid_) {
    statement.BindBlob(parameter, absl::string_view(bytes_, sizeof(bytes_)));
  } else {
    statement.BindText(parameter, text_);
  }
}

base::RunId ReadRunId(const database::Statement& statement, int column) {
  return base::RunId(statement.IsBlob(column) ? FormatUuid(statement.Bytes(column))
                                              : statement.Text(column));
}

int64_t EncodeTime(absl::Time time) { return absl::ToUnixMicros(time); }

absl::Time DecodeTime(int64_t micros) {
  if (micros == INT64_MAX) return absl::InfiniteFuture();
  if (micros == INT64_MIN) return absl::InfinitePast();
  return absl::FromUnixMicros(micros);
}

int64_t EncodeWake(absl::Time time) {
  if (time == absl::InfinitePast()) return 0;
  return std::max<int64_t>(1, absl::ToUnixMicros(time));
}

absl::Time DecodeWake(int64_t micros) {
  return micros == 0 ? absl::InfinitePast() : DecodeTime(micros);
}

void BindTime(database::Statement& statement, int parameter, int64_t micros) {
  if (micros == kNever) {
    statement.BindNull(parameter);
  } else {
    statement.BindInt(parameter, micros);
  }
}

namespace {

// What cannot be read is left out: it is a projection, and the history has it.
std::shared_ptr<const RunProperties> ReadProperties(const database::Statement& statement,
                                                    int column) {
  const auto parse = [&](int i, google::protobuf::MessageLite& message) {
    const absl::string_view bytes = statement.Bytes(i);
    if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    message.Clear();
  };
  auto properties = std::make_shared<RunProperties>();
  parse(column, properties->search_attributes);
  parse(column + 1, properties->memo);
  v1::KeywordList patches;
  parse(column + 2, patches);
  properties->patches.assign(patches.values().begin(), patches.values().end());
  return properties;
}

}  // namespace

RunRow ReadRunRow(const database::Statement& statement) {
  RunRow row;
  row.run_id = ReadRunId(statement, 0);
  row.ns = base::Namespace(statement.Text(1));
  row.workflow_id = base::WorkflowId(statement.Text(2));
  row.workflow_type = statement.Text(3);
  row.task_queue = statement.Text(4);
  row.request_id = statement.Text(5);
  row.correlation_id = statement.Text(6);
  row.trace_id = statement.Text(7);
  row.start_time = DecodeTime(statement.Int(8));
  row.status = static_cast<v1::RunStatus::Value>(statement.Int(9));
  row.status_reason = statement.Text(10);
  row.close_time = statement.IsNull(11) ? absl::InfiniteFuture() : DecodeTime(statement.Int(11));
  row.next_event_id = statement.Int(12);
  row.wake_at = statement.IsNull(13) ? absl::InfiniteFuture() : DecodeWake(statement.Int(13));
  row.saga_state = static_cast<v1::SagaState::Value>(statement.Int(14));
  row.parent_workflow_id = statement.Text(15);
  row.build_id = statement.Text(16);
  if (!statement.IsNull(17)) row.properties = ReadProperties(statement, 17);
  return row;
}

}  // namespace store::sqlite
