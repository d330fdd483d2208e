// Router: every method that the gateway serves, by its full protobuf name, with its types erased.
// The services register themselves (register.h); REST looks methods up here. Filled before
// serving, then only read: thread-safe after that.
//
// Example:
//   Router router;
//   RegisterWorkflowService(&workflow_service, &router);
//   const Router::Method* method = router.Find("orchestrator.v1.WorkflowService.GetWorkflow");
//   method->unary(call, std::move(request), [](absl::StatusOr<MessagePtr> response) { ... });
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "gateway/grpc/call_info.h"
#include "gateway/grpc/stream.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/base/check.h"
#include "orchestrator/client/client.h"

namespace gateway {

using client::Callback;
using MessagePtr = std::unique_ptr<google::protobuf::Message>;

class Router {
 public:
  struct Method {
    const google::protobuf::MethodDescriptor* descriptor = nullptr;
    const google::protobuf::Message* request_prototype = nullptr;
    // Adds what is wrong with a request, as the handler would find it (refused.h); has no effects.
    // Empty when there is no service.
    std::function<void(const google::protobuf::Message&, FieldViolations*)> check;
    // Exactly one of the two is set.
    std::function<void(CallInfo, MessagePtr, Callback<MessagePtr>)> unary;
    std::function<void(CallInfo, MessagePtr, std::shared_ptr<Stream<MessagePtr>>)> streaming;
  };

  // A service's check of a request: its Check for that type, or another one.
  template <typename Service, typename Request>
  using CheckOf = void (Service::*)(const Request&, FieldViolations*) const;

  template <typename Service, typename Request, typename Response>
  void AddUnary(const std::string& full_name, Service* service,
                void (Service::*handler)(CallInfo, Request, Callback<Response>),
                std::type_identity_t<CheckOf<Service, Request>> check = &Service::Check) {
    Method& method = Add(full_name, service, check);
    CHECK(method.descriptor->output_type() == Response::descriptor()) << full_name;
    method.unary = [service, handler](CallInfo call, MessagePtr request,
                                      Callback<MessagePtr> done) {
      (service->*handler)(std::move(call), std::move(static_cast<Request&>(*request)),
                          [done = std::move(done)](absl::StatusOr<Response> response) mutable {
                            if (!response.ok()) return done(std::move(response).status());
                            done(MessagePtr(std::make_unique<Response>(*std::move(response))));
                          });
    };
  }

  template <typename Service, typename Request, typename Response>
  void AddStreaming(const std::string& full_name, Service* service,
                    void (Service::*handler)(CallInfo, Request,
                                             std::shared_ptr<Stream<Response>>)) {
    Method& method = Add(full_name, service, CheckOf<Service, Request>(&Service::Check));
    method.streaming = [service, handler](CallInfo call, MessagePtr request,
                                          std::shared_ptr<Stream<MessagePtr>> stream) {
      (service->*handler)(std::move(call), std::move(static_cast<Request&>(*request)),
                          std::make_shared<Erased<Response>>(std::move(stream)));
    };
  }

  const Method* Find(const std::string& full_name) const {
    const auto found = methods_.find(full_name);
    return found == methods_.end() ? nullptr : &found->second;
  }
  const std::map<std::string, Method>& methods() const { return methods_; }

 private:
  template <typename T>
  class Erased : public Stream<T> {
   public:
    explicit Erased(std::shared_ptr<Stream<MessagePtr>> out) : out_(std::move(out)) {}
    void Write(T message, absl::AnyInvocable<void(bool)> done) override {
      out_->Write(std::make_unique<T>(std::move(message)), std::move(done));
    }
    void Open() override { out_->Open(); }
    void Finish(absl::Status status) override { out_->Finish(std::move(status)); }

   private:
    std::shared_ptr<Stream<MessagePtr>> out_;
  };

  template <typename Service, typename Request>
  Method& Add(const std::string& full_name, Service* service, CheckOf<Service, Request> check) {
    Method& method = Add(full_name, Request::default_instance());
    if (service == nullptr) return method;
    method.check = [service, check](const google::protobuf::Message& request,
                                    FieldViolations* violations) {
      (service->*check)(static_cast<const Request&>(request), violations);
    };
    return method;
  }

  Method& Add(const std::string& full_name, const google::protobuf::Message& request) {
    const auto* descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(full_name);
    CHECK(descriptor != nullptr) << full_name;
    CHECK(descriptor->input_type() == request.GetDescriptor()) << full_name;
    Method& method = methods_[full_name];
    method.descriptor = descriptor;
    method.request_prototype = &request;
    return method;
  }

  std::map<std::string, Method> methods_;
};

}  // namespace gateway
