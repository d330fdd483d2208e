#include "gateway/grpc/audit_service.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gateway/audit/entry_proto.h"
#include "gateway/audit/filter_sql.h"
#include "gateway/grpc/refused.h"
#include "gateway/grpc/validate.h"

namespace gateway {

namespace {

constexpr int kPageSizeDefault = 50;
constexpr int kPageSizeMax = 1000;
constexpr int kExportPage = 500;

absl::Status Off() {
  return absl::FailedPreconditionError("this server keeps no audit trail (setting audit.enabled)");
}

// Binds a page token to what was asked for.
std::string Fingerprint(const cv1::ListAuditEventsRequest& request) {
  return absl::BytesToHexString(
      audit::Sha256(absl::StrCat(request.filter(), "\n", request.order_by())).substr(0, 6));
}

std::string Token(const cv1::ListAuditEventsRequest& request, int64_t sequence) {
  return absl::StrCat(sequence, ".", Fingerprint(request));
}

// The sequence of the last event of the page before; 0 for the first page.
int64_t ReadToken(const cv1::ListAuditEventsRequest& request, FieldViolations* violations) {
  if (request.page_token().empty()) return 0;
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(request.page_token(), absl::MaxSplits('.', 1));
  int64_t sequence = 0;
  if (!absl::SimpleAtoi(parts.first, &sequence) || sequence < 1) {
    violations->Add("page_token", "is not a token that this service gave");
  } else if (parts.second != Fingerprint(request)) {
    violations->Add("page_token", "belongs to another filter or order_by");
  }
  return sequence;
}

database::Condition ReadFilter(const std::string& filter, FieldViolations* violations) {
  absl::StatusOr<database::Condition> condition = audit::ToSql(filter);
  if (condition.ok()) return *std::move(condition);
  violations->Add("filter", absl::StripPrefix(condition.status().message(), "filter: "));
  return {};
}

// One export: it always has exactly one thing under way, a read or a write.
class Export : public std::enable_shared_from_this<Export> {
 public:
  Export(audit::AuditLog& log, audit::AuditDatabase::Query query, CallInfo call,
         std::shared_ptr<Stream<cv1::AuditEvent>> stream, std::shared_ptr<std::atomic<int>> slots)
      : log_(log),
        query_(std::move(query)),
        call_(std::move(call)),
        stream_(std::move(stream)),
        slots_(std::move(slots)) {}
  ~Export() { slots_->fetch_sub(1); }

  void Read() {
    if (call_.gone()) return Finish(call_.peer->why());
    log_.Read(query_, [self = shared_from_this()](absl::StatusOr<std::vector<audit::Entry>> page) {
      if (!page.ok()) return self->Finish(page.status());
      if (page->empty()) return self->Finish(absl::OkStatus());
      self->page_ = *std::move(page);
      self->at_ = 0;
      self->query_.after = self->page_.back().sequence;
      self->Write();
    });
  }

 private:
  void Write() {
    if (at_ == page_.size()) return Read();
    // A copy: the callback may let go of the stream before Write has returned.
    const std::shared_ptr<Stream<cv1::AuditEvent>> stream = stream_;
    stream->Write(audit::ToProto(page_[at_++]), [self = shared_from_this()](bool ok) {
      if (!ok) return self->Finish(absl::CancelledError("the caller has left"));
      self->Write();
    });
  }
  void Finish(absl::Status status) {
    const std::shared_ptr<Stream<cv1::AuditEvent>> stream = std::move(stream_);
    stream->Finish(std::move(status));
  }

