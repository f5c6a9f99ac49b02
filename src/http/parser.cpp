#include "proxyxai/http/parser.hpp"

#include <cstring>

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
    auto item = value.substr(0, comma);
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (equals_lower(item, lower_case_token)) return true;
    if (comma == value.npos) break;
    value.remove_prefix(comma + 1);
  }
  return false;
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
  Fed fed;
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
                                              boost::beast::error_code&) {
  // Fields after the head are trailers, which are not relayed.
  if (!head_done_) fields_.push_back({id, name, value});
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
  // Readers bound an unfinished line; this one came in one read.
  if (extensions.size() > max_chunk_line) error = beast_http::error::bad_chunk_extension;
}

template <bool is_request>
std::size_t MessageParser<is_request>::on_chunk_body_impl(std::uint64_t, boost::beast::string_view body,
                                                          boost::beast::error_code&) {
  collect(body);
  return body.size();
}

template <bool is_request>
void MessageParser<is_request>::on_finish_impl(boost::beast::error_code&) {}

template class MessageParser<true>;
template class MessageParser<false>;

}  // namespace proxyxai
