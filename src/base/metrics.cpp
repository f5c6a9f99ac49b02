#include "proxyxai/base/metrics.hpp"
