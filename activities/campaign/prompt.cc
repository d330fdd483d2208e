#include "activities/campaign/prompt.h"

#include <kainjow/mustache.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "activities/campaign/names.h"
#include "orchestrator/base/sha256.h"

namespace campaign {
namespace {

using Json = nlohmann::json;

using Mustache = kainjow::mustache::mustache;
using Data = kainjow::mustache::data;

// Text of others cannot end the block it is quoted in.
std::string Quoted(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"<", "‹"}, {">", "›"}});
}

Mustache Parsed(const std::string& text) {
  Mustache parsed(text);
  parsed.set_custom_escape([](const std::string& value) { return value; });
  return parsed;
}

// "NAME: ADVICE"
std::pair<std::string, std::string> SplitAdvice(absl::string_view line) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(line, absl::MaxSplits(':', 1));
  return {std::string(absl::StripAsciiWhitespace(parts.first)),
          std::string(absl::StripAsciiWhitespace(parts.second))};
}

std::string Find(const std::map<std::string, std::string, std::less<>>& advice,
                 const std::string& name) {
  const auto found = advice.find(name);
  return found == advice.end() ? "" : found->second;
}

std::string Hash(const PromptSettings& settings) {
  std::string all = absl::StrCat(settings.system, "\n", settings.user);
  for (const auto* lines : {&settings.tones, &settings.channels, &settings.languages}) {
    absl::StrAppend(&all, "\n", absl::StrJoin(*lines, "\n"));
  }
  return absl::BytesToHexString(base::Sha256(all).substr(0, 4));
}

// An empty text is not there: its section is left out.
void Set(Data& data, const char* name, const std::string& text) {
  if (text.empty()) {
    data.set(name, Data::type::bool_false);
  } else {
    data.set(name, text);
  }
}

Data PiecesData() {
  Data pieces{Data::type::list};
  for (const PieceKind& kind : PieceKinds()) {
    Data piece;
    piece.set("id", std::string(kind.id));
    piece.set("instructions", std::string(kind.instructions));
    pieces << piece;
  }
  return pieces;
}

Data FindingsData(const google::protobuf::RepeatedPtrField<v1::Finding>& findings) {
  Data list{Data::type::list};
  for (const v1::Finding& finding : findings) {
    Data item;
    Set(item, "source", finding.source());
    Set(item, "title", Quoted(finding.title()));
    Set(item, "summary", Quoted(finding.summary()));
    list << item;
  }
  return list;
}

base::Failure Invalid(std::string message) {
  return base::Failure::Retryable(
      "InvalidContent", absl::StrCat("the language model's answer cannot be used: ", message));
}

}  // namespace

std::string TemplateProblem(const std::string& text) {
  const Mustache parsed(text);
  return parsed.is_valid() ? "" : parsed.error_message();
}

std::string AdviceProblem(absl::string_view line) {
  const auto [name, advice] = SplitAdvice(line);
  return name.empty() || advice.empty() ? "must be NAME: ADVICE" : "";
}

absl::StatusOr<Prompts> Prompts::Make(PromptSettings settings) {
  Prompts prompts;
  std::vector<std::string> faults;
  const auto check = [&faults](absl::string_view name, const std::string& text) {
    const std::string problem = TemplateProblem(text);
    if (!problem.empty()) faults.push_back(absl::StrCat("prompts.", name, ": ", problem));
  };
  check("system", settings.system);
  check("user", settings.user);
  const auto read = [&faults](absl::string_view name, const std::vector<std::string>& lines,
                              Advice* advice) {
    for (const std::string& line : lines) {
      const std::string problem = AdviceProblem(line);
      if (problem.empty()) {
        advice->insert(SplitAdvice(line));
      } else {
        faults.push_back(absl::StrCat("prompts.", name, ": \"", line, "\": ", problem));
      }
    }
  };
  read("tones", settings.tones, &prompts.tones_);
  read("channels", settings.channels, &prompts.channels_);
  read("languages", settings.languages, &prompts.languages_);
  if (!faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults, "; "));
  prompts.version_ = absl::StrCat(settings.version, "-", Hash(settings));
  prompts.settings_ = std::move(settings);
  return prompts;
}

std::string Prompts::System(const v1::CampaignSpec& spec, absl::string_view brand_voice) const {
  const std::string tone = spec.tone().empty() ? "professional" : spec.tone();
  const std::string language = spec.languages().empty() ? "English" : spec.languages(0);
  Data data;
  Set(data, "campaign_name", spec.campaign_name());
  Set(data, "tone", tone);
  Set(data, "tone_advice", Find(tones_, tone));
  Set(data, "language", language);
  Set(data, "language_advice", Find(languages_, language));
  Set(data, "brand_voice", Quoted(brand_voice));
  return Parsed(settings_.system).render(data);
}

std::string Prompts::User(const v1::CampaignSpec& spec,
                          const google::protobuf::RepeatedPtrField<v1::Finding>& findings) const {
  Data advice{Data::type::list};
  for (const std::string& channel : spec.channels()) {
    const std::string text = Find(channels_, channel);
    if (text.empty()) continue;
    Data item;
    Set(item, "channel", channel);
    Set(item, "advice", text);
    advice << item;
  }
  Data data;
  Set(data, "campaign_name", spec.campaign_name());
  Set(data, "goals", absl::StrJoin(spec.campaign_goals(), "; "));
  Set(data, "target_audience", spec.target_audience());
  Set(data, "channels", absl::StrJoin(spec.channels(), "; "));
  data.set("channel_advice", advice);
  Set(data, "tone", spec.tone());
  data.set("has_findings", findings.empty() ? Data::type::bool_false : Data::type::bool_true);
  data.set("findings", FindingsData(findings));
  data.set("pieces", PiecesData());
  return Parsed(settings_.user).render(data);
}

std::vector<std::string> RequiredKeys() {
  std::vector<std::string> keys;
  for (const PieceKind& kind : PieceKinds()) keys.emplace_back(kind.id);
  return keys;
}

base::Outcome<std::vector<v1::ContentPiece>> ParseContent(absl::string_view answer) {
  const Json json = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Invalid("it is not a JSON object");
  std::vector<v1::ContentPiece> pieces;
  for (const PieceKind& kind : PieceKinds()) {
    const auto field = json.find(std::string(kind.id));
    if (field == json.end() || !field->is_string()) {
      return Invalid(absl::StrCat("it has no ", kind.id));
    }
    const std::string& raw = field->get_ref<const std::string&>();
    v1::ContentPiece& piece = pieces.emplace_back();
    piece.set_content_id(std::string(kind.id));
    piece.set_text(kind.one_line ? CleanLine(raw, kind.characters_max)
                                 : CleanText(raw, kind.characters_max));
    if (piece.text().empty()) return Invalid(absl::StrCat("its ", kind.id, " is empty"));
  }
  return pieces;
}

}  // namespace campaign
