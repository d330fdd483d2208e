#include "gateway/openapi/embedded.h"

#include <iterator>

// A file's bytes between two labels of the assembler. PACKED_DIR comes from CMake.
#define EMBED(label, file)                                                                \
  asm(".section .rodata\n.balign 16\n.global embedded_" #label "_begin\nembedded_" #label \
      "_begin:\n.incbin \"" PACKED_DIR "/" file ".gz\"\n.global embedded_" #label         \
      "_end\nembedded_" #label "_end:\n.byte 0\n.previous\n");                            \
  extern "C" const char embedded_##label##_begin[], embedded_##label##_end[];             \
  static absl::string_view label() {                                                      \
    return {embedded_##label##_begin,                                                     \
            static_cast<size_t>(embedded_##label##_end - embedded_##label##_begin)};      \
  }

EMBED(openapi_json, "openapi.json")
EMBED(index_html, "index.html")
EMBED(docs_js, "docs.js")
EMBED(docs_css, "docs.css")
EMBED(swagger_css, "swagger-ui.css")
EMBED(swagger_js, "swagger-ui-bundle.js")

namespace openapi {

const EmbeddedFile* FindEmbedded(absl::string_view name) {
  static constexpr char kScript[] = "text/javascript; charset=utf-8";
  static constexpr char kStyle[] = "text/css; charset=utf-8";
  static const EmbeddedFile kFiles[] = {
      {"openapi.json", "application/json", openapi_json()},
      {"index.html", "text/html; charset=utf-8", index_html()},
      {"docs.js", kScript, docs_js()},
      {"docs.css", kStyle, docs_css()},
      {"swagger-ui.css", kStyle, swagger_css()},
      {"swagger-ui-bundle.js", kScript, swagger_js()},
  };
  for (const EmbeddedFile& file : kFiles) {
    if (file.name == name) return &file;
  }
  return nullptr;
}

}  // namespace openapi
