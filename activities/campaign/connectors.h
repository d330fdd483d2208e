// The clients that the campaign's activities work with; gateway/server makes them.
//
// Thread-safety: a struct of references; the clients belong to the I/O loop that runs activities.
#pragma once

#include "activities/connectors/assets/asset_store.h"
#include "activities/connectors/buffer/buffer_client.h"
#include "activities/connectors/figma/figma_client.h"
#include "activities/connectors/github/github_client.h"
#include "activities/connectors/grafana/grafana_client.h"
#include "activities/connectors/memory/memory_store.h"
#include "activities/connectors/notion/notion_client.h"
#include "activities/connectors/openai/moderator.h"
#include "activities/connectors/openai/writer.h"
#include "activities/connectors/sendgrid/sendgrid_client.h"
#include "activities/connectors/slack/slack_client.h"
#include "activities/connectors/webdriver/page_renderer.h"
#include "activities/connectors/webhook/webhook_client.h"

namespace campaign {

struct Connectors {
  notion::NotionClient& notion;
  webdriver::PageRenderer& browsers;
  memory::MemoryStore& memory;
  openai::Writer& writer;
  openai::Moderator& moderator;
  figma::FigmaClient& figma;
  assets::AssetStore& assets;
  github::GithubClient& github;
  slack::SlackClient& slack;
  sendgrid::SendgridClient& sendgrid;
  buffer::BufferClient& buffer;
  grafana::GrafanaClient& grafana;
  webhook::WebhookClient& cms;
};

}  // namespace campaign
