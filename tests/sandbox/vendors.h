// Makes the simulated vendors; each is one file of its name.
// Thread-safety: see vendor.h.
//
// Example:
//   std::unique_ptr<Vendor> slack = MakeSlack(store);
#pragma once

#include <memory>

#include "tests/sandbox/store.h"
#include "tests/sandbox/vendor.h"

namespace sandbox {

std::unique_ptr<Vendor> MakeNotion(Store& store);
std::unique_ptr<Vendor> MakeOpenAi(Store& store);
std::unique_ptr<Vendor> MakeFigma(Store& store);
std::unique_ptr<Vendor> MakeFigmaRender(Store& store);
std::unique_ptr<Vendor> MakeGitHub(Store& store);
std::unique_ptr<Vendor> MakeSlack(Store& store);
std::unique_ptr<Vendor> MakeSendGrid(Store& store);
std::unique_ptr<Vendor> MakeBuffer(Store& store);
std::unique_ptr<Vendor> MakeGrafana(Store& store);
std::unique_ptr<Vendor> MakeCms(Store& store);
std::unique_ptr<Vendor> MakeGoogleChat(Store& store);
std::unique_ptr<Vendor> MakeMemory(Store& store);
std::unique_ptr<Vendor> MakeWebDriver(Store& store);
std::unique_ptr<Vendor> MakeSite(Store& store);

}  // namespace sandbox
