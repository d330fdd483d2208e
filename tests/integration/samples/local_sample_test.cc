// The guide's sample of a local activity: an address is looked up beside the workflow.
#include <gtest/gtest.h>

#include "orchestrator/sdk/testing/workflow_test_env.h"
#include "tests/integration/samples/order.pb.h"

namespace samples {
namespace {

namespace v1 = ::samples::v1;

inline constexpr sdk::ActivityType<v1::AddressChange, v1::AddressChange> kLookUpAddress{
    "look_up_address"};

sdk::Workflow<v1::AddressChange> CheckedAddress(sdk::Context ctx, v1::AddressChange input) {
  sdk::Outcome<v1::AddressChange> found = co_await ctx.ExecuteLocal(
      kLookUpAddress, input,
      {.start_to_close_timeout = absl::Seconds(2),
       .retry = {.initial_interval = absl::Milliseconds(50), .maximum_attempts = 3}});
  if (!found.ok()) co_return input;  // as the customer wrote it
  co_return *found;
}

TEST(LocalSample, TakesTheAddressThatWasFound) {
  sdk::testing::WorkflowTestEnv env;
  env.AddWorkflow<v1::AddressChange, v1::AddressChange>("checked_address", &CheckedAddress);
  int attempts = 0;
  env.OnActivity(kLookUpAddress,
                 [&attempts](const v1::AddressChange& input) -> sdk::Outcome<v1::AddressChange> {
                   if (++attempts < 3) return sdk::Failure::Retryable("Busy", "try again");
                   v1::AddressChange found = input;
                   found.set_address(input.address() + ", Berlin");
                   return found;
                 });
  v1::AddressChange input;
  input.set_address("Hauptstr. 1");
  const auto checked = env.Run<v1::AddressChange, v1::AddressChange>("checked_address", input);
  ASSERT_TRUE(checked.ok()) << checked.failure().ToString();
  EXPECT_EQ(checked->address(), "Hauptstr. 1, Berlin");
  EXPECT_EQ(attempts, 3);
}

TEST(LocalSample, GoesOnWithoutIt) {
  sdk::testing::WorkflowTestEnv env;
  env.AddWorkflow<v1::AddressChange, v1::AddressChange>("checked_address", &CheckedAddress);
  env.OnActivity(kLookUpAddress, [](const v1::AddressChange&) -> sdk::Outcome<v1::AddressChange> {
    return sdk::Failure::Retryable("Busy", "try again");
  });
  v1::AddressChange input;
  input.set_address("Hauptstr. 1");
  const auto checked = env.Run<v1::AddressChange, v1::AddressChange>("checked_address", input);
  ASSERT_TRUE(checked.ok()) << checked.failure().ToString();
  EXPECT_EQ(checked->address(), "Hauptstr. 1");
}

}  // namespace
}  // namespace samples
