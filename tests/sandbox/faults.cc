#include "tests/sandbox/faults.h"

#include <algorithm>
#include <array>

#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

constexpr std::array<std::string_view, 12> kKinds = {
    "error",     "rate_limit", "latency",
    "hang",      "reset",      "lost_response",
    "malformed", "truncated",  "wrong_content_type",
    "slow_body", "echo",       "endless_body"};
constexpr std::string_view kSettingPrefix = "fault/";
constexpr int64_t kLatencyMsMax = 600'000;
constexpr int64_t kRetryAfterSMax = 2'678'400;  // 31 days
constexpr int64_t kCountMax = 1'000'000'000;
constexpr size_t kFaultsMax = 1'000;
constexpr size_t kTextMax = 300;

// Reads one object's fields and collects what is wrong with them.
class Reader {
 public:
  Reader(const Json& body, std::vector<FieldViolation>* violations)
      : body_(body), violations_(violations) {}

  void Fail(std::string field, std::string description) {
    violations_->push_back({std::move(field), std::move(description)});
  }

  std::string Text(const char* field) {
    const Json& value = Member(body_, field);
    if (value.is_null()) return "";
    if (!value.is_string()) {
      Fail(field, "must be a string");
      return "";
    }
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() > kTextMax) Fail(field, "must be at most 300 characters");
    return text;
  }

  std::optional<int64_t> Integer(const char* field, int64_t min, int64_t max) {
    const Json& value = Member(body_, field);
    if (value.is_null()) return std::nullopt;
    if (!value.is_number_integer() || value.get<int64_t>() < min || value.get<int64_t>() > max) {
      Fail(field,
           "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
      return std::nullopt;
    }
    return value.get<int64_t>();
  }

  double Fraction(const char* field, double fallback) {
    const Json& value = Member(body_, field);
    if (value.is_null()) return fallback;
    if (!value.is_number() || !(value.get<double>() >= 0) || !(value.get<double>() <= 1)) {
      Fail(field, "must be a number from 0 to 1");
      return fallback;
    }
    return value.get<double>();
  }

 private:
  const Json& body_;
  std::vector<FieldViolation>* violations_;
};

