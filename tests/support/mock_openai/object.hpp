#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "kind.hpp"
#include "work.hpp"

namespace mock {

/// Which objects of a shelf are wanted, and which way round.
struct Range {
  std::string after, before;  ///< Ids; empty: from the beginning, to the end.
  std::uint64_t limit = 20;
  bool ascending = false;
  std::function<bool(const Object&)> filter = {};
};

/// Objects of one kind in the order they were made.
class Shelf {
 public:
  Object& add(ordered_json shown);
  /// The same object may stand on several shelves.
  Object& add(std::shared_ptr<Object> object);
  /// Null: there is none.
  [[nodiscard]] std::shared_ptr<Object> find(const std::string& id) const;
  void remove(const std::string& id);
  [[nodiscard]] std::size_t size() const { return objects_.size(); }
  [[nodiscard]] std::vector<Object*> all() const;

  struct Page {
    std::vector<Object*> objects;
    bool has_more = false;
  };
  /// What `after` and `before` name must be on the shelf.
  [[nodiscard]] Page page(const Range& range) const;

 private:
  void visit(bool upwards, const std::string& from, const std::function<bool(Object&)>& more) const;

  std::uint64_t next_ = 1;
  std::map<std::uint64_t, std::shared_ptr<Object>> objects_;
  std::unordered_map<std::string, std::uint64_t> places_;
};

/// Something that a client has made, and what belongs to it. A project, too, is an object, of which nothing is shown.
struct Object {
  ordered_json shown;
  std::string content;            ///< Of a file.
  std::vector<ordered_json> told; ///< Events of a response, lines of a completion's prompt: what is asked for in another way.
  std::optional<Work> work;

  Shelf& operator[](const Kind& kind) { return inside_[&kind]; }
  [[nodiscard]] const std::map<const Kind*, Shelf>& inside() const { return inside_; }
  void clear() { inside_.clear(); }

  [[nodiscard]] std::string id() const { return text_of(shown, "id"); }
  [[nodiscard]] std::string status() const { return text_of(shown, "status"); }
  /// Work goes on when it is looked at; `proceed` only lets time pass.
  void look();
  void proceed();
  /// Ends the work as it would end by itself.
  void finish();
  /// Sets the status, and the time of it where such a time is shown.
  void enter(const std::string& status);

 private:
  std::map<const Kind*, Shelf> inside_;
};

/// Seconds since 1970.
std::int64_t now();

}  // namespace mock
