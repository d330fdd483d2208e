// Lists, counts and versions: what is read from the store's projections, on the reading thread.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/filter/parser.h"
#include "orchestrator/history/time.h"

namespace engine {
namespace {

constexpr int kListPageDefault = 50;
constexpr int kListPageMax = 1000;

absl::StatusOr<store::RunOrder> ReadOrder(const std::string& text) {
  std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipWhitespace());
  const std::string order = absl::AsciiStrToLower(absl::StrJoin(words, " "));
  if (order.empty() || order == "start_time desc") return store::RunOrder::kStartTimeDescending;
  if (order == "start_time" || order == "start_time asc") {
    return store::RunOrder::kStartTimeAscending;
  }
  if (order == "close_time desc") return store::RunOrder::kCloseTimeDescending;
  if (order == "close_time" || order == "close_time asc") {
    return store::RunOrder::kCloseTimeAscending;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("order_by \"", text.substr(0, 100),
                   "\": it can be \"start_time\" or \"close_time\", with \" desc\" behind it"));
}

// Names what a page token was given for. Not a secret: it catches mistakes.
std::string Mark(const v1::ListWorkflowsRequest& request) {
  uint64_t hash = 0xcbf29ce484222325ull;  // FNV-1a
  for (const std::string& part : {absl::StrCat(request.status()), request.workflow_type(),
                                  request.namespace_(), request.filter(), request.order_by()}) {
    for (const unsigned char c : part) hash = (hash ^ c) * 0x100000001b3ull;
    hash = (hash ^ 0xff) * 0x100000001b3ull;
  }
  return absl::StrCat(absl::Hex(hash & 0xffffffff, absl::kZeroPad8), "-");
}

// The store's token within ours.
absl::StatusOr<std::string> OpenToken(const std::string& token, const std::string& mark) {
  if (token.empty()) return token;
  if (absl::StartsWith(token, mark)) return token.substr(mark.size());
  return absl::InvalidArgumentError(
      absl::StrCat("page_token \"", token.substr(0, 64),
                   "\" was not given for this filter and order; begin again without a token"));
}

struct ListQuestion {
  store::RunFilter filter;
  store::RunOrder order;
  std::string token;
};

absl::StatusOr<ListQuestion> ReadQuestion(const v1::ListWorkflowsRequest& request) {
  ListQuestion question{.filter = {.ns = base::Namespace(request.namespace_()),
                                   .status = request.status(),
                                   .workflow_type = request.workflow_type()}};
  ASSIGN_OR_RETURN(question.filter.where, filter::Parse(request.filter()));
  ASSIGN_OR_RETURN(question.order, ReadOrder(request.order_by()));
  ASSIGN_OR_RETURN(question.token, OpenToken(request.page_token(), Mark(request)));
  return question;
}

v1::VersionUse DescribeUse(const store::VersionCount& version) {
  v1::VersionUse use;
  use.set_workflow_type(version.workflow_type);
  use.set_id(version.id);
  use.set_open_runs(version.open);
  use.set_closed_runs(version.closed);
  if (!version.oldest_open.empty()) {
    use.set_oldest_open_workflow_id(version.oldest_open.value());
    *use.mutable_oldest_open_start_time() = history::ToProto(version.oldest_open_start);
  }
  return use;
}

}  // namespace

void Engine::List(v1::ListWorkflowsRequest request, Callback<v1::ListWorkflowsResponse> done) {
  absl::StatusOr<ListQuestion> question = ReadQuestion(request);
  if (!question.ok()) return done(question.status());
  const int page_size =
      request.page_size() <= 0 ? kListPageDefault : std::min(request.page_size(), kListPageMax);
  read_thread_->Post([this, question = *std::move(question), mark = Mark(request), page_size,
                      done = std::move(done)]() mutable {
    absl::StatusOr<store::RunPage> page =
        store_.List(question.filter, question.order, page_size, question.token);
    if (!page.ok()) return done(page.status());
    v1::ListWorkflowsResponse response;
    for (const store::RunRow& row : page->rows) *response.add_workflows() = DescribeRow(row);
    if (!page->next_page_token.empty()) {
      response.set_next_page_token(mark + page->next_page_token);
    }
    done(std::move(response));
  });
}

void Engine::Count(v1::CountWorkflowsRequest request, Callback<v1::CountWorkflowsResponse> done) {
  store::RunFilter filter{.ns = base::Namespace(request.namespace_())};
  absl::StatusOr<std::shared_ptr<const filter::Expression>> where = filter::Parse(request.filter());
  if (!where.ok()) return done(where.status());
  filter.where = *std::move(where);
  read_thread_->Post([this, filter = std::move(filter), done = std::move(done)]() mutable {
    absl::StatusOr<std::vector<store::StatusCount>> counts = store_.Count(filter);
    if (!counts.ok()) return done(counts.status());
    v1::CountWorkflowsResponse response;
    int64_t sum = 0;
    for (const store::StatusCount& count : *counts) {
      v1::WorkflowCount* group = response.add_groups();
      group->set_workflow_type(count.workflow_type);
      group->set_status(count.status);
      group->set_count(count.count);
      sum += count.count;
    }
    response.set_count(sum);
    done(std::move(response));
  });
}

void Engine::ListVersions(v1::ListVersionsRequest request,
                          Callback<v1::ListVersionsResponse> done) {
  read_thread_->Post([this, request = std::move(request), done = std::move(done)]() mutable {
    absl::StatusOr<std::vector<store::VersionCount>> versions =
        store_.CountVersions(base::Namespace(request.namespace_()), request.workflow_type());
    if (!versions.ok()) return done(versions.status());
    v1::ListVersionsResponse response;
    for (const store::VersionCount& version : *versions) {
      const bool patch = version.kind == store::VersionCount::Kind::kPatch;
      *(patch ? response.add_patches() : response.add_builds()) = DescribeUse(version);
    }
    done(std::move(response));
  });
}

void Engine::Delete(v1::DeleteWorkflowRequest request, Callback<v1::DeleteWorkflowResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->Delete(std::move(request), std::move(done));
}

}  // namespace engine
