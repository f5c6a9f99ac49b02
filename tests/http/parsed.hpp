#pragma once

#include <stdexcept>
#include <string>

#include "proxyxai/http/parser.hpp"

namespace proxyxai {

/// A head that has been parsed, with the memory its fields point into.
template <bool is_request>
struct ParsedHead {
  explicit ParsedHead(std::string text) : head(std::move(text)), parser(fields) {
    boost::system::error_code error;
    parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
    if (error) throw std::runtime_error("the test's head does not parse: " + error.message());
  }
  std::string head;
  Fields fields;
  MessageParser<is_request> parser;
};
using ParsedRequest = ParsedHead<true>;
using ParsedResponse = ParsedHead<false>;

}  // namespace proxyxai
