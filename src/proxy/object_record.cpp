#include "proxyxai/proxy/object_record.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

/// Whether the request is about the object that its path names as a whole.
bool is_about_object(const RequestContext& request) {
  return request.object && !request.object->id.empty() && !request.object->goes_on;
}

/// What upstream does not keep is told to nobody: a response that is not stored, and its items.
bool is_kept(const RequestContext& request, ObjectKind kind) {
  const bool is_of_response = kind == ObjectKind::response || kind == ObjectKind::item;
  return !is_of_response || request.facts.store.value_or(true);
}

}  // namespace

void ObjectRecord::begin(RequestContext& request, unsigned status, std::string_view content_type) const {
  const std::string_view method = request.client.request().method();
  const bool is_good = status >= 200 && status < 300;
  if (is_about_object(request) && request.only_key && ((method == "DELETE" && is_good) || (method == "GET" && status == 404))) {
    objects_.forget(request.object->id);
    return;
  }
  if (!request.makes_objects || !is_good || method == "HEAD") return;
  if (has_media_type(content_type, "application/json")) {
    request.made.emplace(ObjectScan::Format::json);
  } else if (has_media_type(content_type, "text/event-stream")) {
    const bool repeats_one = request.endpoint == "chat/completions";
    // Of a run's events the first may be of its thread, or of a step that waited for a tool.
    const bool is_run = request.is_deferred && request.endpoint == "threads";
    request.made.emplace(repeats_one ? ObjectScan::Format::first_event : ObjectScan::Format::events, is_run ? "run_" : "");
  }
}

bool ObjectRecord::feed(RequestContext& request, std::string_view piece, bool last) {
  request.made->feed(piece);
  // A document's own id and size may stand anywhere in it; events are whole.
  return request.made->is_document() ? last : request.made->has_found();
}

std::vector<ObjectDirectory::Made> ObjectRecord::read(const RequestContext& request, ObjectScan& scan) {
  std::vector<ObjectDirectory::Made> made;
  for (ObjectName& each : scan.take()) {
    const ObjectKind kind = each.is_item ? ObjectKind::item : kind_of(each.id);
    if (!is_kept(request, kind) || (kind == ObjectKind::item && !request.keeps_items())) continue;
    const bool is_own = each.id == scan.own_id();
    ObjectDirectory::Made& one = made.emplace_back();
    one.id = std::move(each.id);
    one.kind = kind;
    const BatchFacts* const batch = request.facts.batch.get();
    if (!is_own || batch == nullptr || !batch->is_readable || request.facts.purpose != "batch") continue;
    one.bytes = batch->text_bytes;
    one.output = batch->output;
    one.model = batch->model;
  }
  return made;
}

void ObjectRecord::note(RequestContext& request, ObjectScan& scan) const {
  objects_.note(request.account->row.dna, request.exchange.attempt().key, read(request, scan));
}

Task<void> ObjectRecord::write(RequestContext& request) const {
  ObjectScan& scan = *request.made;
  std::vector<ObjectDirectory::Made> made = read(request, scan);
  for (const ObjectDirectory::Made& each : made) {
    if (each.kind == ObjectKind::thread) request.thread_id = each.id;
  }
  // Of an upstream whose ids look otherwise.
  const bool is_collection = request.object && request.object->id.empty();
  if (is_collection && !scan.own_id().empty() && is_kept(request, request.object->kind) && kind_of(scan.own_id()) == ObjectKind::other) {
    made.push_back({scan.own_id(), request.object->kind, 0, 0, {}});
  }
  if (!scan.tuned_model().empty()) made.push_back({scan.tuned_model(), ObjectKind::model, 0, 0, {}});
  const KeyId key = request.exchange.attempt().key;
  const std::string& owner = request.account->row.dna;
  // Once the client knows it, it may use it, whatever happens here meanwhile. What ends with a charge waits for that, which is
  // stored behind this; items are used only once they are complete.
  const bool is_charged = request.price != nullptr && !request.is_deferred && scan.is_document();
  const bool are_items = std::all_of(made.begin(), made.end(), [](const auto& each) { return each.kind == ObjectKind::item; });
  const bool waits = !is_charged && !are_items;
  if (waits) co_await objects_.put(owner, key, std::move(made));
  else objects_.note(owner, key, std::move(made));
  if (request.is_deferred && !request.is_pending && !scan.own_id().empty()) co_await leave_cost(request);
}

void ObjectRecord::note_delivered(const RequestContext& request) const { pending_.set_delivered(request.made->own_id(), request.delivered); }

Task<bool> ObjectRecord::settle(RequestContext& request) const {
  request.billed = true;
  if (!request.meter || !request.meter->usage().given) co_return true;
  request.usage = request.meter->usage();
  std::string id = request.made->own_id(), model(request.meter->model());
  Usage usage = request.usage;
  const bool stored = co_await pending_.charge(std::move(id), std::move(usage), std::move(model));
  co_return stored;
}

/// Work that goes on is charged when it ends; what has told its usage already is charged as usual.
Task<void> ObjectRecord::leave_cost(RequestContext& request) const {
  const bool is_told = request.meter && request.meter->usage().given;
  if (is_told || PendingBills::is_over(request.made->status())) co_return;
  std::string id = request.made->own_id();
  request.is_pending = co_await pending_.take_on(request, std::move(id));
}

}  // namespace proxyxai
