// openapi_generator: writes the OpenAPI document at build time.
//
//   openapi_generator DESCRIPTOR_SET BASE_JSON EXAMPLES_DIRECTORY OUTPUT
//
// DESCRIPTOR_SET comes from protoc --include_imports --include_source_info. Every service in it
// that has google.api.http annotations is written.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "gateway/openapi/document.h"
#include "google/api/annotations.pb.h"

namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "openapi_generator: " << what << std::endl;
  std::exit(1);
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) Fail("cannot read " + path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Json ReadJsonFile(const std::filesystem::path& path) {
  Json json = Json::parse(ReadFile(path), nullptr, false);
  if (json.is_discarded()) Fail(path.string() + " is no JSON");
  return json;
}

std::vector<openapi::Example> ReadExamples(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<openapi::Example> examples;
  for (const auto& file : files) {
    Json json = ReadJsonFile(file);
    if (!json.contains("operation") || !json.contains("summary")) {
      Fail(file.string() + " has no operation or no summary");
    }
    examples.push_back({json["operation"], std::move(json)});
  }
  return examples;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) Fail("usage: openapi_generator DESCRIPTOR_SET BASE_JSON EXAMPLES OUTPUT");
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromString(ReadFile(argv[1]))) Fail(std::string(argv[1]) + " is no descriptor set");
  google::protobuf::DescriptorPool pool;
  std::vector<const google::protobuf::ServiceDescriptor*> services;
  for (const auto& file : set.file()) {  // imports first
    const auto* descriptor = pool.BuildFile(file);
    if (descriptor == nullptr) Fail("cannot build " + file.name());
    for (int i = 0; i < descriptor->service_count(); ++i) {
      const auto* service = descriptor->service(i);
      const auto& options = service->method(0)->options();
      if (options.HasExtension(google::api::http)) services.push_back(service);
    }
  }
  std::sort(services.begin(), services.end(),
            [](const auto* a, const auto* b) { return a->full_name() < b->full_name(); });
  const std::vector<openapi::Example> examples = ReadExamples(argv[3]);
  const Json document = openapi::MakeDocument(services, examples, ReadJsonFile(argv[2]));
  std::ofstream out(argv[4], std::ios::binary);
  out << document.dump(1) << "\n";
  out.close();
  return out ? 0 : 1;
}
