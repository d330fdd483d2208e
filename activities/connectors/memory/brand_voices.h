// The brand voices that a new memory holds, one for each tone a campaign may ask for.
// Thread-safety: free function.
//
// Example:
//   for (const memory::Item& voice : memory::DefaultBrandVoices()) Put(voice);
#pragma once

#include <vector>

#include "activities/connectors/memory/memory_store.h"

namespace memory {

// Items of the namespace kBrand with the keys "voice-default", "voice-professional",
// "voice-casual" and "voice-technical".
std::vector<Item> DefaultBrandVoices();

}  // namespace memory
