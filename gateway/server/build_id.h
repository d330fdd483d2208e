// The build of this program, as histories name it: the version, and the beginning of the hash that
// the linker makes of the program's content. The same sources, compiler and settings give the same.
#pragma once

#include <string>

namespace server {

// "0.1.0-8b9f767d88f4"; the version alone when the linker gave no hash.
std::string BuildId();

}  // namespace server
