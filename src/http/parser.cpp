#include "proxyxai/http/parser.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

#include <boost/beast/http/error.hpp>

#include "proxyxai/http/gate.hpp"

namespace proxyxai {

std::string_view find(const Fields& fields, beast_http::field id) {
  for (const Field& field : fields) {
    if (field.id == id) return field.value;
  }
  return {};
}

std::string_view find(const Fields& fields, std::string_view lower_case_name) {
  for (const Field& field : fields) {
    if (equals_lower(field.name, lower_case_name)) return field.value;
  }
  return {};
}

bool has_token(std::string_view value, std::string_view lower_case_token) {
  while (!value.empty()) {
    const auto comma = value.find(',');
    if (equals_lower(trim(value.substr(0, comma)), lower_case_token)) return true;
    if (comma == value.npos) break;
    value.remove_prefix(comma + 1);
  }
  return false;
}

bool asks_for_websocket(const RequestParser& request) {
  if (request.method() != "GET" || request.version() != 11) return false;
  if (!equals_lower(find(request.fields(), beast_http::field::upgrade), "websocket")) return false;
  return std::any_of(request.fields().begin(), request.fields().end(),
                     [](const Field& each) { return each.id == beast_http::field::connection && has_token(each.value, "upgrade"); });
}

template <bool is_request>
MessageParser<is_request>::MessageParser(Fields& fields) : fields_(fields) {
  // The head was bounded before it came here, and bodies are bounded, or deliberately not, by who reads them.
  this->header_limit(256 << 10);
  this->body_limit(boost::none);
  fields_.clear();
}

template <bool is_request>
typename MessageParser<is_request>::Fed MessageParser<is_request>::feed_body(char* input, std::size_t size) {
  body_begin_ = nullptr;
  body_size_ = 0;
  input_ = {input, size};
  line_begin_ = input;
  Fed fed;
  // Nothing shorter is all of a chunked body, and Beast 1.81 takes for granted that it has so much of a last chunk that comes first.
  static constexpr std::size_t shortest = std::string_view("0\r\n\r\n").size();
  if (!has_chunk_ && this->chunked() && size < shortest && std::string_view(input, size).starts_with('0')) return fed;
  boost::beast::error_code error;
  while (fed.consumed < size && !this->is_done()) {
    const std::size_t used = this->put(boost::asio::const_buffer(input + fed.consumed, size - fed.consumed), error);
    fed.consumed += used;
    if (error == beast_http::error::need_more) break;
    if (error) {
      fed.failed = true;
      break;
    }
    if (used == 0) break;
  }
  fed.body = {body_begin_, body_size_};
  return fed;
}

template <bool is_request>
void MessageParser<is_request>::collect(std::string_view piece) {
  if (piece.empty()) return;
  // The piece lies in the caller's own mutable input; `put` only takes it as const.
  char* const at = const_cast<char*>(piece.data());
  if (body_begin_ == nullptr) {
    body_begin_ = at;
  } else if (body_begin_ + body_size_ != at) {
    std::memmove(body_begin_ + body_size_, at, piece.size());
  }
  body_size_ += piece.size();
}

template <bool is_request>
void MessageParser<is_request>::on_request_impl(beast_http::verb, boost::beast::string_view method, boost::beast::string_view target, int version,
                                                boost::beast::error_code&) {
  method_ = method;
  target_ = target;
  version_ = version;
}

template <bool is_request>
void MessageParser<is_request>::on_response_impl(int status, boost::beast::string_view reason, int version, boost::beast::error_code&) {
  status_ = static_cast<unsigned>(status);
  reason_ = reason;
  version_ = version;
}

template <bool is_request>
void MessageParser<is_request>::on_field_impl(beast_http::field id, boost::beast::string_view name, boost::beast::string_view value,
                                              boost::beast::error_code& error) {
  if (!head_done_) {
    fields_.push_back({id, name, value});
    return;
  }
  // A trailer, which is not relayed. Readers bound an unfinished section; this one came in one read.
  trailer_bytes_ += name.size() + value.size();
  if (trailer_bytes_ > max_chunk_line) error = beast_http::error::header_limit;
  // Obsolete folding (RFC 9112 5.2) is refused as in the head: Beast unfolds it into memory of its own.
  else if (!value.empty() && !is_in_input(value)) error = beast_http::error::bad_value;
}

template <bool is_request>
bool MessageParser<is_request>::is_in_input(std::string_view text) const {
  return std::less_equal<>()(input_.data(), text.data()) && std::less_equal<>()(text.data() + text.size(), input_.data() + input_.size());
}

template <bool is_request>
void MessageParser<is_request>::on_header_impl(boost::beast::error_code&) {
  head_done_ = true;
}

template <bool is_request>
void MessageParser<is_request>::on_body_init_impl(const boost::optional<std::uint64_t>&, boost::beast::error_code&) {}

template <bool is_request>
std::size_t MessageParser<is_request>::on_body_impl(boost::beast::string_view body, boost::beast::error_code&) {
  collect(body);
  return body.size();
}

template <bool is_request>
void MessageParser<is_request>::on_chunk_header_impl(std::uint64_t, boost::beast::string_view extensions, boost::beast::error_code& error) {
  has_chunk_ = true;
  const auto is_control = [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; };
  // Beast takes any byte within quotes.
  const bool has_control = std::any_of(extensions.begin(), extensions.end(), is_control);
  // Readers bound an unfinished line; this one came in one read.
  const auto length = static_cast<std::size_t>(extensions.data() + extensions.size() - line_begin_);
  if (length > max_chunk_line + 2 || has_control) error = beast_http::error::bad_chunk_extension;
}

template <bool is_request>
std::size_t MessageParser<is_request>::on_chunk_body_impl(std::uint64_t, boost::beast::string_view body,
                                                          boost::beast::error_code&) {
  line_begin_ = body.data() + body.size();
  collect(body);
  return body.size();
}

template <bool is_request>
void MessageParser<is_request>::on_finish_impl(boost::beast::error_code&) {}

template class MessageParser<true>;
template class MessageParser<false>;

}  // namespace proxyxai
