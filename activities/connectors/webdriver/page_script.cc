#include "activities/connectors/webdriver/page_script.h"

#include "absl/strings/escaping.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"

namespace webdriver {
namespace {

using wire::Json;

constexpr size_t kShortTextBytesMax = 1000;

// For a remote service, which cannot come through our gate: sends every address of a private
// network to a proxy that does not exist. The names are resolved here, so that a public name of a
// private address, a redirect and a subresource are all caught; a name that resolves to something
// else a moment later is not.
constexpr char kPrivateNetworksPac[] = R"js(
function isPrivate(ip) {
  if (ip.indexOf(':') < 0) {
    var p = ip.split('.').map(Number), a = p[0], b = p[1];
    return p.length != 4 || a == 0 || a == 10 || a == 127 || a >= 224 ||
        (a == 100 && b >= 64 && b < 128) || (a == 169 && b == 254) ||
        (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168) ||
        (a == 192 && b == 0 && p[2] == 0) || (a == 198 && (b == 18 || b == 19));
  }
  var six = ip.toLowerCase();
  // Only global unicast (2000::/3) is public, without the forms that carry an IPv4 address.
  return !/^[23]/.test(six) || six.indexOf('2002:') == 0 || six.indexOf('2001:0:') == 0 ||
      six.indexOf('2001::') == 0;
}
function FindProxyForURL(url, host) {
  var nowhere = 'PROXY 127.0.0.1:9';
  var all = dnsResolveEx(host.replace(/^\[|\]$/g, ''));
  if (!all) return nowhere;
  var ips = all.split(';');
  for (var i = 0; i < ips.length; i++) {
    if (isPrivate(ips[i].replace(/%.*$/, ''))) return nowhere;
  }
  return 'DIRECT';
}
)js";

// Chromium never asks a proxy script about these.
constexpr char kPrivateNames[] =
    "MAP localhost ~NOTFOUND, MAP *.localhost ~NOTFOUND, MAP localhost. ~NOTFOUND, "
    "MAP *.localhost. ~NOTFOUND, MAP 127.* ~NOTFOUND, "
    "MAP 169.254.* ~NOTFOUND, MAP [::1] ~NOTFOUND, MAP ::1 ~NOTFOUND, MAP [fe80:* ~NOTFOUND, "
    "MAP [::ffff:* ~NOTFOUND, MAP ::ffff:* ~NOTFOUND, MAP fe80:* ~NOTFOUND";

// Documents that people read; not images, films, archives. Unknown: taken as one.
bool IsReadable(const std::string& type) {
  return type.empty() || type.starts_with("text/") || type == "application/xhtml+xml" ||
         type == "application/xml" || type.ends_with("+xml") || type == "application/json";
}

constexpr char kPageGuard[] = R"js(
  const elements = document.getElementsByTagName('*');
  const tooLarge = new Event('campaignd-too-large');
  const look = () => {
    const root = document.documentElement;
    if (!root || (elements.length <= elementsMax && root.textContent.length <= charactersMax)) {
      return;
    }
    clearInterval(timer);
    stop();
    dispatchEvent(tooLarge);
  };
  const timer = setInterval(look, 50);
)js";

bool IsRetryableStatus(int status) { return status >= 500 || status == 408 || status == 429; }

}  // namespace

std::string PageGuard(const PageLimits& limits) {
  return wire::Cat("((charactersMax, elementsMax) => {", kPageGuard, "})(", limits.characters_max,
                   ", ", limits.elements_max, ");");
}

const char kPageScript[] = R"js(
const waitMs = arguments[0], charsMax = arguments[1];
return new Promise((resolve) => {
  const cut = (text) => (text || '').slice(0, 4 * charsMax).replace(/\s+\n/g, '\n').trim()
      .slice(0, charsMax);
  const textOf = (element) => {
    if (element.getElementsByTagName('*').length < 20000 && element.textContent.length < 1 << 20) {
      return element.innerText;
    }
    const skipped = /^(script|style|noscript|template|svg|head)$/i;
    const walker = document.createTreeWalker(
        element, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT,
        (node) => node.nodeType == 1 && skipped.test(node.localName) ? NodeFilter.FILTER_REJECT
                                                                     : NodeFilter.FILTER_ACCEPT);
    let text = '';
    while (text.length < 2 * charsMax && walker.nextNode()) {
      const node = walker.currentNode;
      if (node.nodeType == 3) {
        text += node.data.slice(0, 2 * charsMax).replace(/\s+/g, ' ');
      } else if (/^(p|div|li|tr|br|h[1-6]|section|article|pre)$/.test(node.localName)) {
        text += '\n';
      }
    }
    return text;
  };
  const content = (selector) => {
    const element = document.querySelector(selector);
    return element ? cut(element.getAttribute('content')) : '';
  };
  let done = false;
  const read = () => {
    if (done) return;
    done = true;
    const navigation = performance.getEntriesByType('navigation')[0];
    const h1 = document.querySelector('h1');
    resolve({
      url: location.href,
      status: navigation ? navigation.responseStatus : 0,
      type: document.contentType,
      title: cut(document.title),
      h1: h1 ? cut(textOf(h1)) : '',
      description: content('meta[name="description" i]') ||
          content('meta[property="og:description" i]'),
      text: document.body ? cut(textOf(document.body)) : '',
    });
  };
  if (document.readyState === 'complete') return read();
  addEventListener('load', () => setTimeout(read, 0), {once: true});
  addEventListener('campaignd-too-large', read, {once: true});
  setTimeout(read, waitMs);
});
)js";

