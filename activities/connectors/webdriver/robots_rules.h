// RobotsRules: what a robots.txt says to one robot (RFC 9309). Pure; value type.
//
// Example:
//   RobotsRules rules = RobotsRules::Parse(body, "campaignd");
//   if (!rules.Allows("/prices?q=1")) return Forbidden();
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace webdriver {

class RobotsRules {
 public:
  // The groups of `robot` (its product token), else those of "*"; anything else in the text is
  // passed over. At most half a megabyte is read.
  static RobotsRules Parse(std::string_view text, std::string_view robot);
  static RobotsRules AllowAll() { return {}; }
  static RobotsRules DisallowAll();

  // `path` with its query, "/" at the beginning. The longest matching rule counts; of two equal
  // ones the one that allows.
  bool Allows(std::string_view path) const;

 private:
  struct Rule {
    bool allow;
    std::string pattern;  // "*" matches anything, a "$" at the end the end
  };
  std::vector<Rule> rules_;
};

}  // namespace webdriver
