#include "tests/sandbox/copywriter.h"

#include <algorithm>
#include <cmath>
#include <regex>

#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

constexpr int kDepthMax = 12;
constexpr size_t kScanMax = 100'000;
constexpr size_t kNameMax = 120;

const std::vector<std::string>& Pieces() {
  static const std::vector<std::string> kPieces = {"headline",   "tagline",     "email_subject",
                                                   "email_body", "social_post", "blog_outline"};
  return kPieces;
}

// The value of the first of these labels: `label: value`, `"label": "value"`, `label = value`.
std::string Labelled(const std::string& text, const std::vector<std::string>& labels) {
  const std::string lower = Lower(text);
  for (const std::string& label : labels) {
    size_t at = 0;
    while ((at = lower.find(label, at)) != std::string::npos) {
      at += label.size();
      size_t from = at;
      while (from < text.size() && (text[from] == '"' || text[from] == '*' || text[from] == ' ')) {
        ++from;
      }
      if (from >= text.size() || (text[from] != ':' && text[from] != '=')) continue;
      from = text.find_first_not_of(" \t\"'*", from + 1);
      if (from == std::string::npos) continue;
      const bool quoted = text[from - 1] == '"' || text[from - 1] == '\'';
      const size_t end = text.find_first_of(quoted ? "\"'\n" : "\n\r\"", from);
      std::string value = Trim(text.substr(from, end - from));
      while (!value.empty() && (value.back() == ',' || value.back() == '.')) value.pop_back();
      if (!value.empty()) return Clip(value, kNameMax);
    }
  }
  return "";
}

std::string CampaignIn(const std::string& text) {
  std::string name = Labelled(text, {"campaign_name", "campaign name", "campaign"});
  if (!name.empty()) return name;
  static const std::regex kQuoted("campaign[^\"\n]{0,40}\"([^\"\n]{2,100})\"", std::regex::icase);
  std::smatch match;
  // std::regex recurses: keep it away from long prompts.
  const std::string head = text.substr(0, 4000);
  if (std::regex_search(head, match, kQuoted)) return match[1];
  return "the campaign";
}

}  // namespace

Copywriter::Copywriter(std::string conversation, int64_t seed)
    : conversation_(std::move(conversation)) {
  hash_ = HashOf(std::to_string(HashOf(conversation_)) + "#" + std::to_string(seed));
  // What is asked stands at the beginning or at the end.
  if (conversation_.size() > 2 * kScanMax) {
    conversation_ = conversation_.substr(0, kScanMax) + "\n" +
                    conversation_.substr(conversation_.size() - kScanMax);
  }
  campaign_ = CampaignIn(conversation_);
  audience_ = Labelled(conversation_, {"target_audience", "target audience", "audience"});
  if (audience_.empty()) audience_ = "your team";
}

std::string Copywriter::Pick(const std::vector<std::string>& options, uint64_t salt) const {
  return options[HashOf(std::to_string(hash_ ^ salt)) % options.size()];
}

std::string Copywriter::Text(std::string_view field, uint64_t salt) const {
  const std::string name = Lower(field);
  const auto is = [&name](const char* part) { return Contains(name, part); };
  const std::string& c = campaign_;
  const std::string& a = audience_;
  if (is("subject")) {
    return Pick({"Meet " + c, c + ": what it means for you", "Your first look at " + c}, salt);
  }
  if (is("headline") || is("title")) {
    return Pick({c + ": more results, less effort", "The easier way forward: " + c,
                 c + " is here for " + a, "See what " + c + " can do"},
                salt);
  }
  if (is("tagline") || is("slogan")) {
    return Pick({c + ". Simply done.", c + ". Built for " + a + ".", "Less work, more " + c + "."},
                salt);
  }
  if (is("outline")) {
    return "1. The problem " + a + " face today\n2. What " + c +
           " changes\n3. Three examples with numbers\n4. How to start in ten minutes\n"
           "5. Questions and answers";
  }
  if (is("email") || is("body")) {
    return "Hello,\n\n" +
           Pick({"you told us that time is what you miss most.",
                 "good work should not need more hours."},
                salt) +
           " That is why we made " + c + " for " + a +
           ".\n\nIn ten minutes you are set up; in a week you see the first numbers. Teams who "
           "tried it saved four hours a week on average.\n\nStart today and tell us what you "
           "think.\n\nThe team behind " +
           c;
  }
  if (is("social") || is("post") || is("caption") || is("tweet")) {
    return Pick({"Four hours saved every week. " + c + " is ready for " + a + ".",
                 c + " is live. See what " + a + " can do with it."},
                salt) +
           " #" + (Slug(c).empty() ? "launch" : Split(Slug(c), '-')[0]);
  }
  if (is("hashtag") || is("tag") || is("keyword")) {
    return Pick({"marketing", "launch", "growth", "product", "howto", "news"}, salt);
  }
  if (is("url") || is("link")) return "https://www.example.com/" + Slug(c);
  if (is("cta") || is("action"))
    return Pick({"Start now", "See how it works", "Try it free"}, salt);
  if (is("language") || is("locale")) return "en";
  if (is("date")) return "2026-11-20";
  if (is("tone")) return Pick({"professional", "casual", "technical"}, salt);
  if (is("name")) return c;
  return Pick({c + " gives " + a + " a clear result with less effort.",
               "With " + c + ", " + a + " reach their goals sooner.",
               c + " answers the question that " + a + " ask most often: where do I start?"},
              salt);
}