template <typename Names>
std::string Join(const Names& names) {
  std::string out;
  for (const auto& name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

bool HitsOperation(const Fault& fault, const FaultTarget& target) {
  if (fault.operation.empty() || Lower(fault.operation) == Lower(target.operation)) return true;
  std::string_view wanted = fault.operation;
  const size_t space = wanted.find(' ');
  if (space != std::string_view::npos) {
    if (Upper(wanted.substr(0, space)) != target.method) return false;
    wanted.remove_prefix(space + 1);
  } else if (wanted.front() != '/') {
    return false;
  }
  return target.path.starts_with(wanted) || target.vendor_path.starts_with(wanted);
}

// "/v1/pages" or "GET /v1/pages".
bool IsPath(std::string_view operation) {
  static constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  const size_t space = operation.find(' ');
  if (space == std::string_view::npos) return operation.front() == '/';
  const std::string method = Upper(operation.substr(0, space));
  return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods) &&
         operation.substr(space + 1).starts_with('/');
}

bool Names(const std::vector<std::string>& operations, std::string_view operation) {
  return std::any_of(operations.begin(), operations.end(),
                     [&](const std::string& known) { return Lower(known) == Lower(operation); });
}

std::vector<std::string> Distinct(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool Hits(const Fault& fault, const FaultTarget& target) {
  if (fault.vendor != "*" && fault.vendor != target.vendor) return false;
  if (!fault.workflow_id.empty() && fault.workflow_id != target.workflow_id) return false;
  return HitsOperation(fault, target);
}

// A number in [0, 1) that depends on the seed and the index alone.
double Chance(int64_t seed, int64_t index) {
  const uint64_t hash = HashOf(std::to_string(seed) + "/" + std::to_string(index));
  return static_cast<double>(hash >> 11) / 9007199254740992.0;
}

}  // namespace

Faults::Faults(Store& store, std::vector<FaultPlace> places)
    : store_(store), places_(std::move(places)) {}

void Faults::Load() {
  faults_.clear();
  for (const auto& [name, value] : store_.settings()) {
    if (!name.starts_with(kSettingPrefix)) continue;
    const Json json = Json::parse(value, nullptr, false);
    Fault fault = Parse(json).fault;
    fault.id = name.substr(kSettingPrefix.size());
    fault.seen = IntOr(json, "seen", 0);
    fault.applied = IntOr(json, "applied", 0);
    if (Member(json, "count").is_number()) fault.count = IntOr(json, "count", 0);
    faults_.push_back(std::move(fault));
  }
  std::sort(faults_.begin(), faults_.end(), [](const Fault& a, const Fault& b) {
    return std::pair(a.id.size(), a.id) < std::pair(b.id.size(), b.id);
  });
}

FaultInput Faults::Parse(const Json& body) const {
  FaultInput input;
  Reader read(body, &input.violations);
  if (!body.is_object()) {
    read.Fail("", "the body must be a JSON object");
    return input;
  }
  static const std::vector<std::string> kFields = {
      "id",    "vendor",     "operation",     "workflow_id", "kind", "status",  "rate",
      "count", "latency_ms", "retry_after_s", "seed",        "seen", "applied", "code"};
  for (const auto& [name, value] : body.items()) {
    if (std::find(kFields.begin(), kFields.end(), name) == kFields.end()) {
      read.Fail(name, "is not a field of a fault");
    }
  }
  Fault& fault = input.fault;
  fault.vendor = read.Text("vendor");
  std::vector<std::string> vendors;
  std::vector<std::string> operations;  // that the fault could name
  for (const FaultPlace& place : places_) {
    vendors.push_back(place.vendor);
    if (fault.vendor != "*" && fault.vendor != place.vendor) continue;
    operations.insert(operations.end(), place.operations.begin(), place.operations.end());
  }
  const bool is_vendor = !operations.empty();
  if (!is_vendor) read.Fail("vendor", "must be * or one of " + Join(vendors));
  fault.kind = read.Text("kind");
  if (std::find(kKinds.begin(), kKinds.end(), fault.kind) == kKinds.end()) {
    read.Fail("kind", "must be one of " + Join(kKinds));
  }
  fault.operation = read.Text("operation");
  if (is_vendor && !fault.operation.empty() && !IsPath(fault.operation) &&
      !Names(operations, fault.operation)) {
    read.Fail("operation", "must be a path such as /v1/pages or GET /v1/pages, or one of " +
                               Join(Distinct(operations)));
  }
  fault.code = read.Text("code");
  fault.workflow_id = read.Text("workflow_id");
  const std::optional<int64_t> status = read.Integer("status", 200, 599);
  if (status) fault.status = static_cast<int>(*status);
  fault.retry_after_s = read.Integer("retry_after_s", 0, kRetryAfterSMax);
  fault.count = read.Integer("count", 1, kCountMax);
  fault.rate = read.Fraction("rate", 1.0);
  fault.latency_ms =
      read.Integer("latency_ms", 0, kLatencyMsMax).value_or(fault.kind == "latency" ? 1000 : 0);
  fault.seed = read.Integer("seed", 0, INT64_MAX).value_or(0);
  if (faults_.size() >= kFaultsMax) read.Fail("", "there are 1000 faults already; delete some");
  return input;
}

const Fault& Faults::Add(Fault fault) {
  fault.id = "f" + std::to_string(store_.NextNumber("fault"));
  faults_.push_back(std::move(fault));
  Keep(faults_.back());
  return faults_.back();
}

bool Faults::Remove(const std::string& id) {
  const auto found =
      std::find_if(faults_.begin(), faults_.end(), [&](const Fault& f) { return f.id == id; });
  if (found == faults_.end()) return false;
  faults_.erase(found);
  store_.EraseSetting(std::string(kSettingPrefix) + id);
  return true;
}

void Faults::RemoveAll() {
  for (const Fault& fault : faults_) store_.EraseSetting(std::string(kSettingPrefix) + fault.id);
  faults_.clear();
}

std::vector<Fault> Faults::Strike(const FaultTarget& target) {
  std::vector<Fault> out;
  bool decided = false;
  for (Fault& fault : faults_) {
    if (!Hits(fault, target) || fault.count == 0) continue;
    if (decided && fault.kind != "latency") continue;
    const bool strikes = Chance(fault.seed, fault.seen++) < fault.rate;
    if (strikes) {
      ++fault.applied;
      if (fault.count) --*fault.count;
      if (fault.kind != "latency") decided = true;
      out.push_back(fault);
    }
    Keep(fault);
  }
  return out;
}

void Faults::Keep(const Fault& fault) {
  store_.PutSetting(std::string(kSettingPrefix) + fault.id, Dump(ToJson(fault)));
}

Json ToJson(const Fault& fault) {
  Json json = {{"id", fault.id},          {"vendor", fault.vendor}, {"kind", fault.kind},
               {"rate", fault.rate},      {"seed", fault.seed},     {"seen", fault.seen},
               {"applied", fault.applied}};
  if (!fault.operation.empty()) json["operation"] = fault.operation;
  if (!fault.workflow_id.empty()) json["workflow_id"] = fault.workflow_id;
  if (!fault.code.empty()) json["code"] = fault.code;
  if (fault.status) json["status"] = *fault.status;
  if (fault.retry_after_s) json["retry_after_s"] = *fault.retry_after_s;
  if (fault.count) json["count"] = *fault.count;
  if (fault.latency_ms != 0) json["latency_ms"] = fault.latency_ms;
  return json;
}

}  // namespace sandbox
