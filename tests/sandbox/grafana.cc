// Grafana's legacy /api: dashboards with versions, folders, search, annotations, health.

#include <algorithm>

#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

constexpr size_t kUidMax = 40;
constexpr int64_t kSearchMax = 5000;

Response Message(int status, const std::string& message, const std::string& code = "") {
  Json body = {{"message", message}};
  if (!code.empty()) body["status"] = code;
  return JsonResponse(status, body);
}

bool IsUid(const std::string& uid) {
  return std::all_of(uid.begin(), uid.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
}

class Grafana : public Vendor {
 public:
  explicit Grafana(Store& store) : Vendor("grafana", "/grafana", store) {
    Add("GET", "/d/{uid}", "dashboards.view", &Grafana::ViewDashboard);
    Add("GET", "/d/{uid}/{slug...}", "dashboards.view", &Grafana::ViewDashboard);
    Add("GET", "/api/health", "health.get", &Grafana::Health);
    Add("POST", "/api/dashboards/db", "dashboards.save", &Grafana::SaveDashboard);
    Add("GET", "/api/dashboards/uid/{uid}", "dashboards.get", &Grafana::GetDashboard);
    Add("DELETE", "/api/dashboards/uid/{uid}", "dashboards.delete", &Grafana::DeleteDashboard);
    Add("POST", "/api/folders", "folders.create", &Grafana::CreateFolder);
    Add("GET", "/api/folders", "folders.list", &Grafana::ListFolders);
    Add("GET", "/api/folders/{uid}", "folders.get", &Grafana::GetFolder);
    Add("DELETE", "/api/folders/{uid}", "folders.delete", &Grafana::DeleteFolder);
    Add("GET", "/api/search", "search", &Grafana::Search);
    Add("POST", "/api/annotations", "annotations.create", &Grafana::CreateAnnotation);
    Add("GET", "/api/annotations", "annotations.list", &Grafana::ListAnnotations);
    Add("DELETE", "/api/annotations/{id}", "annotations.delete", &Grafana::DeleteAnnotation);
    Add("GET", "/api/datasources", "datasources.list", &Grafana::ListDatasources);
    Add("GET", "/api/org", "org.get", &Grafana::GetOrg);
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    return Message(fault.status.value_or(500), "Internal Server Error");
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    return Message(fault.status.value_or(429), "Too many requests")
        .With("Retry-After", std::to_string(fault.retry_after_s.value_or(1)));
  }

 protected:
  std::optional<Response> Refuse(const Call& call) override {
    const std::string& path = call.request.path;
    if (path.ends_with("/api/health") || path.starts_with(prefix() + "/d/")) return std::nullopt;
    std::string token = call.request.AuthToken("Bearer");
    if (token.empty()) token = Base64Decode(call.request.AuthToken("Basic")).value_or("");
    if (token.empty()) return Message(401, "Unauthorized");
    if (!IsBadToken(token)) return std::nullopt;
    return JsonResponse(401, {{"extra", nullptr},
                              {"message", "Invalid API key"},
                              {"messageId", "api-key.invalid"},
                              {"statusCode", 401},
                              {"traceID", ""}});
  }

  Response NoSuchCall(const Call&) override { return Message(404, "Not found"); }

  Response BadBody(const Call&, const std::string&) override {
    return Message(400, "bad request data");
  }

 private:
  Resource* Find(const char* kind, const std::string& id) {
    Resource* found = store_.Find("grafana", kind, id);
    return found != nullptr && found->state == "saved" ? found : nullptr;
  }

  void Remove(Resource* resource) {
    resource->state = "deleted";
    resource->alive = false;
    store_.Save(*resource);
  }

  static std::string UrlOf(const Resource& dashboard) {
    return "/d/" + dashboard.id + "/" + Slug(StringOr(Model(dashboard), "title"));
  }

  static const Json& Model(const Resource& dashboard) { return Member(dashboard.doc, "dashboard"); }

  Response Health(Call&) {
    return JsonResponse(200, {{"database", "ok"}, {"version", "12.1.0"}, {"commit", "sandbox"}});
  }

  // What a person sees who follows a dashboard's address.
  Response ViewDashboard(Call& call) {
    const Resource* found = Find("dashboard", call.Param("uid"));
    if (found == nullptr) return Message(404, "Dashboard not found");
    std::string body = "<!doctype html><title>" + HtmlEscape(StringOr(found->doc, "title")) +
                       "</title><h1>" + HtmlEscape(StringOr(found->doc, "title")) + "</h1><ul>";
    for (const Json& panel : Member(Model(*found), "panels")) {
      body += "<li>" + HtmlEscape(StringOr(panel, "title")) + "</li>";
    }
    return TextResponse(200, "text/html; charset=utf-8", body + "</ul>");
  }

  Response SaveDashboard(Call& call) {
    Json dashboard = Member(call.body, "dashboard");
    if (!dashboard.is_object()) return Message(400, "bad request data");
    const std::string title = StringOr(dashboard, "title");
    std::string uid = StringOr(dashboard, "uid");
    const std::string folder_uid = StringOr(call.body, "folderUid");
    if (Trim(title).empty()) return Message(400, "Dashboard title cannot be empty", "empty-name");
    if (uid.size() > kUidMax) return Message(400, "uid too long, max 40 characters");
    if (!IsUid(uid)) return Message(400, "uid contains illegal characters");
    if (!folder_uid.empty() && Find("folder", folder_uid) == nullptr) {
      return Message(400, "folder not found");
    }
    if (uid.empty()) {
      uid = Hex(HashOf("dashboard" + std::to_string(store_.NextNumber("grafana/uid"))), 14);
    }
    Resource* old = Find("dashboard", uid);
    const int64_t stored_version = old == nullptr ? 0 : IntOr(Model(*old), "version", 0);
    if (old != nullptr && !BoolOr(call.body, "overwrite", false)) {
      const int64_t sent = IntOr(dashboard, "version", 0);
      if (sent == 0) {
        return Message(412, "A dashboard with the same uid already exists", "name-exists");
      }
      if (sent != stored_version) {
        return Message(412, "The dashboard has been changed by someone else", "version-mismatch");
      }
    }
    dashboard["uid"] = uid;
    dashboard["version"] = stored_version + 1;
    dashboard["id"] = old != nullptr ? Model(*old)["id"].get<int64_t>()
                                     : static_cast<int64_t>(store_.NextNumber("grafana/id"));
    const Json doc = {{"title", title},
                      {"dashboard", dashboard},
                      {"folderUid", folder_uid},
                      {"message", StringOr(call.body, "message")},
                      {"updated", IsoSeconds(call.now_ms)}};
    if (old != nullptr) {
      old->doc = doc;
      old->natural_key = title;
      store_.Save(*old);
    } else {
      Resource made = call.Make("grafana", "dashboard", uid);
      made.state = "saved";
      made.alive = true;
      made.natural_key = title;
      made.doc = doc;
      old = &store_.Insert(std::move(made));
    }
    return JsonResponse(200, {{"id", dashboard["id"]},
                              {"uid", uid},
                              {"url", UrlOf(*old)},
                              {"status", "success"},
                              {"version", dashboard["version"]},
                              {"slug", Slug(title)},
                              {"folderUid", folder_uid}});
  }

  Response GetDashboard(Call& call) {
    const Resource* found = Find("dashboard", call.Param("uid"));
    if (found == nullptr) return Message(404, "Dashboard not found");
    return JsonResponse(200, {{"dashboard", Model(*found)},
                              {"meta",
                               {{"type", "db"},
                                {"canSave", true},
                                {"canEdit", true},
                                {"canDelete", true},
                                {"slug", Slug(StringOr(found->doc, "title"))},
                                {"url", UrlOf(*found)},
                                {"created", IsoSeconds(found->created_ms)},
                                {"updated", Member(found->doc, "updated")},
                                {"version", Model(*found)["version"]},
                                {"folderUid", StringOr(found->doc, "folderUid")},
                                {"provisioned", false}}}});
  }

  Response DeleteDashboard(Call& call) {
    Resource* found = Find("dashboard", call.Param("uid"));
    if (found == nullptr) return Message(404, "Dashboard not found");
    Remove(found);
    const std::string title = StringOr(found->doc, "title");
    return JsonResponse(200, {{"title", title},
                              {"message", "Dashboard " + title + " deleted"},
                              {"id", Model(*found)["id"]}});
  }

  static Json FolderJson(const Resource& folder) {
    return {{"id", IntOr(folder.doc, "id", 0)},
            {"uid", folder.id},
            {"title", StringOr(folder.doc, "title")},
            {"url", "/dashboards/f/" + folder.id + "/" + Slug(StringOr(folder.doc, "title"))},
            {"parentUid", StringOr(folder.doc, "parentUid")},
            {"created", IsoSeconds(folder.created_ms)},
            {"version", 1}};
  }

  Response CreateFolder(Call& call) {
    const std::string title = StringOr(call.body, "title");
    std::string uid = StringOr(call.body, "uid");
    if (Trim(title).empty()) return Message(400, "folder title cannot be empty");
    if (uid.size() > kUidMax || !IsUid(uid)) return Message(400, "uid is not valid");
    if (uid.empty()) {
      uid = Hex(HashOf("folder" + std::to_string(store_.NextNumber("grafana/uid"))), 14);
    }
    if (Find("folder", uid) != nullptr) {
      return Message(409, "a folder with the same uid already exists");
    }
    Resource made = call.Make("grafana", "folder", uid);
    made.state = "saved";
    made.doc = {{"title", title},
                {"parentUid", StringOr(call.body, "parentUid")},
                {"id", store_.NextNumber("grafana/id")}};
    return JsonResponse(200, FolderJson(store_.Insert(std::move(made))));
  }

  Response ListFolders(Call&) {
    Json out = Json::array();
    store_.Each("grafana", "folder", "", [&out](Resource& folder) {
      if (folder.state == "saved") out.push_back(FolderJson(folder));
      return true;
    });
    return JsonResponse(200, out);
  }

  Response GetFolder(Call& call) {
    const Resource* folder = Find("folder", call.Param("uid"));
    return folder == nullptr ? Message(404, "folder not found")
                             : JsonResponse(200, FolderJson(*folder));
  }

  Response DeleteFolder(Call& call) {
    Resource* folder = Find("folder", call.Param("uid"));
    if (folder == nullptr) return Message(404, "folder not found");
    store_.Each("grafana", "dashboard", "", [&](Resource& dashboard) {
      if (dashboard.state == "saved" && StringOr(dashboard.doc, "folderUid") == folder->id) {
        Remove(&dashboard);
      }
      return true;
    });
    Remove(folder);
    return JsonResponse(200, {{"id", IntOr(folder->doc, "id", 0)},
                              {"message", "Folder " + StringOr(folder->doc, "title") + " deleted"},
                              {"title", StringOr(folder->doc, "title")}});
  }

  // Does the dashboard have every tag that the query names, and its other conditions?
  static bool Fits(const Request& request, const Resource& dashboard) {
    const Json& tags = Member(Model(dashboard), "tags");
    bool uid_asked = false;
    bool uid_fits = false;
    for (const auto& [name, value] : request.query) {
      if (name == "tag" && std::find(tags.begin(), tags.end(), value) == tags.end()) return false;
      if (name == "query" && !Contains(Lower(StringOr(dashboard.doc, "title")), Lower(value))) {
        return false;
      }
      if (name == "folderUIDs" && StringOr(dashboard.doc, "folderUid") != value) return false;
      if (name == "dashboardUIDs" || name == "dashboardUID") {
        uid_asked = true;
        for (const std::string& uid : Split(value, ',')) uid_fits = uid_fits || uid == dashboard.id;
      }
    }
    return !uid_asked || uid_fits;
  }

  Response Search(Call& call) {
    const std::string type = call.request.QueryParam("type");
    const std::string limit_text = call.request.QueryParam("limit");
    int64_t limit = 1000;
    if (!limit_text.empty() && limit_text.size() < 7 &&
        limit_text.find_first_not_of("0123456789") == std::string::npos) {
      limit = std::min<int64_t>(std::stoll(limit_text), kSearchMax);
    }
    Json out = Json::array();
    const auto add = [&](const Resource& r, const char* kind, const std::string& url) {
      if (static_cast<int64_t>(out.size()) >= limit) return;
      out.push_back(
          {{"id", IntOr(kind[5] == 'd' ? Model(r) : r.doc, "id", 0)},
           {"uid", r.id},
           {"title", StringOr(r.doc, "title")},
           {"uri", "db/" + Slug(StringOr(r.doc, "title"))},
           {"url", url},
           {"slug", ""},
           {"type", kind},
           {"tags", kind[5] == 'd' && Model(r).contains("tags") ? Model(r)["tags"] : Json::array()},
           {"isStarred", false},
           {"folderUid", StringOr(r.doc, "folderUid")}});
    };
    if (type.empty() || type == "dash-db") {
      store_.Each("grafana", "dashboard", "", [&](Resource& r) {
        if (r.state == "saved" && Fits(call.request, r)) add(r, "dash-db", UrlOf(r));
        return true;
      });
    }
    if (type == "dash-folder") {
      store_.Each("grafana", "folder", "", [&](Resource& r) {
        if (r.state == "saved" &&
            Contains(Lower(StringOr(r.doc, "title")), Lower(call.request.QueryParam("query")))) {
          add(r, "dash-folder", "/dashboards/f/" + r.id);
        }
        return true;
      });
    }
    return JsonResponse(200, out);
  }

  Response CreateAnnotation(Call& call) {
    const std::string text = StringOr(call.body, "text");
    if (text.empty())
      return Message(400, "Failed to save annotation: text field should not be empty");
    const std::string uid = StringOr(call.body, "dashboardUID");
    if (!uid.empty() && Find("dashboard", uid) == nullptr) {
      return Message(404, "Dashboard not found");
    }
    const uint64_t id = store_.NextNumber("grafana/annotation");
    Resource made = call.Make("grafana", "annotation", std::to_string(id));
    made.state = "saved";
    made.alive = true;
    made.natural_key = uid + ":" + text;
    const int64_t time = IntOr(call.body, "time", call.now_ms);
    made.doc = {{"id", id},
                {"dashboardUID", uid},
                {"panelId", IntOr(call.body, "panelId", 0)},
                {"time", time},
                {"timeEnd", IntOr(call.body, "timeEnd", time)},
                {"tags", Member(call.body, "tags").is_array() ? call.body["tags"] : Json::array()},
                {"text", text}};
    store_.Insert(std::move(made));
    return JsonResponse(200, {{"message", "Annotation added"}, {"id", id}});
  }

  Response ListAnnotations(Call& call) {
    const std::string uid = call.request.QueryParam("dashboardUID");
    Json out = Json::array();
    store_.Each("grafana", "annotation", "", [&](Resource& r) {
      if (r.state == "saved" && (uid.empty() || StringOr(r.doc, "dashboardUID") == uid)) {
        out.push_back(r.doc);
      }
      return true;
    });
    return JsonResponse(200, out);
  }

  Response DeleteAnnotation(Call& call) {
    Resource* found = Find("annotation", call.Param("id"));
    if (found == nullptr) return Message(404, "Could not find annotation to update");
    Remove(found);
    return JsonResponse(200, {{"message", "Annotation deleted"}});
  }

  Response ListDatasources(Call&) {
    return JsonResponse(200, Json::array({{{"id", 1},
                                           {"uid", "prometheus"},
                                           {"name", "Prometheus"},
                                           {"type", "prometheus"},
                                           {"access", "proxy"},
                                           {"isDefault", true}}}));
  }

  Response GetOrg(Call&) { return JsonResponse(200, {{"id", 1}, {"name", "Main Org."}}); }
};

}  // namespace

std::unique_ptr<Vendor> MakeGrafana(Store& store) { return std::make_unique<Grafana>(store); }

}  // namespace sandbox
