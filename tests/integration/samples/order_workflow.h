// The sample of docs/writing-workflows.md: an order that reserves stock, charges a card, gives the
// customer time to change the address, and ships. The guide shows parts of it word for word, and
// tests/integration/samples/check_guide.py fails when they differ.
//
// Example:
//   samples::Shop shop;
//   samples::RegisterOrder(registry, &shop);
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/sdk/registry.h"
#include "saga/saga.h"
#include "tests/integration/samples/order.pb.h"

namespace samples {

// The names of activities, with their inputs and outputs.
inline constexpr sdk::ActivityType<v1::ReserveInput, v1::Reservation> kReserveStock{
    "reserve_stock"};
inline constexpr sdk::ActivityType<v1::ChargeInput, v1::Payment> kChargeCard{"charge_card"};
inline constexpr sdk::ActivityType<v1::ShipInput, v1::Parcel> kShipParcel{"ship_parcel"};

// The names of compensations: the step's input and output, and their own output.
inline constexpr saga::CompensationType<v1::ReserveInput, v1::Reservation, v1::Undone>
    kReleaseStock{"release_stock"};
inline constexpr saga::CompensationType<v1::ChargeInput, v1::Payment, v1::Undone> kRefundCard{
    "refund_card"};

// The shop's systems, simulated: a real one would be HTTP services. What it did is remembered by
// idempotency key, so that a repeated request is not a second effect. I/O loop only.
class Shop {
 public:
  // "res-1" for the first key, "res-2" for the next one; the same key gives the same id.
  std::string Reserve(const std::string& key);
  std::string Charge(const std::string& key);
  // False when there is nothing (left) to undo.
  bool Release(const std::string& key);
  bool Refund(const std::string& key);

  std::map<std::string, std::string> reservations;  // by idempotency key
  std::map<std::string, std::string> payments;
  std::vector<std::string> parcels;
  std::set<std::string> declined_cards;
  int items_packed = 0;
  int charges_to_fail = 0;     // so many tries of a charge fail before one works
  int crash_after_items = -1;  // packing fails once when so many items are packed
};

// Fills the registry; `shop` outlives it.
void RegisterOrder(sdk::Registry& registry, Shop* shop);

sdk::Workflow<v1::Receipt> RunOrder(sdk::Context ctx, v1::OrderInput input);

}  // namespace samples
