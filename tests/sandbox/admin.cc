#include "tests/sandbox/admin.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "tests/sandbox/hooks.h"
#include "tests/sandbox/sandbox.h"
#include "tests/sandbox/slack_people.h"
#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

constexpr int64_t kAdvanceSecondsMax = 400ll * 24 * 3600;

Response Refuse(int status, const std::string& message,
                const std::vector<FieldViolation>& violations = {}) {
  Json body = {{"error", message}};
  for (const FieldViolation& violation : violations) {
    body["field_violations"].push_back(
        {{"field", violation.field}, {"description", violation.description}});
  }
  return JsonResponse(status, body);
}

// Undone in time: such a one is no duplicate of its successor.
bool IsUndone(const Resource& r) {
  return r.state == "cancelled" || r.state == "closed" || r.state == "deleted" ||
         r.state == "trashed" || r.state == "retracted";
}

Json ToJson(const Resource& r) {
  return {{"vendor", r.vendor},
          {"kind", r.kind},
          {"id", r.id},
          {"state", r.state},
          {"alive", r.alive},
          {"workflow_id", r.workflow_id},
          {"idempotency_key", r.idempotency_key},
          {"natural_key", r.natural_key},
          {"created_at", IsoMillis(r.created_ms)},
          {"detail", r.doc}};
}

Json Duplicates(const std::vector<Resource*>& resources) {
  std::map<std::tuple<std::string, std::string, std::string, std::string>,
           std::vector<const Resource*>>
      groups;
  for (const Resource* r : resources) {
    if (r->natural_key.empty() || r->workflow_id.empty() || IsUndone(*r)) continue;
    groups[{r->vendor, r->kind, r->workflow_id, r->natural_key}].push_back(r);
  }
  Json out = Json::array();
  for (const auto& [key, group] : groups) {
    if (group.size() < 2) continue;
    Json ids = Json::array();
    Json keys = Json::array();
    for (const Resource* r : group) {
      ids.push_back(r->id);
      keys.push_back(r->idempotency_key);
    }
    out.push_back({{"vendor", std::get<0>(key)},
                   {"kind", std::get<1>(key)},
                   {"workflow_id", std::get<2>(key)},
                   {"natural_key", std::get<3>(key)},
                   {"count", group.size()},
                   {"ids", ids},
                   {"idempotency_keys", keys}});
  }
  return out;
}

// False when the parameter is there and is no number from 1 to `max`.
bool ReadLimit(const Request& request, size_t max, size_t* limit) {
  const std::string text = request.QueryParam("limit");
  if (text.empty()) return true;
  if (text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos) return false;
  *limit = std::stoul(text);
  return *limit >= 1 && *limit <= max;
}

}  // namespace

Response Admin::Handle(const Request& request) {
  const std::string& method = request.method;
  const std::string what = request.segments.size() > 1 ? request.segments[1] : "";
  const bool is_read = method == "GET" || method == "HEAD";
  const size_t parts = request.segments.size();
  if (what == "hooks") return Hooks(request);
  if (what == "slack" && parts == 3 && method == "POST") return People(request);
  if (parts > 3 || (parts == 3 && what != "faults")) {
    return Refuse(404, "no such path: " + request.path);
  }
  if (what == "healthz" && is_read) {
    return JsonResponse(200, {{"status", "ok"}, {"calls", sandbox_.calls().total()}});
  }
  if (what == "resources" && is_read) return Resources(request);
  if (what == "calls" && is_read) return Calls(request);
  if (what == "operations" && is_read) return Operations();
  if (what == "clock" && (is_read || method == "POST")) return Clock(request);
  if (what == "reset" && method == "POST") {
    sandbox_.Reset();
    return JsonResponse(200, {{"reset", true}});
  }
  if (what == "faults" && parts == 2) {
    if (is_read) return ListFaults();
    if (method == "POST") return AddFault(request);
    if (method == "DELETE") {
      sandbox_.faults().RemoveAll();
      return EmptyResponse(204);
    }
  }
  if (what == "faults" && parts == 3 && method == "DELETE") {
    return RemoveFault(request.segments[2]);
  }
  static constexpr const char* kPaths[] = {"healthz", "resources", "calls", "operations",
                                           "clock",   "reset",     "faults"};
  const bool known = std::find(std::begin(kPaths), std::end(kPaths), what) != std::end(kPaths);
  return known ? Refuse(405, method + " is not allowed on " + request.path)
               : Refuse(404, "no such path: " + request.path +
                                 "; there are healthz, resources, calls, operations, clock, reset, "
                                 "faults, hooks, slack/press, slack/submit and slack/command");
}

