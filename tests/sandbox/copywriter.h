// Writes marketing copy that depends on a conversation alone: the stand-in for a language model.
// Thread-safety: a value; const members only.
//
// Example:
//   Copywriter writer("Campaign name: Spring Sale\nAudience: developers\nWrite a headline.", 7);
//   writer.Answer();                 // one headline that names Spring Sale
//   writer.ForSchema(schema);        // an object that fits a JSON schema
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sandbox/json.h"

namespace sandbox {

class Copywriter {
 public:
  Copywriter(std::string conversation, int64_t seed);

  const std::string& campaign() const { return campaign_; }

  // Plain text: the one piece that the conversation asks for last, or a paragraph.
  std::string Answer() const;
  // An object with the pieces that the conversation names.
  Json ForJsonObject() const;
  // A value that fits the schema (types, enums, required parts, lengths, ranges, references).
  Json ForSchema(const Json& schema) const;

 private:
  // Text for a field of this name.
  std::string Text(std::string_view field, uint64_t salt) const;
  Json Value(const Json& schema, const Json& root, const std::string& field, int depth,
             uint64_t salt) const;
  Json Number(const Json& schema, uint64_t salt, bool whole) const;
  Json Array(const Json& schema, const Json& root, const std::string& field, int depth,
             uint64_t salt) const;
  std::string Pick(const std::vector<std::string>& options, uint64_t salt) const;

  std::string conversation_;
  std::string campaign_;
  std::string audience_;
  uint64_t hash_;
};

}  // namespace sandbox
