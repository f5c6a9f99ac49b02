#include <algorithm>
#include <utility>

#include "json_number.hpp"
#include "proxyxai/base/ascii.hpp"
#include "proxyxai/metering/prompt_hash.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t max_word = 32;  // size, quality, response_format, service_tier
constexpr std::int64_t most_tokens = 1'000'000'000;
constexpr std::int64_t most_choices = 1000;
constexpr std::string_view data_scheme = "data:", link_scheme = "http";

/// 1 to most_choices; anything else counts as 1. `is_cut`: there is more of it, which may make it any number.
std::int64_t read_choices(std::string_view text, bool is_cut) {
  if (is_cut) return most_choices;
  const std::int64_t n = read_count(text, most_tokens).value_or(1);
  return n >= 1 && n <= most_choices ? n : 1;
}

}  // namespace

JsonScan::Url JsonScan::url_of(std::string_view name) {
  switch (name.size()) {
    case 3: return equals(name, "url") ? Url::data_or_link : Url::none;
    case 7: return equals(name, "file_id") ? Url::file_id : Url::none;
    case 8: return equals(name, "file_url") ? Url::link : Url::none;
    case 9: return equals(name, "image_url") ? Url::data_or_link : equals(name, "file_data") ? Url::data : Url::none;
    default: return Url::none;
  }
}

void JsonScan::feed(std::string_view piece) {
  if (piece.find('\0') != piece.npos) spoil();
  walk_.feed(*this, piece);
}

void JsonScan::spoil() {
  is_spoilt_ = true;
  facts_.is_object = false;
}

JsonScan::Place JsonScan::open(Place parent, bool is_object, std::uint64_t at) {
  auto& options = facts_.stream_options;
  if (parent == Place::document) {
    if (!is_object || options.object_begin) spoil();
    if (!is_object) return Place::skip;
    facts_.is_object = !is_spoilt_;
    if (!options.object_begin) {
      options.object_begin = at + 1;
      options.body_is_empty = true;
    }
    return Place::body;
  }
  if (parent == Place::prompt) {
    ++prompts_;
    return Place::skip;
  }
  if (member_ == Member::body && is_object) {
    member_ = Member::other;
    has_line_body_ = true;
    return Place::body;
  }
  // No container is a value that these members may have, but a few.
  forget(member_);
  set_value_range(parent, at, 0);
  if (member_ == Member::input) input_from_ = facts_.text_bytes;
  is_metadata_ = member_ == Member::metadata;
  begin_prompt(at);
  if (is_object && (member_ == Member::prompt || member_ == Member::conversation)) set_stored(true);
  if (member_ == Member::prompt && !is_object) {
    member_ = Member::other;
    prompts_ = 0;
    return Place::prompt;
  }
  if (member_ != Member::stream_options || !is_object) return Place::skip;
  member_ = Member::other;
  options.options_begin = at + 1;
  options.options_is_empty = true;
  return Place::options;
}

void JsonScan::close(Place place, std::uint64_t end) {
  if (place == Place::options) facts_.stream_options.value_end = end;
  if (place == Place::prompt) facts_.prompts = std::max<std::int64_t>(prompts_, 1);
  member_ = Member::other;
}

void JsonScan::skipped(Place parent, std::uint64_t end) {
  is_metadata_ = false;
  if (parent == Place::body && member_ == Member::input) facts_.characters = facts_.text_bytes - input_from_;
  if (parent == Place::body && member_ == Member::stream_options) facts_.stream_options.value_end = end;
  if (parent == Place::options && member_ == Member::include_usage) facts_.stream_options.include_end = end;
}

void JsonScan::name(Place place, std::string_view name, std::uint64_t bytes, std::uint64_t /*begin*/, std::uint64_t /*comma*/) {
  facts_.text_bytes += static_cast<std::int64_t>(bytes);
  next_ = url_of(name);
  naming_ = naming_of(name);
  is_first_value_ = true;
  member_ = Member::other;
  if (place == Place::options) {
    facts_.stream_options.options_is_empty = false;
    if (equals(name, "include_usage")) member_ = Member::include_usage;
    return;
  }
  facts_.stream_options.body_is_empty = false;
  body_name(name);
}

