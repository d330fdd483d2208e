"""Calls that are not for us, each with what to use instead."""

import re

from rules import source

NAME = "banned_calls"
DOC = "banned calls carry their replacement"

CLOCK = "take a base::Clock&"
THREAD = "run on a base::EventLoop (only orchestrator/base starts threads)"
RANDOM = "take a base::Random&"

# (pattern, what to do instead, folders where it is right)
BANNED = [
    (r"\babsl::(Now|GetCurrentTimeNanos)\s*\(", CLOCK,
     ("orchestrator/base/", "gateway/cli/", "tests/")),
    (r"\bstd::chrono::(system|steady|high_resolution)_clock::now\b", CLOCK,
     # gRPC's deadlines are chrono times.
     ("orchestrator/base/", "gateway/grpc/", "gateway/cli/", "tests/")),
    (r"(?<![\w.:>])(time|gettimeofday|clock_gettime)\s*\(\s*(NULL|nullptr|0|CLOCK|&)", CLOCK,
     ("orchestrator/base/", "tests/")),
    (r"\bstd::this_thread::sleep_(for|until)\b|\babsl::SleepFor\b|(?<![\w.:>])u?sleep\s*\(",
     "use a timer: EventLoop::PostAfter, base::Sleep, or a durable timer in workflow code; a test "
     "waits for a condition or advances the clock", ("orchestrator/base/",)),
    (r"\bstd::j?thread\b(?!::)|\bstd::async\b|\bpthread_create\b", THREAD,
     # Asio runs on threads of its own.
     ("orchestrator/base/", "gateway/rest/server.cc", "tests/")),
    (r"\bstd::(random_device|mt19937(_64)?|default_random_engine)\b|(?<![\w.:>])s?rand\s*\(",
     RANDOM, ("orchestrator/base/", "tests/")),
    (r"\babsl::BitGen\b", RANDOM, ("orchestrator/base/", "tests/")),
    (r"\bstd::(mutex|recursive_mutex|shared_mutex|condition_variable)\b",
     "use absl::Mutex with ABSL_GUARDED_BY", ("orchestrator/base/", "tests/")),
    (r"(?<![\w.:>])assert\s*\(", "use CHECK (orchestrator/base/check.h): it aborts in release too",
     ()),
    (r"\bstd::c(out|err|log)\b|(?<![\w.:>])f?printf\s*\(",
     "use base::Log (orchestrator/base/log.h)",
     # Two of them run at build time.
     ("orchestrator/base/", "gateway/auth/permissions_check.cc", "gateway/cli/",
      "gateway/openapi/main.cc", "gateway/server/", "tests/")),
    (r"(?<![\w.>])getenv\s*\(", "read it in gateway/server/settings and pass it on",
     ("gateway/server/", "gateway/cli/", "tests/")),
    (r"(?<![\w.:>])(strtok|gmtime|localtime|strcpy|strcat|sprintf|mktemp|tmpnam)\s*\(",
     "use the Abseil or std function", ()),
    (r"\busing\s+namespace\s+(std|absl)\b", "name what you use", ()),
    (r"\bsystem\s*\(\s*\"|\bpopen\s*\(", "start a program with posix_spawn or fork and exec", ()),
]
_COMPILED = [(re.compile(pattern), advice, homes) for pattern, advice, homes in BANNED]


def applies(path):
    return source.is_cpp(path)


def check(path, text):
    result = []
    for number, line in enumerate(source.code(text).split("\n"), 1):
        for pattern, advice, homes in _COMPILED:
            found = pattern.search(line)
            if found and not (homes and path.startswith(homes)):
                result.append((number, f"{found.group(0).strip('( ')}: {advice}"))
    return result


BAD = [
    ("orchestrator/core/x.cc", "auto t = absl::Now();\n"),
    ("orchestrator/engine/x.cc", "std::this_thread::sleep_for(std::chrono::seconds(1));\n"),
    ("tests/unit/x.cc", "absl::SleepFor(absl::Seconds(1));\n"),
    ("gateway/grpc/x.cc", "std::thread t([] {});\n"),
    ("saga/x.cc", "auto n = std::chrono::system_clock::now();\n"),
    ("activities/campaign/x.cc", "std::mt19937 generator;\n"),
    ("activities/campaign/x.cc", 'std::cout << "hello";\n'),
    ("activities/campaign/x.cc", 'const char* t = std::getenv("GITHUB_TOKEN");\n'),
    ("orchestrator/core/x.cc", "assert(a == b);\n"),
    ("orchestrator/store/x.cc", "std::mutex mu_;\n"),
]
GOOD = [
    ("orchestrator/base/clock.cc", "absl::Time t = absl::Now();\n"),
    ("orchestrator/core/x.cc", '// absl::Now is banned\nauto s = "std::thread";\n'),
    ("orchestrator/core/x.cc", "static_assert(sizeof(int) == 4);\nrun.time(0);\n"),
    ("gateway/rest/x.cc", "std::thread t;  // lint: allow(banned_calls) Asio wants its own\n"),
]
