// Reads Notion's JSON: titles, the words of properties, the text of blocks. For .cc files only.
// Thread-safety: free functions on values.
//
// Example:
//   std::string title = notion::TitleOf(page);
#pragma once

#include <string>

#include "activities/connectors/wire/json.h"

namespace notion {

// [{plain_text}, ...] joined.
std::string PlainText(const wire::Json& rich_text);
// The text of the property of type "title", whatever it is called.
std::string TitleOf(const wire::Json& page);
// The words of all properties that hold words: titles, texts, selects, statuses.
std::string PropertyText(const wire::Json& page);
// A block's own line; "" for blocks without text.
std::string BlockText(const wire::Json& block);

}  // namespace notion
