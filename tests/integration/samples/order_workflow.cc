#include "tests/integration/samples/order_workflow.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/history/time.h"

namespace samples {

std::string Shop::Reserve(const std::string& key) {
  const auto known = reservations.find(key);
  if (known != reservations.end()) return known->second;
  return reservations[key] = absl::StrCat("res-", reservations.size() + 1);
}

std::string Shop::Charge(const std::string& key) {
  const auto known = payments.find(key);
  if (known != payments.end()) return known->second;
  return payments[key] = absl::StrCat("pay-", payments.size() + 1);
}

bool Shop::Release(const std::string& key) { return reservations.erase(key) > 0; }

bool Shop::Refund(const std::string& key) { return payments.erase(key) > 0; }

// Activities ---------------------------------------------------------------------------------

base::Task<sdk::Outcome<v1::Reservation>> ReserveStock(Shop* shop, sdk::ActivityContext& ctx,
                                                       v1::ReserveInput input) {
  if (input.quantity() < 1) {
    co_return sdk::Failure::Permanent("InvalidQuantity", "quantity must be at least 1");
  }
  v1::Reservation reservation;
  reservation.set_reservation_id(shop->Reserve(ctx.info().idempotency_key));
  co_return reservation;
}

base::Task<sdk::Outcome<v1::Payment>> ChargeCard(Shop* shop, sdk::ActivityContext& ctx,
                                                 v1::ChargeInput input) {
  if (shop->declined_cards.contains(input.card())) {
    co_return sdk::Failure::Permanent("CardDeclined", "the bank declined the card");
  }
  if (shop->charges_to_fail > 0) {
    --shop->charges_to_fail;
    co_return sdk::Failure::Retryable("BankUnavailable", "the bank does not answer");
  }
  v1::Payment payment;
  payment.set_payment_id(shop->Charge(ctx.info().idempotency_key));
  co_return payment;
}

base::Task<sdk::Outcome<v1::Parcel>> ShipParcel(Shop* shop, sdk::ActivityContext& ctx,
                                                v1::ShipInput input) {
  v1::PackingProgress progress = ctx.last_heartbeat<v1::PackingProgress>().value_or(
      v1::PackingProgress());  // of an earlier attempt
  while (progress.items_packed() < input.quantity()) {
    if (progress.items_packed() == shop->crash_after_items) {
      shop->crash_after_items = -1;
      co_return sdk::Failure::Retryable("BoxTorn", "the box is torn, going on with a new one");
    }
    ++shop->items_packed;
    progress.set_items_packed(progress.items_packed() + 1);
    const sdk::Done saved = co_await ctx.RecordHeartbeat(progress);
    if (!saved.ok()) co_return saved.failure();  // canceled, timed out: stop here
  }
  shop->parcels.push_back(input.address());
  v1::Parcel parcel;
  parcel.set_tracking_id(absl::StrCat("parcel-", shop->parcels.size()));
  co_return parcel;
}

// Compensations ------------------------------------------------------------------------------

base::Task<sdk::Outcome<v1::Undone>> ReleaseStock(
    Shop* shop, sdk::ActivityContext& ctx, saga::Undo<v1::ReserveInput, v1::Reservation> undo) {
  v1::Undone undone;
  undone.set_what(shop->Release(undo.idempotency_key) ? "released" : "nothing was reserved");
  co_return undone;
}

base::Task<sdk::Outcome<v1::Undone>> RefundCard(Shop* shop, sdk::ActivityContext& ctx,
                                                saga::Undo<v1::ChargeInput, v1::Payment> undo) {
  v1::Undone undone;
  undone.set_what(shop->Refund(undo.idempotency_key) ? "refunded" : "nothing was charged");
  co_return undone;
}

// The workflow -------------------------------------------------------------------------------

constexpr int64_t kReleaseNeededCents = 100'000;

sdk::Workflow<sdk::Unit> ReserveAndCharge(sdk::Context ctx, saga::Saga* saga,
                                          std::shared_ptr<v1::OrderStatus> status,
                                          v1::OrderInput input, v1::Receipt* receipt) {
  status->set_state("reserving");
  v1::ReserveInput reserve;
  reserve.set_item(input.item());
  reserve.set_quantity(input.quantity());
  sdk::Outcome<v1::Reservation> reserved =
      co_await saga->Run(kReserveStock, reserve, kReleaseStock);
  if (!reserved.ok()) co_return reserved.failure();

  status->set_state("charging");
  v1::ChargeInput charge;
  charge.set_card(input.card());
  charge.set_cents(input.cents());
  sdk::Outcome<v1::Payment> paid = co_await saga->Run(kChargeCard, charge, kRefundCard);
  if (!paid.ok()) co_return paid.failure();
  receipt->set_payment_id(paid->payment_id());
  co_return sdk::Unit{};
}

// A large order waits for a person's signal; every order waits for its grace period.
sdk::Workflow<sdk::Unit> WaitForGo(sdk::Context ctx, std::shared_ptr<v1::OrderStatus> status,
                                   v1::OrderInput input) {
  if (input.cents() >= kReleaseNeededCents) {
    status->set_state("waiting for release");
    const sdk::Done released =
        co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("release"); }, absl::Hours(72));
    if (!released.ok()) co_return released.failure();  // "TimedOut" or "Canceled"
  }
  status->set_state("grace");
  const sdk::Done over = co_await ctx.Sleep(history::FromProto(input.grace()));
  co_return over;
}

