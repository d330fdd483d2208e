#include "tests/sandbox/store.h"

#include <algorithm>

#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

constexpr char kClockOffset[] = "clock_offset_ms";
constexpr char kCounterPrefix[] = "counter/";

std::string Key(std::string_view a, std::string_view b) {
  std::string key(a);
  key += '\n';
  key += b;
  return key;
}

std::string Key(std::string_view a, std::string_view b, std::string_view c) {
  return Key(Key(a, b), c);
}

std::string Encode(const Resource& r) {
  return Dump({{"state", r.state},
               {"alive", r.alive},
               {"workflow_id", r.workflow_id},
               {"idempotency_key", r.idempotency_key},
               {"lookup", r.lookup},
               {"natural_key", r.natural_key},
               {"created_ms", r.created_ms},
               {"due_ms", r.due_ms},
               {"seeded", r.seeded},
               {"doc", r.doc}});
}

}  // namespace

absl::Status Store::Open(const std::string& data_directory) {
  absl::Status status = database_.Open(data_directory);
  if (!status.ok()) return status;
  status = database_.Load(
      [this](ResourceRow row) { LoadRow(std::move(row)); },
      [this](std::string sha, std::string data) { objects_[std::move(sha)] = std::move(data); },
      [this](std::string name, std::string value) {
        settings_[std::move(name)] = std::move(value);
      });
  const auto offset = settings_.find(kClockOffset);
  if (offset != settings_.end()) clock_offset_ms_ = std::stoll(offset->second);
  return status;
}

void Store::LoadRow(ResourceRow row) {
  Json json = Json::parse(row.json, nullptr, false);
  Resource r;
  r.vendor = std::move(row.vendor);
  r.kind = std::move(row.kind);
  r.id = std::move(row.id);
  r.seq = row.seq;
  r.state = StringOr(json, "state");
  r.alive = BoolOr(json, "alive", false);
  r.workflow_id = StringOr(json, "workflow_id");
  r.idempotency_key = StringOr(json, "idempotency_key");
  r.lookup = StringOr(json, "lookup");
  r.natural_key = StringOr(json, "natural_key");
  r.created_ms = IntOr(json, "created_ms", 0);
  r.due_ms = IntOr(json, "due_ms", 0);
  r.seeded = BoolOr(json, "seeded", false);
  r.doc = json.is_object() ? std::move(json["doc"]) : Json();
  seq_last_ = std::max(seq_last_, r.seq);
  Table& table = TableOf(r.vendor, r.kind);
  const std::string id = r.id;
  Index(table.insert_or_assign(id, std::move(r)).first->second);
}

int64_t Store::NowUs() const {
  return (now_us_ != nullptr ? now_us_() : SystemNowUs()) + clock_offset_ms_ * 1000;
}

void Store::AdvanceClock(int64_t ms) {
  clock_offset_ms_ += ms;
  PutSetting(kClockOffset, std::to_string(clock_offset_ms_));
}

Store::Table& Store::TableOf(std::string_view vendor, std::string_view kind) {
  return tables_[Key(vendor, kind)];
}

Resource* Store::Find(std::string_view vendor, std::string_view kind, std::string_view id) {
  Table& table = TableOf(vendor, kind);
  const auto found = table.find(id);
  return found == table.end() ? nullptr : &found->second;
}

Resource& Store::Insert(Resource resource) {
  resource.seq = ++seq_last_;
  if (resource.created_ms == 0) resource.created_ms = NowMs();
  Table& table = TableOf(resource.vendor, resource.kind);
  auto found = table.find(resource.id);
  if (found == table.end()) {
    const std::string id = resource.id;
    found = table.emplace(id, std::move(resource)).first;
  } else {
    Unindex(found->second);
    found->second = std::move(resource);
  }
  found->second.due_indexed_ms = 0;
  Index(found->second);
  dirty_.insert(&found->second);
  uncommitted_ = true;
  return found->second;
}

void Store::Save(Resource& resource) {
  if (resource.due_ms != resource.due_indexed_ms) {
    auto& due = by_due_[resource.vendor];
    if (resource.due_indexed_ms != 0) due.erase({resource.due_indexed_ms, &resource});
    if (resource.due_ms != 0) due.emplace(resource.due_ms, &resource);
    resource.due_indexed_ms = resource.due_ms;
  }
  dirty_.insert(&resource);
  uncommitted_ = true;
}

void Store::Index(Resource& resource) {
  if (!resource.lookup.empty()) {
    by_lookup_[Key(resource.vendor, resource.kind, resource.lookup)].emplace(resource.seq,
                                                                             &resource);
  }
  if (!resource.workflow_id.empty()) {
    by_workflow_[resource.workflow_id].emplace(resource.seq, &resource);
  }
  if (resource.due_ms != 0) by_due_[resource.vendor].emplace(resource.due_ms, &resource);
  resource.due_indexed_ms = resource.due_ms;
}

