#include "orchestrator/cron/parser.h"

#include <array>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace cron {
namespace {

constexpr size_t kTextBytesMax = 1000;

struct Field {
  const char* name;
  int first;
  int last;
  const char* const* names;  // of the values from `names_first` on; null: numbers only
  int names_count;
  int names_first;
};

constexpr const char* kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                   "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr const char* kDays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

constexpr std::array<Field, 5> kFields = {{{"minute", 0, 59, nullptr, 0, 0},
                                           {"hour", 0, 23, nullptr, 0, 0},
                                           {"day of month", 1, 31, nullptr, 0, 0},
                                           {"month", 1, 12, kMonths, 12, 1},
                                           {"day of week", 0, 7, kDays, 7, 0}}};

constexpr struct {
  const char* name;
  const char* fields;
} kShortcuts[] = {{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
                  {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
                  {"@hourly", "0 * * * *"}};

std::string Quoted(absl::string_view text) { return absl::StrCat("\"", std::string(text), "\""); }

absl::Status Wrong(const Field& field, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("cron field ", field.name, ": ", std::string(what)));
}

absl::StatusOr<int> ReadValue(const Field& field, absl::string_view text) {
  for (int i = 0; i < field.names_count; ++i) {
    if (absl::EqualsIgnoreCase(text, field.names[i])) return field.names_first + i;
  }
  int value = 0;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (!digits || !absl::SimpleAtoi(text, &value)) {
    const std::string or_name =
        field.names_count > 0
            ? absl::StrCat(" or ", field.names[0], " to ", field.names[field.names_count - 1])
            : "";
    return Wrong(field, absl::StrCat(Quoted(text), " is not a number from ", field.first, " to ",
                                     field.last, or_name));
  }
  if (value < field.first || value > field.last) {
    return Wrong(field, absl::StrCat(value, " is not from ", field.first, " to ", field.last));
  }
  return value;
}

// Sunday is in "*" once, as 0.
int LastOfStar(const Field& field) { return field.names == kDays ? 6 : field.last; }

// One element of a list: "*", "5", "1-5", "*/2", "1-9/2", "3/2".
absl::Status ReadElement(const Field& field, absl::string_view text, uint64_t* bits) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  if (parts.size() > 2) return Wrong(field, absl::StrCat(Quoted(text), " has two steps"));
  int from = field.first;
  int to = LastOfStar(field);
  if (parts[0] != "*" && parts[0] != "?") {
    const std::vector<absl::string_view> ends = absl::StrSplit(parts[0], '-');
    if (ends.size() > 2) return Wrong(field, absl::StrCat(Quoted(text), " is not a range"));
    const absl::StatusOr<int> first = ReadValue(field, ends[0]);
    if (!first.ok()) return first.status();
    from = *first;
    to = parts.size() == 2 ? LastOfStar(field) : from;
    if (ends.size() == 2) {
      const absl::StatusOr<int> last = ReadValue(field, ends[1]);
      if (!last.ok()) return last.status();
      to = *last;
      // SAT-SUN: Sunday ends a week as 7.
      if (field.names == kDays && to == 0 && from > 0) to = 7;
    }
    if (from > to) {
      return Wrong(field, absl::StrCat("the range ", Quoted(parts[0]), " runs backwards"));
    }
  }
  int step = 1;
  if (parts.size() == 2) {
    if (!absl::SimpleAtoi(parts[1], &step) || step < 1 || step > field.last) {
      return Wrong(field,
                   absl::StrCat("the step ", Quoted(parts[1]), " is not from 1 to ", field.last));
    }
  }
  for (int value = from; value <= to; value += step) *bits |= uint64_t{1} << value;
  return absl::OkStatus();
}

absl::Status ReadField(const Field& field, absl::string_view text, uint64_t* bits) {
  for (const absl::string_view element : absl::StrSplit(text, ',')) {
    if (element.empty()) {
      return Wrong(field, absl::StrCat(Quoted(text), " has an empty element"));
    }
    const absl::Status read = ReadElement(field, element, bits);
    if (!read.ok()) return read;
  }
  return absl::OkStatus();
}

bool IsAny(absl::string_view text) { return text == "*" || text == "?"; }

}  // namespace

absl::StatusOr<Cron> Parser::Parse(absl::string_view text) {
  Cron cron;
  cron.text_ = std::string(text);
  if (text.size() > kTextBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a cron expression may have ", kTextBytesMax, " bytes, it has ", text.size()));
  }
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  absl::Status read = ReadZone(&rest, &cron);
  if (!read.ok()) return read;
  read = ReadFields(rest, &cron);
  if (!read.ok()) return read;
  read = CheckThatADayMatches(cron);
  if (!read.ok()) return read;
  return cron;
}

absl::Status Parser::ReadZone(absl::string_view* text, Cron* cron) {
  if (!absl::ConsumePrefix(text, "CRON_TZ=") && !absl::ConsumePrefix(text, "TZ=")) {
    return absl::OkStatus();
  }
  const absl::string_view name = text->substr(0, text->find_first_of(" \t"));
  absl::TimeZone zone;
  if (name.empty() || !absl::LoadTimeZone(name, &zone)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cron time zone: ", Quoted(name), " is not known"));
  }
  cron->zone_ = zone;
  *text = absl::StripLeadingAsciiWhitespace(text->substr(name.size()));
  return absl::OkStatus();
}

absl::Status Parser::ReadFields(absl::string_view text, Cron* cron) {
  if (absl::StartsWith(text, "@")) {
    for (const auto& shortcut : kShortcuts) {
      if (absl::EqualsIgnoreCase(text, shortcut.name)) return ReadFields(shortcut.fields, cron);
    }
    return absl::InvalidArgumentError(
        absl::StrCat("cron: ", Quoted(text), " is not known; there are @yearly, @annually, ",
                     "@monthly, @weekly, @daily, @midnight, @hourly"));
  }
  const std::vector<absl::string_view> parts =
      absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (parts.size() != kFields.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cron: ", Quoted(text), " has ", parts.size(),
                     " fields, it must have 5: minute, hour, day of month, month, day of week"));
  }
  uint64_t* bits[] = {&cron->minutes_, &cron->hours_, &cron->days_of_month_, &cron->months_,
                      &cron->days_of_week_};
  for (size_t i = 0; i < kFields.size(); ++i) {
    const absl::Status read = ReadField(kFields[i], parts[i], bits[i]);
    if (!read.ok()) return read;
  }
  cron->days_of_week_ = (cron->days_of_week_ | cron->days_of_week_ >> 7) & 0x7f;  // 7 is Sunday
  cron->any_day_of_month_ = IsAny(parts[2]);
  cron->any_day_of_week_ = IsAny(parts[4]);
  return absl::OkStatus();
}

absl::Status Parser::CheckThatADayMatches(const Cron& cron) {
  constexpr int kDaysOf[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (!cron.any_day_of_week_ || cron.any_day_of_month_) return absl::OkStatus();
  for (int month = 1; month <= 12; ++month) {
    const uint64_t days = (uint64_t{2} << kDaysOf[month]) - 1;
    if ((cron.months_ >> month & 1) != 0 && (cron.days_of_month_ & days) != 0) {
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("cron field day of month: no month of ", Quoted(cron.text_), " has such a day"));
}

}  // namespace cron