void JsonScan::body_name(std::string_view name) {
  switch (name.size()) {
    case 1:
      if (equals(name, "n")) member_ = Member::n;
      break;
    case 4:
      if (equals(name, "size")) member_ = Member::size;
      else if (is_batch_line_ && equals(name, "body")) member_ = Member::body;
      break;
    case 5:
      if (equals(name, "model")) member_ = Member::model;
      else if (equals_lower(name, "model")) spoil();
      else if (equals(name, "store")) member_ = Member::store;
      else if (equals(name, "input")) member_ = Member::input;
      break;
    case 6:
      if (equals(name, "stream")) member_ = Member::stream;
      else if (equals(name, "prompt")) member_ = Member::prompt;
      break;
    case 7:
      if (equals(name, "quality")) member_ = Member::quality;
      else if (equals(name, "best_of")) member_ = Member::best_of;
      break;
    case 8:
      if (equals(name, "metadata")) member_ = Member::metadata;
      else if (equals(name, "messages")) member_ = Member::messages;
      break;
    case 10:
      if (equals(name, "max_tokens")) member_ = Member::max_tokens;
      else if (equals(name, "background")) member_ = Member::background;
      break;
    case 12:
      if (equals(name, "service_tier")) member_ = Member::service_tier;
      else if (equals(name, "conversation")) member_ = Member::conversation;
      break;
    case 14:
      if (equals(name, "stream_options")) member_ = Member::stream_options;
      break;
    case 15:
      if (equals(name, "response_format")) member_ = Member::response_format;
      break;
    case 16:
      if (equals(name, "prompt_cache_key")) member_ = Member::prompt_cache_key;
      break;
    case 17:
      if (equals(name, "max_output_tokens")) member_ = Member::max_output_tokens;
      break;
    case 20:
      if (equals(name, "previous_response_id")) member_ = Member::previous_response;
      break;
    case 21:
      if (equals(name, "max_completion_tokens")) member_ = Member::max_completion_tokens;
      break;
    default: break;
  }
}

std::size_t JsonScan::wanted(Place /*place*/) const {
  if (member_ == Member::model || member_ == Member::prompt_cache_key) return max_model;
  return naming_.kind == Naming::Kind::none ? max_word : max_object_id;
}

void JsonScan::begin_prompt(std::uint64_t at) {
  const bool is_prompt = member_ == Member::messages || member_ == Member::input || member_ == Member::prompt;
  if (is_prompt && !facts_.prompt_begin) facts_.prompt_begin = at;
}

std::string* JsonScan::wanted_text() {
  switch (member_) {
    case Member::model: return &facts_.model;
    case Member::size: return &facts_.size;
    case Member::quality: return &facts_.quality;
    case Member::response_format: return &facts_.response_format;
    case Member::service_tier: return &facts_.tier;
    default: return nullptr;
  }
}

void JsonScan::text(Place place, const JsonText& text) {
  if (place == Place::document) spoil();
  count_text(text.head, text.bytes);
  name_object(text.head, text.bytes);
  if (place == Place::prompt) {
    ++prompts_;
    return;
  }
  forget(member_);
  set_value_range(place, text.begin, text.end);
  begin_prompt(text.begin);
  if (member_ == Member::prompt_cache_key) facts_.prompt_key = hash_on(first_hash, text.head);
  if (std::string* const kept = wanted_text()) *kept = text.head.substr(0, wanted(place));
  else if (member_ == Member::input) facts_.characters = static_cast<std::int64_t>(text.characters);
  else if (member_ == Member::previous_response || member_ == Member::conversation) set_stored(true);
  if (member_ == Member::model) {
    facts_.model_begin = text.begin;
    facts_.model_end = text.end;
  }
}

void JsonScan::scalar(Place place, std::string_view text, std::uint64_t begin, std::uint64_t end) {
  if (place == Place::document) spoil();
  const auto bytes = static_cast<std::int64_t>(end - begin);
  const bool is_cut = text.size() < end - begin;
  facts_.text_bytes += bytes;
  if (place == Place::prompt) return;
  forget(member_);
  set_value_range(place, begin, end);
  switch (member_) {
    case Member::stream: facts_.stream = equals(text, "true"); break;
    case Member::background: facts_.background = equals(text, "true"); break;
    case Member::store:
      if (equals(text, "true") || equals(text, "false")) facts_.store = equals(text, "true");
      break;
    case Member::n: facts_.n = read_choices(text, is_cut); break;
    case Member::best_of: facts_.best_of = read_choices(text, is_cut); break;
    case Member::input: facts_.characters = bytes; break;
    case Member::max_tokens:
    case Member::max_completion_tokens:
    case Member::max_output_tokens: set_maximum(is_cut ? most_tokens : read_count(text, most_tokens)); break;
    case Member::stream_options: facts_.stream_options.value_is_null = equals(text, "null"); break;
    case Member::include_usage:
      if (equals(text, "true") || equals(text, "false")) facts_.stream_options.include_usage = equals(text, "true");
      break;
    default: break;
  }
}