void SetHandlers(sdk::Context ctx, std::shared_ptr<v1::OrderStatus> status) {
  ctx.SetQueryHandler<v1::StatusQuery, v1::OrderStatus>("status", [status](const v1::StatusQuery&) {
    return sdk::Outcome<v1::OrderStatus>(*status);
  });
  ctx.SetUpdateHandler<v1::AddressChange, v1::OrderStatus>(
      "change_address",
      [status](const v1::AddressChange& change) -> sdk::Done {
        if (change.address().empty()) {
          return sdk::Failure::Permanent("InvalidAddress", "address must not be empty");
        }
        if (status->state() == "shipping" || status->state() == "shipped") {
          return sdk::Failure::Permanent("TooLate", "the parcel is on its way");
        }
        return sdk::Unit{};
      },
      [status](const v1::AddressChange& change) -> sdk::Outcome<v1::OrderStatus> {
        status->set_address(change.address());
        return *status;
      });
}

sdk::Workflow<v1::Receipt> RunOrder(sdk::Context ctx, v1::OrderInput input) {
  auto status = std::make_shared<v1::OrderStatus>();
  status->set_address(input.address());
  SetHandlers(ctx, status);  // before the first co_await

  saga::Saga saga(ctx);
  v1::Receipt receipt;
  sdk::Done ready = co_await ReserveAndCharge(ctx, &saga, status, input, &receipt);
  if (ready.ok()) ready = co_await WaitForGo(ctx, status, input);
  if (!ready.ok()) {
    sdk::Failure failure = co_await saga.Abort(ready.failure());  // undo, newest first
    status->set_state("undone");
    co_return failure;
  }
  saga.Pivot();  // from here only forward

  status->set_state("shipping");
  v1::ShipInput ship;
  ship.set_item(input.item());
  ship.set_quantity(input.quantity());
  ship.set_address(status->address());
  sdk::Outcome<v1::Parcel> parcel = co_await ctx.Shielded().Execute(kShipParcel, ship);
  if (!parcel.ok()) co_return parcel.failure();
  status->set_state("shipped");

  receipt.set_tracking_id(parcel->tracking_id());
  receipt.set_address(status->address());
  while (ctx.HasSignal("note")) {
    sdk::Outcome<v1::Note> note = ctx.TakeSignal<v1::Note>("note");
    if (note.ok()) receipt.add_notes(note->text());
  }
  co_return receipt;
}

// Registration -------------------------------------------------------------------------------

void RegisterOrder(sdk::Registry& registry, Shop* shop) {
  registry.AddWorkflow<v1::OrderInput, v1::Receipt>("order", &RunOrder);

  registry.AddActivity(kReserveStock,
                       [shop](sdk::ActivityContext& ctx, v1::ReserveInput input) {
                         return ReserveStock(shop, ctx, std::move(input));
                       },
                       {.start_to_close_timeout = absl::Seconds(30)});
  registry.AddActivity(kChargeCard,
                       [shop](sdk::ActivityContext& ctx, v1::ChargeInput input) {
                         return ChargeCard(shop, ctx, std::move(input));
                       },
                       {.start_to_close_timeout = absl::Seconds(20),
                        .schedule_to_close_timeout = absl::Minutes(10),
                        .retry = sdk::RetryPolicy{.initial_interval = absl::Milliseconds(100),
                                                  .backoff_coefficient = 2.0,
                                                  .maximum_interval = absl::Seconds(30),
                                                  .maximum_attempts = 5,
                                                  .non_retryable_error_types = {"CardDeclined"}}});
  registry.AddActivity(kShipParcel,
                       [shop](sdk::ActivityContext& ctx, v1::ShipInput input) {
                         return ShipParcel(shop, ctx, std::move(input));
                       },
                       {.start_to_close_timeout = absl::Hours(2),
                        .heartbeat_timeout = absl::Minutes(1),
                        .retry = sdk::RetryPolicy{.initial_interval = absl::Milliseconds(10)}});

  const sdk::ActivityOptions undo_options = {
      .start_to_close_timeout = absl::Minutes(1),
      .retry = sdk::RetryPolicy{.initial_interval = absl::Seconds(1), .maximum_attempts = 10}};
  saga::AddCompensation(
      registry, kReleaseStock,
      [shop](sdk::ActivityContext& ctx, saga::Undo<v1::ReserveInput, v1::Reservation> undo) {
        return ReleaseStock(shop, ctx, std::move(undo));
      },
      undo_options);
  saga::AddCompensation(
      registry, kRefundCard,
      [shop](sdk::ActivityContext& ctx, saga::Undo<v1::ChargeInput, v1::Payment> undo) {
        return RefundCard(shop, ctx, std::move(undo));
      },
      undo_options);
}

}  // namespace samples
