#pragma once

#include <string_view>

#include "proxyxai/objects/directory.hpp"
#include "proxyxai/proxy/pending_bills.hpp"
#include "proxyxai/proxy/request_context.hpp"

namespace proxyxai {

/// Writes down what of upstream's an answer tells of while it is relayed, before the client knows it in full. Loop thread only.
class ObjectRecord {
 public:
  ObjectRecord(ObjectDirectory& objects, PendingBills& pending) : objects_(objects), pending_(pending) {}

  /// The head of an answer has come: what was deleted is forgotten, and `request.made` reads the rest if it may tell of something.
  void begin(RequestContext& request, unsigned status, std::string_view content_type) const;
  /// Takes a piece of the body. True: there is something to `write`. `last`: it is the last piece.
  static bool feed(RequestContext& request, std::string_view piece, bool last);
  /// Before that piece goes to the client.
  Task<void> write(RequestContext& request) const;
  /// Before the end of an answer whose cost was left to PendingBills: where upstream has told the usage after all, it is charged now.
  /// False: it could not be.
  Task<bool> settle(RequestContext& request) const;
  /// More of work that is charged later has gone to the client.
  void note_delivered(const RequestContext& request) const;
  /// What a WebSocket has told of.
  void note(RequestContext& request, ObjectScan& scan) const;

  [[nodiscard]] ObjectDirectory& objects() const { return objects_; }

 private:
  static std::vector<ObjectDirectory::Made> read(const RequestContext& request, ObjectScan& scan);
  Task<void> leave_cost(RequestContext& request) const;

  ObjectDirectory& objects_;
  PendingBills& pending_;
};

}  // namespace proxyxai
