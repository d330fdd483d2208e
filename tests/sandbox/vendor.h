// What every simulated vendor is: a name, a path prefix, routes, how it checks who calls, and how
// its errors look.
// Thread-safety: externally synchronised (the server's one thread).
//
// Example:
//   class Echo : public Vendor {
//    public:
//     explicit Echo(Store& store) : Vendor("echo", "/echo", store) {
//       Add("POST", "/v1/things/{id}", "things.create", &Echo::Create);
//     }
//    private:
//     Response Create(Call& call) { return JsonResponse(201, {{"id", call.Param("id")}}); }
//   };
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sandbox/http.h"
#include "tests/sandbox/json.h"
#include "tests/sandbox/store.h"

namespace sandbox {

// One request on its way through a vendor.
struct Call {
  const Request& request;
  std::string workflow_id;
  std::string idempotency_key;
  int64_t now_ms = 0;
  Json body;  // parsed when the request carries JSON (null when there is no body)
  NameValues params;

  // A part of the path, by its name in the route's pattern.
  std::string Param(std::string_view name) const;
  // A resource that says who made it.
  Resource Make(std::string_view vendor, std::string_view kind, std::string id) const;
};

struct Route {
  std::string method;
  std::vector<std::string> pattern;  // "{name}" matches one part, "{name...}" all the rest
  std::string operation;
  std::function<Response(Call&)> handle;
};

// What an injected rate limit or error should look like.
struct FaultAnswer {
  std::optional<int> status;
  std::optional<int64_t> retry_after_s;
  std::string code;  // the vendor's own word for the error; "" = its usual one
};

class Vendor {
 public:
  Vendor(std::string name, std::string prefix, Store& store);
  virtual ~Vendor() = default;

  const std::string& name() const { return name_; }
  const std::string& prefix() const { return prefix_; }
  // The names that faults and the call log know this vendor's calls by, each once.
  const std::vector<std::string>& Operations() const { return operations_; }

  // The route for the request (null = no such call) and the path's parts in `params`.
  const Route* Match(const Request& request, NameValues* params) const;
  // The name faults and the call log know this call by.
  virtual std::string OperationOf(const Call& call, const Route* route) const;

  // Checks who calls, reads the body, runs the route. Never throws.
  Response Serve(Call& call, const Route* route);

  virtual Response ErrorAnswer(const FaultAnswer& fault) = 0;
  virtual Response RateLimitAnswer(const FaultAnswer& fault) = 0;

  // Brings everything up to date that time alone changes.
  virtual void Advance() {}
  // Puts in place what the vendor holds before anyone calls.
  virtual void Seed() {}

 protected:
  template <typename V>
  void Add(std::string method, std::string_view pattern, std::string operation,
           Response (V::*handler)(Call&)) {
    AddRoute(std::move(method), pattern, std::move(operation),
             [this, handler](Call& call) { return (static_cast<V*>(this)->*handler)(call); });
  }

  // A name that OperationOf gives and no route has: it is in the call's body.
  void AddOperation(const std::string& operation);

  // The vendor's answer when the caller may not call; nullopt = go on.
  virtual std::optional<Response> Refuse(const Call& call) = 0;
  virtual Response NoSuchCall(const Call& call) = 0;
  virtual Response BadBody(const Call& call, const std::string& why) = 0;
  // Fills call.body; false when the body cannot be read.
  virtual bool ReadBody(Call& call);
  // Last touch on every answer, such as rate-limit headers.
  virtual void Finish(const Call& call, Response* response) {}

  // True for tokens that the sandbox takes as wrong: empty, or with "invalid" in them.
  static bool IsBadToken(std::string_view token);

  Store& store_;

 private:
  void AddRoute(std::string method, std::string_view pattern, std::string operation,
                std::function<Response(Call&)> handle);

  const std::string name_;
  const std::string prefix_;
  size_t prefix_parts_ = 0;
  std::vector<Route> routes_;
  std::vector<std::string> operations_;
};

}  // namespace sandbox
