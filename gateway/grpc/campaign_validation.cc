#include "gateway/grpc/campaign_validation.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gateway/grpc/validate.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

using campaign::v1::CampaignSpec;
using Strings = google::protobuf::RepeatedPtrField<std::string>;
using Words = std::initializer_list<absl::string_view>;

constexpr size_t kNameLengthMax = 200;
constexpr int kGoalsMax = 20;
constexpr size_t kTextLengthMax = 500;
constexpr size_t kAudienceLengthMax = 200;
constexpr int kUrlsMax = 20;
constexpr size_t kUrlLengthMax = 2048;
constexpr size_t kBrandVoiceLengthMax = 100;
constexpr size_t kTemplateLengthMax = 50;
constexpr int kReviewersMax = 20;
constexpr int kLanguagesMax = 10;
constexpr double kBudgetMax = 10e6;
constexpr int kRecipientsMax = 1000;
constexpr size_t kAddressLengthMax = 254;  // RFC 5321 section 4.5.3.1.3
constexpr size_t kLocalPartLengthMax = 64;
constexpr absl::Duration kScheduleAheadMax = absl::Hours(24 * 366);

constexpr Words kChannels = {"email", "social", "blog", "cms"};
constexpr Words kSources = {"notion", "web", "memory"};
constexpr Words kTones = {"professional", "casual", "technical"};
constexpr Words kMetrics = {"views", "clicks", "conversions"};
constexpr Words kContentIds = {"headline",   "tagline",     "email_subject",
                               "email_body", "social_post", "blog_outline"};