Response Admin::Resources(const Request& request) {
  for (const auto& vendor : sandbox_.vendors()) vendor->Advance();
  const std::string workflow_id = request.QueryParam("workflow_id");
  const std::string vendor = request.QueryParam("vendor");
  const std::string kind = request.QueryParam("kind");
  const std::string alive = request.QueryParam("alive");
  if (!alive.empty() && alive != "true" && alive != "false") {
    return Refuse(400, "bad query", {{"alive", "must be true or false"}});
  }
  std::vector<Resource*> found;
  Json counts = Json::object();
  Json list = Json::array();
  for (Resource* r :
       workflow_id.empty() ? sandbox_.store().All() : sandbox_.store().OfWorkflow(workflow_id)) {
    if (r->seeded || (!vendor.empty() && r->vendor != vendor) ||
        (!kind.empty() && r->kind != kind)) {
      continue;
    }
    found.push_back(r);
    if (r->alive) {
      Json& count = counts[r->vendor][r->kind];
      count = count.is_number() ? count.get<int>() + 1 : 1;
    }
    if (alive.empty() || r->alive == (alive == "true")) list.push_back(ToJson(*r));
  }
  return JsonResponse(200,
                      {{"resources", list}, {"alive", counts}, {"duplicates", Duplicates(found)}});
}

Response Admin::Calls(const Request& request) {
  size_t limit = 1000;
  if (!ReadLimit(request, CallLog::kEntriesMax, &limit)) {
    return Refuse(400, "bad query", {{"limit", "must be a number from 1 to 100000"}});
  }
  const CallLog& calls = sandbox_.calls();
  return JsonResponse(
      200, {{"total", calls.total()},
            {"calls", calls.List(request.QueryParam("vendor"), request.QueryParam("operation"),
                                 request.QueryParam("workflow_id"), limit)}});
}

Response Admin::AddFault(const Request& request) {
  const Json body = Json::parse(request.body, nullptr, false);
  if (body.is_discarded()) return Refuse(400, "the body is not valid JSON");
  FaultInput input = sandbox_.faults().Parse(body);
  if (!input.violations.empty()) return Refuse(400, "the fault is not valid", input.violations);
  return JsonResponse(201, ToJson(sandbox_.faults().Add(std::move(input.fault))));
}

Response Admin::ListFaults() {
  Json list = Json::array();
  for (const Fault& fault : sandbox_.faults().all()) list.push_back(ToJson(fault));
  return JsonResponse(200, {{"faults", list}});
}

Response Admin::RemoveFault(const std::string& id) {
  if (!sandbox_.faults().Remove(id)) return Refuse(404, "no fault has the id " + id);
  return EmptyResponse(204);
}

Response Admin::Clock(const Request& request) {
  if (request.method == "POST") {
    const Json body = Json::parse(request.body, nullptr, false);
    const Json& seconds = Member(body, "advance_seconds");
    if (!seconds.is_number() || !(seconds.get<double>() >= 0) ||
        !(seconds.get<double>() <= kAdvanceSecondsMax)) {
      return Refuse(400, "bad clock",
                    {{"advance_seconds", "must be a number of seconds from 0 to 400 days"}});
    }
    sandbox_.store().AdvanceClock(static_cast<int64_t>(seconds.get<double>() * 1000));
  }
  return JsonResponse(200, {{"now", IsoMillis(sandbox_.store().NowMs())}});
}

Response Admin::Hooks(const Request& request) {
  sandbox::Hooks hooks(sandbox_.store());
  const size_t parts = request.segments.size();
  if (parts == 2 && request.method == "GET") return JsonResponse(200, hooks.List());
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) return Refuse(400, "the body must be a JSON object");
  if (parts == 2 && request.method == "PUT") {
    hooks.Configure(body);
    return JsonResponse(200, {{"configured", true}});
  }
  if (parts == 3 && request.segments[2] == "redeliver" && request.method == "POST") {
    const std::string id = StringOr(body, "delivery_id");
    if (!hooks.Redeliver(id)) return Refuse(404, "there is no delivery " + id);
    return JsonResponse(202, {{"delivery_id", id}});
  }
  return Refuse(405, "GET and PUT /__sandbox/hooks, POST /__sandbox/hooks/redeliver");
}

Response Admin::People(const Request& request) {
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) return Refuse(400, "the body must be a JSON object");
  SlackPeople people(sandbox_.store());
  const std::string& what = request.segments[2];
  if (what == "press") return people.Press(body, request.Origin());
  if (what == "submit") return people.Submit(body);
  if (what == "command") return people.Command(body, request.Origin());
  return Refuse(404, "people press, submit and command");
}

Response Admin::Operations() {
  Json out = Json::object();
  for (const auto& vendor : sandbox_.vendors()) out[vendor->name()] = vendor->Operations();
  return JsonResponse(200, {{"operations", out}});
}

}  // namespace sandbox
