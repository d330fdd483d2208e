// Notion, for research: finds pages by words and reads their text. Only reads, so every call may
// be repeated.
//
// Thread-safety: loop thread only.
//
// Example:
//   notion::NotionClient notion(outbound, {.token = token});
//   base::Outcome<notion::Found> found =
//       co_await notion.QueryDatabase(database_id, "running shoes", 5, context);
#pragma once

#include <string>
#include <vector>

#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/base/task.h"

namespace notion {

struct Page {
  std::string id;
  std::string title;
  std::string url;
  std::string text;  // of its blocks, one line each; cut at Options::text_bytes_max
};

struct Found {
  std::vector<Page> pages;  // best first
  bool complete = true;     // false: there were more pages than Options let us look at
};

class NotionClient {
 public:
  struct Options {
    std::string base_url = "https://api.notion.com";
    base::Secret token;
    // "2022-06-28" takes the old database query, without data sources.
    std::string version = "2025-09-03";
    int pages_scanned_max = 300;  // of one Search or QueryDatabase
    int blocks_max = 300;         // of one page
    size_t text_bytes_max = 16 * 1024;
  };
  NotionClient(outbound::Outbound& outbound, Options options);

  // Pages whose title fits `query` (Notion's own search over everything shared with us), with
  // their text; at most `limit`.
  base::Task<base::Outcome<Found>> Search(std::string query, int limit,
                                          outbound::CallContext context);
  // Pages of the database, newest edits looked at first, in the order of how many of the query's
  // words their properties hold; those with none are left out, unless that would leave nothing:
  // then the newest. With their text; at most `limit`.
  base::Task<base::Outcome<Found>> QueryDatabase(std::string database_id, std::string query,
                                                 int limit, outbound::CallContext context);
  // The page's text, from its blocks and two levels of theirs.
  base::Task<base::Outcome<std::string>> PageText(std::string page_id,
                                                  outbound::CallContext context);

 private:
  struct TextSoFar;
  struct Candidates;
  outbound::HttpRequest Get(std::string path, std::string operation) const;
  outbound::HttpRequest Post(std::string path, std::string body, std::string operation) const;
  void AddHeaders(outbound::HttpRequest& request) const;
  // The paths of POST .../query for a database: one for each data source.
  base::Task<base::Outcome<std::vector<std::string>>> QueryPaths(std::string database_id,
                                                                 outbound::CallContext context);
  // Reads one paged list into `candidates`, which outlives the call.
  base::Task<base::Done> ReadList(std::string path, std::string body_json, std::string operation,
                                  Candidates* candidates, outbound::CallContext context);
  // Adds the children's text to `text`, which outlives the call.
  base::Task<base::Done> ReadBlocks(std::string block_id, int depth, TextSoFar* text,
                                    outbound::CallContext context);
  base::Task<base::Outcome<Found>> WithText(Found found, outbound::CallContext context);

  outbound::Outbound& outbound_;
  const Options options_;
};

}  // namespace notion
