#include "gateway/cli/human.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "orchestrator/history/time.h"

namespace cli {

std::string HumanDuration(absl::Duration duration) {
  const bool negative = duration < absl::ZeroDuration();
  const double seconds = absl::ToDoubleSeconds(absl::AbsDuration(duration));
  const int64_t whole = static_cast<int64_t>(seconds + 0.5);
  std::string text;
  if (seconds < 9.95) {
    text = absl::StrFormat("%.1fs", seconds);
  } else if (whole < 60) {
    text = absl::StrFormat("%ds", whole);
  } else if (whole < 3600) {
    text = absl::StrFormat("%dm %02ds", whole / 60, whole % 60);
  } else if (whole < 86400) {
    text = absl::StrFormat("%dh %02dm", whole / 3600, whole / 60 % 60);
  } else {
    text = absl::StrFormat("%dd %dh", whole / 86400, whole / 3600 % 24);
  }
  return negative ? "-" + text : text;
}

std::string HumanTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::LocalTimeZone());
}

std::string HumanTime(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "";
  return HumanTime(history::FromProto(time));
}

size_t Width(absl::string_view text) {
  size_t width = 0;
  for (const char c : text) width += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return width;
}

std::string OneLine(absl::string_view text, size_t width) {
  std::string line;
  for (const char c : absl::StripTrailingAsciiWhitespace(text)) {
    // Control characters could move the cursor or change the terminal's title.
    const unsigned char byte = static_cast<unsigned char>(c);
    line.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
  }
  if (Width(line) <= width) return line;
  if (width < 4) return line.substr(0, width);
  size_t end = 0;
  for (size_t columns = 0; columns + 3 < width; ++columns) {
    ++end;
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) ++end;
  }
  return line.substr(0, end) + "...";
}

}  // namespace cli
