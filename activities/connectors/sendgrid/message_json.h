// The body of POST /v3/mail/send. Pure functions.
//
// Example:
//   base::Outcome<std::string> body = sendgrid::MailBody(message, batch_id, send_at, now, context);
#pragma once

#include <string>

#include "activities/connectors/sendgrid/sendgrid_client.h"

namespace sendgrid {

// Failure "InvalidRequest" (permanent) when SendGrid would not take the message.
base::Outcome<std::string> MailBody(const Message& message, const std::string& batch_id,
                                    absl::Time send_at, absl::Time now,
                                    const outbound::CallContext& context);

}  // namespace sendgrid
