// Transcoder: HTTP requests to protobuf requests, by the google.api.http annotations of the
// methods in a Router. Built once, then only read: thread-safe.
//
// A field comes from the path ({field}), else from the body (body: "*"), else from the query
// (methods without a body). Whatever names no field is a violation, as is a value in the body that
// says otherwise than the path.
//
// Example:
//   Transcoder transcoder(router);
//   Transcoder::Match match = transcoder.Find("GET", "/v1/workflows/order-17");
//   if (match.route == nullptr) ... match.allowed names the methods this path has
//   absl::StatusOr<MessagePtr> request = transcoder.Read(match, http_request);
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/grpc/router.h"
#include "gateway/rest/http.h"
#include "gateway/rest/path_template.h"

namespace gateway {

class Transcoder {
 public:
  struct Route {
    std::string http_method;
    PathTemplate path;
    bool has_body = false;
    const Router::Method* method = nullptr;
  };
  struct Match {
    const Route* route = nullptr;
    std::map<std::string, std::string> fields;
    std::vector<std::string> allowed;  // methods of the routes whose path matches
  };

  // CHECKs that every method has an annotation that this class understands.
  explicit Transcoder(const Router& router);

  Match Find(const std::string& http_method, const std::string& path) const;
  // INVALID_ARGUMENT: malformed JSON, or all field violations at once: also those that the method's
  // check finds in what could be read. A request without such faults is left to its handler.
  absl::StatusOr<MessagePtr> Read(const Match& match, const HttpRequest& request) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace gateway
