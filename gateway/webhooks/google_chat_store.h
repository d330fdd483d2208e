// What Google Chat was promised and has not been told yet, in a SQLite file: campaigns whose spaces
// hear of them, and messages that are on their way.
//
// Thread-safety: thread-compatible; every call waits for the disk. Codes: those of
// database::Connection::Error.
//
// Example:
//   ASSIGN_OR_RETURN(auto store, GoogleChatStore::Open(data_dir + "/webhooks.db"));
//   RETURN_IF_ERROR(store->AddWatch({.ns = "default", .workflow_id = id, .space = space}));
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "orchestrator/database/connection.h"

namespace webhooks {

// A space that is told how a campaign goes.
struct ChatWatch {
  enum class Review { kNone, kShown, kClosed };

  std::string ns = "default";
  std::string workflow_id;
  std::string space;
  std::string thread;          // where it was asked for; may be empty
  std::string review_message;  // its name, once it is there
  Review review = Review::kNone;
  absl::Time since = absl::UnixEpoch();

  std::string key() const { return ns + "/" + workflow_id + "/" + space; }
};

struct ChatMessage {
  std::string request_id;  // the same one is one message
  std::string workflow_id;
  std::string space;
  std::string thread;
  std::string text;
  std::string cards;
  absl::Time since = absl::UnixEpoch();
};

class GoogleChatStore {
 public:
  static absl::StatusOr<std::unique_ptr<GoogleChatStore>> Open(const std::string& path);

  // Durable when it returns; one that is known is left as it is.
  absl::Status AddWatch(const ChatWatch& watch);
  absl::Status SaveReview(const ChatWatch& watch);
  absl::Status RemoveWatch(const ChatWatch& watch);
  absl::StatusOr<std::vector<ChatWatch>> Watches();

  absl::Status AddMessage(const ChatMessage& message);
  absl::Status RemoveMessage(const std::string& request_id);
  absl::StatusOr<std::vector<ChatMessage>> Messages();

 private:
  explicit GoogleChatStore(std::unique_ptr<database::Connection> db) : db_(std::move(db)) {}

  std::unique_ptr<database::Connection> db_;
};

}  // namespace webhooks