bool Contains(Words words, absl::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool IsUrl(absl::string_view url) {
  absl::string_view rest = url;
  const absl::string_view scheme = rest.substr(0, rest.find("://"));
  if (!absl::EqualsIgnoreCase(scheme, "http") && !absl::EqualsIgnoreCase(scheme, "https")) {
    return false;
  }
  rest.remove_prefix(std::min(rest.size(), scheme.size() + 3));
  absl::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (absl::StrContains(host, '@')) return false;  // no user names or passwords in URLs
  if (absl::StartsWith(host, "[")) {
    host = host.substr(0, host.find(']'));
  } else {
    host = host.substr(0, host.rfind(':'));
  }
  if (host.empty()) return false;
  return std::all_of(url.begin(), url.end(), [](unsigned char c) {
    return c > 0x20 && c != 0x7f && c != '"' && c != '<' && c != '>' && c != '\\';
  });
}

bool IsNodeId(absl::string_view id) {  // Figma: 12:34
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(id, absl::MaxSplits(':', 1));
  const auto digits = [](absl::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  };
  return digits(parts.first) && digits(parts.second);
}

bool IsSlackId(absl::string_view id) {
  if (id.size() < 3 || id.size() > 21 || (id[0] != 'U' && id[0] != 'W')) return false;
  return std::all_of(id.begin() + 1, id.end(), [](unsigned char c) {
    return absl::ascii_isdigit(c) || absl::ascii_isupper(c);
  });
}

// The shape of RFC 5646 tags: a language of 2..8 letters, then subtags of 1..8.
bool IsLanguage(absl::string_view tag) {
  if (tag.size() > 35) return false;
  bool first = true;
  for (absl::string_view part : absl::StrSplit(tag, '-')) {
    const bool letters = std::all_of(part.begin(), part.end(), absl::ascii_isalpha);
    const bool alnum = std::all_of(part.begin(), part.end(), absl::ascii_isalnum);
    if (part.empty() || part.size() > 8 || !alnum) return false;
    if (first && (part.size() < 2 || !letters)) return false;
    first = false;
  }
  return true;
}

// The practical subset of RFC 5321 addresses: dot-atom@host.name.
bool IsAddress(absl::string_view address) {
  const size_t at = address.rfind('@');
  if (address.size() > kAddressLengthMax || at == absl::string_view::npos) return false;
  const absl::string_view local = address.substr(0, at);
  const absl::string_view domain = address.substr(at + 1);
  if (local.empty() || local.size() > kLocalPartLengthMax || local.front() == '.' ||
      local.back() == '.' || absl::StrContains(local, "..")) {
    return false;
  }
  constexpr absl::string_view kAtomPunctuation = "!#$%&'*+/=?^_`{|}~.-";
  if (!std::all_of(local.begin(), local.end(), [&](unsigned char c) {
        return absl::ascii_isalnum(c) || absl::StrContains(kAtomPunctuation, c);
      })) {
    return false;
  }
  int labels = 0;
  for (absl::string_view label : absl::StrSplit(domain, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    if (!std::all_of(label.begin(), label.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-'; })) {
      return false;
    }
    ++labels;
  }
  return labels >= 2;
}

class Checker {
 public:
  Checker(absl::string_view prefix, Completeness completeness, FieldViolations* violations)
      : prefix_(prefix), complete_(completeness == Completeness::kComplete), out_(violations) {}

  Presence required() const { return complete_ ? Presence::kRequired : Presence::kOptional; }
  std::string Path(absl::string_view field) const {
    return prefix_.empty() ? std::string(field) : absl::StrCat(prefix_, ".", field);
  }
  std::string Path(absl::string_view field, int index) const {
    return absl::StrCat(Path(field), "[", index, "]");
  }
  void Add(absl::string_view path, absl::string_view what) { out_->Add(path, what); }
  void Text(absl::string_view path, absl::string_view text, size_t length_max, Presence presence,
            Lines lines) {
    CheckText(path, text, length_max, presence, lines, out_);
  }

  void Count(absl::string_view field, const Strings& values, int most, Presence presence) {
    if (values.empty() && presence == Presence::kRequired) Add(Path(field), "is required");
    if (values.size() > most) {
      Add(Path(field), absl::StrCat("must have at most ", most, " items, has ", values.size()));
    }
  }

  // Each value passes `valid`; none is there twice. Only the first `most` are looked at.
  template <typename Valid>
  void Each(absl::string_view field, const Strings& values, int most, absl::string_view expected,
            Valid valid) {
    std::set<absl::string_view> seen;
    for (int i = 0; i < std::min(values.size(), most); ++i) {
      if (!valid(values[i])) {
        Add(Path(field, i), expected);
      } else if (!seen.insert(values[i]).second) {
        Add(Path(field, i), "is there twice");
      }
    }
  }

  void OneOfEach(absl::string_view field, const Strings& values, Words words, Presence presence) {
    const int most = static_cast<int>(words.size());
    Count(field, values, most, presence);
    const std::string expected = absl::StrCat("must be one of ", absl::StrJoin(words, ", "));
    Each(field, values, most, expected,
         [&](const std::string& value) { return Contains(words, value); });
  }

 private:
  const absl::string_view prefix_;
  const bool complete_;
  FieldViolations* const out_;
};

void CheckGoals(const CampaignSpec& spec, Checker& check) {
  check.Count("campaign_goals", spec.campaign_goals(), kGoalsMax, check.required());
  for (int i = 0; i < std::min(spec.campaign_goals_size(), kGoalsMax); ++i) {
    check.Text(check.Path("campaign_goals", i), spec.campaign_goals(i), kTextLengthMax,
               Presence::kRequired, Lines::kMultiple);
  }
}

void CheckUrls(const CampaignSpec& spec, Checker& check) {
  const bool web = std::find(spec.research_sources().begin(), spec.research_sources().end(),
                             "web") != spec.research_sources().end();
  if (web && spec.competitor_urls().empty() && check.required() == Presence::kRequired) {
    check.Add(check.Path("competitor_urls"), "is required when research_sources has web");
  }
  check.Count("competitor_urls", spec.competitor_urls(), kUrlsMax, Presence::kOptional);
  check.Each("competitor_urls", spec.competitor_urls(), kUrlsMax,
             absl::StrCat("must be an http or https URL of at most ", kUrlLengthMax, " characters"),
             [](const std::string& url) { return url.size() <= kUrlLengthMax && IsUrl(url); });
}

void CheckSchedule(const CampaignSpec& spec, absl::Time now, Checker& check) {
  if (!spec.has_schedule_time()) return;
  const auto& proto = spec.schedule_time();
  const absl::Time time = history::FromProto(proto);
  if (proto.nanos() < 0 || proto.nanos() > 999'999'999) {
    check.Add(check.Path("schedule_time"), "is not a valid time");
  } else if (time < now) {
    check.Add(check.Path("schedule_time"), "is in the past");
  } else if (time > now + kScheduleAheadMax) {
    check.Add(check.Path("schedule_time"), "must be at most one year ahead");
  }
}

void CheckBrandVoice(const CampaignSpec& spec, Checker& check) {
  const std::string& id = spec.brand_voice_id();
  const bool known_characters = std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
  if (id.size() > kBrandVoiceLengthMax || !known_characters) {
    check.Add(check.Path("brand_voice_id"),
              absl::StrCat("must be at most ", kBrandVoiceLengthMax, " letters, digits and . _ -"));
  }
}

}  // namespace

void CheckCampaign(const CampaignSpec& spec, absl::string_view prefix, Completeness completeness,
                   absl::Time now, FieldViolations* violations) {
  Checker check(prefix, completeness, violations);
  check.Text(check.Path("campaign_name"), spec.campaign_name(), kNameLengthMax, check.required(),
             Lines::kSingle);
  CheckGoals(spec, check);
  check.OneOfEach("channels", spec.channels(), kChannels, check.required());
  check.OneOfEach("research_sources", spec.research_sources(), kSources, check.required());
  CheckUrls(spec, check);
  check.Text(check.Path("target_audience"), spec.target_audience(), kAudienceLengthMax,
             check.required(), Lines::kMultiple);
  if (spec.tone().empty()) {
    if (check.required() == Presence::kRequired) check.Add(check.Path("tone"), "is required");
  } else if (!Contains(kTones, spec.tone())) {
    check.Add(check.Path("tone"), absl::StrCat("must be one of ", absl::StrJoin(kTones, ", ")));
  }
  CheckBrandVoice(spec, check);
  const int templates_max = static_cast<int>(kChannels.size());
  check.Count("templates", spec.templates(), templates_max, Presence::kOptional);
  for (int i = 0; i < std::min(spec.templates_size(), templates_max); ++i) {
    if (spec.templates(i).size() > kTemplateLengthMax || !IsNodeId(spec.templates(i))) {
      check.Add(check.Path("templates", i), "must be a Figma node id such as 12:34");
    }
  }
  check.Count("reviewers", spec.reviewers(), kReviewersMax, Presence::kOptional);
  check.Each("reviewers", spec.reviewers(), kReviewersMax,
             "must be a Slack user id such as U012AB3CD", IsSlackId);
  check.OneOfEach("metrics", spec.metrics(), kMetrics, Presence::kOptional);
  CheckSchedule(spec, now, check);
  check.Count("languages", spec.languages(), kLanguagesMax, Presence::kOptional);
  check.Each("languages", spec.languages(), kLanguagesMax,
             "must be a language tag such as en or pt-BR", IsLanguage);
  if (!std::isfinite(spec.budget_usd()) || spec.budget_usd() < 0 ||
      spec.budget_usd() > kBudgetMax) {
    check.Add(check.Path("budget_usd"), "must be between 0 and 10000000");
  }
  check.Count("email_recipients", spec.email_recipients(), kRecipientsMax, Presence::kOptional);
  check.Each("email_recipients", spec.email_recipients(), kRecipientsMax,
             "must be an e-mail address", IsAddress);
}

bool IsContentId(absl::string_view id) { return Contains(kContentIds, id); }

absl::string_view ContentIdsText() {
  static const std::string* const kText = new std::string(absl::StrJoin(kContentIds, ", "));
  return *kText;
}

}  // namespace gateway
