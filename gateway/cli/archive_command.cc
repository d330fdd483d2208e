// archive list, archive export: the runs that retention moved into files. Needs no server.
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/cli/command.h"
#include "gateway/cli/options.h"
#include "gateway/cli/table.h"
#include "gateway/cli/text_file.h"
#include "gateway/json/json_writer.h"
#include "orchestrator/history/history_file.h"
#include "orchestrator/history/time.h"

namespace cli {

namespace {

namespace v1 = ::orchestrator::v1;

constexpr absl::string_view kHeaderMark = "\"campaignd.history\"";

struct Arguments {
  std::string directory;
  std::string id;
  std::string run_id;
  std::string type;
  std::string status;
  std::string file;
};

// What was found: the file it is in and its text.
using Found = std::function<void(const std::string& path, const std::string& text)>;

absl::StatusOr<std::string> Unzip(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), &gzclose);
  if (file == nullptr) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path));
  std::string text;
  char buffer[1 << 16];
  int count = 0;
  while ((count = gzread(file.get(), buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<size_t>(count));
  }
  int code = Z_OK;
  const char* message = gzerror(file.get(), &code);
  if (count < 0 || code != Z_OK) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is damaged: ", message));
  }
  return text;
}

// The archive's files, oldest first.
absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> paths;
  std::filesystem::recursive_directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(error)) {
    const std::string path = entry->path().string();
    if (absl::EndsWith(path, ".jsonl.gz")) paths.push_back(path);
  }
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read the archive ", directory, ": ", error.message(),
                     "; it is engine.archive_dir in the server's data directory"));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Calls `found` for each history of the archive: a header line begins it.
absl::Status ForEachHistory(const std::string& directory, const Found& found) {
  const auto paths = FilesOf(directory);
  if (!paths.ok()) return paths.status();
  for (const std::string& path : *paths) {
    const auto text = Unzip(path);
    if (!text.ok()) return text.status();
    size_t begin = 0;
    while (begin < text->size()) {
      size_t end = text->find('\n', begin);
      while (end != text->npos) {
        const size_t next = text->find('\n', end + 1);
        const absl::string_view line(text->data() + end + 1,
                                     (next == text->npos ? text->size() : next) - end - 1);
        if (absl::StrContains(line.substr(0, 100), kHeaderMark)) break;
        end = next;
      }
      const size_t stop = end == text->npos ? text->size() : end + 1;
      found(path, text->substr(begin, stop - begin));
      begin = stop;
    }
  }
  return absl::OkStatus();
}

// The header alone: a list need not read every event.
absl::StatusOr<v1::HistoryFileHeader> HeaderOf(const std::string& text) {
  const auto file = history::ReadHistoryFile(text);
  if (!file.ok()) return file.status();
  return file->header;
}

bool Wanted(const Arguments& a, const v1::HistoryFileHeader& header) {
  return (a.id.empty() || header.workflow_id() == a.id) &&
         (a.run_id.empty() || header.run_id() == a.run_id) &&
         (a.type.empty() || header.workflow_type() == a.type) &&
         (a.status.empty() || v1::RunStatus::Value_Name(header.status()) == a.status);
}

void List(Session& session, const Arguments& a) {
  Table table({"WORKFLOW ID", "RUN ID", "TYPE", "STATUS", "FILE"});
  std::string json;
  const absl::Status status =
      ForEachHistory(a.directory, [&](const std::string& path, const std::string& text) {
        const auto header = HeaderOf(text);
        if (!header.ok()) return session.Fail(header.status());
        if (!Wanted(a, *header)) return;
        absl::StrAppend(&json, gateway::ToJson(*header), "\n");
        table.Add({header->workflow_id(), header->run_id(), header->workflow_type(),
                   v1::RunStatus::Value_Name(header->status()), path});
      });
  std::cout << (session.json() ? json : table.Text());
  if (!status.ok()) session.Fail(status);
}

void Export(Session& session, const Arguments& a) {
  std::string newest;
  const absl::Status status =
      ForEachHistory(a.directory, [&](const std::string&, const std::string& text) {
        const auto header = HeaderOf(text);
        if (header.ok() && Wanted(a, *header)) newest = text;
      });
  if (!status.ok()) return session.Fail(status);
  if (newest.empty()) {
    return session.Fail(absl::NotFoundError(
        absl::StrCat("the archive ", a.directory, " has no run of workflow ", a.id,
                     a.run_id.empty() ? "" : absl::StrCat(" with the run id ", a.run_id))));
  }
  if (a.file.empty() || a.file == "-") {
    std::cout << newest;
    return;
  }
  if (absl::Status written = WriteFile(a.file, newest); !written.ok()) session.Fail(written);
}

}  // namespace

void AddArchiveCommands(CLI::App& app, Session& session) {
  auto a = std::make_shared<Arguments>();
  CLI::App* archive = AddCommand(
      app, "archive", "Looks into the files of runs that retention archived; needs no server",
      "campaignctl archive list campaignd-data/archive --status FAILED\n"
      "  campaignctl archive export campaignd-data/archive campaign-2c26b46b68ffc68f -o old.jsonl",
      {});
  CLI::App* list =
      AddCommand(*archive, "list", "Lists the runs of an archive",
                 "campaignctl archive list campaignd-data/archive --type campaign --output json",
                 [&session, a] { List(session, *a); });
  CLI::App* exported = AddCommand(*archive, "export", "Writes one archived run's history",
                                  "campaignctl archive export campaignd-data/archive "
                                  "campaign-2c26b46b68ffc68f -o old.jsonl\n"
                                  "  campaignctl replay old.jsonl",
                                  [&session, a] { Export(session, *a); });
  for (CLI::App* command : {list, exported}) {
    command->add_option("DIRECTORY", a->directory, "The archive's directory")->required();
    command->add_option("--run-id", a->run_id, "A certain run (export: default the newest)");
  }
  list->add_option("--workflow-id", a->id, "Only runs of this workflow");
  list->add_option("--type", a->type, "Only runs of this type");
  list->add_option("--status", a->status, "Only runs that ended so")
      ->check(CLI::IsMember(RunStatusNames(), CLI::ignore_case));
  exported->add_option("WORKFLOW_ID", a->id, "The run's workflow id")->required();
  exported->add_option("-o,--file", a->file, "Where to write it (default: standard output)");
}

}  // namespace cli
