#include "proxyxai/net/watchdog.hpp"

#include <algorithm>

namespace proxyxai {

Watchdog::Watchdog(Executor executor) : timer_(std::move(executor)) {}

void Watchdog::start(std::function<void(Instant)> on_tick) {
  on_tick_ = std::move(on_tick);
  timer_.expires_after(tick);
  wait();
}

void Watchdog::stop() {
  stopped_ = true;
  timer_.cancel();
}

void Watchdog::wait() {
  timer_.async_wait([this](boost::system::error_code error) {
    if (error || stopped_) return;
    now_ = std::chrono::steady_clock::now();
    check_deadlines();
    check_peers();
    if (on_tick_) on_tick_(now_);
    // Not `expiry() + tick`: after a pause of the process a backlog of ticks would only repeat the same looks.
    timer_.expires_after(tick);
    wait();
  });
}

void Watchdog::check_deadlines() {
  std::vector<Deadline*> expired;
  for (std::size_t slot = 0; slot < due_.size(); ++slot) {
    if (due_[slot] <= now_) {
      due_[slot] = Instant::max();
      expired.push_back(deadlines_[slot]);
    }
  }
  for (Deadline* each : expired) each->on_expiry_();
}

void Watchdog::check_peers() {
  if (polled_.empty()) return;
  if (::poll(polled_.data(), polled_.size(), 0) <= 0) return;
  std::vector<PeerWatch*> fired;
  for (std::size_t slot = 0; slot < polled_.size(); ++slot) {
    if (polled_[slot].revents != 0) fired.push_back(watches_[slot]);
  }
  for (PeerWatch* each : fired) {
    // An earlier callback may have disarmed it.
    if (each->slot_ == PeerWatch::unarmed) continue;
    each->disarm();
    each->on_event_();
  }
}

Deadline::Deadline(Watchdog& watchdog, std::function<void()> on_expiry)
    : watchdog_(watchdog), on_expiry_(std::move(on_expiry)), slot_(watchdog.due_.size()) {
  watchdog_.due_.push_back(Instant::max());
  watchdog_.deadlines_.push_back(this);
}

Deadline::~Deadline() {
  watchdog_.due_[slot_] = watchdog_.due_.back();
  watchdog_.deadlines_[slot_] = watchdog_.deadlines_.back();
  watchdog_.deadlines_[slot_]->slot_ = slot_;
  watchdog_.due_.pop_back();
  watchdog_.deadlines_.pop_back();
}

void Deadline::set(milliseconds from_now) { watchdog_.due_[slot_] = watchdog_.now_ + from_now + Watchdog::tick; }

void Deadline::clear() { watchdog_.due_[slot_] = Instant::max(); }

PeerWatch::PeerWatch(Watchdog& watchdog, std::function<void()> on_event)
    : watchdog_(watchdog), on_event_(std::move(on_event)) {}

PeerWatch::~PeerWatch() { disarm(); }

void PeerWatch::arm(int descriptor, short events) {
  disarm();
  slot_ = watchdog_.polled_.size();
  watchdog_.polled_.push_back({descriptor, events, 0});
  watchdog_.watches_.push_back(this);
}

void PeerWatch::disarm() {
  if (slot_ == unarmed) return;
  watchdog_.polled_[slot_] = watchdog_.polled_.back();
  watchdog_.watches_[slot_] = watchdog_.watches_.back();
  watchdog_.watches_[slot_]->slot_ = slot_;
  watchdog_.polled_.pop_back();
  watchdog_.watches_.pop_back();
  slot_ = unarmed;
}

}  // namespace proxyxai
