// The process's metrics, in prometheus-cpp. Thread-safe. Asking twice for the same name and
// labels gives the same metric; hot paths keep the reference (it lives as long as the Metrics).
//
// Example:
//   prometheus::Counter& started = metrics.Counter(
//       "workflow_executions_total", "Closed workflow runs.", {{"status", "COMPLETED"}});
//   started.Increment();   // include <prometheus/counter.h>
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace base {

class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  prometheus::Counter& Counter(const std::string& name, const std::string& help,
                               const Labels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help,
                           const Labels& labels = {});
  // `buckets` are upper bounds, ascending; the first call for a name decides.
  prometheus::Histogram& Histogram(const std::string& name, const std::string& help,
                                   const Labels& labels, const std::vector<double>& buckets);

  // All metrics in the Prometheus text format 0.0.4.
  std::string Expose() const;

  // Bounds for latencies in seconds, from 100 us to 60 s.
  static const std::vector<double>& LatencyBuckets();
  // Bounds for the life of a workflow in seconds, from 100 ms to 30 days.
  static const std::vector<double>& LifetimeBuckets();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace base
