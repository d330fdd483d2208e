// SendGrid: one mail to up to 1,000 recipients, sent exactly once. SendGrid has no idempotency
// and cannot say whether a mail was taken, so every try has a batch id of its own, which is
// written down before it is used; a try whose outcome is unknown has its batch canceled before
// the next one starts. Whatever landed under a canceled batch cannot go out.
//
// Thread-safety: loop thread only.
//
// Example:
//   base::Outcome<sendgrid::Scheduled> sent = co_await sendgrid.SendOnce(
//       {.from = {"news@acme.com", "Acme"}, .to = recipients, .subject = s, .html = html},
//       /*send_at=*/now + absl::Minutes(15), checkpoint.batch_ids, journal, context);
//   ...
//   co_await sendgrid.CancelBatch(sent->batch_id, context);  // the undo, until send_at
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/base/task.h"

namespace sendgrid {

// SendGrid takes no mail that is to go out later than this.
inline constexpr absl::Duration kScheduleAheadMax = absl::Hours(72);
inline constexpr size_t kRecipientsMax = 1000;

struct Address {
  std::string email;
  std::string name;
};

struct Message {
  Address from;
  Address reply_to;         // empty: none
  std::vector<Address> to;  // each gets a mail of its own and sees no other address
  std::string subject;
  std::string text;  // one of text and html, or both
  std::string html;
  std::vector<std::string> categories;             // at most 10
  std::map<std::string, std::string> custom_args;  // come back in the event webhook
};

struct Scheduled {
  std::string batch_id;
  absl::Time send_at;
  std::vector<std::string> batch_ids;  // every batch ever used; the last one is `batch_id`
};

enum class BatchState { kActive, kPaused, kCanceled, kUnknownBatch };

class SendgridClient {
 public:
  struct Options {
    std::string base_url = "https://api.sendgrid.com";
    base::Secret token;
  };
  // Makes the list durable before it returns; a failure stops the send.
  using Journal = std::function<base::Task<base::Done>(std::vector<std::string> batch_ids)>;

  SendgridClient(outbound::Outbound& outbound, Options options);

  // A batch id; sends nothing. An id that is never used costs nothing.
  base::Task<base::Outcome<std::string>> CreateBatch(outbound::CallContext context);
  // Hands the mail in under the batch. On a failure with effect_unknown cancel the batch.
  base::Task<base::Outcome<base::Unit>> SendScheduled(std::string batch_id, Message message,
                                                      absl::Time send_at,
                                                      outbound::CallContext context);
  // Nothing of the batch goes out any more. True when this call canceled it, false when it was
  // canceled already or never existed. Certain only until 10 minutes before send_at.
  base::Task<base::Outcome<bool>> CancelBatch(std::string batch_id, outbound::CallContext context);
  base::Task<base::Outcome<BatchState>> GetBatch(std::string batch_id,
                                                 outbound::CallContext context);
  // Cancels every batch in `used_batch_ids` (of earlier attempts, whose outcome nobody knows),
  // then sends under a fresh one. `journal` has the whole list, the fresh id last, before the
  // mail is handed in.
  base::Task<base::Outcome<Scheduled>> SendOnce(Message message, absl::Time send_at,
                                                std::vector<std::string> used_batch_ids,
                                                Journal journal, outbound::CallContext context);

 private:
  outbound::HttpRequest Request(std::string method, std::string path, std::string operation) const;
  base::Task<base::Outcome<bool>> CancelRefusedOnce(std::string batch_id, std::string said,
                                                    outbound::CallContext context);

  outbound::Outbound& outbound_;
  const Options options_;
};

}  // namespace sendgrid
