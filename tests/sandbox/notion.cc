// Notion: databases, data sources, search, pages, blocks. Any database exists, with a few pages
// about markets, audiences and past campaigns that depend on its id alone; ids with "missing" in
// them do not exist.

#include <algorithm>

#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

constexpr int64_t kPageSizeMax = 100;
constexpr size_t kTitlesMax = 2000;
constexpr int64_t kSeedTimeMs = 1'790'000'000'000;

struct SeedPage {
  const char *title, *category, *paragraphs[3];
};

constexpr SeedPage kSeedPages[] = {
    {"Market overview: small-business software",
     "Market",
     {"The market for small-business software grows 11 percent a year; buyers compare three "
      "products on average before they sign up.",
      "Price is named as the first criterion by 38 percent, time to set up by 34 percent and "
      "support by 19 percent.",
      "Competitors Acme, Globex and Initech hold about 60 percent of the market together."}},
    {"Audience profile: developers",
     "Audience",
     {"Developers trust documentation and working examples more than claims; 72 percent try a "
      "product before they read its website.",
      "They read newsletters in the morning and social media after lunch.",
      "Words to avoid: revolutionary, seamless, effortless."}},
    {"Audience profile: marketing managers",
     "Audience",
     {"Marketing managers at companies of 20 to 200 people plan a quarter ahead and report cost "
      "per acquisition every month.",
      "Their largest worry is content that does not sound like their brand.",
      "They answer well to case studies with a number in the title."}},
    {"Past campaign: autumn launch 2025",
     "Campaign",
     {"Email, social and blog over three weeks with a budget of 12,000 USD.",
      "Open rate 29 percent, click rate 4.4 percent, 318 sign-ups.",
      "Learning: the second mail with a customer story brought most of the sign-ups."}},
    {"Competitor notes: pricing pages",
     "Competitor",
     {"Acme shows three plans from 19 USD a month and hides its enterprise price.",
      "Globex gives 30 days free and raises its price after the first year.",
      "Initech is the cheapest at 9 USD but sells support separately."}},
    {"Brand guidelines: tone and claims",
     "Brand",
     {"We name benefits before features and never attack a competitor by name.",
      "Every number carries its source; every price its currency and period.",
      "One call to action a piece."}},
};

