#include "gateway/auth/user_quotas.h"

#include <prometheus/counter.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gateway/auth/limit_status.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/disk_thread.h"
#include "orchestrator/database/durable.h"
#include "orchestrator/database/statement.h"

namespace auth {
namespace {

using database::Statement;

constexpr absl::Duration kHour = absl::Hours(1);
constexpr absl::Duration kDay = absl::Hours(24);

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS starts (
  user TEXT NOT NULL,
  campaign TEXT NOT NULL,
  time_us INTEGER NOT NULL,
  posts INTEGER NOT NULL,
  PRIMARY KEY (user, campaign)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS starts_by_time ON starts (time_us);
)sql";

struct Start {
  absl::Time time;
  int posts = 0;
};

std::string When(absl::Time at, absl::Time now) {
  const absl::Time second = absl::FromUnixSeconds(absl::ToUnixSeconds(at - absl::Nanoseconds(1))) +
                            absl::Seconds(1);  // rounded up
  return absl::StrCat(
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", second, absl::UTCTimeZone()), " (in ",
      absl::FormatDuration(absl::Ceil(std::max(at - now, absl::Seconds(1)), absl::Seconds(1))),
      ")");
}

}  // namespace

struct UserQuotas::Impl {
  Impl(Options options_in, base::Clock& clock_in, base::Metrics* metrics_in)
      : options(std::move(options_in)),
        clock(clock_in),
        metrics(metrics_in),
        thread(clock_in, "quotas") {}

  absl::StatusOr<bool> Reserve(const std::string& user, const std::string& campaign, int posts);
  absl::Status Check(const std::string& user, const std::vector<Start>& starts, int posts,
                     absl::Time now) const;
  absl::StatusOr<std::vector<Start>> StartsOf(const std::string& user, absl::Time since);
  absl::StatusOr<bool> Known(const std::string& user, const std::string& campaign);

  const Options options;
  base::Clock& clock;
  base::Metrics* const metrics;
  std::unique_ptr<database::Connection> db;  // the thread's
  database::DiskThread thread;
};

absl::StatusOr<bool> UserQuotas::Impl::Known(const std::string& user, const std::string& campaign) {
  ASSIGN_OR_RETURN(
      Statement find,
      Statement::Prepare(*db, "SELECT 1 FROM starts WHERE user = ?1 AND campaign = ?2"));
  find.BindText(1, user);
  find.BindText(2, campaign);
  return find.Next();
}

absl::StatusOr<std::vector<Start>> UserQuotas::Impl::StartsOf(const std::string& user,
                                                              absl::Time since) {
  ASSIGN_OR_RETURN(Statement select,
                   Statement::Prepare(*db,
                                      "SELECT time_us, posts FROM starts WHERE user = ?1 AND "
                                      "time_us > ?2 ORDER BY time_us"));
  select.BindText(1, user);
  select.BindInt(2, absl::ToUnixMicros(since));
  std::vector<Start> starts;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Next());
    if (!found) return starts;
    starts.push_back(
        {.time = absl::FromUnixMicros(select.Int(0)), .posts = static_cast<int>(select.Int(1))});
  }
}

absl::Status UserQuotas::Impl::Check(const std::string& user, const std::vector<Start>& starts,
                                     int posts, absl::Time now) const {
  std::vector<absl::Time> hour;
  int planned = 0;
  for (const Start& start : starts) {
    if (start.time > now - kHour) hour.push_back(start.time);
    planned += start.posts;
  }
  const size_t starts_max = static_cast<size_t>(options.starts_per_hour);
  if (starts_max > 0 && hour.size() >= starts_max) {
    const absl::Time again = hour[hour.size() - starts_max] + kHour;
    return LimitExceeded(
        "QUOTA_EXCEEDED", absl::StrCat("campaigns an hour of ", user),
        absl::StrCat(user, " has started ", hour.size(), " campaigns within the last hour (limit ",
                     starts_max, "); the next may be started at ", When(again, now)),
        again - now);
  }
  const int posts_max = options.posts_per_day;
  if (posts_max == 0 || posts == 0 || planned + posts <= posts_max) return absl::OkStatus();
  const std::string subject = absl::StrCat("posts a day of ", user);
  if (posts > posts_max) {
    return LimitExceeded(
        "QUOTA_EXCEEDED", subject,
        absl::StrCat("the campaign plans ", posts, " posts, more than a user may plan in a day (",
                     posts_max, ")"),
        std::nullopt);
  }
  absl::Time again = now;
  int left = planned;
  for (const Start& start : starts) {
    if (left + posts <= posts_max) break;
    left -= start.posts;
    again = start.time + kDay;
  }
  return LimitExceeded(
      "QUOTA_EXCEEDED", subject,
      absl::StrCat(user, " has planned ", planned, " posts within the last 24 hours (limit ",
                   posts_max, "); ", posts, " more may be planned at ", When(again, now)),
      again - now);
}

