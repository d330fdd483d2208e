#include "gateway/webhooks/google_chat_store.h"

#include <utility>

#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/durable.h"
#include "orchestrator/database/statement.h"

namespace webhooks {
namespace {

using database::Statement;

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS chat_watches (
  watch_key TEXT PRIMARY KEY,
  namespace TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  space TEXT NOT NULL,
  thread TEXT NOT NULL,
  review_message TEXT NOT NULL,
  review INTEGER NOT NULL,
  since_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chat_messages (
  request_id TEXT PRIMARY KEY,
  workflow_id TEXT NOT NULL,
  space TEXT NOT NULL,
  thread TEXT NOT NULL,
  text TEXT NOT NULL,
  cards TEXT NOT NULL,
  since_us INTEGER NOT NULL
) WITHOUT ROWID;
)sql";

}  // namespace

absl::StatusOr<std::unique_ptr<GoogleChatStore>> GoogleChatStore::Open(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<database::Connection> db, database::OpenDurable(path, kSchema));
  return std::unique_ptr<GoogleChatStore>(new GoogleChatStore(std::move(db)));
}

absl::Status GoogleChatStore::AddWatch(const ChatWatch& watch) {
  ASSIGN_OR_RETURN(Statement add,
                   Statement::Prepare(
                       *db_, "INSERT OR IGNORE INTO chat_watches VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  const std::string key = watch.key();
  add.BindText(1, key);
  add.BindText(2, watch.ns);
  add.BindText(3, watch.workflow_id);
  add.BindText(4, watch.space);
  add.BindText(5, watch.thread);
  add.BindText(6, watch.review_message);
  add.BindInt(7, static_cast<int64_t>(watch.review));
  add.BindInt(8, absl::ToUnixMicros(watch.since));
  return add.Run();
}

absl::Status GoogleChatStore::SaveReview(const ChatWatch& watch) {
  ASSIGN_OR_RETURN(Statement save,
                   Statement::Prepare(*db_,
                                      "UPDATE chat_watches SET review_message = ?, review = ? "
                                      "WHERE watch_key = ?"));
  const std::string key = watch.key();
  save.BindText(1, watch.review_message);
  save.BindInt(2, static_cast<int64_t>(watch.review));
  save.BindText(3, key);
  return save.Run();
}

absl::Status GoogleChatStore::RemoveWatch(const ChatWatch& watch) {
  ASSIGN_OR_RETURN(Statement remove,
                   Statement::Prepare(*db_, "DELETE FROM chat_watches WHERE watch_key = ?"));
  const std::string key = watch.key();
  remove.BindText(1, key);
  return remove.Run();
}

absl::StatusOr<std::vector<ChatWatch>> GoogleChatStore::Watches() {
  ASSIGN_OR_RETURN(
      Statement rows,
      Statement::Prepare(*db_,
                         "SELECT namespace, workflow_id, space, thread, review_message, review, "
                         "since_us FROM chat_watches ORDER BY since_us"));
  std::vector<ChatWatch> watches;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows.Next());
    if (!found) return watches;
    watches.push_back({.ns = rows.Text(0),
                       .workflow_id = rows.Text(1),
                       .space = rows.Text(2),
                       .thread = rows.Text(3),
                       .review_message = rows.Text(4),
                       .review = static_cast<ChatWatch::Review>(rows.Int(5)),
                       .since = absl::FromUnixMicros(rows.Int(6))});
  }
}

absl::Status GoogleChatStore::AddMessage(const ChatMessage& message) {
  ASSIGN_OR_RETURN(
      Statement add,
      Statement::Prepare(*db_, "INSERT OR IGNORE INTO chat_messages VALUES (?, ?, ?, ?, ?, ?, ?)"));
  add.BindText(1, message.request_id);
  add.BindText(2, message.workflow_id);
  add.BindText(3, message.space);
  add.BindText(4, message.thread);
  add.BindText(5, message.text);
  add.BindText(6, message.cards);
  add.BindInt(7, absl::ToUnixMicros(message.since));
  return add.Run();
}

absl::Status GoogleChatStore::RemoveMessage(const std::string& request_id) {
  ASSIGN_OR_RETURN(Statement remove,
                   Statement::Prepare(*db_, "DELETE FROM chat_messages WHERE request_id = ?"));
  remove.BindText(1, request_id);
  return remove.Run();
}

absl::StatusOr<std::vector<ChatMessage>> GoogleChatStore::Messages() {
  ASSIGN_OR_RETURN(Statement rows,
                   Statement::Prepare(*db_,
                                      "SELECT request_id, workflow_id, space, thread, text, cards, "
                                      "since_us FROM chat_messages ORDER BY since_us"));
  std::vector<ChatMessage> messages;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows.Next());
    if (!found) return messages;
    messages.push_back({.request_id = rows.Text(0),
                        .workflow_id = rows.Text(1),
                        .space = rows.Text(2),
                        .thread = rows.Text(3),
                        .text = rows.Text(4),
                        .cards = rows.Text(5),
                        .since = absl::FromUnixMicros(rows.Int(6))});
  }
}

}  // namespace webhooks
