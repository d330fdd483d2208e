#include "gateway/server/build_id.h"

#include <elf.h>
#include <link.h>

#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/server/flags.h"

namespace server {
namespace {

constexpr size_t kHashBytes = 6;

// Notes lie one after another, name and content each rounded up to four bytes (elf(5)).
std::string FindHash(const char* notes, size_t size) {
  const auto rounded = [](size_t bytes) { return (bytes + 3) & ~size_t{3}; };
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes, sizeof note);
    const size_t whole = sizeof note + rounded(note.n_namesz) + rounded(note.n_descsz);
    if (whole > size) return "";
    if (note.n_type == NT_GNU_BUILD_ID && note.n_descsz >= kHashBytes) {
      return std::string(notes + sizeof note + rounded(note.n_namesz), kHashBytes);
    }
    notes += whole;
    size -= whole;
  }
  return "";
}

// Called for the program itself first.
int OnObject(dl_phdr_info* info, size_t, void* result) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    std::string hash =
        FindHash(reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr), header.p_memsz);
    if (hash.empty()) continue;
    *static_cast<std::string*>(result) = std::move(hash);
    break;
  }
  return 1;
}

}  // namespace

std::string BuildId() {
  std::string hash;
  dl_iterate_phdr(&OnObject, &hash);
  if (hash.empty()) return kVersion;
  return absl::StrCat(kVersion, "-", absl::BytesToHexString(hash));
}

}  // namespace server
