"""Which folder may include which: the arrows of the design, checked include by include."""

import re

from rules import source

NAME = "layers"
DOC = "includes point the way the design says"

BASE = "orchestrator/base"
HISTORY = "orchestrator/history"
ENGINE_PROTO = "orchestrator/v1"
CAMPAIGN_PROTO = "campaign/v1"
GOOGLE_API = "google/api"
GOOGLE_RPC = "google/rpc"

# folder -> folders it may include besides itself, std and Abseil. The longest match counts.
MAY_INCLUDE = {
    "orchestrator/base": [],
    "orchestrator/database": [BASE, "orchestrator/filter"],
    "orchestrator/cron": [],
    "orchestrator/history": [BASE, ENGINE_PROTO],
    "orchestrator/core": [BASE, HISTORY, "orchestrator/cron", ENGINE_PROTO],
    "orchestrator/sdk": [BASE, HISTORY, "orchestrator/core", ENGINE_PROTO],
    "orchestrator/filter": [BASE, HISTORY, ENGINE_PROTO],
    "orchestrator/store": [BASE, HISTORY, "orchestrator/database", "orchestrator/filter", ENGINE_PROTO],
    "orchestrator/engine": [BASE, HISTORY, "orchestrator/core", "orchestrator/cron",
                            "orchestrator/filter",
                            "orchestrator/store", ENGINE_PROTO],
    "orchestrator/worker": [BASE, HISTORY, "orchestrator/core", "orchestrator/sdk",
                            "orchestrator/engine", ENGINE_PROTO],
    "orchestrator/client": [BASE, HISTORY, "orchestrator/core", "orchestrator/store",
                            "orchestrator/engine", ENGINE_PROTO],
    "orchestrator/codec": [BASE, HISTORY, "orchestrator/core", "orchestrator/engine",
                           "orchestrator/client", ENGINE_PROTO],
    "orchestrator/schedules": [BASE, HISTORY, "orchestrator/cron", "orchestrator/sdk",
                               "orchestrator/client", ENGINE_PROTO],
    "orchestrator/batches": [BASE, HISTORY, "orchestrator/sdk", "orchestrator/client",
                             ENGINE_PROTO],
    "saga": [BASE, HISTORY, "orchestrator/sdk", ENGINE_PROTO],
    "activities/outbound": [BASE],
    "activities/connectors": [BASE, "orchestrator/database", "activities/outbound"],
    "activities/campaign": [BASE, HISTORY, "orchestrator/sdk", "saga", "activities/outbound",
                            "activities/connectors", ENGINE_PROTO, CAMPAIGN_PROTO],
    "gateway/json": [BASE, HISTORY, ENGINE_PROTO, CAMPAIGN_PROTO, GOOGLE_API, GOOGLE_RPC],
    "gateway/grpc": [BASE, HISTORY, "orchestrator/client", "orchestrator/database", "orchestrator/filter", "orchestrator/schedules",
                     "orchestrator/batches", "activities/campaign",
                     "activities/outbound", "gateway/audit", "gateway/auth", "gateway/json", "gateway/tls", ENGINE_PROTO, CAMPAIGN_PROTO, GOOGLE_API, GOOGLE_RPC],
    "gateway/rest": [BASE, HISTORY, "orchestrator/client", "gateway/auth", "gateway/grpc", "gateway/json",
                     "gateway/tls", "activities/campaign", "activities/outbound", ENGINE_PROTO, CAMPAIGN_PROTO, GOOGLE_API, GOOGLE_RPC],
    "gateway/tls": [BASE],
    "gateway/auth": [BASE, "orchestrator/database", "gateway/tls", CAMPAIGN_PROTO, GOOGLE_RPC],
    "gateway/audit": [BASE, "orchestrator/database", "orchestrator/filter", CAMPAIGN_PROTO],
    "gateway/webhooks": [BASE, HISTORY, "orchestrator/client", "orchestrator/database",
                         "activities/campaign", "activities/connectors", "activities/outbound",
                         "gateway/audit", "gateway/auth", "gateway/grpc", "gateway/json", "gateway/rest",
                         "gateway/tls", ENGINE_PROTO, CAMPAIGN_PROTO, GOOGLE_API, GOOGLE_RPC],
    "gateway/openapi": [BASE, "gateway/auth", "gateway/grpc", "gateway/json", "gateway/rest",
                        CAMPAIGN_PROTO, ENGINE_PROTO, GOOGLE_API, GOOGLE_RPC],
    "gateway/dashboard": [],
    # The SDK and the workflows: campaignctl replays histories.
    # The limits of a campaign's fields: it tells all faults of a file at once.
    "gateway/cli": [BASE, HISTORY, "orchestrator/sdk", "activities/campaign", "gateway/audit",
                    "gateway/grpc/campaign_validation.h", "gateway/json",
                    ENGINE_PROTO, CAMPAIGN_PROTO, GOOGLE_API, GOOGLE_RPC],
    "gateway/server": ["orchestrator", "saga", "activities", "gateway", CAMPAIGN_PROTO,
                       GOOGLE_API, GOOGLE_RPC],
    "tests/sandbox": ["tests/support"],  # a server of its own: it shares nothing with us
    "tests": ["orchestrator", "saga", "activities", "gateway", "tests", CAMPAIGN_PROTO,
              GOOGLE_API, GOOGLE_RPC],
}

