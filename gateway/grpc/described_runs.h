// ListDescribed: a page of runs, each with what it tells of itself. For objects that are runs:
// batches, schedules.
//
// Thread-safety: as Gather.
//
// Example:
//   ListDescribed<v1::BatchInfo>(
//       client, std::move(list),
//       [this](const v1::WorkflowInfo& run, Callback<v1::BatchInfo> each) { Look(run, each); },
//       [](absl::StatusOr<DescribedPage<v1::BatchInfo>> page) { ... });
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/grpc/gather.h"
#include "orchestrator/client/client.h"
#include "orchestrator/v1/service.pb.h"

namespace gateway {

template <typename Info>
struct DescribedPage {
  struct Item {
    orchestrator::v1::WorkflowInfo run;
    absl::StatusOr<Info> info;  // an error when the run cannot answer, being STUCK for example
  };
  std::vector<Item> items;  // in the order of the page; runs that went meanwhile are left out
  std::string next_page_token;
};

// `describe(run, callback)` answers NOT_FOUND for a run that is gone.
template <typename Info, typename Describe>
void ListDescribed(client::WorkflowClient& client, orchestrator::v1::ListWorkflowsRequest list,
                   Describe describe, client::Callback<DescribedPage<Info>> done) {
  using Page = orchestrator::v1::ListWorkflowsResponse;
  client.ListWorkflows(std::move(list), [describe = std::move(describe), done = std::move(done)](
                                            absl::StatusOr<Page> listed) mutable {
    if (!listed.ok()) return done(listed.status());
    auto page = std::make_shared<Page>(*std::move(listed));
    Gather<Info>(
        page->workflows_size(),
        [page, describe = std::move(describe)](size_t i, client::Callback<Info> each) {
          describe(page->workflows(static_cast<int>(i)), std::move(each));
        },
        [page, done = std::move(done)](std::vector<absl::StatusOr<Info>> all) mutable {
          DescribedPage<Info> described{.next_page_token = page->next_page_token()};
          for (size_t i = 0; i < all.size(); ++i) {
            if (absl::IsNotFound(all[i].status())) continue;
            described.items.push_back(
                {std::move(*page->mutable_workflows(static_cast<int>(i))), std::move(all[i])});
          }
          done(std::move(described));
        });
  });
}

}  // namespace gateway
