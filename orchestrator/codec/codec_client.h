// The WorkflowClient of callers who send and get plain payloads, over one that carries encoded
// ones. Histories, lists and descriptions show what cannot be decoded as it is stored; results,
// answers of queries and of updates then fail, with the id of the key.
//
// Thread-safety: as the client behind it, which outlives this one, as does `codec`.
//
// Example:
//   std::unique_ptr<client::WorkflowClient> client = codec::NewCodecClient(*inner, messages);
#pragma once

#include <memory>

#include "orchestrator/client/client.h"
#include "orchestrator/codec/walk.h"

namespace codec {

std::unique_ptr<client::WorkflowClient> NewCodecClient(client::WorkflowClient& inner,
                                                       const MessageCodec& codec);

}  // namespace codec
