#include "activities/outbound/address_guard.h"

#include "gtest/gtest.h"

namespace outbound {
namespace {

TEST(IsPublicAddress, RefusesEveryFormOfAPrivateAddress) {
  for (const char* address : {"0.0.0.0",
                              "10.0.0.1",
                              "10.255.255.255",
                              "100.64.0.1",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.0.1",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.8",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "224.0.0.1",
                              "255.255.255.255",
                              "192.0.2.1",
                              "::",
                              "::1",
                              "::127.0.0.1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::ffff:169.254.169.254",
                              "::ffff:a00:1",
                              "64:ff9b::7f00:1",
                              "64:ff9b::a9fe:a9fe",
                              "64:ff9b:1::1",
                              "2002:7f00:1::",
                              "2002:a00:1::1",
                              "2002:c0a8:101::",
                              "2001::1",
                              "2001:0:7f00:1::",
                              "2001:db8::1",
                              "fc00::1",
                              "fd00:ec2::254",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1",
                              "100::1",
                              "3fff::1"}) {
    EXPECT_FALSE(IsPublicAddress(std::string(address))) << address;
  }
}

TEST(IsPublicAddress, LetsPublicOnesThrough) {
  for (const char* address :
       {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
        "192.167.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111",
        "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
    EXPECT_TRUE(IsPublicAddress(std::string(address))) << address;
  }
}

TEST(IsPublicAddress, RefusesWhatIsNoAddress) {
  for (const char* text :
       {"", "localhost", "0x7f.1", "2130706433", "1.2.3", "[::1]", "fe80::1%lo"}) {
    EXPECT_FALSE(IsPublicAddress(std::string(text))) << text;
  }
}

}  // namespace
}  // namespace outbound
