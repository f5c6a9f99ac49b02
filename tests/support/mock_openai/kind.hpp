#pragma once

#include <string>
#include <string_view>

namespace mock {

/// A kind of object: how its ids look, and what upstream says of one that the caller's project does not have.
struct Kind {
  const char* name = "";
  const char* prefix = "";
  unsigned tail = 0;        ///< Letters and digits behind the prefix.
  const char* missing = "";  ///< `{}` stands for the id.
  const char* param = nullptr;
  const char* code = nullptr;
  unsigned status = 404;
};

/// Random, so that nobody guesses one, and no two projects or runs of the mock ever make the same.
std::string make_id(std::string_view prefix, unsigned tail = 24);
inline std::string make_id(const Kind& kind) { return make_id(kind.prefix, kind.tail); }

namespace kinds {

inline constexpr Kind file{"file", "file-", 22, "No such File object: {}", "id"};
inline constexpr Kind upload{"upload", "upload_", 32, "No such Upload object: {}", "upload_id"};
inline constexpr Kind part{"part", "part_", 32, "No such Part object: {}", "part_ids"};
inline constexpr Kind batch{"batch", "batch_", 32, "No batch found with id '{}'."};
inline constexpr Kind job{"job", "ftjob-", 24, "Could not find fine tune: {}", "fine_tune_id", "fine_tune_not_found"};
inline constexpr Kind checkpoint{"checkpoint", "ftckpt_", 24, "No checkpoint found with id '{}'."};
inline constexpr Kind job_event{"job_event", "ftevent-", 24, "No event found with id '{}'."};
inline constexpr Kind model{"model", "ft:", 8, "The model `{}` does not exist or you do not have access to it.", nullptr, "model_not_found"};
inline constexpr Kind vector_store{"vector_store", "vs_", 32, "Vector store with id '{}' not found."};
inline constexpr Kind stored_file{"stored_file", "file-", 22, "No file found with id '{}' in this vector store."};
inline constexpr Kind file_batch{"file_batch", "vsfb_", 32, "No vector store file batch found with id '{}'."};
inline constexpr Kind assistant{"assistant", "asst_", 24, "No assistant found with id '{}'."};
inline constexpr Kind thread{"thread", "thread_", 24, "No thread found with id '{}'."};
inline constexpr Kind message{"message", "msg_", 24, "No message found with id '{}'."};
inline constexpr Kind run{"run", "run_", 24, "No run found with id '{}'."};
inline constexpr Kind step{"step", "step_", 24, "No run step found with id '{}'."};
inline constexpr Kind response{"response", "resp_", 50, "Response with id '{}' not found."};
inline constexpr Kind previous_response{"response", "resp_", 50, "Previous response with id '{}' not found.", "previous_response_id", "previous_response_not_found", 400};
inline constexpr Kind item{"item", "msg_", 50, "Item with id '{}' not found.", "input"};
inline constexpr Kind conversation{"conversation", "conv_", 50, "Conversation with id '{}' not found."};
inline constexpr Kind completion{"completion", "chatcmpl-", 29, "Chat completion with id '{}' not found."};
inline constexpr Kind container{"container", "cntr_", 48, "Container with id '{}' not found."};
inline constexpr Kind container_file{"container_file", "cfile_", 48, "Container file with id '{}' not found."};
inline constexpr Kind eval{"eval", "eval_", 32, "Eval with id '{}' not found."};
inline constexpr Kind eval_run{"eval_run", "evalrun_", 32, "Eval run with id '{}' not found."};
inline constexpr Kind output_item{"output_item", "outputitem_", 32, "Output item with id '{}' not found."};

}  // namespace kinds
}  // namespace mock