void Store::Unindex(Resource& resource) {
  if (!resource.lookup.empty()) {
    by_lookup_[Key(resource.vendor, resource.kind, resource.lookup)].erase(
        {resource.seq, &resource});
  }
  if (!resource.workflow_id.empty()) {
    by_workflow_[resource.workflow_id].erase({resource.seq, &resource});
  }
  if (resource.due_indexed_ms != 0) {
    by_due_[resource.vendor].erase({resource.due_indexed_ms, &resource});
  }
}

void Store::Each(std::string_view vendor, std::string_view kind, std::string_view prefix,
                 const std::function<bool(Resource&)>& visit) {
  Table& table = TableOf(vendor, kind);
  for (auto it = table.lower_bound(prefix); it != table.end(); ++it) {
    if (it->first.compare(0, prefix.size(), prefix) != 0 || !visit(it->second)) return;
  }
}

void Store::EachBackwards(std::string_view vendor, std::string_view kind, std::string_view prefix,
                          std::string_view below, const std::function<bool(Resource&)>& visit) {
  Table& table = TableOf(vendor, kind);
  // '\xff' sorts after every character that an id may hold.
  auto it = table.lower_bound(below.empty() ? std::string(prefix) + '\xff' : std::string(below));
  while (it != table.begin()) {
    --it;
    if (it->first.compare(0, prefix.size(), prefix) != 0 || !visit(it->second)) return;
  }
}

std::vector<Resource*> Store::Lookup(std::string_view vendor, std::string_view kind,
                                     std::string_view lookup) {
  std::vector<Resource*> out;
  const auto found = by_lookup_.find(Key(vendor, kind, lookup));
  if (found == by_lookup_.end()) return out;
  for (const auto& [seq, resource] : found->second) out.push_back(resource);
  return out;
}

std::vector<Resource*> Store::OfWorkflow(const std::string& workflow_id) {
  std::vector<Resource*> out;
  const auto found = by_workflow_.find(workflow_id);
  if (found == by_workflow_.end()) return out;
  for (const auto& [seq, resource] : found->second) out.push_back(resource);
  return out;
}

std::vector<Resource*> Store::All() {
  std::vector<Resource*> out;
  for (auto& [name, table] : tables_) {
    for (auto& [id, resource] : table) out.push_back(&resource);
  }
  std::sort(out.begin(), out.end(),
            [](const Resource* a, const Resource* b) { return a->seq < b->seq; });
  return out;
}

std::vector<Resource*> Store::TakeDue(std::string_view vendor) {
  std::vector<Resource*> out;
  auto& due = by_due_[std::string(vendor)];
  const int64_t now = NowMs();
  while (!due.empty() && due.begin()->first <= now) {
    Resource* resource = due.begin()->second;
    due.erase(due.begin());
    resource->due_indexed_ms = 0;
    out.push_back(resource);
  }
  return out;
}

uint64_t Store::NextNumber(const std::string& name) {
  const std::string key = kCounterPrefix + name;
  const auto found = settings_.find(key);
  const uint64_t next = (found == settings_.end() ? 0 : std::stoull(found->second)) + 1;
  PutSetting(key, std::to_string(next));
  return next;
}

const std::string* Store::FindObject(const std::string& sha) const {
  const auto found = objects_.find(sha);
  return found == objects_.end() ? nullptr : &found->second;
}

void Store::PutObject(const std::string& sha, std::string data) {
  if (!objects_.emplace(sha, std::move(data)).second) return;
  dirty_objects_.push_back(sha);
  uncommitted_ = true;
}

void Store::PutSetting(const std::string& name, std::string value) {
  settings_[name] = std::move(value);
  dirty_settings_.insert(name);
  uncommitted_ = true;
}

void Store::EraseSetting(const std::string& name) {
  settings_.erase(name);
  dirty_settings_.insert(name);
  uncommitted_ = true;
}

void Store::Clear() {
  tables_.clear();
  by_lookup_.clear();
  by_workflow_.clear();
  by_due_.clear();
  objects_.clear();
  settings_.clear();
  dirty_.clear();
  dirty_objects_.clear();
  dirty_settings_.clear();
  clock_offset_ms_ = 0;
  seq_last_ = 0;
  cleared_ = true;
  uncommitted_ = true;
}

absl::Status Store::Commit() {
  if (!uncommitted_) return absl::OkStatus();
  database_.Begin();
  if (cleared_) database_.EraseAll();
  for (const Resource* r : dirty_) {
    database_.PutResource({r->seq, r->vendor, r->kind, r->id, Encode(*r)});
  }
  for (const std::string& sha : dirty_objects_) database_.PutObject(sha, objects_[sha]);
  for (const std::string& name : dirty_settings_) {
    const auto found = settings_.find(name);
    if (found == settings_.end()) {
      database_.EraseSetting(name);
    } else {
      database_.PutSetting(name, found->second);
    }
  }
  dirty_.clear();
  dirty_objects_.clear();
  dirty_settings_.clear();
  cleared_ = false;
  uncommitted_ = false;
  return database_.Commit();
}

}  // namespace sandbox
