// One event of Google Chat on its way to its answer. Who sent it is proven, and the person may use
// the app.
//
// Thread-safety: Converse on any thread; `done` runs once, on any, within options.answer_within.
#pragma once

#include "gateway/grpc/call_guard.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/rest/rest_handler.h"
#include "gateway/webhooks/decisions.h"
#include "gateway/webhooks/google_chat_event.h"
#include "gateway/webhooks/google_chat_notifier.h"
#include "orchestrator/base/event_loop.h"

namespace webhooks {

struct GoogleChatOptions;

struct ConversationParts {
  gateway::CampaignServiceImpl& campaigns;
  Decisions& decisions;
  GoogleChatNotifier& notifier;
  base::EventLoop& loop;
  const GoogleChatOptions& options;
  gateway::CallGuard* guard = nullptr;  // limits and records what people change; may be null
};

// `call` holds the person and the namespace.
void Converse(ConversationParts parts, ChatEvent event, gateway::CallInfo call, bool may_decide,
              gateway::RawDone done);

}  // namespace webhooks
