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

audit::Condition ReadFilter(const std::string& filter, FieldViolations* violations) {
  absl::StatusOr<audit::Condition> condition = audit::ToSql(filter);
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

void AuditServiceImpl::ListAuditEvents(CallInfo call, cv1::ListAuditEventsRequest request,
                                       Callback<cv1::ListAuditEventsResponse> done) {
  if (log_ == nullptr) return done(Off());
  FieldViolations violations;
  CheckRange("page_size", request.page_size(), 0, kPageSizeMax, &violations);
  audit::AuditDatabase::Query query{.where = ReadFilter(request.filter(), &violations)};
  const std::string& order = request.order_by();
  query.descending = order.empty() || order == "sequence desc";
  if (!query.descending && order != "sequence" && order != "sequence asc") {
    violations.Add("order_by", "must be \"sequence\" or \"sequence desc\"");
  }
  const int64_t from = ReadToken(request, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
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

void AuditServiceImpl::ExportAuditEvents(CallInfo call, cv1::ExportAuditEventsRequest request,
                                         std::shared_ptr<Stream<cv1::AuditEvent>> stream) {
  if (log_ == nullptr) return stream->Finish(Off());
  FieldViolations violations;
  audit::AuditDatabase::Query query{.where = ReadFilter(request.filter(), &violations),
                                    .after = request.after_sequence(),
                                    .limit = kExportPage};
  if (request.after_sequence() < 0) violations.Add("after_sequence", "must not be negative");
  if (!violations.empty()) return stream->Finish(violations.ToStatus());
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

void AuditServiceImpl::VerifyAudit(CallInfo call, cv1::VerifyAuditRequest request,
                                   Callback<cv1::VerifyAuditResponse> done) {
  if (log_ == nullptr) return done(Off());
  std::optional<audit::Head> expected;
  if (!request.expected_head().empty()) {
    expected = audit::ParseHead(request.expected_head());
    if (!expected.has_value()) {
      return done(FieldError("expected_head", "must be SEQUENCE:HASH, as a head is shown"));
    }
  }
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
