#include "answer_scan.hpp"

#include "json_number.hpp"
#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

constexpr std::string_view transcription_event = "conversation.item.input_audio_transcription.completed";
/// Bytes of base64 that one audio token takes, over those of text: 64,000 a second make about 20 tokens.
constexpr std::uint64_t audio_over_text = 800;

std::uint64_t text_of_audio(std::uint64_t bytes) { return (bytes + audio_over_text - 1) / audio_over_text; }

}  // namespace

void AnswerScan::feed(std::string_view piece) {
  if (!repeats_ || piece.empty() || !walk_.is_at_start()) {
    walk_.feed(*this, piece);
    return;
  }
  const std::string_view rest = skip_opening(piece);
  const bool was_known = rest.size() < piece.size();
  walk_.feed(*this, rest);
  if (!was_known) learn_opening(piece);
}

std::string_view AnswerScan::skip_opening(std::string_view piece) {
  const std::size_t size = opening_.text.size();
  if (size == 0 || !piece.starts_with(opening_.text)) return piece;
  if (opening_.is_walked) {
    document_ = opening_.document;
    walk_.resume(opening_.position);
  } else {
    walk_.feed(*this, piece.substr(0, size));
    opening_.document = document_;
    opening_.position = walk_.position();
    opening_.is_walked = walk_.is_between_tokens();
  }
  return piece.substr(size);
}

void AnswerScan::learn_opening(std::string_view piece) {
  // Only one document back: others may have told another model or tier.
  opening_.text.clear();
  opening_.is_walked = false;
  if (opening_end_ > 0 && opening_end_ <= piece.size() && opening_end_ <= max_opening) {
    opening_.text = piece.substr(0, opening_end_);
  }
}

void AnswerScan::restart() {
  walk_.restart();
  document_ = {};
  cuts_.clear();
  opening_end_ = 0;
}

bool AnswerScan::has_usage() const {
  const bool is_told = document_.usage == UsageState::complete && reader_.is_given();
  switch (kind_) {
    case AnswerKind::unread: return false;
    case AnswerKind::completions:
    case AnswerKind::responses:
    case AnswerKind::plain:
    case AnswerKind::speech: return is_told;
    case AnswerKind::response_event: return is_told && document_.usage_in_response != (type() == transcription_event);
    case AnswerKind::audio: return is_told || document_.duration > 0;
    case AnswerKind::images: return is_told || (document_.data_count > 0 && is_closed());
    case AnswerKind::runs: return is_told && document_.is_run;
  }
  return false;
}

void AnswerScan::write_usage(Usage& usage) const {
  if (document_.usage == UsageState::complete && reader_.is_given()) {
    reader_.write(usage);
    if (kind_ == AnswerKind::speech) usage.audio_output = usage.output;
  } else {
    usage.milliseconds = document_.duration;
    usage.images = document_.data_count;
    usage.given = true;
  }
  if (!size_.empty() || !quality_.empty()) usage.image_kind = quality_ + "/" + size_;
}

std::uint64_t AnswerScan::text_bytes() const {
  const std::uint64_t bytes = document_.text_bytes + text_of_audio(document_.audio_bytes);
  if (type().ends_with("audio.delta")) return bytes + text_of_audio(document_.delta_bytes);
  if (type().ends_with(".delta")) return bytes + document_.delta_bytes;
  // The last event of a transcript repeats it.
  return kind_ == AnswerKind::audio && document_.type_size > 0 ? 0 : bytes;
}

bool AnswerScan::ends_text() const {
  return document_.is_finished || (kind_ == AnswerKind::response_event && type().ends_with(".done"));
}

AnswerScan::Place AnswerScan::open(Place parent, bool is_object, std::uint64_t at) {
  const Member member = document_.member;
  // What stands in an array has no name.
  if (!is_object) document_.member = Member::other;
  switch (parent) {
    // What follows the document is none: it would count only where it came in one piece with its end.
    case Place::document: return is_object && !walk_.is_closed() ? Place::top : Place::skip;
    case Place::top:
      document_.member = member;
      return open_top(is_object, at);
    case Place::response: return member == Member::usage ? open_usage(is_object, true) : Place::skip;
    case Place::choices: document_.choices_are_empty = false; return Place::content;
    case Place::content: return member == Member::logprobs ? Place::skip : Place::content;
    case Place::data: ++document_.data_count; return Place::skip;
    case Place::usage:
    case Place::input_details:
    case Place::cached_details:
    case Place::output_details: {
      const auto part = is_object ? reader_.inner() : std::nullopt;
      return part ? place_of(*part) : Place::skip;
    }
    case Place::skip: break;
  }
  return Place::skip;
}

