// What the .proto files say about their parts: comments as text for people. The descriptors come
// from a descriptor set with source info (protoc --include_source_info). Pure; thread-safe.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>

#include "absl/strings/string_view.h"

namespace openapi {

// Comment lines as sentences: joined, the first letter large, a full stop at the end.
std::string Sentences(absl::string_view comment);
// The first sentence, without its full stop.
std::string FirstSentence(absl::string_view text);

// The comment before the part and the one behind it; empty when there is none, which
// tests/e2e/openapi_lint_test.py does not let pass.
template <typename Part>
std::string CommentOf(const Part* part) {
  google::protobuf::SourceLocation location;
  if (!part->GetSourceLocation(&location)) return "";
  return Sentences(location.leading_comments + "\n" + location.trailing_comments);
}

}  // namespace openapi
