#include "rotation.hpp"

#include <algorithm>

#include "key_entry.hpp"

namespace proxyxai {
namespace {

/// Turns that a key can be ahead of the others for what it was chosen for out of turn: what it did long ago is forgotten.
constexpr std::uint64_t most_ahead = 8;
/// How far a key may be over its fair share of what is in flight and still be given what prefers it.
constexpr double most_over_share = 1.25;
constexpr double always_over_share = 2;

}  // namespace

bool Turn::earlier_than(const Turn& other) const {
  if (whole != other.whole) return whole < other.whole;
  return std::uint64_t{part} * other.parts < std::uint64_t{other.part} * parts;
}

void Turn::advance() {
  if (++part < parts) return;
  part = 0;
  ++whole;
}

void Turn::raise_to(const Turn& now) {
  if (!earlier_than(now)) return;
  whole = now.whole;
  part = static_cast<std::uint32_t>((std::uint64_t{now.part} * parts + now.parts - 1) / now.parts);
  if (part < parts) return;
  part = 0;
  ++whole;
}

void Turn::reweigh(std::uint32_t weight) {
  part = static_cast<std::uint32_t>(std::uint64_t{part} * weight / parts);
  parts = weight;
}

bool Rotation::ByTurn::operator()(const KeyEntry* a, const KeyEntry* b) const {
  if (a->turn.earlier_than(b->turn)) return true;
  if (b->turn.earlier_than(a->turn)) return false;
  return a->turn.order < b->turn.order;
}

bool Rotation::ByUntil::operator()(const KeyEntry* a, const KeyEntry* b) const {
  if (a->until != b->until) return a->until < b->until;
  return a->key->id < b->key->id;
}

void Rotation::add_ready(KeyEntry& entry) {
  entry.turn.raise_to(now_);
  entry.turn.order = ++orders_;
  ready_.insert(&entry);
  ready_weight_ += entry.turn.parts;
}

void Rotation::remove_ready(KeyEntry& entry) {
  ready_.erase(&entry);
  ready_weight_ -= entry.turn.parts;
}

void Rotation::take(KeyEntry& entry) {
  // The node travels with the entry, so a choice costs no allocation.
  auto node = ready_.extract(&entry);
  entry.turn.raise_to(now_);
  now_ = entry.turn;
  entry.turn.advance();
  put_back(std::move(node), entry);
}

void Rotation::take_out_of_turn(KeyEntry& entry) {
  auto node = ready_.extract(&entry);
  entry.turn.raise_to(now_);
  // The time of the others stays: they are not to lose their turns by it.
  if (entry.turn.whole < now_.whole + most_ahead) entry.turn.advance();
  put_back(std::move(node), entry);
}

void Rotation::put_back(Ready::node_type node, KeyEntry& entry) {
  entry.turn.order = ++orders_;
  ready_.insert(ready_.end(), std::move(node));
}

bool Rotation::has_room(const KeyEntry& entry) const {
  const auto all = static_cast<double>((in_flight + 1) * entry.turn.parts);
  const double share = all / static_cast<double>(ready_weight_);
  return static_cast<double>(entry.load->in_flight() + 1) <= std::max(share * most_over_share, share + always_over_share);
}

}  // namespace proxyxai
