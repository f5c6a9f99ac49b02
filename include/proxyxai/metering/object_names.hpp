#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Where requests and answers name what upstream keeps: files, responses, threads and the like. The names of members are those
/// of the public API description; ids are told by their beginnings. Any thread.
namespace proxyxai {

inline constexpr std::size_t max_object_id = 128;

/// What the name of a JSON member or form field says of its value, or of the values in its array.
struct Naming {
  enum class Kind : std::uint8_t {
    none,
    by_shape,  ///< Names an object if it looks like the id of one: `conversation`, `..._id`.
    by_shape_or_item,  ///< The same, or an item: `id`.
    object,    ///< Names one whatever it looks like: `file_id`, `previous_response_id`.
  };
  Kind kind = Kind::none;
  std::string_view member;  ///< Static storage; empty where the shape decides, but for `model`: fine-tuned ones are objects.
};
Naming naming_of(std::string_view member);

/// What an id looks like.
enum class IdShape : std::uint8_t {
  none,
  item,    ///< Of something within another object: `msg_`, `rs_`; upstream may know it by the object alone.
  object,  ///< Of an object of its own: `file-`, `resp_`, `vs_`.
};
IdShape shape_of(std::string_view value);

/// Something that a request names.
struct ObjectName {
  std::string id;           ///< At most max_object_id bytes, and one: longer ones are none.
  std::string_view member;  ///< As in Naming; of a path: `id`.
  bool is_item = false;     ///< It may be unknown here, and yet be known upstream or written out in full.
};

}  // namespace proxyxai
