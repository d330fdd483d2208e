#include "gateway/audit/entry.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace audit {
namespace {

constexpr size_t kTextBytesMax = 300;
constexpr size_t kDetailBytesMax = 1000;
constexpr absl::string_view kCut = "...";
// Begins every encoding: hashes of other things, and of later forms, are never the same.
constexpr absl::string_view kForm = "campaignd audit entry 1\n";

// Length of the UTF-8 character that begins at `at`; 0 when there is none.
size_t CharacterBytes(absl::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && byte(1) < 0xa0) return 0;  // overlong
  if (first == 0xed && byte(1) > 0x9f) return 0;  // a surrogate
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

void CleanText(std::string* text, size_t bytes_max) {
  std::string clean;
  for (size_t at = 0; at < text->size();) {
    const size_t length = CharacterBytes(*text, at);
    const auto c = static_cast<unsigned char>((*text)[at]);
    const size_t next = length == 0 ? 1 : length;
    if (clean.size() + next + kCut.size() > bytes_max && at + next < text->size()) {
      absl::StrAppend(&clean, kCut);
      break;
    }
    if (length == 0 || c < 0x20 || c == 0x7f) {
      clean.push_back(length == 0 ? '?' : ' ');
    } else {
      clean.append(*text, at, length);
    }
    at += next;
  }
  *text = std::move(clean);
}

void AddNumber(uint64_t value, std::string* to) {
  for (int shift = 56; shift >= 0; shift -= 8) to->push_back(static_cast<char>(value >> shift));
}

void AddText(absl::string_view text, std::string* to) {
  AddNumber(text.size(), to);
  to->append(text.data(), text.size());
}

}  // namespace

Event Clean(Event event) {
  for (std::string* text : {&event.actor, &event.credential, &event.action, &event.subject,
                            &event.outcome, &event.correlation_id, &event.address, &event.ns}) {
    CleanText(text, kTextBytesMax);
  }
  CleanText(&event.detail, kDetailBytesMax);
  return event;
}

std::string HashOf(const Entry& entry) {
  const Event& e = entry.event;
  std::string bytes(kForm);
  AddNumber(static_cast<uint64_t>(entry.sequence), &bytes);
  AddNumber(static_cast<uint64_t>(absl::ToUnixMicros(entry.time)), &bytes);
  for (const std::string* text : {&e.actor, &e.credential, &e.action, &e.subject, &e.outcome,
                                  &e.detail, &e.correlation_id, &e.address, &e.ns}) {
    AddText(*text, &bytes);
  }
  AddNumber(static_cast<uint64_t>(e.started_by), &bytes);
  AddText(entry.prev_hash, &bytes);
  return Sha256(bytes);
}

std::string HeadText(const Head& head) {
  return absl::StrCat(head.sequence, ":", absl::BytesToHexString(head.hash));
}

std::optional<Head> ParseHead(absl::string_view text) {
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  Head head;
  const absl::string_view hash = text.substr(colon + 1);
  if (!absl::SimpleAtoi(text.substr(0, colon), &head.sequence) || head.sequence < 0 ||
      hash.size() != 2 * kHashBytes ||
      hash.find_first_not_of("0123456789abcdefABCDEF") != absl::string_view::npos) {
    return std::nullopt;
  }
  head.hash = absl::HexStringToBytes(hash);
  return head;
}

}  // namespace audit
