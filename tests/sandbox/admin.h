// The sandbox's own interface, /__sandbox/...: what exists, who called, faults, clock, reset.
// Thread-safety: externally synchronised (the server's one thread).
//
// Example:
//   Response response = admin.Handle(MakeRequest("GET", "/__sandbox/resources?alive=true"));
#pragma once

#include "tests/sandbox/http.h"
#include "tests/sandbox/json.h"

namespace sandbox {

class Sandbox;

class Admin {
 public:
  explicit Admin(Sandbox& sandbox) : sandbox_(sandbox) {}

  Response Handle(const Request& request);

 private:
  Response Resources(const Request& request);
  Response Calls(const Request& request);
  Response AddFault(const Request& request);
  Response ListFaults();
  Response RemoveFault(const std::string& id);
  Response Clock(const Request& request);
  Response Operations();
  Response Hooks(const Request& request);
  Response People(const Request& request);

  Sandbox& sandbox_;
};

}  // namespace sandbox
