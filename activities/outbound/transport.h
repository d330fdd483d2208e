// Transport: carries one HTTP request and says what became of it, without any policy. HttpClient
// is the real one; tests give the pipeline a scripted one.
//
// Thread-safety: loop thread only.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/cancel.h"
#include "orchestrator/base/task.h"

namespace outbound {

// How a transfer ended. "Not sent" means that no byte of the request left for the vendor, so that
// it cannot have had an effect.
enum class TransferEnd {
  kAnswered,   // `response` is complete
  kNotSent,    // could not resolve, connect or agree on TLS, or timed out before that
  kTimedOut,   // no complete answer within the time; the effect is unknown
  kBroken,     // the connection ended before the answer did; the effect is unknown
  kTooLarge,   // the answer is larger than allowed; the effect is unknown
  kCanceled,   // the token was canceled
  kForbidden,  // the request is for public addresses only and there was none; nothing was sent
  kHeld,       // the kill switch was on when its turn to be sent came; nothing was sent
  kBadRequest  // the request cannot be sent at all (malformed URL, unsupported scheme)
};

struct Transfer {
  TransferEnd end = TransferEnd::kBroken;
  HttpResponse response;
  std::string message;  // for people, when `end` is not kAnswered
  bool sent = false;    // some bytes of the request may have reached the vendor
  absl::Duration elapsed = absl::ZeroDuration();
};

struct TransferLimits {
  absl::Duration timeout = absl::Seconds(30);
  size_t response_bytes_max = 16 * 1024 * 1024;
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual base::Task<Transfer> Send(HttpRequest request, TransferLimits limits,
                                    base::CancelToken cancel) = 0;
};

}  // namespace outbound
