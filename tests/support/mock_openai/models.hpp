#pragma once

#include "call.hpp"

namespace mock {

/// Everybody's models, and those that the project has tuned.
Answer models(Call& call, const std::vector<std::string>& all);
/// Refuses a model that another project has tuned. Those of other organisations than the mock's pass: prices are tested with such.
void check_model(const Call& call);

}  // namespace mock
