#pragma once

#include "call.hpp"

namespace mock {

/// Refuses a body that names an object the project does not have, wherever in it the id stands.
void check_references(const Call& call);

}  // namespace mock
