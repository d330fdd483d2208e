// Memory: what earlier campaigns learned, brand voices and drafts, recalled by the words of a
// question. Two implementations: EmbeddedMemory (a SQLite file, the default) and MemoryGateway (a
// service over HTTP).
//
// Thread-safety: loop thread only (the I/O loop that the implementation was made with).
//
// Example:
//   base::Outcome<std::vector<memory::Recalled>> found =
//       co_await memory.Recall("shoes for runners", memory::kCampaigns, "", 5, context);
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace memory {

// Namespaces and kinds that the campaign uses.
inline constexpr std::string_view kBrand = "brand";          // "voice-casual" of kBrandVoiceKind
inline constexpr std::string_view kCampaigns = "campaigns";  // what past campaigns taught
inline constexpr std::string_view kDrafts = "drafts";        // of kDraftKind
inline constexpr std::string_view kBrandVoiceKind = "brand_voice";
inline constexpr std::string_view kDraftKind = "draft";

inline constexpr size_t kNameBytesMax = 200;  // of a namespace, key or kind
inline constexpr size_t kContentBytesMax = 1'000'000;
inline constexpr size_t kMetadataBytesMax = 64 * 1024;
inline constexpr int kRecallLimitMax = 100;

struct Item {
  std::string name_space;
  std::string key;
  std::string kind;  // "brand_voice", "draft", "learning", ...
  std::string content;
  std::string metadata_json = "{}";  // an object
};

struct Recalled {
  Item item;
  double score = 0;  // larger is better; comparable within one answer only
};

// What is wrong with an item, or "".
std::string ItemProblem(const Item& item);

class MemoryStore {
 public:
  virtual ~MemoryStore() = default;

  // The items of the namespace that fit the words of `query`, best first; the newest ones when it
  // has no words. An empty `kind` means every kind; `limit` is cut to 1..kRecallLimitMax.
  virtual base::Task<base::Outcome<std::vector<Recalled>>> Recall(
      std::string query, std::string name_space, std::string kind, int limit,
      outbound::CallContext context) = 0;
  // Writes the item or replaces the one with the same namespace and key. Safe to repeat. Failure
  // "InvalidMemoryItem" (permanent) when ItemProblem says so.
  virtual base::Task<base::Done> Put(Item item, outbound::CallContext context) = 0;
  // Nothing when there is no such item.
  virtual base::Task<base::Outcome<std::optional<Item>>> Get(std::string name_space,
                                                             std::string key,
                                                             outbound::CallContext context) = 0;
  // True when it was deleted, false when it was already gone.
  virtual base::Task<base::Outcome<bool>> Delete(std::string name_space, std::string key,
                                                 outbound::CallContext context) = 0;
};

}  // namespace memory
