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
#include "activities/campaign/prompt_templates.h"
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
  sdk::ActivityOptions moderate = Attempts(3, absl::Minutes(2));
  sdk::ActivityOptions review = Attempts(3, absl::Minutes(5));
  sdk::ActivityOptions distribute = Attempts(2, absl::Minutes(10));
  sdk::ActivityOptions analytics = Attempts(3, absl::Minutes(2));
  sdk::ActivityOptions remind_review = Attempts(5, absl::Minutes(1));
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

// What the language model is told: mustache templates (activities/campaign/prompt.h names their
// variables), and advice by name, each line "NAME: ADVICE".
struct PromptSettings {
  std::string version = "1";  // shown with every campaign: change it with the templates
  std::string system = kSystemTemplate;
  std::string user = kUserTemplate;
  std::vector<std::string> tones = {
      "professional: clear, confident, factual, free of slang and hype",
      "casual: friendly, conversational, contractions are welcome",
      "technical: precise, concrete, for readers who know the subject"};
  std::vector<std::string> channels = {
      "email: short paragraphs, one call to action",
      "social: the first line carries the message, at most two hashtags",
      "blog: headings that can be scanned"};
  std::vector<std::string> languages;
};

struct ContentSettings {
  int output_tokens_max = 4000;
  double temperature = 0.7;
  PromptSettings prompts;
};

// Texts are checked before people review them.
struct ModerationSettings {
  // "NAME warning|block PATTERN" (RE2).
  std::vector<std::string> rules = {
      R"(placeholder block (?i)lorem ipsum|\[(insert|your|todo|tbd)\b[^\]]*\]|\{\{[^}]*\}\})",
      R"(promise warning (?i)\b(guaranteed|risk[- ]free|100 ?% (free|safe|secure)|no strings attached)\b)",
      R"(superlative warning (?i)\b(the (world's )?(best|cheapest|fastest)|number one|#1)\b)"};
  std::string model;                       // "omni-moderation-latest"; empty: rules alone
  std::string model_severity = "warning";  // of what the model flags
  std::string on_block = "review";  // review: people see it and decide; fail: the campaign fails
};

struct FigmaSettings {
  std::string file_key;
  // Nodes to render for channels without a template in the campaign; empty: that channel fails.
  std::string email_node = "1:2";
  std::string social_node = "1:3";
  std::string blog_node = "1:4";
  std::string cms_node = "1:4";
  std::string format = "png";
  double scale = 1.0;
};

struct ReviewSettings {
  std::string content_dir = "reviews";  // of the review's files, in the repository
  std::string slack_channel;            // id, "C0123456789"
};

// How a campaign waits for its reviewers. What holds when a review is asked for holds to its end.
struct ApprovalSettings {
  absl::Duration remind_after = absl::Hours(24);  // again and again; zero: never
  absl::Duration expire_after = absl::Hours(14 * 24);
  std::string on_expiry = "reject";  // reject: the campaign is withdrawn; wait: it goes on waiting
};

struct EmailSettings {
  std::string from_address;
  std::string from_name;
  std::vector<std::string> recipients;  // for campaigns that name none
};

struct SocialSettings {
  std::vector<std::string> channels;  // "CHANNEL_ID SERVICE" of Buffer
  size_t text_characters_max = 0;     // further limits a post, counted as its network does; 0: no
  bool escape_linkedin = false;       // Buffer does it itself
};

struct BlogSettings {
  std::string page_dir = "campaigns";  // of the published pages, on the pages branch
};

struct Settings {
  ActivitySettings activities;
  ResearchSettings research;
  ContentSettings content;
  ModerationSettings moderation;
  FigmaSettings figma;
  ReviewSettings review;
  EmailSettings email;
  SocialSettings social;
  BlogSettings blog;

  ApprovalSettings approval;
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
