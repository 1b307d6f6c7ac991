#include "support/expand_cases.h"

#include <algorithm>
#include <cstring>

#include "support/placed_tensor.h"
#include "support/space_batch_cases.h"

namespace sylvite::test {
namespace {

constexpr int64_t kMostElements = 20000;

int64_t random_extent(Random& random) {
  if (random.chance(.03)) return 0;
  if (random.chance(.5)) return random.between(1, 8);
  return random.one_of({4, 8, 16, 32, 64, 100, 128}) + random.between(-1, 1);
}

}  // namespace

std::string to_string(const ExpandCase& test_case) {
  return std::string(name(test_case.dtype)) + " " + to_string(test_case.x) + " to " +
         to_string(test_case.shape);
}

Shape reference_expand_shape(const Shape& x, const Shape& shape) {
  const int rank = std::max(x.rank(), shape.rank());
  Shape y;
  for (int axis = 0; axis < rank; ++axis) {
    const int of_x = axis - rank + x.rank();
    const int of_shape = axis - rank + shape.rank();
    const int64_t have = of_x < 0 ? 1 : x[of_x];
    const int64_t want = of_shape < 0 ? 1 : shape[of_shape];
    y.push_back(have == 1 && want != -1 ? want : have);
  }
  return y;
}

Bytes reference_expand(const Bytes& x, const Shape& x_shape, const Shape& y_shape,
                       int element_size) {
  const auto size = static_cast<size_t>(element_size);
  const int added = y_shape.rank() - x_shape.rank();
  Bytes y(static_cast<size_t>(count(y_shape)) * size);
  for (size_t i = 0; i * size < y.size(); ++i) {
    auto rest = static_cast<int64_t>(i);
    int64_t from = 0;
    int64_t stride = 1;
    for (int axis = y_shape.rank() - 1; axis >= 0; --axis) {
      const int64_t at = rest % y_shape[axis];
      rest /= y_shape[axis];
      if (axis < added) continue;
      if (x_shape[axis - added] != 1) from += at * stride;
      stride *= x_shape[axis - added];
    }
    std::memcpy(y.data() + i * size, x.data() + static_cast<size_t>(from) * size, size);
  }
  return y;
}

ExpandCase random_expand_case(Random& random) {
  ExpandCase result;
  result.dtype = random.one_of(kAllDTypes);
  const auto rank =
      static_cast<int>(random.chance(.1) ? random.between(0, kMaxRank) : random.between(0, 6));
  const bool alternating = random.chance(.4);
  Shape y;
  int64_t elements = 1;
  for (int axis = 0; axis < rank; ++axis) {
    int64_t extent = rank > 8 ? random.between(1, 3) : random_extent(random);
    if (elements * std::max<int64_t>(extent, 1) > kMostElements) extent = 1;
    elements *= std::max<int64_t>(extent, 1);
    y.push_back(extent);
  }
  // The long extents go anywhere.
  for (int axis = rank - 1; axis > 0; --axis)
    std::swap(y[axis], y[static_cast<int>(random.between(0, axis))]);
  for (int axis = 0; axis < rank; ++axis) {
    const bool broadcast = alternating ? axis % 2 == 0 : random.chance(.5);
    result.x.push_back(broadcast ? 1 : y[axis]);
    const bool kept = result.x[axis] == y[axis];
    result.shape.push_back(kept && random.chance(.3) ? random.one_of({1, -1}) : y[axis]);
  }
  // Either side may lack its leading axes where they say nothing.
  const auto without_leading_ones = [&](Shape& shape) {
    int first = 0;
    while (first < shape.rank() && shape[first] == 1 && random.chance(.8)) ++first;
    shape = Shape(std::span(shape.begin() + first, shape.end()));
  };
  without_leading_ones(random.chance(.5) ? result.x : result.shape);
  for (int axis = 0; axis < result.shape.rank() - result.x.rank(); ++axis) {
    if (result.shape[axis] == -1) result.shape[axis] = 1;
  }
  return result;
}

void check_expand(const ExpandCase& test_case, Random& random, const KernelChoice& choice,
                  const Context& context, bool dense) {
  const auto& [x_shape, shape, dtype] = test_case;
  const int size = element_size(dtype);
  const Shape y_shape = reference_expand_shape(x_shape, shape);
  const auto placed = [&](const Shape& of, bool is_input) {
    const auto flush = random.one_of({GuardedBuffer::Flush::kStart, GuardedBuffer::Flush::kEnd});
    return dense ? dense_placement(of, flush) : random_placement(random, of, size, is_input);
  };
  const PlacedTensor x(random, dtype, x_shape, placed(x_shape, true), choice.device(), true);
  PlacedTensor y(random, dtype, y_shape, placed(y_shape, false), choice.device(), false);
  const std::string what = "expand " + to_string(test_case) + ", x strides " +
                           to_string(x.tensor().strides()) + ", y strides " +
                           to_string(y.tensor().strides());
  note_case(what);
  EXPECT_EQ(expand_shape(x.tensor().info(), shape), y_shape) << what;
  try {
    expand(x.tensor(), shape, y.tensor(), context);
  } catch (const Error& error) {
    FAIL() << what << "\n" << error.what();
  }
  y.expect_holds(reference_expand(x.elements(), x_shape, y_shape, size), what);
}

}  // namespace sylvite::test
