#pragma once

#include "call.hpp"

namespace mock {

// The calls under each noun of the API, in a file of its own.
Answer files(Call& call);
Answer uploads(Call& call);
Answer batches(Call& call);
Answer fine_tuning(Call& call);
Answer vector_stores(Call& call);
Answer assistants(Call& call);
Answer threads(Call& call);
Answer runs(Call& call, Object& thread);
Answer stored_responses(Call& call);
Answer stored_completions(Call& call);
Answer conversations(Call& call);
Answer containers(Call& call);
Answer evals(Call& call);

// Those that make something; the model they name has been looked at.
Answer create_response(Call& call);
Answer chat(Call& call, bool is_chat);

/// The same as `create_response` for a WebSocket: what its messages say.
std::vector<ordered_json> response_events(Call& call);
/// Keeps a finished completion and what was asked.
void remember_completion(Call& call, ordered_json completion);

/// A new file of the project.
Object& make_file(Object& project, const std::string& filename, const std::string& purpose, std::string content);
/// The bytes of a file as a download.
Answer download(const Object& file);

/// A new thread with the messages that `body` brings.
Object& make_thread(Object& project, const ordered_json& body);
/// A message added to a thread.
Object& add_message(Object& thread, const ordered_json& body);
/// Creates a run, streamed or not; `created` is a thread made for it, null: none.
Answer begin_run(Call& call, Object& thread, const Object* created = nullptr);

/// What was said, as items with ids, known to the project from now on.
std::vector<std::shared_ptr<Object>> make_items(Object& project, const ordered_json& input);

/// Refuses what needs `OpenAI-Beta: assistants=v2` and comes without.
void need_beta(const Call& call);

}  // namespace mock