absl::StatusOr<bool> UserQuotas::Impl::Reserve(const std::string& user, const std::string& campaign,
                                               int posts) {
  const absl::Time now = clock.Now();
  ASSIGN_OR_RETURN(const bool known, Known(user, campaign));
  if (known) return false;
  ASSIGN_OR_RETURN(const std::vector<Start> starts, StartsOf(user, now - kDay));
  if (absl::Status refused = Check(user, starts, posts, now); !refused.ok()) {
    if (metrics != nullptr) {
      metrics
          ->Counter("calls_limited_total", "Calls refused because there were too many.",
                    {{"group", "quota"}})
          .Increment();
    }
    return refused;
  }
  RETURN_IF_ERROR(database::InTransaction(*db, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(Statement expire,
                     Statement::Prepare(*db, "DELETE FROM starts WHERE time_us <= ?1"));
    expire.BindInt(1, absl::ToUnixMicros(now - kDay));
    RETURN_IF_ERROR(expire.Run());
    ASSIGN_OR_RETURN(Statement insert,
                     Statement::Prepare(*db, "INSERT INTO starts VALUES (?1, ?2, ?3, ?4)"));
    insert.BindText(1, user);
    insert.BindText(2, campaign);
    insert.BindInt(3, absl::ToUnixMicros(now));
    insert.BindInt(4, posts);
    return insert.Run();
  }));
  return true;
}

UserQuotas::UserQuotas(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
UserQuotas::~UserQuotas() { Close(); }

absl::StatusOr<std::unique_ptr<UserQuotas>> UserQuotas::Open(const std::string& path,
                                                             Options options, base::Clock& clock,
                                                             base::Metrics* metrics) {
  auto impl = std::make_unique<Impl>(std::move(options), clock, metrics);
  ASSIGN_OR_RETURN(impl->db, database::OpenDurable(path, kSchema));
  impl->thread.Start();
  return std::unique_ptr<UserQuotas>(new UserQuotas(std::move(impl)));
}

const UserQuotas::Options& UserQuotas::options() const { return impl_->options; }

void UserQuotas::Reserve(const std::string& user, const std::string& campaign, int posts,
                         Done done) {
  const Options& o = impl_->options;
  if (o.exempt.contains(user) || (o.starts_per_hour == 0 && o.posts_per_day == 0)) {
    return done(false);
  }
  impl_->thread.Run(std::move(done), [impl = impl_.get(), user, campaign, posts] {
    return impl->Reserve(user, campaign, posts);
  });
}

void UserQuotas::Release(const std::string& user, const std::string& campaign) {
  impl_->thread.Post([impl = impl_.get(), user, campaign] {
    auto remove =
        Statement::Prepare(*impl->db, "DELETE FROM starts WHERE user = ?1 AND campaign = ?2");
    absl::Status status = remove.status();
    if (status.ok()) {
      remove->BindText(1, user);
      remove->BindText(2, campaign);
      status = remove->Run();
    }
    if (!status.ok()) {
      base::Log(base::LogLevel::kWarning, "a start that was refused still counts", {},
                {{"user", user}, {"error", std::string(status.message())}});
    }
  });
}

void UserQuotas::Close() { impl_->thread.Close(); }

}  // namespace auth
