#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/field.hpp>

#include "proxyxai/base/ascii.hpp"

namespace proxyxai {

namespace beast_http = boost::beast::http;

/// One header field: views into the buffer that the head was parsed from.
struct Field {
  beast_http::field id;  ///< `field::unknown` for names Beast does not list.
  std::string_view name;
  std::string_view value;
};
using Fields = std::vector<Field>;

/// The first field of that id, or an empty view.
std::string_view find(const Fields& fields, beast_http::field id);
/// The first field of that name in any case, for names Beast does not list.
std::string_view find(const Fields& fields, std::string_view lower_case_name);

/// True when the comma-separated list `value` has `token`, in any case (RFC 9110 5.6.1).
bool has_token(std::string_view value, std::string_view lower_case_token);

/// Beast's tokenizer without its containers: fields become views and body bytes are handed on where they lie, so that a
/// message costs no allocation and no copy. `put` takes the whole head at once (as basic_parser asks) and later body
/// bytes in any pieces. Loop thread.
template <bool is_request>
class MessageParser : public beast_http::basic_parser<is_request> {
 public:
  using Base = beast_http::basic_parser<is_request>;

  /// For one message, whose fields go into `fields`: the caller's, so that its memory serves the next message too.
  explicit MessageParser(Fields& fields);

  [[nodiscard]] const Fields& fields() const { return fields_; }
  [[nodiscard]] std::string_view method() const { return method_; }
  [[nodiscard]] std::string_view target() const { return target_; }
  [[nodiscard]] unsigned status() const { return status_; }
  /// 11 or 10.
  [[nodiscard]] int version() const { return version_; }
  [[nodiscard]] std::string_view reason() const { return reason_; }

  struct Fed {
    std::size_t consumed = 0;    ///< Bytes of the input used up; the rest must be given again with more behind it.
    std::string_view body;       ///< Decoded body bytes, inside the input; valid until the input's memory is reused.
    bool failed = false;         ///< The framing is broken.
  };
  /// Feeds body bytes after the head. Decoded pieces are moved together inside `input`, so that the body of one read is
  /// one view whatever the chunk sizes were.
  Fed feed_body(char* input, std::size_t size);

 private:
  void on_request_impl(beast_http::verb verb, boost::beast::string_view method, boost::beast::string_view target, int version,
                       boost::beast::error_code& error) override;
  void on_response_impl(int status, boost::beast::string_view reason, int version, boost::beast::error_code& error) override;
  void on_field_impl(beast_http::field id, boost::beast::string_view name, boost::beast::string_view value,
                     boost::beast::error_code& error) override;
  void on_header_impl(boost::beast::error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, boost::beast::error_code& error) override;
  std::size_t on_body_impl(boost::beast::string_view body, boost::beast::error_code& error) override;
  void on_chunk_header_impl(std::uint64_t size, boost::beast::string_view extensions, boost::beast::error_code& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t remain, boost::beast::string_view body, boost::beast::error_code& error) override;
  void on_finish_impl(boost::beast::error_code& error) override;

  void collect(std::string_view piece);
  [[nodiscard]] bool is_in_input(std::string_view text) const;

  Fields& fields_;
  std::string_view method_, target_, reason_;
  unsigned status_ = 0;
  int version_ = 11;
  bool head_done_ = false;
  bool has_chunk_ = false;          // the line of one has come
  std::string_view input_;          // of the present feed_body
  const char* line_begin_ = nullptr;  // of a chunk's line in it, or the line's end before that
  std::size_t trailer_bytes_ = 0;
  char* body_begin_ = nullptr;
  std::size_t body_size_ = 0;
};

using RequestParser = MessageParser<true>;
using ResponseParser = MessageParser<false>;

/// True for a request to go on as a WebSocket: a GET on HTTP/1.1 with an Upgrade that Connection names (RFC 6455 4.1, RFC 9110 7.8). With
/// anything else the field asks for nothing.
bool asks_for_websocket(const RequestParser& request);

}  // namespace proxyxai
