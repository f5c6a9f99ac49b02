#include "proxyxai/metering/object_scan.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "event_lines.hpp"
#include "proxyxai/metering/json_walk.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t max_found = 4'096;

/// What callers, their tools or the model wrote, and upstream repeats: names in it make nothing anybody's.
bool is_echo(std::string_view name) {
  static constexpr std::array<std::string_view, 22> echoes{
      "metadata",   "tools",       "tool_resources", "tool_choice", "input_schema", "parameters", "schema",           "json_schema", "response_format", "text",    "attributes",
      "data_source", "data_source_config", "testing_criteria", "arguments", "variables", "prompt", "input", "instructions", "item_schema", "filters", "hyperparameters"};
  return std::find(echoes.begin(), echoes.end(), name) != echoes.end();
}

}  // namespace

struct ObjectScan::Impl {
  Impl(Format the_format, std::string_view beginning) : format(the_format), own_beginning(beginning) {}

  /// `top`: the document, or the `response` of an event.
  enum class Place : std::uint8_t { document, skip, top, inner };
  enum class Member : std::uint8_t { other, id, status, tuned_model, response, echo };
  friend class JsonWalk<Impl, Place>;
  static constexpr bool counts_characters = false, reads_skipped_text = false;

  // What JsonWalk tells.
  Place open(Place parent, bool is_object, std::uint64_t at);
  void close(Place /*place*/, std::uint64_t /*end*/) { naming = {}; }
  void skipped(Place /*parent*/, std::uint64_t /*end*/) {}
  void name(Place place, std::string_view name, std::uint64_t size, std::uint64_t begin, std::uint64_t comma);
  [[nodiscard]] bool is_wanted(Place /*place*/) const { return naming.kind != Naming::Kind::none || member != Member::other; }
  static std::size_t wanted(Place /*place*/) { return max_object_id; }
  void text(Place place, const JsonText& text);
  void scalar(Place /*place*/, std::string_view /*text*/, std::uint64_t /*begin*/, std::uint64_t /*end*/) {}

  // What EventLines tells.
  void on_data_line() {}
  void on_data(std::string_view data, std::size_t /*at*/) {
    if (is_over || lines.event().find("delta") != std::string_view::npos) return;
    walk.feed(*this, data);
    has_document = true;
  }
  void on_event_end(std::size_t /*end*/) {
    if (has_document) walk.restart();
    has_document = false;
    if (format == Format::first_event && !own_id.empty()) is_over = true;
  }
  void on_late_line_feed(std::size_t /*end*/) {}

  const Format format;
  const std::string_view own_beginning;
  JsonWalk<Impl, Place> walk;
  EventLines lines;
  bool has_document = false, is_over = false;

  Member member = Member::other;
  Naming naming;
  std::vector<ObjectName> found;
  std::string own_id, status, tuned_model;
};

ObjectScan::Impl::Place ObjectScan::Impl::open(Place parent, bool is_object, std::uint64_t /*at*/) {
  if (member == Member::echo) return Place::skip;
  const bool is_event_object = format != Format::json && parent == Place::top && is_object && member == Member::response;
  // An array's strings go by the name before it; an object's members have their own.
  if (is_object) naming = {};
  member = Member::other;
  return parent == Place::document || is_event_object ? Place::top : Place::inner;
}

void ObjectScan::Impl::name(Place place, std::string_view name, std::uint64_t /*size*/, std::uint64_t /*begin*/, std::uint64_t /*comma*/) {
  naming = naming_of(name);
  member = Member::other;
  if (is_echo(name)) member = Member::echo;
  if (place != Place::top) return;
  if (name == "id") member = Member::id;
  else if (name == "status") member = Member::status;
  else if (name == "fine_tuned_model") member = Member::tuned_model;
  else if (name == "response") member = Member::response;
}

void ObjectScan::Impl::text(Place place, const JsonText& text) {
  const std::string_view value = text.head.substr(0, max_object_id);
  if (place == Place::top && member == Member::status) status = value;
  if (place == Place::top && member == Member::tuned_model) tuned_model = value;
  if (naming.kind == Naming::Kind::none || naming.member == "model" || text.bytes > max_object_id) return;
  const bool is_own = place == Place::top && member == Member::id;
  if (is_own && own_id.empty() && value.starts_with(own_beginning)) own_id = value;
  const IdShape shape = shape_of(value);
  const bool is_item = shape == IdShape::item && naming.kind == Naming::Kind::by_shape_or_item;
  if (shape != IdShape::object && !is_item) return;
  if (found.size() == max_found || (!found.empty() && found.back().id == value)) return;
  found.push_back({std::string(value), naming.member, is_item});
}

ObjectScan::ObjectScan(Format format, std::string_view own_beginning) : impl_(std::make_unique<Impl>(format, own_beginning)) {}
ObjectScan::~ObjectScan() = default;

void ObjectScan::feed(std::string_view piece) {
  if (impl_->is_over) return;
  if (impl_->format == Format::json || impl_->format == Format::documents) impl_->walk.feed(*impl_, piece);
  else impl_->lines.feed(*impl_, piece);
}

void ObjectScan::restart() { impl_->walk.restart(); }
std::vector<ObjectName> ObjectScan::take() { return std::exchange(impl_->found, {}); }
bool ObjectScan::has_found() const { return !impl_->found.empty(); }
bool ObjectScan::is_document() const { return impl_->format == Format::json; }
const std::string& ObjectScan::own_id() const { return impl_->own_id; }
const std::string& ObjectScan::status() const { return impl_->status; }
const std::string& ObjectScan::tuned_model() const { return impl_->tuned_model; }

}  // namespace proxyxai
