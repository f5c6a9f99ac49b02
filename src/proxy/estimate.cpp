#include "proxyxai/proxy/estimate.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

// Where upstream tells nothing, what is commonly so.
constexpr std::int64_t bytes_in_token = 4, bytes_in_token_generous = 3;
constexpr std::int64_t tokens_in_image = 1'100;
constexpr std::int64_t bytes_in_second = 16'000;      // of compressed audio, 128 kbit/s
constexpr std::int64_t tokens_in_second = 40;         // of audio to transcribe
constexpr std::int64_t speech_fifths = 7;             // fifths of an audio token for a character that is spoken
constexpr std::int64_t characters_in_second = 18;     // of speech, spoken fast
constexpr std::int64_t stored_context = 100'000;      // tokens reserved for what upstream reads from its own store
constexpr std::int64_t realtime_context = 32'000;     // tokens that a realtime model reads at most
constexpr std::int64_t bytes_in_audio_token = 6'400;  // of base64 that the client speaks into a realtime session

bool is_image(std::string_view endpoint) { return endpoint.starts_with("images/"); }

std::int64_t audio_milliseconds(const RequestFacts& facts) {
  return facts.audio_ms > 0 ? facts.audio_ms : facts.file_bytes * 1'000 / bytes_in_second;
}

/// Only pieces are counted, so that counting them is no estimate.
bool is_priced_by_unit(const Price& price) {
  return price.input == 0 && price.output == 0 && (price.million_characters || price.second || !price.images.empty());
}

bool charges_units(const Price& price, const Usage& usage) {
  return (usage.characters > 0 && price.million_characters) || (usage.milliseconds > 0 && price.second) ||
         (usage.images > 0 && !price.images.empty());
}

}  // namespace

bool costs_money(const RequestContext& request) {
  // What is not known to cost nothing is metered: upstream may give a new path a price, or an old one a second name.
  static constexpr std::string_view free[] = {"moderations", "files", "uploads", "models", "fine_tuning", "assistants", "vector_stores",
                                              "conversations", "containers", "evals", "videos"};
  if (request.client.request().method() != "POST" && !request.upgrade) return false;
  if (request.endpoint == "threads") return request.path.find("/runs") != request.path.npos && !request.path.ends_with("/cancel");
  const bool listed = std::find(std::begin(free), std::end(free), request.endpoint) != std::end(free);
  const bool asks_nothing = (request.endpoint == "responses" && (request.path.ends_with("/input_tokens") || request.path.ends_with("/cancel"))) ||
                            (request.endpoint == "batches" && request.path.ends_with("/cancel"));
  return !listed && !asks_nothing;
}

bool is_transcription(std::string_view endpoint) { return endpoint == "audio/transcriptions" || endpoint == "audio/translations"; }

std::string_view default_model(std::string_view endpoint) {
  if (endpoint == "images/variations") return "dall-e-2";
  if (endpoint == "images/edits") return "gpt-image-1.5";
  if (endpoint == "images/generations") return "dall-e-2";
  return {};
}

std::int64_t estimate_input(const RequestFacts& facts, bool generous) {
  const std::int64_t of_text = facts.text_bytes / (generous ? bytes_in_token_generous : bytes_in_token) + 1;
  return std::min(of_text + (facts.data_urls + facts.links) * tokens_in_image, most_tokens);
}

Usage usage_asked_for(const RequestContext& request, bool generous) {
  const RequestFacts& facts = request.facts;
  Usage usage;
  if (request.endpoint == "audio/speech") {
    usage.characters = facts.characters;
    usage.input = estimate_input(facts, generous);
  } else if (is_transcription(request.endpoint)) {
    usage.milliseconds = audio_milliseconds(facts);
    usage.input = usage.milliseconds * tokens_in_second / 1'000;
  } else if (request.endpoint == "batches") {
    usage.input = request.input_bytes / bytes_in_token;
    usage.tier = "batch";
  } else if (is_image(request.endpoint)) {
    usage.images = facts.n;
    usage.image_kind = facts.quality + "/" + facts.size;
    usage.input = estimate_input(facts, generous);
  } else {
    usage.input = estimate_input(facts, generous);
    if (generous && (facts.refers_to_stored || (request.endpoint == "threads" && !facts.stream))) usage.input += stored_context;
  }
  return usage;
}

std::int64_t choices_of(const RequestContext& request) {
  if (is_image(request.endpoint)) return 1;
  const RequestFacts& facts = request.facts;
  return request.endpoint == "completions" ? facts.prompts * std::max(facts.n, facts.best_of) : facts.n;
}

std::string dearer_tier(const RequestContext& request) {
  constexpr std::int64_t list = 1'000;
  if (request.facts.tier.empty()) return {};
  const auto& tiers = request.price->tiers;
  const auto found = tiers.find(request.facts.tier);
  return found != tiers.end() && found->second > list ? request.facts.tier : std::string();
}

Usage pending_turn(const RequestContext& request, bool generous) {
  Usage turn;
  turn.output = request.delivered;
  if (request.endpoint == "realtime" && !generous) {
    turn.input = turn.audio_input = request.sent_bytes / bytes_in_audio_token;
  } else {
    turn.input = request.sent_bytes / bytes_in_token;
    if (request.endpoint == "realtime") turn.input = std::min(turn.input, realtime_context);
  }
  // A turn that has begun has read what came before it.
  if (generous || turn.output > 0) turn.input += request.context_tokens;
  return turn;
}

Usage usage_of(const RequestContext& request, const Price& price) {
  Usage usage;
  if (request.meter) usage = request.meter->usage();
  if (!usage.given) {
    const Usage asked = usage_asked_for(request, false);
    usage.characters = asked.characters;
    usage.estimated = !is_priced_by_unit(price);
    if (usage.milliseconds == 0) {
      // A low bit rate makes a long recording small; what was said in it tells too.
      usage.milliseconds = asked.milliseconds;
      if (is_transcription(request.endpoint) && request.facts.audio_ms == 0) {
        usage.milliseconds = std::max(usage.milliseconds, request.delivered * bytes_in_token * 1'000 / characters_in_second);
      }
      usage.estimated = usage.estimated || (is_transcription(request.endpoint) && request.facts.audio_ms == 0);
    }
    if (usage.images == 0) usage.images = asked.images;
    // The price of a piece is the whole price: tokens would be charged on top of it.
    if (!charges_units(price, usage)) {
      usage.input = asked.input;
      usage.output = request.delivered;
      if (request.endpoint == "audio/speech") usage.output = usage.audio_output = asked.characters * speech_fifths / 5;
    }
  }
  if (usage.image_kind.empty() && is_image(request.endpoint)) usage.image_kind = request.facts.quality + "/" + request.facts.size;
  if (!request.meter || !request.meter->tells_tier()) usage.tier = dearer_tier(request);
  return usage;
}

}  // namespace proxyxai
