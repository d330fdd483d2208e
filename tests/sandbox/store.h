// Everything that the simulated vendors remember: resources in memory with indexes, written
// through to a Database. A change is visible at once and durable after Commit(); the server
// answers a call only after the commit that holds it.
// Thread-safety: externally synchronised (the server's one thread).
//
// Example:
//   Resource pull{.vendor = "github", .kind = "pull", .id = "acme/site#1", .state = "open"};
//   pull.doc = {{"title", "Spring"}};
//   Resource& stored = store.Insert(std::move(pull));
//   stored.state = "closed";
//   store.Save(stored);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/status/status.h"
#include "tests/sandbox/database.h"
#include "tests/sandbox/json.h"

namespace sandbox {

struct Resource {
  std::string vendor, kind, id;
  std::string state;
  // Still demands something of someone, or is visible as if its campaign were live.
  bool alive = false;
  // Who made it.
  std::string workflow_id, idempotency_key;
  // The vendor's own second key, fixed at insertion ("pulls of this branch").
  std::string lookup;
  // Two of a kind and a workflow with the same non-empty natural key are duplicates.
  std::string natural_key;
  int64_t created_ms = 0;
  // When time alone changes it (a mail goes out); 0 = never.
  int64_t due_ms = 0;
  // Came with the sandbox; never listed as somebody's.
  bool seeded = false;
  Json doc;
  uint64_t seq = 0;            // order of creation, given by the store
  int64_t due_indexed_ms = 0;  // the store's own
};

class Store {
 public:
  absl::Status Open(const std::string& data_directory);

  // Clock of the simulated world: wall clock plus what the admin has advanced it by.
  int64_t NowMs() const { return NowUs() / 1000; }
  int64_t NowUs() const;
  // Another clock than the wall clock: microseconds since 1970.
  void set_clock(std::function<int64_t()> now_us) { now_us_ = std::move(now_us); }
  void AdvanceClock(int64_t ms);

  Resource* Find(std::string_view vendor, std::string_view kind, std::string_view id);
  // Adds it, or replaces the one of the same id. The reference lives until Clear().
  Resource& Insert(Resource resource);
  // Tells that a found resource was changed (not its ids, lookup or workflow_id).
  void Save(Resource& resource);

  // Calls `visit` for ids that start with `prefix`, in id order (or backwards from `below`,
  // exclusive, when that is not empty) until it returns false.
  void Each(std::string_view vendor, std::string_view kind, std::string_view prefix,
            const std::function<bool(Resource&)>& visit);
  void EachBackwards(std::string_view vendor, std::string_view kind, std::string_view prefix,
                     std::string_view below, const std::function<bool(Resource&)>& visit);
  // In order of creation.
  std::vector<Resource*> Lookup(std::string_view vendor, std::string_view kind,
                                std::string_view lookup);
  std::vector<Resource*> OfWorkflow(const std::string& workflow_id);
  std::vector<Resource*> All();
  // Takes out those of the vendor whose due_ms has passed, oldest first. The caller gives each a
  // new due_ms (or 0) and saves it.
  std::vector<Resource*> TakeDue(std::string_view vendor);

  // 1, 2, 3, ... for each name; durable.
  uint64_t NextNumber(const std::string& name);

  // Content-addressed bytes (git objects).
  const std::string* FindObject(const std::string& sha) const;
  void PutObject(const std::string& sha, std::string data);

  // Small named values: faults, the clock.
  void PutSetting(const std::string& name, std::string value);
  void EraseSetting(const std::string& name);
  const std::map<std::string, std::string>& settings() const { return settings_; }

  // Forgets everything.
  void Clear();

  bool has_uncommitted() const { return uncommitted_; }
  // Makes all changes so far durable. An error means that memory is ahead of the file: stop.
  absl::Status Commit();

 private:
  using Table = std::map<std::string, Resource, std::less<>>;

  Table& TableOf(std::string_view vendor, std::string_view kind);
  void Index(Resource& resource);
  void Unindex(Resource& resource);
  void LoadRow(ResourceRow row);

  Database database_;
  std::function<int64_t()> now_us_;
  int64_t clock_offset_ms_ = 0;
  uint64_t seq_last_ = 0;
  std::unordered_map<std::string, Table> tables_;
  std::unordered_map<std::string, std::set<std::pair<uint64_t, Resource*>>> by_lookup_;
  std::unordered_map<std::string, std::set<std::pair<uint64_t, Resource*>>> by_workflow_;
  std::unordered_map<std::string, std::set<std::pair<int64_t, Resource*>>> by_due_;
  std::unordered_map<std::string, std::string> objects_;
  std::map<std::string, std::string> settings_;

  bool uncommitted_ = false;
  bool cleared_ = false;
  std::unordered_set<Resource*> dirty_;
  std::vector<std::string> dirty_objects_;
  std::set<std::string> dirty_settings_;
};

}  // namespace sandbox
