// What is counted by address: connections and event streams. An IPv6 network of 64 bits is one
// caller, and an IPv4 address is the same however it is written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "gateway/grpc/connection_counts.h"
#include "gateway/grpc/stream_slots.h"

namespace gateway {
namespace {

using ::testing::HasSubstr;

CallInfo From(const std::string& address) {
  CallInfo call;
  call.caller.address = address;
  return call;
}

TEST(StreamSlots, CountsTheNetworkNotTheAddress) {
  StreamSlots slots({.max = 100, .per_caller_max = 2});
  std::vector<StreamSlots::Slot> open;
  for (const char* address : {"[2001:db8:1:2::1]:4000", "ipv6:%5B2001:db8:1:2::9%5D:4001"}) {
    const auto slot = slots.Take(From(address));
    ASSERT_TRUE(slot.ok()) << address;
    open.push_back(*slot);
  }
  const auto third = slots.Take(From("[2001:db8:1:2:3::4]:4002"));
  EXPECT_EQ(third.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(slots.Take(From("[2001:db8:1:3::1]:4000")).ok());
  open.pop_back();
  EXPECT_TRUE(slots.Take(From("[2001:db8:1:2:3::4]:4002")).ok());
}

TEST(StreamSlots, CountsOneIPv4AddressOverBothProtocols) {
  StreamSlots slots({.max = 100, .per_caller_max = 2});
  const auto rest = slots.Take(From("192.0.2.7:4000"));
  const auto grpc = slots.Take(From("ipv4:192.0.2.7:4001"));
  ASSERT_TRUE(rest.ok() && grpc.ok());
  const auto mapped = slots.Take(From("[::ffff:192.0.2.7]:4002"));
  EXPECT_EQ(mapped.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(mapped.status().message()), HasSubstr("2 event streams"));
  EXPECT_TRUE(slots.Take(From("192.0.2.8:4000")).ok());
}

TEST(StreamSlots, WhoHasProvenWhoTheyAreIsCountedByThat) {
  StreamSlots slots({.max = 100, .per_caller_max = 1});
  CallInfo ann = From("192.0.2.7:4000");
  ann.caller.identity = "ann@example.com";
  ann.caller.credential = "jwt";
  const auto first = slots.Take(ann);
  ASSERT_TRUE(first.ok());
  ann.caller.address = "192.0.2.8:4000";
  EXPECT_FALSE(slots.Take(ann).ok());
  EXPECT_TRUE(slots.Take(From("192.0.2.7:4000")).ok());
}

TEST(ConnectionCounts, CountTheNetworkNotTheAddress) {
  ConnectionCounts counts({.max = 100, .per_address_max = 2});
  const auto first = counts.Take("2001:db8:1:2::1");
  const auto second = counts.Take("2001:db8:1:2::2");
  EXPECT_EQ(second.refusal(), ConnectionCounts::Refusal::kNone);
  EXPECT_EQ(counts.Take("2001:db8:1:2:ffff::3").refusal(), ConnectionCounts::Refusal::kAddress);
  EXPECT_EQ(counts.Take("2001:db8:1:3::1").refusal(), ConnectionCounts::Refusal::kNone);
}

TEST(ConnectionCounts, CountAMappedAddressAsItsIPv4) {
  ConnectionCounts counts({.max = 100, .per_address_max = 1});
  const auto first = counts.Take("::ffff:192.0.2.7");
  EXPECT_EQ(counts.Take("192.0.2.7").refusal(), ConnectionCounts::Refusal::kAddress);
  EXPECT_EQ(counts.Take("192.0.2.8").refusal(), ConnectionCounts::Refusal::kNone);
}

}  // namespace
}  // namespace gateway
