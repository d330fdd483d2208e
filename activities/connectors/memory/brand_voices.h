// The brand voices that a new memory holds, one for each tone a campaign may
// ask for. Thread-safety: free function.
//
// Example:
//   for (const memory::Item& voice : memory::DefaultBrandVoices()) Put(voice);
#pragma once

#include <vector>

#include "activities/connectors/memory/memory_store.h"

namespace memory {

// Items of the namespace kBrandVoices with the keys "professional", "casual",
// "technical" and "default".
std::vector<Item> DefaultBrandVoices();

}  // namespace memory
