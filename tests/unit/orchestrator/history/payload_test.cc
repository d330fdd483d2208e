#include "orchestrator/history/payload.h"

#include <gtest/gtest.h>

#include "orchestrator/history/time.h"
#include "orchestrator/v1/history.pb.h"

namespace history {
namespace {

TEST(Payload, CarriesItsTypeAndComesBack) {
  v1::Failure message;
  message.set_message("hello");
  const v1::Payload payload = ToPayload(message);
  EXPECT_EQ(payload.metadata().at("encoding"), "binary/protobuf");
  EXPECT_EQ(payload.metadata().at("message_type"), "orchestrator.v1.Failure");
  EXPECT_EQ(FromPayload<v1::Failure>(payload)->message(), "hello");
}

TEST(Payload, AnotherTypeIsRefusedByName) {
  const absl::Status status = FromPayload<v1::RetryPolicy>(ToPayload(v1::Failure())).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "payload holds a orchestrator.v1.Failure, expected a orchestrator.v1.RetryPolicy");
}

TEST(Payload, BrokenBytesAreRefused) {
  v1::Payload payload;
  payload.set_data("\xff\xff\xff");
  EXPECT_EQ(FromPayload<v1::Failure>(payload).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Payload, AnEmptyOneIsADefaultMessage) {
  EXPECT_EQ(FromPayload<v1::Failure>(v1::Payload())->message(), "");
}

TEST(Failure, ComesBackWithItsCauses) {
  base::Failure failure = base::Failure::Permanent("CampaignFailed", "no channel got through");
  failure.retry_after = absl::Milliseconds(1500);
  failure.effect_unknown = true;
  failure.detail_json = "{\"a\":1}";
  failure.cause = std::make_shared<base::Failure>(base::Failure::Retryable("Busy", "503"));
  const base::Failure back = FromProto(ToProto(failure));
  EXPECT_EQ(back.ToString(), "CampaignFailed: no channel got through (caused by Busy: 503)");
  EXPECT_FALSE(back.retryable);
  EXPECT_TRUE(back.cause->retryable);
  EXPECT_EQ(back.retry_after, absl::Milliseconds(1500));
  EXPECT_TRUE(back.effect_unknown);
  EXPECT_EQ(back.detail_json, "{\"a\":1}");
}

TEST(Time, NegativeAndFractionalTimesComeBack) {
  for (const absl::Time time :
       {absl::FromUnixNanos(-1), absl::FromUnixNanos(1'234'567'891), absl::UnixEpoch()}) {
    EXPECT_EQ(FromProto(ToProto(time)), time);
    EXPECT_GE(ToProto(time).nanos(), 0) << "google.protobuf.Timestamp wants nanos from 0";
  }
  EXPECT_EQ(FromProto(ToProto(absl::Milliseconds(-1500))), absl::Milliseconds(-1500));
}

}  // namespace
}  // namespace history