std::string Copywriter::Answer() const {
  const std::string lower = Lower(conversation_);
  std::string piece;
  size_t latest = 0;
  for (const std::string& candidate : Pieces()) {
    std::string spaced = candidate;
    std::replace(spaced.begin(), spaced.end(), '_', ' ');
    for (const std::string& form : {candidate, spaced}) {
      const size_t at = lower.rfind(form);
      if (at != std::string::npos && at + 1 > latest) {
        latest = at + 1;
        piece = candidate;
      }
    }
  }
  return Text(piece, 1);
}

Json Copywriter::ForJsonObject() const {
  Json out = Json::object();
  const std::string lower = Lower(conversation_);
  for (const std::string& piece : Pieces()) {
    if (Contains(lower, piece)) out[piece] = Text(piece, HashOf(piece));
  }
  if (out.empty()) {
    for (const std::string& piece : Pieces()) out[piece] = Text(piece, HashOf(piece));
  }
  return out;
}

Json Copywriter::ForSchema(const Json& schema) const {
  return Value(schema, schema, "content", 0, 1);
}

Json Copywriter::Number(const Json& schema, uint64_t salt, bool whole) const {
  const double low = Member(schema, "minimum").is_number() ? schema["minimum"].get<double>() : 0;
  const double high =
      Member(schema, "maximum").is_number() ? schema["maximum"].get<double>() : low + 100;
  const double share = static_cast<double>(HashOf(std::to_string(hash_ ^ salt)) % 1000) / 1000.0;
  const double value = low + (std::max(high, low) - low) * share;
  if (whole)
    return static_cast<int64_t>(std::min(std::ceil(value), std::floor(std::max(high, low))));
  return std::round(value * 100) / 100;
}

Json Copywriter::Array(const Json& schema, const Json& root, const std::string& field, int depth,
                       uint64_t salt) const {
  const int64_t min = IntOr(schema, "minItems", 1);
  const int64_t max = std::max(min, IntOr(schema, "maxItems", 20));
  const int64_t count = std::clamp<int64_t>(3, std::min<int64_t>(min, 100), max);
  Json out = Json::array();
  for (int64_t i = 0; i < count; ++i) {
    out.push_back(Value(Member(schema, "items"), root, field, depth + 1,
                        salt + 31 * static_cast<uint64_t>(i + 1)));
  }
  return out;
}

Json Copywriter::Value(const Json& schema, const Json& root, const std::string& field, int depth,
                       uint64_t salt) const {
  if (depth > kDepthMax) return nullptr;
  const std::string reference = StringOr(schema, "$ref");
  if (reference.starts_with("#/")) {
    const Json::json_pointer pointer(reference.substr(1));
    return root.contains(pointer) ? Value(root[pointer], root, field, depth + 1, salt) : Json();
  }
  if (schema.contains("const")) return schema["const"];
  const Json& choices = Member(schema, "enum");
  if (choices.is_array() && !choices.empty()) {
    return choices[HashOf(std::to_string(hash_ ^ salt)) % choices.size()];
  }
  for (const char* combinator : {"anyOf", "oneOf", "allOf"}) {
    for (const Json& option : Member(schema, combinator)) {
      if (StringOr(option, "type") != "null") return Value(option, root, field, depth + 1, salt);
    }
  }
  const Json& types = Member(schema, "type");
  std::string type = types.is_string() ? types.get<std::string>() : "";
  for (const Json& option : types) {
    if (type.empty() && option.is_string() && option != "null") type = option;
  }
  if (type.empty()) {
    type = schema.contains("properties") ? "object" : schema.contains("items") ? "array" : "string";
  }
  if (type == "object") {
    Json out = Json::object();
    for (const auto& [name, property] : Member(schema, "properties").items()) {
      out[name] = Value(property, root, name, depth + 1, salt ^ HashOf(name));
    }
    return out;
  }
  if (type == "array") return Array(schema, root, field, depth, salt);
  if (type == "integer") return Number(schema, salt, true);
  if (type == "number") return Number(schema, salt, false);
  if (type == "boolean") return true;
  if (type == "null") return nullptr;
  std::string text = Text(field, salt);
  const int64_t max = IntOr(schema, "maxLength", -1);
  if (max >= 0) text = Clip(text, static_cast<size_t>(max));
  while (static_cast<int64_t>(text.size()) <
         std::min<int64_t>(IntOr(schema, "minLength", 0), 100'000)) {
    text += " " + Text("", salt + text.size());
  }
  return max >= 0 ? Clip(text, static_cast<size_t>(max)) : text;
}

}  // namespace sandbox
