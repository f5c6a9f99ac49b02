#include "rotation.hpp"

#include "key_entry.hpp"

namespace proxyxai {

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
}

void Rotation::take(KeyEntry& entry) {
  // The node travels with the entry, so a choice costs no allocation.
  auto node = ready_.extract(&entry);
  entry.turn.raise_to(now_);
  now_ = entry.turn;
  entry.turn.advance();
  entry.turn.order = ++orders_;
  ready_.insert(ready_.end(), std::move(node));
}

}  // namespace proxyxai
