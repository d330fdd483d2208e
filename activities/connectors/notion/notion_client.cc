#include "activities/connectors/notion/notion_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "activities/connectors/notion/notion_json.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace notion {
namespace {

using wire::Json;

constexpr int kPageSize = 100;       // Notion's maximum
constexpr int kDataSourcesMax = 10;  // of one database
constexpr int kBlockDepthMax = 2;
constexpr int kPagesMax = 50;  // that a caller may ask for
constexpr size_t kWordsMax = 32;
constexpr char kOldVersion[] = "2022-06-28";

// 409 conflict_error passes; 404 also means "not shared with the integration".
outbound::Classification Classify(const outbound::HttpRequest& request,
                                  const outbound::HttpResponse& response) {
  if (response.status == 409) {
    return {.verdict = outbound::Verdict::kRetry,
            .failure_type = "VendorUnavailable",
            .failure_message = wire::Cat("answered 409: ", outbound::VendorMessage(response.body))};
  }
  return wire::ClassifyJson(request, response);
}

const outbound::Vendor& Notion() {
  static const outbound::Vendor* const kVendor =
      new outbound::Vendor{.name = "notion", .timeout = absl::Seconds(30), .classify = Classify};
  return *kVendor;
}

bool IsGone(const Json& page) {
  return wire::BoolAt(page, "in_trash") || wire::BoolAt(page, "archived");
}

// How many of the words `text` holds.
int CountWords(const std::string& text, const std::vector<std::string>& words) {
  const std::vector<std::string> have = wire::Words(text, 10'000);
  return static_cast<int>(std::count_if(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(have.begin(), have.end(), word) != have.end();
  }));
}

}  // namespace

// The text of a page while it is read.
struct NotionClient::TextSoFar {
  std::string text;
  int blocks = 0;
};

// Pages found so far, in Notion's order.
struct NotionClient::Candidates {
  struct Candidate {
    Page page;
    std::string words;
  };
  std::vector<Candidate> pages;
  bool complete = true;
};

NotionClient::NotionClient(outbound::Outbound& outbound, Options options)
    : outbound_(outbound), options_(std::move(options)) {}

base::Task<base::Outcome<Found>> NotionClient::Search(std::string query, int limit,
                                                      outbound::CallContext context) {
  const Json body = {{"query", query}, {"filter", {{"property", "object"}, {"value", "page"}}}};
  Candidates candidates;
  const base::Done read =
      co_await ReadList("/v1/search", wire::DumpJson(body), "search", &candidates, context);
  if (!read.ok()) co_return read.failure();
  Found found{.complete = candidates.complete};
  for (Candidates::Candidate& candidate : candidates.pages) {
    if (static_cast<int>(found.pages.size()) >= std::clamp(limit, 1, kPagesMax)) break;
    found.pages.push_back(std::move(candidate.page));
  }
  base::Outcome<Found> with_text = co_await WithText(std::move(found), std::move(context));
  co_return with_text;
}

base::Task<base::Outcome<Found>> NotionClient::QueryDatabase(std::string database_id,
                                                             std::string query, int limit,
                                                             outbound::CallContext context) {
  base::Outcome<std::vector<std::string>> paths = co_await QueryPaths(database_id, context);
  if (!paths.ok()) co_return paths.failure();
  const Json body = {
      {"sorts", Json::array({{{"timestamp", "last_edited_time"}, {"direction", "descending"}}})}};
  Candidates candidates;
  for (const std::string& path : *paths) {
    const base::Done read =
        co_await ReadList(path, wire::DumpJson(body), "data_sources.query", &candidates, context);
    if (!read.ok()) co_return read.failure();
  }
  const std::vector<std::string> words = wire::Words(query, kWordsMax);
  std::vector<std::pair<int, Page>> ranked;
  bool any_hit = false;
  for (Candidates::Candidate& candidate : candidates.pages) {
    const int hits = CountWords(candidate.words, words);
    any_hit = any_hit || hits > 0;
    ranked.emplace_back(hits, std::move(candidate.page));
  }
  if (any_hit) std::erase_if(ranked, [](const auto& page) { return page.first == 0; });
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  Found found{.complete = candidates.complete};
  for (auto& [hits, page] : ranked) {
    if (static_cast<int>(found.pages.size()) >= std::clamp(limit, 1, kPagesMax)) break;
    found.pages.push_back(std::move(page));
  }
  base::Outcome<Found> with_text = co_await WithText(std::move(found), std::move(context));
  co_return with_text;
}