# Libraries that only some folders may see.
LIBRARIES = {
    r"grpc(pp|)/": ["gateway/", "orchestrator/worker/", "tests/"],
    r"boost/": ["gateway/rest/", "gateway/server/", "tests/"],
    r"curl/": ["activities/outbound/", "tests/"],
    r"sqlite3": ["orchestrator/database/", "orchestrator/store/sqlite/", "tests/"],
    r"yaml-cpp/": ["gateway/server/", "gateway/cli/", "tests/"],
    r"CLI/": ["gateway/server/", "gateway/cli/", "tests/"],
    r"spdlog/": ["orchestrator/base/", "tests/"],
    # Who only needs a hash takes orchestrator/base/sha256.h.
    r"openssl/": ["orchestrator/base/sha256.cc", "orchestrator/codec/", "activities/connectors/",
                  "gateway/", "tests/"],
    # Pure folders: time, threads and randomness come in as data or as interfaces.
    r"(thread|mutex|future|chrono|random|filesystem|fstream)>": [
        "orchestrator/base/", "orchestrator/store/", "orchestrator/engine/",
        "orchestrator/worker/", "orchestrator/client/", "activities/", "gateway/", "tests/"],
}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.MULTILINE)


def folder_of(path, folders):
    """The longest of `folders` that holds `path`, or None."""
    held = [f for f in folders if path == f or path.startswith(f + "/")]
    return max(held, key=len) if held else None


def applies(path):
    return source.is_cpp(path)


def check(path, text):
    result = []
    folder = folder_of(path, MAY_INCLUDE)
    if folder is None:
        return [(1, f"no rule for this folder: add it to {__name__}")]
    allowed = [folder] + MAY_INCLUDE[folder]
    for match in _INCLUDE.finditer(text):
        quoted = match.group(1) == '"'
        included = match.group(2)
        line = source.line_of(text, match.start())
        if quoted and included.startswith(".."):
            result.append((line, f"include {included} from the repository root"))
        elif quoted and not included.startswith("absl/"):
            ours = folder_of(included, list(MAY_INCLUDE) +
                             [ENGINE_PROTO, CAMPAIGN_PROTO, GOOGLE_API, GOOGLE_RPC])
            if ours is not None and folder_of(included, allowed) is None:
                result.append((line, f"{folder} may not include {ours} ({included}); it may "
                                     f"include {', '.join(allowed)}"))
        for library, homes in LIBRARIES.items():
            name = included if quoted else included + ">"
            if re.match(library, name) and not path.startswith(tuple(homes)):
                result.append((line, f"{included} may only be included in {', '.join(homes)}"))
    return result


BAD = [
    ("orchestrator/base/x.h", '#include "orchestrator/core/run.h"\n'),
    ("orchestrator/core/x.cc", '#include "orchestrator/store/store.h"\n'),
    ("orchestrator/core/x.cc", "#include <thread>\n"),
    ("orchestrator/core/x.cc", "#include <openssl/sha.h>\n"),
    ("orchestrator/engine/x.cc", '#include "saga/saga.h"\n'),
    ("orchestrator/engine/x.cc", "#include <grpcpp/server.h>\n"),
    ("saga/x.cc", '#include "orchestrator/engine/engine.h"\n'),
    ("activities/outbound/x.cc", '#include "orchestrator/sdk/context.h"\n'),
    ("activities/connectors/slack/x.cc", '#include "saga/saga.h"\n'),
    ("activities/campaign/x.cc", '#include "gateway/rest/server.h"\n'),
    ("gateway/cli/x.cc", '#include "orchestrator/client/client.h"\n'),
    ("gateway/server/x.cc", '#include "tests/support/matchers.h"\n'),
    ("tests/sandbox/x.cc", '#include "activities/outbound/call.h"\n'),
    ("orchestrator/base/x.cc", '#include "../core/run.h"\n'),
]
GOOD = [
    ("orchestrator/core/x.cc",
     '#include "orchestrator/core/x.h"\n#include <string>\n#include "absl/time/time.h"\n'
     '#include "orchestrator/v1/history.pb.h"\n'),
    ("gateway/server/main.cc", '#include "activities/campaign/campaign.h"\n'),
    ("tests/unit/core/x.cc", '#include "orchestrator/core/x.h"\n'),
]
