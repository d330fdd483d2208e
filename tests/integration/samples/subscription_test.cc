// The guide's samples of a long life: a charge a month, parked when the card keeps failing, and a
// new run when the history has grown long.
#include <gtest/gtest.h>

#include "orchestrator/sdk/testing/workflow_test_env.h"
#include "saga/saga.h"
#include "tests/integration/samples/order.pb.h"
#include "tests/integration/samples/order_workflow.h"

namespace samples {
namespace {

namespace v1 = ::samples::v1;

constexpr int kMonths = 12;

sdk::Workflow<v1::Note> Subscription(sdk::Context ctx, v1::ChargeInput state) {
  saga::Saga saga(ctx);
  saga::StepOptions options;
  options.step.retry =
      sdk::RetryPolicy{.maximum_attempts = 5, .on_exhausted = sdk::OnExhausted::kPause};
  for (int month = 0; month < kMonths; ++month) {
    sdk::Outcome<v1::Payment> paid = co_await saga.Run(kChargeCard, state, options);
    if (!paid.ok()) co_return paid.failure();
    sdk::Done waited = co_await ctx.Sleep(absl::Hours(24 * 30));
    if (!waited.ok()) co_return waited.failure();
    if (ctx.info().continue_as_new_suggested) co_return ctx.ContinueAsNew(state, saga.Carry());
  }
  v1::Note note;
  note.set_text("a year was paid");
  co_return note;
}

TEST(SubscriptionSample, PaysAYearInNoTime) {
  sdk::testing::WorkflowTestEnv env;
  env.AddWorkflow<v1::ChargeInput, v1::Note>("subscription", &Subscription);
  int charges = 0;
  env.OnActivity(kChargeCard, [&charges](const v1::ChargeInput&) -> sdk::Outcome<v1::Payment> {
    // Every third try is refused; the retries get through.
    if (++charges % 3 == 0) return sdk::Failure::Retryable("CardBusy", "try again");
    return v1::Payment();
  });
  v1::ChargeInput input;
  input.set_cents(900);
  const auto note = env.Run<v1::ChargeInput, v1::Note>("subscription", input);
  ASSERT_TRUE(note.ok()) << note.failure().ToString();
  EXPECT_EQ(note->text(), "a year was paid");
  EXPECT_EQ(charges, kMonths + kMonths / 2 - 1);
}

}  // namespace
}  // namespace samples
