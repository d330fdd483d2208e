#include "orchestrator/store/store.h"

namespace store {

int SlotOf(const base::Namespace& ns, const base::WorkflowId& id) {
  // FNV-1a, 64 bit: the slot is stored, so the hash may never change.
  uint64_t hash = 0xcbf29ce484222325ull;
  const auto mix = [&hash](const std::string& text) {
    for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ull;
  };
  mix(ns.value());
  hash = (hash ^ 0xff) * 0x100000001b3ull;
  mix(id.value());
  return static_cast<int>((hash ^ (hash >> 32)) % kSlots);
}

}  // namespace store
