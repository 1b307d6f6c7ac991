// Python values as the library's plain ones.
#pragma once

#include <cstdint>
#include <vector>

#include "python/array.h"
#include "sylvite/space_batch.h"

namespace sylvite::python {

/// Anything with __index__. Throws nb::type_error; Error for numbers beyond int64.
int64_t integer(nb::handle value, const Place& place);
/// A sequence of integers, or one integer alone.
std::vector<int64_t> integers(nb::handle value, const Place& place);
Shape shape_from(nb::handle value, const Place& place);
PerAxis<int64_t> per_axis(nb::handle value, const Place& place);
/// A sequence of (before, after); None for none.
PerAxis<Sides> sides(nb::handle value, const Place& place);
Layout layout_from(nb::handle value, const Place& place);

}  // namespace sylvite::python
