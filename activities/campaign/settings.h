// Settings of the campaign product: everything that an operator may set, with its default
// (docs/settings.md). Constant after construction; thread-compatible.
//
// Example:
//   campaign::Settings settings;
//   settings.figma.file_key = "abc123";
//   campaign::Register(registry, settings, connectors);
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/sdk/activity_type.h"

namespace campaign {

// Attempts and time-outs of one activity; exponential backoff from `initial` to `interval_max`.
inline sdk::ActivityOptions Attempts(int attempts_max, absl::Duration start_to_close,
                                     absl::Duration initial = absl::Seconds(1),
                                     absl::Duration interval_max = absl::Minutes(1)) {
  sdk::ActivityOptions options;
  options.start_to_close_timeout = start_to_close;
  options.retry = sdk::RetryPolicy{.initial_interval = initial,
                                   .maximum_interval = interval_max,
                                   .maximum_attempts = attempts_max};
  return options;
}

// Registered as the activities' defaults (requirements O3-O8).
struct ActivitySettings {
  sdk::ActivityOptions research = Attempts(3, absl::Minutes(5));
  sdk::ActivityOptions content = Attempts(2, absl::Minutes(15));
  sdk::ActivityOptions design = Attempts(3, absl::Minutes(10));
  sdk::ActivityOptions review = Attempts(3, absl::Minutes(5));
  sdk::ActivityOptions distribute = Attempts(2, absl::Minutes(10));
  sdk::ActivityOptions analytics = Attempts(3, absl::Minutes(2));
  // A decision waits for it, so it is short.
  sdk::ActivityOptions refresh_review = Attempts(2, absl::Minutes(1));
  sdk::ActivityOptions close_review =
      Attempts(10, absl::Minutes(5), absl::Seconds(1), absl::Minutes(5));
  sdk::ActivityOptions compensation =
      Attempts(10, absl::Minutes(5), absl::Seconds(1), absl::Minutes(5));
};

// Bounds of what research hands on to the prompt.
struct ResearchSettings {
  std::vector<std::string> notion_databases;  // ids; empty: a search over all that is shared
  int notion_results_max = 5;                 // of each database
  int memory_results_max = 5;
  size_t title_characters_max = 200;
  size_t summary_characters_max = 1500;
  int findings_max = 40;
};

struct ContentSettings {
  int output_tokens_max = 4000;
  double temperature = 0.7;
};

struct FigmaSettings {
  std::string file_key;
  // Nodes to render for channels without a template in the campaign; empty: that channel fails.
  std::string email_node = "1:2";
  std::string social_node = "1:3";
  std::string blog_node = "1:4";
  std::string format = "png";
  double scale = 1.0;
};

struct ReviewSettings {
  std::string content_dir = "reviews";  // of the review's files, in the repository
  std::string slack_channel;            // id, "C0123456789"
};

struct EmailSettings {
  std::string from_address;
  std::string from_name;
  std::vector<std::string> recipients;  // for campaigns that name none
};

struct SocialSettings {
  std::string channel_id;            // of Buffer
  size_t text_characters_max = 280;  // of a post with its link
};

struct BlogSettings {
  std::string page_dir = "campaigns";  // of the published pages, on the pages branch
};

struct Settings {
  ActivitySettings activities;
  ResearchSettings research;
  ContentSettings content;
  FigmaSettings figma;
  ReviewSettings review;
  EmailSettings email;
  SocialSettings social;
  BlogSettings blog;

  // How long a campaign waits for the reviewers.
  absl::Duration approval_timeout = absl::Hours(14 * 24);
  // Mails and posts go out this long after they were handed over, so that a failure meanwhile can
  // still take them back. SendGrid promises a cancellation only 10 minutes ahead.
  absl::Duration undo_window = absl::Minutes(15);
  // Where tracked links lead.
  std::string link_base_url = "https://example.com";
  // A step whose outcome is unknown may still have a request on its way: its compensation looks a
  // second time after this delay.
  absl::Duration settle_delay = absl::Seconds(1);
};

}  // namespace campaign
