#include "activities/connectors/buffer/buffer_client.h"

#include <utility>

#include "activities/connectors/buffer/graphql.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace buffer {
namespace {

using base::Outcome;
using base::Task;
using outbound::CallContext;
using outbound::Repeat;
using wire::Json;

constexpr int kCreateRoundsMax = 4;
constexpr int kPageSize = 100;
constexpr int kPagesMax = 40;
// Buffer stamps posts by its clock, `since` is by ours, which may be hours ahead: what is not found
// is made a second time.
constexpr absl::Duration kClockMargin = absl::Hours(24);

constexpr char kAccountQuery[] = "query { account { organizations { id } } }";
constexpr char kChannelsQuery[] =
    "query($input: ChannelsInput!) { channels(input: $input) { id name service } }";
constexpr char kPostsQuery[] =
    "query($first: Int, $after: String, $input: PostsInput!) {"
    " posts(first: $first, after: $after, input: $input) {"
    " edges { node { id status text dueAt } } pageInfo { endCursor hasNextPage } } }";
constexpr char kCreateMutation[] =
    "mutation($input: CreatePostInput!) { createPost(input: $input) { __typename"
    " ... on PostActionSuccess { post { id status text dueAt } }"
    " ... on MutationError { message } } }";
constexpr char kDeleteMutation[] =
    "mutation($input: DeletePostInput!) { deletePost(input: $input) { __typename"
    " ... on DeletePostSuccess { id } ... on VoidMutationError { message } } }";

std::string Iso(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

Post ReadPost(const Json& node) {
  return {.id = wire::StringAt(node, "id"),
          .status = wire::StringAt(node, "status"),
          .text = wire::StringAt(node, "text"),
          .due_at = wire::StringAt(node, "dueAt")};
}

}  // namespace

BufferClient::BufferClient(outbound::Outbound& outbound, Options options)
    : outbound_(outbound), options_(std::move(options)), organization_(options_.organization_id) {}

Task<Outcome<std::string>> BufferClient::Organization(CallContext context) {
  if (!organization_.empty()) co_return organization_;
  Outcome<Json> data =
      co_await Execute(outbound_, options_.base_url, options_.token.value(), kAccountQuery,
                       Json::object(), "account", Repeat::kSafe, std::move(context));
  if (!data.ok()) co_return data.failure();
  const Json& organizations = wire::At(wire::At(*data, "account"), "organizations");
  if (organizations.is_array() && !organizations.empty()) {
    organization_ = wire::StringAt(organizations.front(), "id");
  }
  if (organization_.empty()) {
    co_return base::Failure::Permanent("InvalidRequest",
                                       "buffer: the account belongs to no organization");
  }
  co_return organization_;
}

Task<Outcome<std::vector<Channel>>> BufferClient::ListChannels(CallContext context) {
  Outcome<std::string> organization = co_await Organization(context);
  if (!organization.ok()) co_return organization.failure();
  Json variables = {{"input", {{"organizationId", *organization}}}};
  Outcome<Json> data =
      co_await Execute(outbound_, options_.base_url, options_.token.value(), kChannelsQuery,
                       std::move(variables), "channels", Repeat::kSafe, std::move(context));
  if (!data.ok()) co_return data.failure();
  const Json& list = wire::At(*data, "channels");
  if (!list.is_array()) co_return wire::Malformed("buffer", "channels", false);
  std::vector<Channel> channels;
  for (const Json& channel : list) {
    channels.push_back({.id = wire::StringAt(channel, "id"),
                        .name = wire::StringAt(channel, "name"),
                        .service = wire::StringAt(channel, "service")});
  }
  co_return channels;
}

Task<Outcome<std::optional<Post>>> BufferClient::FindPost(std::string channel_id,
                                                          std::string marker, absl::Time since,
                                                          CallContext context) {
  Outcome<std::string> organization = co_await Organization(context);
  if (!organization.ok()) co_return organization.failure();
  Json input = {{"organizationId", *organization},
                {"filter",
                 {{"channelIds", Json::array({channel_id})},
                  {"createdAt", {{"start", Iso(since - kClockMargin)}}}}}};
  Json after;
  for (int page = 0; page < kPagesMax; ++page) {
    Json variables = {{"first", kPageSize}, {"after", after}, {"input", input}};
    Outcome<Json> data =
        co_await Execute(outbound_, options_.base_url, options_.token.value(), kPostsQuery,
                         std::move(variables), "posts", Repeat::kSafe, context);
    if (!data.ok()) co_return data.failure();
    const Json& posts = wire::At(*data, "posts");
    const Json& edges = wire::At(posts, "edges");
    if (!edges.is_array()) co_return wire::Malformed("buffer", "posts", false);
    for (const Json& edge : edges) {
      Post post = ReadPost(wire::At(edge, "node"));
      if (!post.id.empty() && post.text.find(marker) != std::string::npos) {
        co_return std::optional<Post>(std::move(post));
      }
    }
    const Json& info = wire::At(posts, "pageInfo");
    after = wire::At(info, "endCursor");
    if (!wire::BoolAt(info, "hasNextPage") || !after.is_string()) {
      co_return std::optional<Post>();
    }
  }
  co_return base::Failure::Permanent("LookupIncomplete",
                                     wire::Cat("buffer: channel ", channel_id,
                                               " has too many posts to look for one made earlier"));
}

Task<Outcome<Post>> BufferClient::CreatePost(PostSpec spec, CallContext context) {
  Json input = {
      {"channelId", spec.channel_id}, {"schedulingType", "automatic"}, {"text", spec.text}};
  if (spec.due_at > outbound_.loop().clock().Now()) {
    input["mode"] = "customScheduled";
    input["dueAt"] = Iso(spec.due_at);
  } else {
    input["mode"] = "shareNow";
  }
  if (!spec.image_url.empty()) {
    input["assets"] = Json::array({{{"image", {{"url", spec.image_url}}}}});
  }
  Json variables = {{"input", std::move(input)}};
  Outcome<Json> data =
      co_await Execute(outbound_, options_.base_url, options_.token.value(), kCreateMutation,
                       std::move(variables), "createPost", Repeat::kUnsafe, std::move(context));
  if (!data.ok()) co_return data.failure();
  Post post = ReadPost(wire::At(wire::At(*data, "createPost"), "post"));
  if (post.id.empty()) co_return wire::Malformed("buffer", "createPost", true);
  post.created = true;
  co_return post;
}

Task<Outcome<Post>> BufferClient::EnsurePost(PostSpec spec, CallContext context) {
  if (spec.marker.empty() || spec.text.find(spec.marker) == std::string::npos) {
    co_return base::Failure::Permanent(
        "InvalidRequest",
        "buffer: the post's text does not hold its marker, it could not be found");
  }
  bool look = !spec.first_try;
  for (int round = 1;; ++round) {
    if (look) {
      Outcome<std::optional<Post>> found =
          co_await FindPost(spec.channel_id, spec.marker, spec.since, context);
      if (!found.ok()) co_return found.failure();
      if (found->has_value()) co_return std::move(**found);
    }
    Outcome<Post> created = co_await CreatePost(spec, context);
    if (created.ok()) co_return created;
    if (!created.failure().effect_unknown || round >= kCreateRoundsMax) {
      co_return created.failure();
    }
    look = true;
  }
}

Task<Outcome<bool>> BufferClient::DeletePost(std::string id, CallContext context) {
  Json variables = {{"input", {{"id", id}}}};
  Outcome<Json> data =
      co_await Execute(outbound_, options_.base_url, options_.token.value(), kDeleteMutation,
                       std::move(variables), "deletePost", Repeat::kSafe, std::move(context));
  if (data.ok()) co_return true;
  if (data.failure().type == "NotFound") co_return false;
  co_return data.failure();
}

Task<Outcome<std::vector<std::string>>> BufferClient::DeletePosts(std::string channel_id,
                                                                  std::string marker,
                                                                  absl::Time since,
                                                                  CallContext context) {
  std::vector<std::string> deleted;
  for (int round = 0; round < 10; ++round) {
    Outcome<std::optional<Post>> found = co_await FindPost(channel_id, marker, since, context);
    if (!found.ok()) co_return found.failure();
    if (!found->has_value()) co_return deleted;
    const std::string id = (*found)->id;
    Outcome<bool> done = co_await DeletePost(id, context);
    if (!done.ok()) co_return done.failure();
    deleted.push_back(id);
  }
  co_return base::Failure::Retryable(
      "StillListed",
      wire::Cat("buffer: channel ", channel_id, " still lists posts that were to be deleted"));
}

}  // namespace buffer
