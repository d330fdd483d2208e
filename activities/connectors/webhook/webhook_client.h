// WebhookClient: publishes to any content management system that takes webhooks: one POST of
// {id, type, created, data} for each event, signed by Standard Webhooks, with an idempotency key.
//
// An event's id and key follow from its type and the content's name alone, and so does its body as
// long as the content is the same: a repeated call is the same event, and the receiver, who keeps
// keys for a day, answers it as before. What was published is taken back by a second event.
//
// Thread-safety: loop thread only.
//
// Example:
//   webhook::WebhookClient cms(outbound, {.url = "https://cms.example/hooks", .secret = secret});
//   base::Outcome<webhook::Published> page = co_await cms.Publish(
//       {.name = "spring", .title = "Spring", .created = scheduled, ...}, context);
#pragma once

#include <string>

#include "absl/time/time.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/base/task.h"

namespace webhook {

inline constexpr char kPublished[] = "content.published";
inline constexpr char kRetracted[] = "content.retracted";

struct Content {
  std::string name;  // what the receiver knows it by, the same for good
  std::string title;
  std::string summary;
  std::string html;
  std::string link;
  std::string image_url;
  absl::Time created;  // the same in every attempt
};

// As far as the receiver says.
struct Published {
  std::string id;
  std::string url;
};

class WebhookClient {
 public:
  struct Options {
    std::string url;      // where events are posted; empty: there is no CMS
    base::Secret secret;  // signature.h; empty: events are not signed
  };
  WebhookClient(outbound::Outbound& outbound, Options options);

  bool configured() const { return !options_.url.empty(); }
  // For people: without a query, which may hold a token.
  std::string shown_url() const { return options_.url.substr(0, options_.url.find('?')); }

  // Failures: "Unsubscribed" (410) and "IdempotencyConflict" (422: the key came with another body)
  // besides those of outbound/call.h.
  base::Task<base::Outcome<Published>> Publish(Content content, outbound::CallContext context);
  // Tells the receiver to take it back, whether or not it came. `look` counts the times that is
  // said: a published event that is still on its way may arrive after the first one. False when
  // the receiver says that there is nothing to take back.
  base::Task<base::Outcome<bool>> Retract(std::string name, absl::Time created, int look,
                                          outbound::CallContext context);

 private:
  base::Task<base::Outcome<outbound::HttpResponse>> Send(const char* type, std::string seed,
                                                         absl::Time created, std::string data,
                                                         outbound::CallContext context);

  outbound::Outbound& outbound_;
  const Options options_;
};

}  // namespace webhook
