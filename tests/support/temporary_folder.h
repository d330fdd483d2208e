// TemporaryFolder: a folder of the test's own that goes with all in it at the end. What keeps files
// in it is declared after it.
// Thread-safety: const after construction. Throws std::system_error when it cannot be made.
//
// Example:
//   test::TemporaryFolder folder_;
//   std::unique_ptr<Store> store_ = *Store::Open(folder_.File("runs.db"));
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace test {

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(std::filesystem::temp_directory_path() / "campaignd-test-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), path_);
    }
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace test