base::Task<base::Outcome<std::vector<std::string>>> NotionClient::QueryPaths(
    std::string database_id, outbound::CallContext context) {
  const std::string database = wire::Cat("/v1/databases/", wire::PercentEncode(database_id));
  std::vector<std::string> paths;
  if (options_.version == kOldVersion) {
    paths.push_back(wire::Cat(database, "/query"));
    co_return paths;
  }
  outbound::HttpRequest request = Get(database, "databases.get");
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(Notion(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  base::Outcome<Json> answer = wire::BodyOf("notion", request, *response);
  if (!answer.ok()) co_return answer.failure();
  const Json& sources = wire::At(*answer, "data_sources");
  if (!sources.is_array()) co_return wire::Malformed("notion", request.operation, false);
  for (const Json& source : sources) {
    if (paths.size() >= kDataSourcesMax) break;
    const std::string id = wire::StringAt(source, "id");
    if (id.empty()) co_return wire::Malformed("notion", request.operation, false);
    paths.push_back(wire::Cat("/v1/data_sources/", wire::PercentEncode(id), "/query"));
  }
  co_return paths;
}

base::Task<base::Done> NotionClient::ReadList(std::string path, std::string body_json,
                                              std::string operation, Candidates* candidates,
                                              outbound::CallContext context) {
  Json body = wire::ParseJson(body_json).value_or(Json::object());
  int left = options_.pages_scanned_max;
  while (left > 0) {
    body["page_size"] = std::min(left, kPageSize);
    outbound::HttpRequest request = Post(path, wire::DumpJson(body), operation);
    base::Outcome<outbound::HttpResponse> response =
        co_await outbound_.Call(Notion(), request, context);
    if (!response.ok()) co_return response.failure();
    base::Outcome<Json> answer = wire::BodyOf("notion", request, *response);
    if (!answer.ok()) co_return answer.failure();
    const Json& results = wire::At(*answer, "results");
    if (!results.is_array()) co_return wire::Malformed("notion", operation, false);
    left -= std::max<int>(1, static_cast<int>(results.size()));
    for (const Json& page : results) {
      if (wire::StringAt(page, "object") != "page" || IsGone(page)) continue;
      candidates->pages.push_back({.page = {.id = wire::StringAt(page, "id"),
                                            .title = TitleOf(page),
                                            .url = wire::StringAt(page, "url")},
                                   .words = PropertyText(page)});
    }
    const Json& status = wire::At(*answer, "request_status");
    if (wire::StringAt(status, "type") == "incomplete") candidates->complete = false;
    const std::string cursor = wire::StringAt(*answer, "next_cursor");
    if (!wire::BoolAt(*answer, "has_more") || cursor.empty()) co_return base::Unit{};
    body["start_cursor"] = cursor;
  }
  candidates->complete = false;
  co_return base::Unit{};
}

base::Task<base::Outcome<Found>> NotionClient::WithText(Found found,
                                                        outbound::CallContext context) {
  for (Page& page : found.pages) {
    base::Outcome<std::string> text = co_await PageText(page.id, context);
    // A page may be deleted or unshared between the list and now: it is then without text.
    if (!text.ok() && text.failure().type != "NotFound") co_return text.failure();
    if (text.ok()) page.text = std::move(*text);
  }
  co_return found;
}

base::Task<base::Outcome<std::string>> NotionClient::PageText(std::string page_id,
                                                              outbound::CallContext context) {
  TextSoFar text;
  const base::Done read = co_await ReadBlocks(std::move(page_id), 0, &text, std::move(context));
  if (!read.ok()) co_return read.failure();
  absl::StripTrailingAsciiWhitespace(&text.text);
  co_return wire::Truncate(text.text, options_.text_bytes_max);
}

base::Task<base::Done> NotionClient::ReadBlocks(std::string block_id, int depth, TextSoFar* text,
                                                outbound::CallContext context) {
  std::string cursor;
  while (true) {
    outbound::HttpRequest request = Get(
        wire::Cat("/v1/blocks/", wire::PercentEncode(block_id), "/children?page_size=", kPageSize,
                  cursor.empty() ? "" : "&start_cursor=", wire::PercentEncode(cursor)),
        "blocks.children");
    base::Outcome<outbound::HttpResponse> response =
        co_await outbound_.Call(Notion(), request, context);
    if (!response.ok()) co_return response.failure();
    base::Outcome<Json> answer = wire::BodyOf("notion", request, *response);
    if (!answer.ok()) co_return answer.failure();
    const Json& blocks = wire::At(*answer, "results");
    if (!blocks.is_array()) co_return wire::Malformed("notion", request.operation, false);
    for (const Json& block : blocks) {
      if (++text->blocks > options_.blocks_max || text->text.size() > options_.text_bytes_max) {
        co_return base::Unit{};
      }
      const std::string line = BlockText(block);
      if (!line.empty()) text->text += wire::Cat(line, "\n");
      const std::string type = wire::StringAt(block, "type");
      const bool own_page = type == "child_page" || type == "child_database";
      if (!wire::BoolAt(block, "has_children") || own_page || depth >= kBlockDepthMax) continue;
      const base::Done read =
          co_await ReadBlocks(wire::StringAt(block, "id"), depth + 1, text, context);
      if (!read.ok()) co_return read.failure();
    }
    const std::string next = wire::StringAt(*answer, "next_cursor");
    if (!wire::BoolAt(*answer, "has_more") || next.empty() || next == cursor || blocks.empty()) {
      co_return base::Unit{};
    }
    cursor = next;
  }
}

void NotionClient::AddHeaders(outbound::HttpRequest& request) const {
  request.headers.emplace_back("Authorization", wire::Cat("Bearer ", options_.token.value()));
  request.headers.emplace_back("Notion-Version", options_.version);
}

outbound::HttpRequest NotionClient::Get(std::string path, std::string operation) const {
  outbound::HttpRequest request;
  request.url = wire::JoinUrl(options_.base_url, path);
  request.operation = std::move(operation);
  AddHeaders(request);
  return request;
}

outbound::HttpRequest NotionClient::Post(std::string path, std::string body,
                                         std::string operation) const {
  outbound::HttpRequest request;
  request.method = "POST";
  request.url = wire::JoinUrl(options_.base_url, path);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  request.operation = std::move(operation);
  AddHeaders(request);
  return request;
}

}  // namespace notion
