#include "gateway/grpc/validate.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace gateway {

namespace {

bool AllOf(absl::string_view text, absl::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return absl::ascii_isalnum(c) || punctuation.find(static_cast<char>(c)) != punctuation.npos;
  });
}

// The length of the UTF-8 sequence at text[0], 0 when it is not valid.
size_t SequenceLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (lead == 0xe0 && byte(1) < 0xa0) return 0;  // overlong
  if (lead == 0xed && byte(1) > 0x9f) return 0;  // surrogates
  if (lead == 0xf0 && byte(1) < 0x90) return 0;  // overlong
  if (lead == 0xf4 && byte(1) > 0x8f) return 0;  // above U+10FFFF
  return length;
}

bool HasControls(absl::string_view text, Lines lines) {
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == 0x7f) return true;
    if (c == 0xc2 && i + 1 < text.size()) {  // U+0080..U+009F
      const unsigned char next = static_cast<unsigned char>(text[i + 1]);
      if (next >= 0x80 && next <= 0x9f) return true;
    }
    if (c >= 0x20) continue;
    const bool line_character = c == '\n' || c == '\t' || c == '\r';
    if (lines == Lines::kSingle || !line_character) return true;
  }
  return false;
}

}  // namespace

int64_t CountCharacters(absl::string_view text) {
  int64_t count = 0;
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) return -1;
    text.remove_prefix(length);
    ++count;
  }
  return count;
}

void CheckText(absl::string_view field, absl::string_view text, size_t length_max,
               Presence presence, Lines lines, FieldViolations* violations) {
  if (absl::StripAsciiWhitespace(text).empty()) {
    if (presence == Presence::kRequired) {
      violations->Add(field, "is required");
    } else if (!text.empty()) {
      violations->Add(field, "must not be blank");
    }
    return;
  }
  const int64_t count = CountCharacters(text);
  if (count < 0) return violations->Add(field, "must be valid UTF-8");
  if (count > static_cast<int64_t>(length_max)) {
    violations->Add(field,
                    absl::StrCat("must have at most ", length_max, " characters, has ", count));
  }
  if (HasControls(text, lines)) {
    violations->Add(field, lines == Lines::kSingle
                               ? "must not contain control characters or line breaks"
                               : "must not contain control characters");
  }
}

void CheckWorkflowId(absl::string_view field, absl::string_view id, FieldViolations* violations) {
  if (id.empty()) return violations->Add(field, "is required");
  if (id.size() > kWorkflowIdLengthMax) {
    return violations->Add(field, absl::StrCat("must have at most ", kWorkflowIdLengthMax,
                                               " characters, has ", id.size()));
  }
  if (!AllOf(id, "._:-")) {
    violations->Add(field, "may contain letters, digits and . _ : - only");
  }
}

void CheckRunId(absl::string_view id, FieldViolations* violations) {
  if (id.size() > 64 || !AllOf(id, "-")) violations->Add("run_id", "is not a run id");
}

void CheckName(absl::string_view field, absl::string_view name, size_t length_max,
               FieldViolations* violations) {
  if (name.empty()) return violations->Add(field, "is required");
  if (name.size() > length_max) {
    return violations->Add(
        field, absl::StrCat("must have at most ", length_max, " characters, has ", name.size()));
  }
  if (!AllOf(name, "._:#/-")) {
    violations->Add(field, "may contain letters, digits and . _ : # / - only");
  }
}

void CheckRequestId(absl::string_view field, absl::string_view id, FieldViolations* violations) {
  if (id.size() > kRequestIdLengthMax) {
    return violations->Add(field, absl::StrCat("must have at most ", kRequestIdLengthMax,
                                               " characters, has ", id.size()));
  }
  if (!std::all_of(id.begin(), id.end(), [](unsigned char c) { return absl::ascii_isprint(c); })) {
    violations->Add(field, "must be printable ASCII");
  }
}

void CheckRange(absl::string_view field, int64_t value, int64_t least, int64_t most,
                FieldViolations* violations) {
  if (value < least || value > most) {
    violations->Add(field, absl::StrCat("must be between ", least, " and ", most, ", is ", value));
  }
}

void CheckWait(const google::protobuf::Duration& wait, FieldViolations* violations) {
  const bool too_long =
      wait.seconds() > kWaitSecondsMax || (wait.seconds() == kWaitSecondsMax && wait.nanos() > 0);
  if (wait.seconds() < 0 || wait.nanos() < 0 || too_long) {
    violations->Add("wait", absl::StrCat("must be between 0s and ", kWaitSecondsMax, "s"));
  }
}

}  // namespace gateway