  audit::AuditLog& log_;
  audit::AuditDatabase::Query query_;
  const CallInfo call_;
  std::shared_ptr<Stream<cv1::AuditEvent>> stream_;
  const std::shared_ptr<std::atomic<int>> slots_;
  std::vector<audit::Entry> page_;
  size_t at_ = 0;
};

}  // namespace

void AuditServiceImpl::Check(const cv1::ListAuditEventsRequest& request,
                             FieldViolations* violations) const {
  CheckRange("page_size", request.page_size(), 0, kPageSizeMax, violations);
  ReadFilter(request.filter(), violations);
  const std::string& order = request.order_by();
  if (!order.empty() && order != "sequence desc" && order != "sequence" &&
      order != "sequence asc") {
    violations->Add("order_by", "must be \"sequence\" or \"sequence desc\"");
  }
  ReadToken(request, violations);
}

void AuditServiceImpl::ListAuditEvents(CallInfo call, cv1::ListAuditEventsRequest request,
                                       Callback<cv1::ListAuditEventsResponse> done) {
  if (log_ == nullptr) return done(Off());
  if (Refused(*this, request, done)) return;
  FieldViolations none;  // it was checked
  audit::AuditDatabase::Query query{.where = ReadFilter(request.filter(), &none)};
  query.descending = request.order_by().empty() || request.order_by() == "sequence desc";
  const int64_t from = ReadToken(request, &none);
  if (query.descending) {
    query.before = from == 0 ? -1 : from;
  } else {
    query.after = from;
  }
  const int size = request.page_size() == 0 ? kPageSizeDefault : request.page_size();
  query.limit = size + 1;
  log_->Read(std::move(query),
             [log = log_, size, request = std::move(request),
              done = std::move(done)](absl::StatusOr<std::vector<audit::Entry>> entries) mutable {
               if (!entries.ok()) return done(entries.status());
               cv1::ListAuditEventsResponse response;
               const bool more = entries->size() > static_cast<size_t>(size);
               if (more) entries->pop_back();
               for (const audit::Entry& entry : *entries) {
                 *response.add_events() = audit::ToProto(entry);
               }
               if (more) response.set_next_page_token(Token(request, entries->back().sequence));
               *response.mutable_head() = audit::ToProto(log->head());
               done(std::move(response));
             });
}

void AuditServiceImpl::Check(const cv1::ExportAuditEventsRequest& request,
                             FieldViolations* violations) const {
  ReadFilter(request.filter(), violations);
  if (request.after_sequence() < 0) violations->Add("after_sequence", "must not be negative");
}

void AuditServiceImpl::ExportAuditEvents(CallInfo call, cv1::ExportAuditEventsRequest request,
                                         std::shared_ptr<Stream<cv1::AuditEvent>> stream) {
  if (log_ == nullptr) return stream->Finish(Off());
  if (absl::Status status = Checked(*this, request); !status.ok()) return stream->Finish(status);
  FieldViolations none;  // it was checked
  audit::AuditDatabase::Query query{.where = ReadFilter(request.filter(), &none),
                                    .after = request.after_sequence(),
                                    .limit = kExportPage};
  // What is recorded while it runs, its own end too, is for the next export.
  query.before = log_->head().sequence + 1;
  if (exports_->fetch_add(1) >= kExportsMax) {
    exports_->fetch_sub(1);
    return stream->Finish(absl::ResourceExhaustedError(
        absl::StrCat("there are ", kExportsMax, " exports already; try again when one has ended")));
  }
  std::make_shared<Export>(*log_, std::move(query), std::move(call), std::move(stream), exports_)
      ->Read();
}

void AuditServiceImpl::Check(const cv1::VerifyAuditRequest& request,
                             FieldViolations* violations) const {
  if (!request.expected_head().empty() && !audit::ParseHead(request.expected_head()).has_value()) {
    violations->Add("expected_head", "must be SEQUENCE:HASH, as a head is shown");
  }
}

void AuditServiceImpl::VerifyAudit(CallInfo call, cv1::VerifyAuditRequest request,
                                   Callback<cv1::VerifyAuditResponse> done) {
  if (log_ == nullptr) return done(Off());
  if (Refused(*this, request, done)) return;
  const std::optional<audit::Head> expected = audit::ParseHead(request.expected_head());
  log_->Verify(expected, [log = log_,
                          done = std::move(done)](absl::StatusOr<audit::Verdict> verdict) mutable {
    if (!verdict.ok()) return done(verdict.status());
    cv1::VerifyAuditResponse response;
    response.set_intact(verdict->intact);
    *response.mutable_head() = audit::ToProto(verdict->head);
    response.set_events_checked(verdict->checked);
    response.set_first_bad_sequence(verdict->first_bad);
    response.set_problem(verdict->problem);
    response.set_head_signed(log->head_signed());
    done(std::move(response));
  });
}

}  // namespace gateway
