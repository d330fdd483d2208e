// The program: parses the command line, runs one command, returns the exit code.
#pragma once

namespace cli {

int Main(int argc, char** argv);

}  // namespace cli
