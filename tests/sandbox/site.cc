// A small website to scrape: competitors' pages with one part that only a browser's JavaScript
// shows, and views of what the other vendors hold (pull requests, published pages).

#include "tests/sandbox/git_objects.h"
#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

struct Company {
  std::string name, tagline, description, story;
  std::vector<std::pair<std::string, int>> plans;  // name, USD a month
  std::string secret;                              // shown by JavaScript only
};

Company CompanyOf(const std::string& key) {
  if (key == "acme") {
    return {"Acme Analytics",
            "Know your customers before they call",
            "Acme Analytics turns customer data into weekly decisions for small teams.",
            "Founded in 2014, Acme serves 12,000 companies in 40 countries. Its strength is a set "
            "of ready-made reports; its customers ask most often for a faster set-up.",
            {{"Starter", 19}, {"Team", 49}, {"Business", 129}},
            "Acme's spring offer: 20 percent off every yearly plan until the end of the quarter."};
  }
  if (key == "globex") {
    return {"Globex Cloud",
            "Everything your business runs on",
            "Globex Cloud is a suite of business applications with one sign-in.",
            "Globex sells to companies with 50 to 500 people. It gives 30 days free, then asks "
            "for a yearly contract, and raises its price after the first year.",
            {{"Basic", 29}, {"Plus", 79}, {"Enterprise", 199}},
            "Globex announces: an assistant that writes reports by itself arrives in March."};
  }
  if (key == "initech") {
    return {"Initech Tools",
            "Simple software at a simple price",
            "Initech Tools offers the cheapest reporting software for freelancers.",
            "Initech wins by price. Support is sold separately, and its reports cannot be changed; "
            "users praise the plain design.",
            {{"Solo", 9}, {"Duo", 15}, {"Office", 39}},
            "Initech's users ask for templates more than for any other feature."};
  }
  const uint64_t hash = HashOf(key);
  std::string name = key;
  if (!name.empty()) name[0] = Upper(name.substr(0, 1))[0];
  static const std::vector<std::string> kTrades = {"Software", "Marketing", "Logistics", "Design"};
  static const std::vector<std::string> kClaims = {"work less, reach more", "the calm way to grow",
                                                   "numbers you can trust", "made for busy people"};
  name += " " + kTrades[hash % kTrades.size()];
  const int base = 9 + static_cast<int>(hash >> 8) % 40;
  return {name,
          name + ": " + kClaims[(hash >> 16) % kClaims.size()],
          name + " helps growing companies with " + Lower(kTrades[hash % kTrades.size()]) + ".",
          name + " was founded in " + std::to_string(2005 + hash % 18) + " and serves " +
              std::to_string(500 + hash % 9000) + " customers.",
          {{"Starter", base}, {"Team", base * 2}, {"Business", base * 5}},
          name + " plans to open " + std::to_string(2 + hash % 7) + " new offices next year."};
}

std::string Page(const std::string& title, const std::string& description,
                 const std::string& body) {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>" +
         HtmlEscape(title) + "</title>\n<meta name=\"description\" content=\"" +
         HtmlEscape(description) +
         "\">\n<style>body{font-family:sans-serif;max-width:50em;margin:2em auto}"
         "pre{white-space:pre-wrap}</style>\n</head>\n<body>\n" +
         body + "</body>\n</html>\n";
}

Response Html(int status, const std::string& page) {
  return TextResponse(status, "text/html; charset=utf-8", page);
}

class Site : public Vendor {
 public:
  explicit Site(Store& store) : Vendor("site", "/site", store), git_(store) {
    Add("GET", "/", "site.index", &Site::Index);
    Add("GET", "/broken", "site.broken", &Site::Broken);
    Add("GET", "/github/{owner}/{repo}/pull/{number}", "site.pull", &Site::Pull);
    Add("GET", "/pages/{owner}/{repo}/{path...}", "site.published", &Site::Published);
    Add("GET", "/{company}", "site.company", &Site::CompanyPage);
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    const int status = fault.status.value_or(500);
    return Html(status, Page("Error " + std::to_string(status), "", "<h1>Something broke</h1>\n"));
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    return Html(fault.status.value_or(429), Page("Slow down", "", "<h1>Too many requests</h1>\n"))
        .With("Retry-After", std::to_string(fault.retry_after_s.value_or(1)));
  }

