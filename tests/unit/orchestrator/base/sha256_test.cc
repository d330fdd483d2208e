#include "orchestrator/base/sha256.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace base {
namespace {

// FIPS 180-2 appendix B.1, and the hash of nothing.
TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(absl::BytesToHexString(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(absl::BytesToHexString(Sha256({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// RFC 4231 section 4.3.
TEST(HmacSha256, IsTheStandards) {
  EXPECT_EQ(absl::BytesToHexString(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(HmacSha256, AnEmptyKeyIsAKey) {
  HmacSha256("before", "text");  // OpenSSL would go on with its key
  EXPECT_EQ(absl::BytesToHexString(HmacSha256({}, "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

}  // namespace
}  // namespace base