std::string NormalId(const std::string& id) {
  std::string hex;
  for (const char c : Lower(id)) {
    if (c != '-') hex.push_back(c);
  }
  if (hex.size() != 32 || hex.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Lower(id);
  }
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

bool IsMissing(const std::string& id) { return id.empty() || Contains(id, "missing"); }

Json RichText(const std::string& text) {
  return Json::array({Json{{"type", "text"},
                           {"text", {{"content", text}, {"link", nullptr}}},
                           {"plain_text", text},
                           {"href", nullptr}}});
}

// The text of a rich-text array, whichever of its forms the client sent.
std::string PlainText(const Json& rich) {
  std::string out;
  for (const Json& part : rich) {
    out += StringOr(part, "plain_text", StringOr(Member(part, "text"), "content"));
  }
  return out;
}

// Fills the plain_text that a client does not send.
Json Completed(Json rich) {
  for (Json& part : rich) {
    if (part.is_object()) part["plain_text"] = PlainText(Json::array({part}));
  }
  return rich;
}

std::string TitleOf(const Json& page) {
  for (const Json& property : Member(page, "properties")) {
    if (property.contains("title")) return PlainText(property["title"]);
  }
  return "";
}

// A property's value as text, for filters.
std::string ValueText(const Json& property) {
  for (const char* rich : {"title", "rich_text"}) {
    if (property.contains(rich)) return PlainText(property[rich]);
  }
  for (const char* choice : {"select", "status"}) {
    if (property.contains(choice)) return StringOr(property[choice], "name");
  }
  for (const char* plain : {"url", "email", "phone_number"}) {
    if (property.contains(plain)) return StringOr(property, plain);
  }
  if (Member(property, "number").is_number()) return Dump(property["number"]);
  if (Member(property, "checkbox").is_boolean()) return Dump(property["checkbox"]);
  if (property.contains("date")) return StringOr(property["date"], "start");
  std::string out;
  for (const Json& option : Member(property, "multi_select"))
    out += StringOr(option, "name") + "\n";
  return out;
}

bool HoldsCondition(const std::string& text, const std::string& name, const Json& wanted_value) {
  const std::string wanted =
      Lower(wanted_value.is_string() ? wanted_value.get<std::string>() : Dump(wanted_value));
  const std::string have = Lower(text);
  if (name == "equals") return have == wanted;
  if (name == "does_not_equal") return have != wanted;
  if (name == "contains") return Contains(have, wanted);
  if (name == "does_not_contain") return !Contains(have, wanted);
  if (name == "starts_with") return have.starts_with(wanted);
  if (name == "ends_with") return have.ends_with(wanted);
  if (name == "is_empty") return have.empty();
  if (name == "is_not_empty") return !have.empty();
  return true;
}

bool Holds(const Json& filter, const Json& page) {
  if (!filter.is_object()) return true;
  const Json& all = Member(filter, "and");
  const Json& any = Member(filter, "or");
  const auto holds = [&page](const Json& part) { return Holds(part, page); };
  if (all.is_array()) return std::all_of(all.begin(), all.end(), holds);
  if (any.is_array()) return std::any_of(any.begin(), any.end(), holds);
  const std::string property = StringOr(filter, "property");
  const std::string text = ValueText(Member(Member(page, "properties"), property));
  for (const auto& [type, condition] : filter.items()) {
    if (type == "property" || !condition.is_object()) continue;
    for (const auto& [name, value] : condition.items()) {
      if (!HoldsCondition(text, name, value)) return false;
    }
  }
  return true;
}

class Notion : public Vendor {
 public:
  explicit Notion(Store& store) : Vendor("notion", "/notion", store) {
    Add("GET", "/v1/users/me", "users.me", &Notion::Me);
    Add("GET", "/v1/databases/{id}", "databases.retrieve", &Notion::GetDatabase);
    Add("POST", "/v1/databases/{id}/query", "databases.query", &Notion::QueryDatabase);
    Add("GET", "/v1/data_sources/{id}", "dataSources.retrieve", &Notion::GetDataSource);
    Add("POST", "/v1/data_sources/{id}/query", "dataSources.query", &Notion::QueryDataSource);
    Add("POST", "/v1/search", "search", &Notion::Search);
    Add("POST", "/v1/pages", "pages.create", &Notion::CreatePage);
    Add("GET", "/v1/pages/{id}", "pages.retrieve", &Notion::GetPage);
    Add("PATCH", "/v1/pages/{id}", "pages.update", &Notion::UpdatePage);
    Add("GET", "/v1/pages/{id}/markdown", "pages.markdown", &Notion::GetMarkdown);
    Add("GET", "/v1/blocks/{id}/children", "blocks.children.list", &Notion::GetChildren);
    Add("PATCH", "/v1/blocks/{id}/children", "blocks.children.append", &Notion::AppendChildren);
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    const int status = fault.status.value_or(500);
    const char* code = status == 503   ? "service_unavailable"
                       : status == 504 ? "gateway_timeout"
                       : status == 529 ? "service_overload"
                       : status == 409 ? "conflict_error"
                       : status >= 500 ? "internal_server_error"
                       : status == 404 ? "object_not_found"
                                       : "validation_error";
    return Fail(status, code, "Unexpected error");
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    return Fail(fault.status.value_or(429), "rate_limited",
                "You have been rate limited. Please try again in a few minutes.")
        .With("Retry-After", std::to_string(fault.retry_after_s.value_or(1)));
  }

 protected:
  std::optional<Response> Refuse(const Call& call) override {
    if (IsBadToken(call.request.AuthToken("Bearer"))) {
      return Fail(401, "unauthorized", "API token is invalid.");
    }
    const std::string_view version = call.request.Header("notion-version");
    if (version.empty()) {
      return Fail(400, "missing_version",
                  "Notion-Version header failed validation: Notion-Version header should be "
                  "defined, instead was `undefined`.");
    }
    if (version != "2022-06-28" && version != "2025-09-03" && version != "2026-03-11") {
      return Fail(400, "validation_error", "Notion-Version header failed validation.");
    }
    return std::nullopt;
  }

  Response NoSuchCall(const Call&) override {
    return Fail(400, "invalid_request_url", "Invalid request URL.");
  }

  Response BadBody(const Call&, const std::string&) override {
    return Fail(400, "invalid_json", "Error parsing JSON body.");
  }

  void Finish(const Call& call, Response* response) override {
    response->With("x-notion-request-id", UuidOf("request " + std::to_string(++calls_)));
  }

 private:
  Response Fail(int status, const std::string& code, const std::string& message) {
    return JsonResponse(status, {{"object", "error"},
                                 {"status", status},
                                 {"code", code},
                                 {"message", message},
                                 {"request_id", UuidOf("request " + std::to_string(calls_ + 1))}});
  }

  Response NotFound(const std::string& what, const std::string& id) {
    return Fail(404, "object_not_found",
                "Could not find " + what + " with ID: " + id +
                    ". Make sure the relevant pages and databases are shared with your "
                    "integration.");
  }

  static bool IsOldVersion(const Call& call) {
    return call.request.Header("notion-version") == "2022-06-28";
  }

  static std::string SourceOf(const std::string& database) {
    return UuidOf("data source " + database);
  }

  // Makes the pages that every data source comes with.
  void SeedSource(const std::string& source, const std::string& database) {
    if (store_.Find("notion", "data_source", source) != nullptr) return;
    Resource made;
    made.vendor = "notion";
    made.kind = "data_source";
    made.id = source;
    made.state = "active";
    made.seeded = true;
    made.doc = {{"database", database}};
    store_.Insert(std::move(made));
    for (const SeedPage& seed : kSeedPages) {
      Resource page;
      page.vendor = "notion";
      page.kind = "page";
      page.id = UuidOf("page " + source + seed.title);
      page.state = "saved";
      page.seeded = true;
      page.lookup = source;
      page.created_ms = kSeedTimeMs;
      Json children = Json::array();
      for (const char* paragraph : seed.paragraphs) {
        children.push_back(
            {{"type", "paragraph"}, {"paragraph", {{"rich_text", RichText(paragraph)}}}});
      }
      const Json properties = {
          {"Name", {{"id", "title"}, {"type", "title"}, {"title", RichText(seed.title)}}},
          {"Category", {{"id", "cat"}, {"type", "select"}, {"select", {{"name", seed.category}}}}},
          {"Summary",
           {{"id", "sum"}, {"type", "rich_text"}, {"rich_text", RichText(seed.paragraphs[0])}}}};
      page.doc = {
          {"properties", properties},
          {"parent",
           {{"type", "data_source_id"}, {"data_source_id", source}, {"database_id", database}}},
          {"children", WithIds(children, page.id, 0)},
          {"last_edited_time", IsoMillis(kSeedTimeMs)}};
      store_.Insert(std::move(page));
    }
  }

  static Json WithIds(const Json& children, const std::string& page, size_t start) {
    Json out = Json::array();
    for (const Json& child : children) {
      if (!child.is_object()) continue;
      Json block = child;
      const std::string type = StringOr(block, "type", "paragraph");
      block["object"] = "block";
      block["id"] = UuidOf("block " + page + std::to_string(start + out.size()));
      block["type"] = type;
      block["has_children"] = false;
      block["in_trash"] = false;
      if (Member(Member(block, type), "rich_text").is_array()) {
        block[type]["rich_text"] = Completed(block[type]["rich_text"]);
      }
      out.push_back(std::move(block));
    }
    return out;
  }

  static Json PageJson(const Resource& page) {
    return {{"object", "page"},
            {"id", page.id},
            {"created_time", IsoMillis(page.created_ms)},
            {"last_edited_time", Member(page.doc, "last_edited_time")},
            {"in_trash", page.state == "trashed"},
            {"archived", page.state == "trashed"},
            {"parent", Member(page.doc, "parent")},
            {"properties", Member(page.doc, "properties")},
            {"url", "https://www.notion.so/" + page.id},
            {"icon", nullptr},
            {"cover", nullptr},
            {"public_url", nullptr}};
  }

  Json SourceJson(const std::string& source) {
    const Resource* found = store_.Find("notion", "data_source", source);
    return {
        {"object", "data_source"},
        {"id", source},
        {"title", RichText("Campaign knowledge")},
        {"parent", {{"type", "database_id"}, {"database_id", StringOr(found->doc, "database")}}},
        {"properties",
         {{"Name", {{"id", "title"}, {"name", "Name"}, {"type", "title"}}},
          {"Category", {{"id", "cat"}, {"name", "Category"}, {"type", "select"}}},
          {"Summary", {{"id", "sum"}, {"name", "Summary"}, {"type", "rich_text"}}}}},
        {"in_trash", false}};
  }

  Response Me(Call&) {
    return JsonResponse(200, {{"object", "user"},
                              {"id", UuidOf("bot")},
                              {"type", "bot"},
                              {"name", "campaign-bot"},
                              {"bot", {{"workspace_name", "Sandbox"}}}});
  }

  Response GetDatabase(Call& call) {
    const std::string id = NormalId(call.Param("id"));
    if (IsMissing(id)) return NotFound("database", id);
    const std::string source = SourceOf(id);
    SeedSource(source, id);
    return JsonResponse(
        200, {{"object", "database"},
              {"id", id},
              {"title", RichText("Campaign knowledge")},
              {"data_sources", Json::array({Json{{"id", source}, {"name", "Campaign knowledge"}}})},
              {"in_trash", false},
              {"url", "https://www.notion.so/" + id}});
  }

  Response GetDataSource(Call& call) {
    const std::string id = NormalId(call.Param("id"));
    if (IsMissing(id)) return NotFound("data_source", id);
    SeedSource(id, UuidOf("database of " + id));
    return JsonResponse(200, SourceJson(id));
  }

  Response QueryDatabase(Call& call) {
    if (!IsOldVersion(call)) return NoSuchCall(call);
    const std::string id = NormalId(call.Param("id"));
    if (IsMissing(id)) return NotFound("database", id);
    SeedSource(SourceOf(id), id);
    return Query(call, SourceOf(id));
  }

  Response QueryDataSource(Call& call) {
    if (IsOldVersion(call)) return NoSuchCall(call);
    const std::string id = NormalId(call.Param("id"));
    if (IsMissing(id)) return NotFound("data_source", id);
    SeedSource(id, UuidOf("database of " + id));
    return Query(call, id);
  }

  Response Query(Call& call, const std::string& source) {
    const bool in_trash = BoolOr(call.body, "in_trash", false);
    std::vector<Json> found;
    for (const Resource* page : store_.Lookup("notion", "page", source)) {
      if ((page->state == "trashed") == in_trash && Holds(Member(call.body, "filter"), page->doc)) {
        found.push_back(PageJson(*page));
      }
    }
    Sort(Member(call.body, "sorts"), &found);
    return List(call, found, "page_or_data_source");
  }

  static void Sort(const Json& sorts, std::vector<Json>* pages) {
    if (!sorts.is_array()) return;
    for (auto it = sorts.rbegin(); it != sorts.rend(); ++it) {
      const std::string property = StringOr(*it, "property");
      const std::string timestamp = StringOr(*it, "timestamp");
      const bool down = StringOr(*it, "direction") == "descending";
      const auto key = [&](const Json& page) {
        return timestamp.empty() ? Lower(ValueText(Member(page["properties"], property)))
                                 : StringOr(page, timestamp);
      };
      std::stable_sort(pages->begin(), pages->end(), [&](const Json& a, const Json& b) {
        return down ? key(b) < key(a) : key(a) < key(b);
      });
    }
  }

  // One page of a list; the cursor is the id of the first entry that follows.
  Response List(const Call& call, const std::vector<Json>& items, const std::string& type) {
    int64_t size = IntOr(call.body, "page_size", kPageSizeMax);
    std::string cursor = StringOr(call.body, "start_cursor");
    if (call.request.method == "GET") {
      cursor = call.request.QueryParam("start_cursor");
      const std::string text = call.request.QueryParam("page_size");
      if (!text.empty()) size = text.size() < 5 ? std::atoi(text.c_str()) : 0;
    }
    if (size < 1 || size > kPageSizeMax) {
      return Fail(400, "validation_error",
                  "body failed validation: body.page_size should be from 1 to 100.");
    }
    auto from = items.begin();
    if (!cursor.empty()) {
      from = std::find_if(items.begin(), items.end(),
                          [&](const Json& item) { return item["id"] == cursor; });
      if (from == items.end()) {
        return Fail(400, "validation_error", "The start_cursor provided is invalid: " + cursor);
      }
    }
    const auto to = items.end() - from > size ? from + size : items.end();
    Json results = Json::array();
    for (auto it = from; it != to; ++it) results.push_back(*it);
    return JsonResponse(200, {{"object", "list"},
                              {"results", results},
                              {"next_cursor", to == items.end() ? Json() : (*to)["id"]},
                              {"has_more", to != items.end()},
                              {"type", type},
                              {type, Json::object()},
                              {"request_status", {{"type", "complete"}}}});
  }

  Response Search(Call& call) {
    const std::string query = Lower(StringOr(call.body, "query"));
    const std::string object = StringOr(Member(call.body, "filter"), "value");
    std::vector<Json> found;
    // A workspace is never empty.
    SeedSource(SourceOf("workspace"), UuidOf("workspace"));
    if (object.empty() || object == "page") {
      const std::vector<std::string> wanted = Words(query);
      store_.Each("notion", "page", "", [&](Resource& page) {
        const std::string title = Lower(TitleOf(page.doc));
        const bool fits = wanted.empty() || std::any_of(wanted.begin(), wanted.end(),
                                                        [&title](const std::string& word) {
                                                          return Contains(title, word);
                                                        });
        if (fits && page.state != "trashed" && found.size() < kTitlesMax) {
          found.push_back(PageJson(page));
        }
        return true;
      });
    }
    if (object.empty() || object == "data_source" || object == "database") {
      store_.Each("notion", "data_source", "", [&](Resource& source) {
        if (query.empty() || Contains("campaign knowledge", query)) {
          found.push_back(SourceJson(source.id));
        }
        return true;
      });
    }
    return List(call, found, "page_or_data_source");
  }

  Resource* FindPage(const std::string& id) { return store_.Find("notion", "page", NormalId(id)); }

  Response CreatePage(Call& call) {
    const Json& parent = Member(call.body, "parent");
    std::string source = NormalId(StringOr(parent, "data_source_id"));
    const std::string database = NormalId(StringOr(parent, "database_id"));
    const std::string page_id = NormalId(StringOr(parent, "page_id"));
    if (source.empty() && !database.empty()) source = SourceOf(database);
    if (source.empty() && page_id.empty()) {
      return Fail(400, "validation_error",
                  "body failed validation: body.parent.data_source_id should be defined, instead "
                  "was `undefined`.");
    }
    if (Contains(source + database + page_id, "missing")) {
      return NotFound("data_source", source + page_id);
    }
    const Json& properties = Member(call.body, "properties");
    if (!properties.is_object()) {
      return Fail(400, "validation_error",
                  "body failed validation: body.properties should be defined, instead was "
                  "`undefined`.");
    }
    if (!source.empty()) {
      SeedSource(source, database.empty() ? UuidOf("database of " + source) : database);
    }
    Resource page =
        call.Make("notion", "page",
                  UuidOf("created page " + std::to_string(store_.NextNumber("notion/page"))));
    page.state = "saved";
    page.alive = true;
    page.lookup = source.empty() ? page_id : source;
    page.doc = {{"parent", parent},
                {"properties", Normalised(properties)},
                {"children", WithIds(Member(call.body, "children"), page.id, 0)},
                {"last_edited_time", IsoMillis(call.now_ms)}};
    page.natural_key = page.lookup + ":" + TitleOf(page.doc);
    return JsonResponse(200, PageJson(store_.Insert(std::move(page))));
  }

  // Properties as Notion gives them back: with their type and plain text.
  static Json Normalised(Json properties) {
    static constexpr const char* kTypes[] = {"title",        "rich_text", "select",      "status",
                                             "multi_select", "number",    "checkbox",    "date",
                                             "url",          "email",     "phone_number"};
    for (auto& [name, property] : properties.items()) {
      for (const char* type : kTypes) {
        if (!property.contains(type)) continue;
        property["type"] = type;
        property["id"] = std::string(type) == "title" ? "title" : Hex(HashOf(name), 4);
        if (property[type].is_array()) property[type] = Completed(property[type]);
      }
    }
    return properties;
  }

  Response GetPage(Call& call) {
    const Resource* page = FindPage(call.Param("id"));
    return page == nullptr ? NotFound("page", call.Param("id"))
                           : JsonResponse(200, PageJson(*page));
  }

  Response UpdatePage(Call& call) {
    Resource* page = FindPage(call.Param("id"));
    if (page == nullptr) return NotFound("page", call.Param("id"));
    const bool is_new_version = call.request.Header("notion-version") == "2026-03-11";
    if (is_new_version && call.body.contains("archived")) {
      return Fail(400, "validation_error",
                  "body failed validation: body.archived should be not present, use in_trash.");
    }
    const Json& in_trash =
        Member(call.body, call.body.contains("in_trash") ? "in_trash" : "archived");
    if (in_trash.is_boolean()) {
      page->state = in_trash.get<bool>() ? "trashed" : "saved";
      page->alive = !page->seeded && !in_trash.get<bool>();
    } else if (page->state == "trashed") {
      return Fail(400, "validation_error",
                  "Can't edit page on block with an archived ancestor. You must unarchive the "
                  "ancestor before editing page.");
    }
    const Json properties = Normalised(Member(call.body, "properties"));
    if (properties.is_object()) page->doc["properties"].update(properties);
    page->doc["last_edited_time"] = IsoMillis(call.now_ms);
    store_.Save(*page);
    return JsonResponse(200, PageJson(*page));
  }

  Response GetMarkdown(Call& call) {
    const Resource* page = FindPage(call.Param("id"));
    if (page == nullptr) return NotFound("page", call.Param("id"));
    std::string text = "# " + TitleOf(page->doc) + "\n";
    for (const Json& block : Member(page->doc, "children")) {
      text += "\n" + PlainText(Member(Member(block, StringOr(block, "type")), "rich_text")) + "\n";
    }
    return JsonResponse(
        200,
        {{"object", "page_markdown"}, {"id", page->id}, {"markdown", text}, {"truncated", false}});
  }

  Response GetChildren(Call& call) {
    const Resource* page = FindPage(call.Param("id"));
    if (page == nullptr) return NotFound("block", call.Param("id"));
    const Json& children = Member(page->doc, "children");
    return List(call, std::vector<Json>(children.begin(), children.end()), "block");
  }

  Response AppendChildren(Call& call) {
    Resource* page = FindPage(call.Param("id"));
    if (page == nullptr) return NotFound("block", call.Param("id"));
    const Json& children = Member(call.body, "children");
    if (!children.is_array() || children.empty() || children.size() > 100) {
      return Fail(400, "validation_error",
                  "body failed validation: body.children should be an array of 1 to 100 blocks.");
    }
    Json& all = page->doc["children"];
    const Json added = WithIds(children, page->id, all.size());
    for (const Json& block : added) all.push_back(block);
    page->doc["last_edited_time"] = IsoMillis(call.now_ms);
    store_.Save(*page);
    return List(call, std::vector<Json>(added.begin(), added.end()), "block");
  }

  int64_t calls_ = 0;
};

}  // namespace

std::unique_ptr<Vendor> MakeNotion(Store& store) { return std::make_unique<Notion>(store); }

}  // namespace sandbox
