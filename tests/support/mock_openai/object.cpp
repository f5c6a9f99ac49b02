#include "object.hpp"

#include <algorithm>
#include <chrono>

namespace mock {

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Object& Shelf::add(ordered_json shown) {
  auto object = std::make_shared<Object>();
  object->shown = std::move(shown);
  return add(std::move(object));
}

Object& Shelf::add(std::shared_ptr<Object> object) {
  remove(object->id());
  places_[object->id()] = next_;
  return *(objects_[next_++] = std::move(object));
}

std::shared_ptr<Object> Shelf::find(const std::string& id) const {
  const auto place = places_.find(id);
  return place == places_.end() ? nullptr : objects_.at(place->second);
}

void Shelf::remove(const std::string& id) {
  const auto place = places_.find(id);
  if (place == places_.end()) return;
  objects_.erase(place->second);
  places_.erase(place);
}

std::vector<Object*> Shelf::all() const {
  std::vector<Object*> all;
  all.reserve(objects_.size());
  for (const auto& [place, object] : objects_) all.push_back(object.get());
  return all;
}

Shelf::Page Shelf::page(const Range& range) const {
  Page page;
  const bool backwards = !range.before.empty();
  visit(range.ascending != backwards, backwards ? range.before : range.after, [&](Object& each) {
    if (range.filter && !range.filter(each)) return true;
    page.has_more = page.objects.size() == range.limit;
    if (!page.has_more) page.objects.push_back(&each);
    return !page.has_more;
  });
  if (backwards) std::reverse(page.objects.begin(), page.objects.end());
  return page;
}

void Shelf::visit(bool upwards, const std::string& from, const std::function<bool(Object&)>& more) const {
  if (upwards) {
    auto at = from.empty() ? objects_.begin() : objects_.upper_bound(places_.at(from));
    while (at != objects_.end() && more(*at->second)) ++at;
  } else {
    auto at = from.empty() ? objects_.end() : objects_.lower_bound(places_.at(from));
    while (at != objects_.begin() && more(*std::prev(at)->second)) --at;
  }
}

void Object::look() {
  if (work) work->look();
  proceed();
}

void Object::proceed() {
  if (!work) return;
  if (work->is_done()) finish();
  else if (work->stage() != status()) enter(work->stage());
}

void Object::finish() {
  if (!work) return;
  const auto end = work->take_finish();
  work.reset();
  end(*this);
}

void Object::enter(const std::string& status) {
  shown["status"] = status;
  if (shown.contains(status + "_at")) shown[status + "_at"] = now();
}

}  // namespace mock
