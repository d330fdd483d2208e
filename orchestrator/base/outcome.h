// Failure and Outcome<T>: how work done for a user ends. A Failure is data (it is stored in
// histories and shown to people), never an absl::Status: a Status is about our machinery.
// Value types; thread-compatible.
//
// Example:
//   Outcome<Page> page = co_await notion.Find(query);
//   if (!page.ok()) co_return page.failure();
//   Use(page->title);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/time/time.h"
#include "orchestrator/base/check.h"

namespace base {

struct Failure {
  std::string type;     // machine-readable: "VendorUnavailable", "CampaignRejected", "Canceled"
  std::string message;  // for people: what happened, to what, what to do next
  bool retryable = true;
  absl::Duration retry_after = absl::ZeroDuration();  // a server's wish; wins over the backoff
  bool effect_unknown = false;  // the effect may have happened (time-out, lost answer)
  // The attempt did nothing (open breaker, full limiter, kill switch): it is tried again after
  // `retry_after` and does not count.
  bool not_attempted = false;
  std::string detail_json;  // optional machine-readable detail
  std::shared_ptr<const Failure> cause;

  static Failure Retryable(std::string type, std::string message) {
    return {.type = std::move(type), .message = std::move(message)};
  }
  static Failure Permanent(std::string type, std::string message) {
    return {.type = std::move(type), .message = std::move(message), .retryable = false};
  }
  static Failure Canceled(std::string message) {
    return {.type = "Canceled", .message = std::move(message), .retryable = false};
  }
  static Failure NotAttempted(std::string type, std::string message, absl::Duration retry_after) {
    return {.type = std::move(type),
            .message = std::move(message),
            .retry_after = retry_after,
            .not_attempted = true};
  }
  bool is_canceled() const { return type == "Canceled"; }
  // "Type: message (caused by Type: message)".
  std::string ToString() const;
};

// Thrown by Outcome::value() on a failure; caught at the workflow or activity boundary.
class FailureException : public std::exception {
 public:
  explicit FailureException(Failure failure)
      : failure_(std::move(failure)), what_(failure_.ToString()) {}
  const Failure& failure() const { return failure_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  Failure failure_;
  std::string what_;
};

struct Unit {};

template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}            // NOLINT
  Outcome(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  const Failure& failure() const {
    CHECK(!ok());
    return std::get<1>(state_);
  }
  Failure& failure() {
    CHECK(!ok());
    return std::get<1>(state_);
  }
  // The value, or a FailureException.
  const T& value() const& {
    if (!ok()) throw FailureException(failure());
    return std::get<0>(state_);
  }
  T& value() & {
    if (!ok()) throw FailureException(failure());
    return std::get<0>(state_);
  }
  T value() && {
    if (!ok()) throw FailureException(failure());
    return std::get<0>(std::move(state_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

 private:
  std::variant<T, Failure> state_;
};

using Done = Outcome<Unit>;

}  // namespace base