 protected:
  std::optional<Response> Refuse(const Call&) override { return std::nullopt; }

  Response NoSuchCall(const Call& call) override {
    return Html(404, Page("Not found", "",
                          "<h1>Not found</h1>\n<p>" + HtmlEscape(call.request.path) + "</p>\n"));
  }

  Response BadBody(const Call& call, const std::string&) override { return NoSuchCall(call); }

 private:
  Response Index(Call&) {
    return Html(200, Page("Competitors", "Companies to look at",
                          "<h1>Competitors</h1>\n<ul>\n<li><a href=\"/site/acme\">Acme</a></li>\n"
                          "<li><a href=\"/site/globex\">Globex</a></li>\n"
                          "<li><a href=\"/site/initech\">Initech</a></li>\n</ul>\n"));
  }

  Response Broken(Call&) { return ErrorAnswer({}); }

  Response CompanyPage(Call& call) {
    const Company company = CompanyOf(Lower(call.Param("company")));
    std::string body = "<h1>" + HtmlEscape(company.tagline) + "</h1>\n<p class=\"description\">" +
                       HtmlEscape(company.description) + "</p>\n<p>" + HtmlEscape(company.story) +
                       "</p>\n<h2>Pricing</h2>\n<table>\n";
    for (const auto& [plan, price] : company.plans) {
      body += "<tr><td class=\"plan\">" + plan + "</td><td class=\"price\">$" +
              std::to_string(price) + " per month</td></tr>\n";
    }
    // Encoded, so that the text is in no scraper's hands that does not run the script.
    body +=
        "</table>\n<h2>News</h2>\n<p id=\"news\">Loading...</p>\n<script>\n"
        "document.getElementById('news').textContent = atob('" +
        Base64Encode(company.secret) +
        "');\ndocument.body.setAttribute('data-ready', 'true');\n</script>\n";
    return Html(200, Page(company.name + " - " + company.tagline, company.description, body));
  }

  Response Pull(Call& call) {
    std::string number = call.Param("number");
    if (number.size() < 10) number.insert(0, 10 - number.size(), '0');
    const std::string repo = call.Param("owner") + "/" + call.Param("repo");
    const Resource* pull = store_.Find("github", "pull", repo + "#" + number);
    if (pull == nullptr) return NoSuchCall(call);
    const std::string title = StringOr(pull->doc, "title");
    return Html(200, Page(title, repo,
                          "<h1>" + HtmlEscape(title) + "</h1>\n<p>" + pull->state + ", " +
                              HtmlEscape(StringOr(pull->doc, "head")) + " into " +
                              HtmlEscape(StringOr(pull->doc, "base")) + "</p>\n<pre>" +
                              HtmlEscape(StringOr(pull->doc, "body")) + "</pre>\n"));
  }

  // A file of the repository's main branch, as a Pages site shows it.
  Response Published(Call& call) {
    const std::string repo = call.Param("owner") + "/" + call.Param("repo");
    const Resource* ref = store_.Find("github", "branch", repo + ":heads/main");
    const std::optional<GitCommit> commit =
        ref == nullptr ? std::nullopt : git_.ReadCommit(StringOr(ref->doc, "sha"));
    if (!commit) return NoSuchCall(call);
    std::string path = call.Param("path");
    std::optional<TreeEntry> entry = git_.FindPath(commit->tree, path);
    for (const char* suffix : {".html", ".md", "/index.html", "/index.md"}) {
      if (!entry || entry->type != "blob") entry = git_.FindPath(commit->tree, path + suffix);
    }
    if (!entry || entry->type != "blob") return NoSuchCall(call);
    const std::string bytes = git_.ReadBlob(entry->sha).value_or("");
    if (Contains(bytes.substr(0, 200), "<html")) return Html(200, bytes);
    return Html(200, Page(path, repo, "<pre>" + HtmlEscape(bytes) + "</pre>\n"));
  }

  GitObjects git_;
};

}  // namespace

std::unique_ptr<Vendor> MakeSite(Store& store) { return std::make_unique<Site>(store); }

}  // namespace sandbox
