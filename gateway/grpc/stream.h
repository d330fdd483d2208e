// Stream<T>: the writing end of a server stream, over gRPC or as server-sent events.
//
// Contract: one Write at a time (wait for its `done`), Finish exactly once, nothing after it.
// Methods may be called from any thread; `done(ok)` runs on the connection's thread, and ok is
// false when the peer has left (then only Finish remains to be called).
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace gateway {

template <typename T>
class Stream {
 public:
  virtual ~Stream() = default;
  // Tells the peer that the stream is open, when its first message may be long in coming. Before
  // the first Write, or never.
  virtual void Open() {}
  virtual void Write(T message, absl::AnyInvocable<void(bool ok)> done) = 0;
  virtual void Finish(absl::Status status) = 0;
};

}  // namespace gateway
