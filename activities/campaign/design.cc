// design_assets_activity (requirement O5): one rendered image a channel, at once, copied into our
// asset store. One is enough in the end; what is missing is in errors.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/combine_failures.h"
#include "activities/campaign/names.h"

namespace campaign {

// The campaign's templates are in its channels' order; the settings' node where there is none.
std::string ActivitySet::NodeFor(const v1::CampaignSpec& spec, int channel) const {
  if (channel < spec.templates_size() && !spec.templates(channel).empty()) {
    return spec.templates(channel);
  }
  const std::string& name = spec.channels(channel);
  if (name == kEmail) return settings_.figma.email_node;
  if (name == kSocial) return settings_.figma.social_node;
  if (name == kCms) return settings_.figma.cms_node;
  return settings_.figma.blog_node;
}

Result<v1::Asset> ActivitySet::MakeAsset(std::string workflow_id, std::string channel,
                                         std::string node, outbound::CallContext call) const {
  if (node.empty()) {
    co_return base::Failure::Permanent(
        "NoTemplate", absl::StrCat("no Figma node is set for the channel \"", channel, "\""));
  }
  const FigmaSettings& figma = settings_.figma;
  base::Outcome<std::vector<figma::Render>> renders = co_await connectors_.figma.RenderNodes(
      figma.file_key, {node}, figma.format, figma.scale, call);
  if (!renders.ok()) co_return renders.failure();
  if (renders->empty() || !renders->front().url.has_value()) {
    co_return base::Failure::Retryable("RenderFailed",
                                       absl::StrCat("Figma could not render the node ", node));
  }
  base::Outcome<figma::Image> image =
      co_await connectors_.figma.Download(*renders->front().url, call);
  if (!image.ok()) co_return image.failure();

  const std::string type = AssetType(channel);
  base::Outcome<assets::StoredAsset> stored = co_await connectors_.assets.Put(
      AssetKey(workflow_id, type, figma.format), std::move(image->bytes));
  if (!stored.ok()) co_return stored.failure();
  v1::Asset asset;
  asset.set_type(type);
  asset.set_url(stored->url);
  asset.set_format(figma.format);
  asset.set_channel(channel);
  asset.set_asset_key(stored->key);
  asset.set_bytes(stored->bytes);
  co_return asset;
}

namespace {

// Whether the campaign should wait for the images that are missing, rather than go out without
// them: a vendor that is away now, or a full disk of ours, is no reason to; a node that cannot be
// rendered is, and so is a vendor that still fails at the last attempt.
bool WorthAnotherAttempt(const sdk::ActivityInfo& info, const std::vector<base::Failure>& causes) {
  const bool last = info.maximum_attempts > 0 && info.attempt >= info.maximum_attempts;
  return std::any_of(causes.begin(), causes.end(), [last](const base::Failure& cause) {
    return cause.not_attempted || cause.type == "StorageFull" || (cause.retryable && !last);
  });
}

}  // namespace

Result<v1::DesignOutput> ActivitySet::DesignAssets(sdk::ActivityContext& ctx,
                                                   v1::DesignInput input) const {
  const v1::CampaignSpec& spec = input.campaign();
  const outbound::CallContext call = CallFor(ctx);
  std::vector<base::Task<base::Outcome<v1::Asset>>> renders;
  for (int i = 0; i < spec.channels_size(); ++i) {
    renders.push_back(MakeAsset(input.workflow_id(), spec.channels(i), NodeFor(spec, i), call));
  }
  const std::vector<base::Outcome<v1::Asset>> assets = co_await base::WhenAll(std::move(renders));

  v1::DesignOutput output;
  output.set_total_requested(spec.channels_size());
  std::vector<base::Failure> causes;
  for (size_t i = 0; i < assets.size(); ++i) {
    if (assets[i].ok()) {
      *output.add_assets() = *assets[i];
      continue;
    }
    v1::SourceError* error = output.add_errors();
    error->set_source("figma");
    error->set_target(AssetType(spec.channels(static_cast<int>(i))));
    error->set_message(CleanLine(assets[i].failure().message, 500));
    causes.push_back(assets[i].failure());
  }
  output.set_successfully_generated(output.assets_size());
  if (ctx.cancel().canceled()) {
    co_return MayHaveHappened(base::Failure::Canceled(ctx.cancel().reason()));
  }
  if (causes.empty()) co_return output;
  if (output.assets_size() > 0 && !WorthAnotherAttempt(ctx.info(), causes)) co_return output;
  co_return MayHaveHappened(
      CombineFailures("DesignFailed",
                      absl::StrCat(output.assets_size() == 0 ? "none" : "not all", " of the ",
                                   spec.channels_size(), " images could be made; ",
                                   output.errors(0).target(), ": ", output.errors(0).message()),
                      causes, RetryWhen::kAnyMay));
}

}  // namespace campaign
