// Memory behind an HTTP service (MEMORY_GATEWAY_URL):
//   POST   {base}/v1/memories {namespace,key,kind,content,metadata}   write or
//   replace GET    {base}/v1/memories/{namespace}/{key} DELETE
//   {base}/v1/memories/{namespace}/{key}                       404: already
//   gone POST   {base}/v1/search {namespace,query,kind?,limit} ->
//   {results:[{key,kind,content,
//          metadata,score}]}
//
// Thread-safety: loop thread only.
//
// Example:
//   memory::MemoryGateway gateway(outbound, {.base_url = "http://127.0.0.1:9000", .token = token});
#pragma once

#include <string>

#include "activities/connectors/memory/memory_store.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/secret.h"

namespace memory {

class MemoryGateway : public MemoryStore {
 public:
  struct Options {
    std::string base_url;
    base::Secret token;  // bearer token; none when empty
  };
  MemoryGateway(outbound::Outbound& outbound, Options options);

  base::Task<base::Outcome<std::vector<Recalled>>> Recall(std::string query, std::string name_space,
                                                          std::string kind, int limit,
                                                          outbound::CallContext context) override;
  base::Task<base::Done> Put(Item item, outbound::CallContext context) override;
  base::Task<base::Outcome<std::optional<Item>>> Get(std::string name_space, std::string key,
                                                     outbound::CallContext context) override;
  base::Task<base::Outcome<bool>> Delete(std::string name_space, std::string key,
                                         outbound::CallContext context) override;

 private:
  void Authorize(outbound::HttpRequest& request) const;
  std::string ItemUrl(const std::string& name_space, const std::string& key) const;

  outbound::Outbound& outbound_;
  const Options options_;
};

}  // namespace memory
