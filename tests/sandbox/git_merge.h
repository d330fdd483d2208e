// Three-way merges over git objects.
// Thread-safety: externally synchronised, as GitObjects.
//
// Example:
//   std::string base = MergeBase(git, main_sha, branch_sha);
//   std::optional<std::string> tree = MergeTrees(git, base, main_sha, branch_sha);
//   if (!tree) { /* both sides changed the same file */ }
#pragma once

#include <optional>
#include <string>

#include "tests/sandbox/git_objects.h"

namespace sandbox {

// A newest common ancestor of two commits (may be one of them); "" when they share none.
std::string MergeBase(const GitObjects& git, const std::string& a, const std::string& b);

// True when `ancestor` can be reached from `commit` (or is it).
bool IsAncestor(const GitObjects& git, const std::string& ancestor, const std::string& commit);

// The tree of commit `ours` with what `theirs` changed since `base`; nullopt on a conflict.
std::optional<std::string> MergeTrees(GitObjects& git, const std::string& base,
                                      const std::string& ours, const std::string& theirs);

}  // namespace sandbox
