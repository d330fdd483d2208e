// Schema: the keys of the settings file, each bound to the variable it fills: its type, limits,
// environment name, whether it is a secret, and what it is for. Reading, printing, the sample file
// and the documents all come from it, so that they cannot disagree.
//
// Thread-safety: externally synchronised. The bound variables must outlive the schema.
//
// Example:
//   Schema schema;
//   schema.Section("vendors.slack", "Slack: review messages.");
//   schema.Secret("vendors.slack.token", &token, "SLACK_BOT_TOKEN", "Bot token.");
//   std::string problem = schema.Find("vendors.slack.token")->parse("xoxb-1");
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "orchestrator/base/secret.h"

namespace server {

enum class KeyKind { kScalar, kList };

struct Key {
  std::string path;         // "vendors.slack.token"
  std::string type;         // for people: "duration", "URL", "number"
  std::string environment;  // "SLACK_BOT_TOKEN", or ""
  std::string help;
  KeyKind kind = KeyKind::kScalar;
  bool secret = false;
  base::Secret* handle = nullptr;  // of a secret
  bool blanks = false;             // a secret that may hold them
  // Takes a value in text form; returns "" or what is wrong with it. Lists: one element a call,
  // after `clear`.
  std::function<std::string(absl::string_view)> parse;
  std::function<void()> clear;
  std::function<std::vector<std::string>()> values;  // text form; a scalar has exactly one
  std::string source = "default";                    // who set it last
};

class Schema {
 public:
  void Section(std::string path, std::string help);

  void Text(std::string path, std::string* value, std::string help, std::string environment = "");
  // `blanks`: the value may hold several lines or words.
  void Secret(std::string path, base::Secret* value, std::string environment, std::string help,
              bool blanks = false);
  // http or https; `optional` also takes the empty text.
  void Url(std::string path, std::string* value, std::string help, std::string environment = "",
           bool optional = false);
  // As activities/outbound/rate_limits.h has them.
  void RateLimits(std::string path, std::string* value, std::string help);
  void ListenAddress(std::string path, std::string* value, std::string help);
  void OneOf(std::string path, std::string* value, std::vector<std::string> words,
             std::string help);
  void Email(std::string path, std::string* value, std::string help);
  void Integer(std::string path, int* value, int min, int max, std::string help);
  void Size(std::string path, size_t* value, size_t min, size_t max, std::string help);
  void Number(std::string path, double* value, double min, double max, std::string help);
  void Boolean(std::string path, bool* value, std::string help);
  void Duration(std::string path, absl::Duration* value, absl::Duration min, absl::Duration max,
                std::string help);
  void TextList(std::string path, std::vector<std::string>* value, std::string help);

  const std::vector<Key>& keys() const { return keys_; }
  std::vector<Key>& keys() { return keys_; }
  const std::vector<std::pair<std::string, std::string>>& sections() const { return sections_; }

  Key* Find(absl::string_view path);
  // Whether keys lie below `path`.
  bool IsSection(absl::string_view path) const;
  // The known key that `path` was probably meant to be, or "".
  std::string Nearest(absl::string_view path) const;

 private:
  Key& Add(std::string path, std::string type, std::string help);

  std::vector<Key> keys_;  // in the order of the sample file
  std::vector<std::pair<std::string, std::string>> sections_;
};

}  // namespace server