AnswerScan::Place AnswerScan::open_top(bool is_object, std::uint64_t at) {
  const Member member = document_.member;
  document_.member = Member::other;
  switch (member) {
    case Member::usage: return open_usage(is_object, false);
    case Member::choices:
      document_.has_choices = document_.choices_are_empty = !is_object;
      end_opening(at + 1);
      return is_object ? Place::skip : Place::choices;
    case Member::response: return is_object ? Place::response : Place::skip;
    case Member::delta: return kind_ == AnswerKind::runs ? Place::content : Place::skip;
    case Member::data: document_.data_count = 0; return is_object ? Place::skip : Place::data;
    case Member::error: document_.has_error = is_object; return Place::skip;
    default: return Place::skip;
  }
}

AnswerScan::Place AnswerScan::open_usage(bool is_object, bool in_response) {
  document_.usage = is_object ? UsageState::open : UsageState::none;
  document_.usage_in_response = in_response;
  reader_.begin();
  return is_object ? Place::usage : Place::skip;
}

void AnswerScan::close(Place place, std::uint64_t /*end*/) {
  document_.member = Member::other;
  if (place == Place::usage) document_.usage = UsageState::complete;
}

UsageReader::Part AnswerScan::part_of(Place place) {
  switch (place) {
    case Place::input_details: return UsageReader::Part::input;
    case Place::cached_details: return UsageReader::Part::cached;
    case Place::output_details: return UsageReader::Part::output;
    default: return UsageReader::Part::totals;
  }
}

AnswerScan::Place AnswerScan::place_of(UsageReader::Part part) {
  switch (part) {
    case UsageReader::Part::totals: return Place::usage;
    case UsageReader::Part::input: return Place::input_details;
    case UsageReader::Part::cached: return Place::cached_details;
    case UsageReader::Part::output: return Place::output_details;
  }
  return Place::skip;
}

void AnswerScan::name(Place place, std::string_view name, std::uint64_t /*bytes*/, std::uint64_t begin, std::uint64_t comma) {
  switch (place) {
    case Place::top:
      if (document_.cut_to_next) cuts_.back().end = begin;
      document_.cut_to_next = false;
      ++document_.members;
      document_.member = member_of(name);
      if (document_.member == Member::usage) {
        document_.usage_begin = begin;
        document_.usage_comma = comma;
      }
      break;
    case Place::response: document_.member = member_of(name); break;
    case Place::content:
      document_.member = content_member_of(name);
      // The first text is what differs from chunk to chunk; a colon stands between.
      if (document_.member == Member::text && document_.text_bytes == 0) end_opening(begin + name.size() + 3);
      break;
    case Place::usage:
    case Place::input_details:
    case Place::cached_details:
    case Place::output_details: reader_.name(part_of(place), name); break;
    default: break;
  }
}

AnswerScan::Member AnswerScan::content_member_of(std::string_view name) {
  switch (name.size()) {
    case 4: return equals(name, "text") ? Member::text : equals(name, "data") ? Member::audio : Member::other;
    case 5: return equals(name, "value") ? Member::text : Member::other;
    case 7: return equals(name, "content") || equals(name, "refusal") ? Member::text : Member::other;
    case 8: return equals(name, "logprobs") ? Member::logprobs : Member::other;
    case 9: return equals(name, "arguments") ? Member::text : Member::other;
    case 10: return equals(name, "transcript") ? Member::text : Member::other;
    case 13: return equals(name, "finish_reason") ? Member::finish : Member::other;
    case 17: return equals(name, "reasoning_content") ? Member::text : Member::other;
    default: return Member::other;
  }
}

/// What has been told apart from the plain Document would not be told again: then no opening can end here.
void AnswerScan::end_opening(std::uint64_t at) {
  if (cuts_.empty() && document_.usage == UsageState::none && document_.type_size == 0) opening_end_ = at;
}

