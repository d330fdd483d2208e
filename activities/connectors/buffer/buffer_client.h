// Buffer: social posts through its GraphQL API. Buffer has no idempotency keys, so a post is found
// again by a marker in its text: the tracking link that holds the workflow's id.
//
// Thread-safety: loop thread only.
//
// Example:
//   base::Outcome<buffer::Post> post = co_await buffer.EnsurePost(
//       {.channel_id = id, .text = "Spring is here https://acme.com/?utm_id=wf-1",
//        .marker = "utm_id=wf-1", .due_at = now + absl::Minutes(15), .since = started_at},
//        context);
//   co_await buffer.DeletePost(post->id, context);  // the undo, until it is sent
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/base/task.h"

namespace buffer {

struct Channel {
  std::string id;
  std::string name;
  std::string service;  // "linkedin", "twitter", ...
};

struct Post {
  std::string id;
  std::string status;  // draft, needs_approval, scheduled, sending, sent, error
  std::string text;
  std::string due_at;    // as Buffer writes it
  bool created = false;  // false: it was there already
};

struct PostSpec {
  std::string channel_id;
  std::string text;                          // holds `marker`
  std::string marker;                        // unique for the post
  absl::Time due_at = absl::InfinitePast();  // passed already: at once
  absl::Time since;                          // not later than the first try to make it
  std::string image_url;                     // empty: none; Buffer fetches it
  // Nobody ever tried before: do not look first.
  bool first_try = false;
};

class BufferClient {
 public:
  struct Options {
    std::string base_url = "https://api.buffer.com";
    base::Secret token;
    std::string organization_id;  // empty: the account's first one
  };
  BufferClient(outbound::Outbound& outbound, Options options);

  base::Task<base::Outcome<std::vector<Channel>>> ListChannels(outbound::CallContext context);
  // The newest post of the channel made since then (less a day for clocks that differ)
  // with the marker in its text. Failure "LookupIncomplete" when there are too many to read.
  base::Task<base::Outcome<std::optional<Post>>> FindPost(std::string channel_id,
                                                          std::string marker, absl::Time since,
                                                          outbound::CallContext context);
  // One post per marker: looks before it creates, and again after an answer that was lost.
  base::Task<base::Outcome<Post>> EnsurePost(PostSpec spec, outbound::CallContext context);
  // True when it was deleted, false when there was none. A post that was sent stays on its network.
  base::Task<base::Outcome<bool>> DeletePost(std::string id, outbound::CallContext context);
  // Deletes every post with the marker, for an undo that knows no id; the ids deleted.
  // Failure "StillListed" (retryable) when Buffer goes on to list some.
  base::Task<base::Outcome<std::vector<std::string>>> DeletePosts(std::string channel_id,
                                                                  std::string marker,
                                                                  absl::Time since,
                                                                  outbound::CallContext context);

 private:
  base::Task<base::Outcome<std::string>> Organization(outbound::CallContext context);
  base::Task<base::Outcome<Post>> CreatePost(PostSpec spec, outbound::CallContext context);

  outbound::Outbound& outbound_;
  const Options options_;
  std::string organization_;  // once known
};

}  // namespace buffer
