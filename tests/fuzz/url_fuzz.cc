// Paths and queries: "TEMPLATE", a line break, "/path?query". What is decoded says what was sent.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/rest/path_template.h"
#include "gateway/rest/url.h"
#include "orchestrator/base/check.h"

namespace {

std::string Encoded(const std::string& text) {
  std::string out;
  for (unsigned char c : text) absl::StrAppend(&out, "%", absl::Hex(c, absl::kZeroPad2));
  return out;
}

void CheckQuery(const std::string& query) {
  const auto pairs = gateway::ParseQuery(query);
  if (!pairs.has_value()) return;
  std::string again;
  for (const auto& [name, value] : *pairs) {
    CHECK(name.find('\0') == name.npos || query.find('\0') != query.npos) << "a NUL was decoded";
    absl::StrAppend(&again, again.empty() ? "" : "&", Encoded(name), "=", Encoded(value));
  }
  if (again.find("%00") != again.npos) return;  // a NUL that was sent as it is has no escape
  // "&&" and "=": what is left of them is a pair of nothing, which is written as "=".
  CHECK(gateway::ParseQuery(again) == pairs) << "the pairs are not those that were sent";
}

void CheckTemplate(const std::string& text, const std::string& path) {
  const absl::StatusOr<gateway::PathTemplate> parsed = gateway::PathTemplate::Parse(text);
  if (!parsed.ok()) return;
  std::map<std::string, std::string> fields;
  if (!parsed->Match(path, &fields)) return;
  for (const auto& [name, value] : fields) {
    CHECK(!value.empty()) << name << " is empty";
    CHECK(absl::StrContains(text, absl::StrCat("{", name))) << name << " is in no template";
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string target = line < input.size() ? input.substr(line + 1) : "";
  const std::string path = target.substr(0, target.find('?'));
  CheckTemplate(input.substr(0, line), path);
  CheckQuery(target.size() > path.size() ? target.substr(path.size() + 1) : "");
  const auto decoded = gateway::PercentDecode(path, false);
  if (decoded.has_value()) CHECK(decoded->size() <= path.size());
  return 0;
}