AnswerScan::Member AnswerScan::member_of(std::string_view name) const {
  switch (name.size()) {
    case 4:
      if (equals(name, "type")) return Member::type;
      if (equals(name, "data") && kind_ == AnswerKind::images) return Member::data;
      if (equals(name, "size") && kind_ == AnswerKind::images) return Member::size;
      if (equals(name, "text") && kind_ == AnswerKind::audio) return Member::text;
      break;
    case 5:
      if (equals(name, "usage")) return Member::usage;
      if (equals(name, "model")) return Member::model;
      if (equals(name, "delta")) return Member::delta;
      if (equals(name, "error")) return Member::error;
      break;
    case 6:
      if (equals(name, "object") && kind_ == AnswerKind::runs) return Member::object;
      break;
    case 7:
      if (equals(name, "choices") && kind_ == AnswerKind::completions) return Member::choices;
      if (equals(name, "quality") && kind_ == AnswerKind::images) return Member::quality;
      break;
    case 8:
      if (equals(name, "response") && kind_ == AnswerKind::response_event) return Member::response;
      if (equals(name, "duration") && kind_ == AnswerKind::audio) return Member::duration;
      break;
    case 12:
      if (equals(name, "service_tier")) return Member::tier;
      break;
    default: break;
  }
  return Member::other;
}

std::size_t AnswerScan::wanted(Place place) const {
  if (place != Place::top && place != Place::response) return 0;
  switch (document_.member) {
    case Member::model: return walk_.max_text;
    case Member::other:
    case Member::text:
    case Member::delta: return 0;
    default: return max_type;
  }
}

void AnswerScan::text(Place place, const JsonText& text) {
  switch (place) {
    case Place::content:
      if (document_.member == Member::text) document_.text_bytes += text.bytes;
      else if (document_.member == Member::audio) document_.audio_bytes += text.bytes;
      else if (document_.member == Member::finish) document_.is_finished = document_.is_finished || text.bytes > 0;
      break;
    case Place::choices: document_.choices_are_empty = false; break;
    case Place::top: top_text(text); break;
    case Place::response:
      if (document_.member == Member::model) set_model(text.head);
      else if (document_.member == Member::tier) set_tier(text.head);
      break;
    default: break;
  }
}

void AnswerScan::top_text(const JsonText& text) {
  switch (document_.member) {
    case Member::type: {
      // A longer one is none that matters.
      const auto type = text.bytes <= max_type ? text.head : std::string_view();
      document_.type_size = static_cast<std::uint8_t>(type.copy(type_.data(), max_type));
      break;
    }
    case Member::object: document_.is_run = text.head == "thread.run"; break;
    case Member::model: set_model(text.head); break;
    case Member::tier: set_tier(text.head); break;
    case Member::size: size_ = text.head.substr(0, max_word); break;
    case Member::quality: quality_ = text.head.substr(0, max_word); break;
    case Member::delta: document_.delta_bytes = text.bytes; break;
    case Member::text: document_.text_bytes = text.bytes; break;
    case Member::duration: document_.duration = read_milliseconds(text.head, most_counted).value_or(0); break;
    case Member::usage: document_.usage = UsageState::none; break;
    default: break;
  }
}

void AnswerScan::set_model(std::string_view told) {
  told = told.substr(0, model_.size());
  if (told == model()) return;
  model_size_ = told.copy(model_.data(), model_.size());
  opening_.text.clear();
}

void AnswerScan::set_tier(std::string_view told) {
  told = told.substr(0, max_word);
  if (told == tier_) return;
  tier_ = told;
  opening_.text.clear();
}

void AnswerScan::scalar(Place place, std::string_view text, std::uint64_t /*begin*/, std::uint64_t end) {
  switch (place) {
    case Place::top:
      if (document_.member == Member::usage) {
        document_.usage = UsageState::none;
        if (equals(text, "null")) cut_usage(end);
      } else if (document_.member == Member::duration) {
        document_.duration = read_milliseconds(text, most_counted).value_or(0);
      } else if (document_.member == Member::error) {
        document_.has_error = false;
      }
      break;
    case Place::choices: document_.choices_are_empty = false; break;
    case Place::response:
      if (document_.member == Member::usage) document_.usage = UsageState::none;
      break;
    case Place::usage:
    case Place::input_details:
    case Place::cached_details:
    case Place::output_details: reader_.scalar(text); break;
    default: break;
  }
}

void AnswerScan::cut_usage(std::uint64_t end) {
  if (cuts_.size() == max_cuts) return;
  // The comma before it goes with it, unless nothing stays before: then the one behind does.
  const bool is_first = document_.members == cuts_.size() + 1;
  document_.cut_to_next = is_first;
  cuts_.push_back({is_first ? document_.usage_begin : document_.usage_comma, end});
}

}  // namespace proxyxai