base::Outcome<RenderedPage> ReadPage(const std::string& url, const std::string& result_json,
                                     size_t text_bytes_max) {
  const Json result = wire::ParseJson(result_json).value_or(Json());
  RenderedPage page{
      .url = url,
      .final_url = wire::StringAt(result, "url"),
      .title = wire::Truncate(wire::StringAt(result, "title"), kShortTextBytesMax),
      .h1 = wire::Truncate(wire::StringAt(result, "h1"), kShortTextBytesMax),
      .description = wire::Truncate(wire::StringAt(result, "description"), kShortTextBytesMax),
      .text = wire::Truncate(wire::StringAt(result, "text"), text_bytes_max),
      .http_status = static_cast<int>(wire::IntAt(result, "status"))};
  if (!page.final_url.starts_with("http://") && !page.final_url.starts_with("https://")) {
    // Chromium's own error page, or a page that was never left.
    return base::Failure::Retryable("PageUnreachable", url + " could not be loaded");
  }
  if (page.http_status >= 400) {
    base::Failure failure = base::Failure::Permanent(
        "PageError",
        wire::Cat(url, " answered ", page.http_status, page.title.empty() ? "" : ": ", page.title));
    failure.retryable = IsRetryableStatus(page.http_status);
    return failure;
  }
  const std::string type = wire::StringAt(result, "type");
  if (!IsReadable(type) || type == "image/svg+xml") {
    return base::Failure::Permanent(
        "PageError", wire::Cat(url, " is no page to read but ", wire::Truncate(type, 100)));
  }
  return page;
}

std::string CapabilitiesJson(const SessionSettings& settings) {
  Json args = {"--headless=new",
               "--no-sandbox",
               "--disable-gpu",
               "--disable-dev-shm-usage",
               "--no-first-run",
               "--disable-extensions",
               "--disable-sync",
               "--disable-background-networking",
               "--disable-breakpad",
               "--disable-component-update",
               "--mute-audio",
               "--hide-scrollbars",
               "--js-flags=--max-old-space-size=512",
               "--window-size=1280,1024"};
  if (!settings.user_data_dir.empty()) {
    args.push_back("--user-data-dir=" + settings.user_data_dir);
    // Over a pipe a browser ends with its chromedriver, however that ends.
    args.push_back("--remote-debugging-pipe");
  }
  if (settings.gate_port != 0) {
    args.push_back(wire::Cat("--proxy-server=socks5://127.0.0.1:", settings.gate_port));
    args.push_back("--proxy-bypass-list=<-loopback>");
    // The gate resolves names; and nothing goes around it by UDP.
    args.push_back("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1");
    args.push_back("--force-webrtc-ip-handling-policy=disable_non_proxied_udp");
    args.push_back("--webrtc-ip-handling-policy=disable_non_proxied_udp");
  } else if (!settings.private_addresses_allowed) {
    args.push_back("--proxy-pac-url=data:application/x-ns-proxy-autoconfig;base64," +
                   absl::Base64Escape(kPrivateNetworksPac));
    args.push_back(wire::Cat("--host-resolver-rules=", kPrivateNames));
  }
  Json chrome = {{"args", std::move(args)}};
  if (!settings.browser_path.empty()) chrome["binary"] = settings.browser_path;
  const int64_t page_ms = absl::ToInt64Milliseconds(settings.page_timeout);
  const Json capabilities = {
      {"browserName", "chrome"},
      {"pageLoadStrategy", "eager"},
      {"unhandledPromptBehavior", "dismiss"},
      {"timeouts", {{"pageLoad", page_ms}, {"script", page_ms}, {"implicit", 0}}},
      {"acceptInsecureCerts", false},
      {"goog:chromeOptions", std::move(chrome)}};
  return wire::DumpJson(capabilities);
}

}  // namespace webdriver
