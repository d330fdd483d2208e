// Compression, encryption, keys, and the walk over messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "absl/strings/escaping.h"
#include "orchestrator/codec/aes_gcm_codec.h"
#include "orchestrator/codec/walk.h"
#include "orchestrator/codec/zlib_codec.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/v1/service.pb.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

namespace codec {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPlanted[] = "planted text that nobody else may read";

std::string KeyLine(const std::string& id, char fill) {
  return id + " " + absl::Base64Escape(std::string(32, fill)) + "\n";
}

v1::Payload Text(const std::string& text) {
  v1::Failure message;
  message.set_message(text);
  return history::ToPayload(message);
}

class CodecTest : public ::testing::Test {
 protected:
  std::unique_ptr<AesGcmCodec> Aes(const std::string& keys, bool encrypts = true) {
    auto source = KeySource::FromText(keys, clock);
    EXPECT_TRUE(source.ok()) << source.status();
    return std::make_unique<AesGcmCodec>(*source, encrypts);
  }
  test::ManualClock clock;
};

TEST_F(CodecTest, ZlibMakesLargePayloadsSmallAndLeavesSmallOnes) {
  const ZlibCodec zlib(100);
  const v1::Payload small = Text("short");
  v1::Payload payload = small;
  ASSERT_TRUE(zlib.Encode(payload, Use::kStored).ok());
  EXPECT_EQ(payload.DebugString(), small.DebugString());

  const v1::Payload large = Text(std::string(10'000, 'x'));
  payload = large;
  ASSERT_TRUE(zlib.Encode(payload, Use::kStored).ok());
  EXPECT_LT(payload.ByteSizeLong(), 500u);
  EXPECT_TRUE(IsEncoded(payload));
  ASSERT_TRUE(zlib.Decode(payload).ok());
  EXPECT_EQ(payload.DebugString(), large.DebugString());
}

TEST_F(CodecTest, ZlibSaysThatAPayloadIsDamaged) {
  const ZlibCodec zlib(100);
  v1::Payload payload = Text(std::string(10'000, 'x'));
  ASSERT_TRUE(zlib.Encode(payload, Use::kStored).ok());
  payload.mutable_data()->resize(payload.data().size() / 2);
  EXPECT_EQ(zlib.Decode(payload).code(), absl::StatusCode::kDataLoss);
}

TEST_F(CodecTest, AnEncryptedPayloadSaysNothingAndComesBack) {
  const auto aes = Aes(KeyLine("k1", 'a'));
  const v1::Payload plain = Text(kPlanted);
  v1::Payload first = plain;
  v1::Payload second = plain;
  ASSERT_TRUE(aes->Encode(first, Use::kStored).ok());
  ASSERT_TRUE(aes->Encode(second, Use::kStored).ok());
  EXPECT_THAT(first.SerializeAsString(), Not(HasSubstr("planted")));
  EXPECT_THAT(first.SerializeAsString(), Not(HasSubstr("Failure")));
  EXPECT_EQ(first.metadata().at(kKeyIdKey), "k1");
  EXPECT_NE(first.data(), second.data()) << "each has a nonce of its own";
  ASSERT_TRUE(aes->Decode(first).ok());
  EXPECT_EQ(first.DebugString(), plain.DebugString());
}

TEST_F(CodecTest, AChangedPayloadIsRefused) {
  const auto aes = Aes(KeyLine("k1", 'a') + KeyLine("k2", 'a'));
  v1::Payload encoded = Text(kPlanted);
  ASSERT_TRUE(aes->Encode(encoded, Use::kStored).ok());
  for (size_t i = 0; i < encoded.data().size(); ++i) {
    v1::Payload changed = encoded;
    (*changed.mutable_data())[i] ^= 1;
    ASSERT_EQ(aes->Decode(changed).code(), absl::StatusCode::kDataLoss) << i;
  }
  // The readable metadata is bound to the text: another id with the same key does not do.
  v1::Payload renamed = encoded;
  (*renamed.mutable_metadata())[kKeyIdKey] = "k2";
  EXPECT_EQ(aes->Decode(renamed).code(), absl::StatusCode::kDataLoss);
  v1::Payload added = encoded;
  (*added.mutable_metadata())["note"] = "x";
  EXPECT_EQ(aes->Decode(added).code(), absl::StatusCode::kDataLoss);
}

TEST_F(CodecTest, TheFirstKeyEncryptsAndAllDecrypt) {
  v1::Payload old = Text(kPlanted);
  ASSERT_TRUE(Aes(KeyLine("old", 'a'))->Encode(old, Use::kStored).ok());
  const auto both = Aes(KeyLine("new", 'b') + KeyLine("old", 'a'));
  v1::Payload decoded = old;
  EXPECT_TRUE(both->Decode(decoded).ok());
  v1::Payload fresh = Text(kPlanted);
  ASSERT_TRUE(both->Encode(fresh, Use::kStored).ok());
  EXPECT_EQ(fresh.metadata().at(kKeyIdKey), "new");

  const absl::Status unknown = Aes(KeyLine("new", 'b'))->Decode(old);
  EXPECT_EQ(unknown.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(unknown.message()),
              HasSubstr("key \"old\", which is not among the keys (new)"));
}

TEST_F(CodecTest, OldPayloadsAreReadWhenNewOnesAreNotEncrypted) {
  v1::Payload old = Text(kPlanted);
  ASSERT_TRUE(Aes(KeyLine("k", 'a'))->Encode(old, Use::kStored).ok());
  const auto off = Aes(KeyLine("k", 'a'), /*encrypts=*/false);
  v1::Payload fresh = Text("x");
  ASSERT_TRUE(off->Encode(fresh, Use::kStored).ok());
  EXPECT_FALSE(IsEncoded(fresh));
  EXPECT_TRUE(off->Decode(old).ok());
  EXPECT_EQ(old.DebugString(), Text(kPlanted).DebugString());
}

TEST_F(CodecTest, ComparedPayloadsHaveAFingerprint) {
  const auto aes = Aes(KeyLine("k1", 'a'));
  v1::Payload a = Text("same");
  v1::Payload b = Text("same");
  v1::Payload c = Text("other");
  for (v1::Payload* payload : {&a, &b, &c}) {
    ASSERT_TRUE(aes->Encode(*payload, Use::kCompared).ok());
  }
  EXPECT_EQ(a.metadata().at(kFingerprintKey), b.metadata().at(kFingerprintKey));
  EXPECT_NE(a.metadata().at(kFingerprintKey), c.metadata().at(kFingerprintKey));
}

TEST_F(CodecTest, APayloadThatLooksEncodedIsGivenBackAsItIs) {
  CodecChain chain;
  chain.Add(std::make_unique<ZlibCodec>(100));
  chain.Add(Aes(KeyLine("k1", 'a')));
  for (const char* encoding : {kEncodingEncrypted, kEncodingZlib, "json/plain"}) {
    v1::Payload plain;
    (*plain.mutable_metadata())["encoding"] = encoding;
    plain.set_data("a caller's own");
    v1::Payload payload = plain;
    ASSERT_TRUE(chain.Encode(payload, Use::kStored).ok());
    ASSERT_TRUE(chain.Decode(payload).ok());
    EXPECT_EQ(payload.DebugString(), plain.DebugString());
  }
}

TEST_F(CodecTest, KeysAreReadWithComments) {
  const auto ring = KeyRing::Parse("# ours\n\n k1 " + absl::BytesToHexString(std::string(32, 'z')) +
                                   "\n" + KeyLine("k2", 'b'));
  ASSERT_TRUE(ring.ok()) << ring.status();
  EXPECT_EQ((*ring)->first().bytes, std::string(32, 'z'));
  EXPECT_EQ((*ring)->Ids(), "k1, k2");
}

TEST_F(CodecTest, AFaultInTheKeysNamesTheLineAndNotTheKey) {
  for (const std::string& text :
       {std::string("k1 c2VjcmV0c2VjcmV0\n"), std::string("k1\n"), std::string("k 1 c2VjcmV0\n"),
        "k1:x " + absl::Base64Escape(std::string(32, 'a')), KeyLine("k", 'a') + KeyLine("k", 'b'),
        std::string("# nothing\n")}) {
    const auto ring = KeyRing::Parse(text);
    EXPECT_EQ(ring.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(ring.status().message()), Not(HasSubstr("c2VjcmV0")));
  }
}

TEST_F(CodecTest, AChangedFileIsReadAgain) {
  const test::TemporaryFolder folder;
  const std::string path = folder.File("keys");
  const auto write = [&](const std::string& text) {
    std::ofstream(path + ".new") << text;
    std::filesystem::rename(path + ".new", path);
  };
  EXPECT_FALSE(KeySource::FromFile(path, clock).ok());
  write(KeyLine("k1", 'a'));
  const auto source = KeySource::FromFile(path, clock);
  ASSERT_TRUE(source.ok()) << source.status();
  write(KeyLine("k2", 'b') + KeyLine("k1", 'a'));
  EXPECT_EQ((*source)->ring()->first().id, "k1") << "not looked at more than once a second";
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ((*source)->ring()->first().id, "k2");
  // A broken file leaves the keys as they are.
  write("nonsense");
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ((*source)->ring()->first().id, "k2");
  EXPECT_FALSE((*source)->Reload().ok());
  write(KeyLine("k3", 'c'));
  EXPECT_TRUE((*source)->Reload().ok());
  EXPECT_EQ((*source)->ring()->first().id, "k3");
}

// Every payload of these messages, however deep.
TEST_F(CodecTest, TheWalkFindsEveryPayload) {
  CodecChain chain;
  chain.Add(Aes(KeyLine("k1", 'a')));
  const MessageCodec messages(chain, {});
  v1::History history;
  auto* started = history.add_events()->mutable_workflow_execution_started();
  *started->mutable_input() = Text(kPlanted);
  *(*started->mutable_memo()->mutable_fields())["note"].mutable_metadata() =
      Text(kPlanted).metadata();
  (*started->mutable_memo()->mutable_fields())["note"].set_data(kPlanted);
  (*started->mutable_search_attributes()->mutable_fields())["Region"].set_keyword("eu");
  v1::CarriedStep* step = started->mutable_carried_saga()->add_steps();
  *step->mutable_input()->mutable_step_result() = Text(kPlanted);
  *step->mutable_input()->mutable_step_checkpoint() = Text(kPlanted);
  auto* failed = history.add_events()->mutable_activity_task_failed();
  *failed->mutable_last_heartbeat() = Text(kPlanted);
  failed->mutable_failure()->set_message("the disk is full");
  history.add_events()->mutable_activity_task_completed()->mutable_result();  // nothing in it

  v1::History encoded = history;
  ASSERT_TRUE(messages.Encode(encoded).ok());
  const std::string bytes = encoded.SerializeAsString();
  EXPECT_THAT(bytes, Not(HasSubstr("planted")));
  EXPECT_THAT(bytes, HasSubstr("Region"));
  EXPECT_THAT(bytes, HasSubstr("the disk is full"));
  EXPECT_EQ(encoded.events(2).activity_task_completed().result().metadata_size(), 0);
  ASSERT_TRUE(messages.Decode(encoded).ok());
  EXPECT_EQ(encoded.DebugString(), history.DebugString());
}

TEST_F(CodecTest, FailuresAreEncodedWhenAskedFor) {
  CodecChain chain;
  chain.Add(Aes(KeyLine("k1", 'a')));
  v1::ActivityTaskFailed failed;
  failed.mutable_failure()->set_type("Refused");
  failed.mutable_failure()->set_message(kPlanted);
  failed.mutable_failure()->mutable_cause()->set_detail_json("{\"card\":\"planted\"}");
  const MessageCodec with(chain, {.failures = true});
  v1::ActivityTaskFailed encoded = failed;
  ASSERT_TRUE(with.Encode(encoded).ok());
  EXPECT_THAT(encoded.SerializeAsString(), Not(HasSubstr("planted")));
  EXPECT_EQ(encoded.failure().type(), "Refused");
  const MessageCodec without(chain, {});
  ASSERT_TRUE(without.Decode(encoded).ok()) << "also when the setting is off by now";
  EXPECT_EQ(encoded.DebugString(), failed.DebugString());
}

TEST_F(CodecTest, WhatCannotBeDecodedIsShownAsItIs) {
  CodecChain chain;
  chain.Add(Aes(KeyLine("gone", 'a')));
  CodecChain other;
  other.Add(Aes(KeyLine("here", 'b')));
  v1::GetWorkflowHistoryResponse page;
  *page.add_events()->mutable_marker_recorded()->mutable_details() = Text("lost");
  ASSERT_TRUE(MessageCodec(chain, {}).Encode(page).ok());
  v1::HistoryEvent readable;
  *readable.mutable_marker_recorded()->mutable_details() = Text("kept");
  ASSERT_TRUE(MessageCodec(other, {}).Encode(readable).ok());
  *page.add_events() = readable;
  const MessageCodec messages(other, {});
  EXPECT_FALSE(messages.Decode(page).ok());
  messages.DecodeWhatCan(page);
  EXPECT_TRUE(IsEncoded(page.events(0).marker_recorded().details()));
  EXPECT_EQ(page.events(1).marker_recorded().details().DebugString(), Text("kept").DebugString());
}

}  // namespace
}  // namespace codec