void JsonScan::set_maximum(std::optional<std::int64_t> value) {
  maxima_[static_cast<std::size_t>(member_) - static_cast<std::size_t>(Member::max_tokens)] = value;
  facts_.max_tokens.reset();
  for (const auto& each : maxima_) {
    // An optional without a value is less than any with one.
    if (each > facts_.max_tokens) facts_.max_tokens = each;
  }
}

void JsonScan::set_stored(bool is_told) {
  stored_[static_cast<std::size_t>(member_) - static_cast<std::size_t>(Member::prompt)] = is_told;
  facts_.refers_to_stored = std::find(stored_.begin(), stored_.end(), true) != stored_.end();
}

/// An earlier member of the same name counts no more.
void JsonScan::forget(Member member) {
  auto& options = facts_.stream_options;
  switch (member) {
    case Member::stream: facts_.stream = false; break;
    case Member::background: facts_.background = false; break;
    case Member::store: facts_.store.reset(); break;
    case Member::n: facts_.n = 1; break;
    case Member::best_of: facts_.best_of = 1; break;
    case Member::input: facts_.characters = 0; break;
    case Member::prompt: facts_.prompts = 1; [[fallthrough]];
    case Member::previous_response:
    case Member::conversation: set_stored(false); break;
    case Member::max_tokens:
    case Member::max_completion_tokens:
    case Member::max_output_tokens: set_maximum(std::nullopt); break;
    case Member::stream_options:
      options.options_begin.reset();
      options.value_is_null = false;
      [[fallthrough]];
    case Member::include_usage:
      options.include_usage.reset();
      options.include_begin.reset();
      options.include_end.reset();
      break;
    case Member::model: facts_.model_begin = facts_.model_end = 0; [[fallthrough]];
    default:
      if (std::string* const wanted = wanted_text()) wanted->clear();
  }
}

/// `end` 0: not known yet.
void JsonScan::set_value_range(Place place, std::uint64_t begin, std::uint64_t end) {
  auto& options = facts_.stream_options;
  const auto known = end == 0 ? std::nullopt : std::optional(end);
  if (place == Place::body && member_ == Member::stream_options) {
    options.value_begin = begin;
    options.value_end = known;
  } else if (place == Place::options && member_ == Member::include_usage) {
    options.include_begin = begin;
    options.include_end = known;
  }
}

void JsonScan::count_text(std::string_view head, std::uint64_t bytes) {
  const Url may_be = next_;
  next_ = last_ = Url::none;
  if (may_be != Url::none) {
    const bool may_be_data = may_be == Url::data || may_be == Url::data_or_link;
    const bool may_be_link = may_be == Url::link || may_be == Url::data_or_link;
    if (may_be_data && head.starts_with(data_scheme)) {
      last_ = Url::data;
      ++facts_.data_urls;
      return;
    }
    if (may_be == Url::file_id || (may_be_link && starts_with_lower(head, link_scheme))) {
      last_ = Url::link;
      ++facts_.links;
    }
  }
  facts_.text_bytes += static_cast<std::int64_t>(bytes);
}

/// A string value: what it names, if the name before it says that it names something. Only the first value behind a name counts
/// whatever it looks like; others may be of its array, or stand behind that.
void JsonScan::name_object(std::string_view head, std::uint64_t bytes) {
  named_last_ = false;
  if (naming_.kind == Naming::Kind::none || is_metadata_ || bytes == 0) return;
  const bool is_told = naming_.kind == Naming::Kind::object && std::exchange(is_first_value_, false);
  const std::string_view value = head.substr(0, max_object_id);
  const IdShape shape = bytes > max_object_id ? IdShape::none : shape_of(value);
  const bool is_item = shape == IdShape::item && !is_told;
  if (is_item ? naming_.kind != Naming::Kind::by_shape_or_item : !is_told && shape != IdShape::object) return;
  if (facts_.objects.size() == max_objects) {
    facts_.has_more_objects = true;
    return;
  }
  facts_.objects.push_back({std::string(value), naming_.member, is_item});
  named_last_ = true;
}

void JsonScan::skipped_text(std::string_view head, std::uint64_t bytes) {
  count_text(head, bytes);
  name_object(head, bytes);
  last_bytes_ = bytes;
  last_as_name_ = url_of(head);
  last_as_naming_ = naming_of(head);
}

void JsonScan::skipped_name() {
  // It stood where a URL may, but names are none.
  if (last_ == Url::data) {
    --facts_.data_urls;
    facts_.text_bytes += static_cast<std::int64_t>(last_bytes_);
  } else if (last_ == Url::link) {
    --facts_.links;
  }
  next_ = last_as_name_;
  if (named_last_) facts_.objects.pop_back();
  named_last_ = false;
  naming_ = last_as_naming_;
  is_first_value_ = true;
}

}  // namespace proxyxai
