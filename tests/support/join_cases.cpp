#include "support/join_cases.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <sstream>

#include "support/placed_tensor.h"
#include "support/space_batch_cases.h"

namespace sylvite::test {
namespace {

constexpr int64_t kMostElements = 20000;

/// Calls visit(row-major position, index) for every element.
template <typename Visit>
void for_each_index(const Shape& shape, const Visit& visit) {
  const int64_t elements = count(shape);
  Shape index = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) index[axis] = 0;
  for (int64_t i = 0; i < elements; ++i) {
    visit(i, index);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

int64_t random_extent(Random& random) {
  if (random.chance(.05)) return 0;
  if (random.chance(.3)) return random.one_of<int64_t>({8, 16, 32, 64}) + random.between(-1, 1);
  return random.between(1, 6);
}

/// The same axis counted from the front or from the end.
int either_axis(Random& random, const JoinCase& test_case) {
  return random.chance(.5) ? test_case.axis : test_case.axis - test_case.whole().rank();
}

Bytes bytes_of(const Tensor& tensor) {
  const Tensor host = tensor.to(Device{});
  const auto* first = host.data_as<uint8_t>();
  return host.byte_count() == 0 ? Bytes{} : Bytes(first, first + host.byte_count());
}

PlacedTensor place(Random& random, const JoinCase& test_case, const Shape& shape,
                   const KernelChoice& choice, bool is_input) {
  const DType dtype = test_case.dtype;
  const auto flush = random.one_of({GuardedBuffer::Flush::kStart, GuardedBuffer::Flush::kEnd});
  const Placement placement = test_case.dense
                                  ? dense_placement(shape, flush)
                                  : random_placement(random, shape, element_size(dtype), is_input);
  return {random, dtype, shape, placement, choice.device(), is_input};
}

}  // namespace

Shape JoinCase::whole() const {
  Shape shape;
  int64_t extent = 0;
  for (const Shape& part : parts) extent += new_axis ? 1 : part[axis];
  const int rank = parts[0].rank() + (new_axis ? 1 : 0);
  for (int a = 0; a < rank; ++a)
    shape.push_back(a == axis ? extent : parts[0][new_axis && a > axis ? a - 1 : a]);
  return shape;
}

std::vector<int64_t> JoinCase::sizes() const {
  std::vector<int64_t> result;
  for (const Shape& part : parts) result.push_back(new_axis ? 1 : part[axis]);
  return result;
}

std::string to_string(const JoinCase& test_case) {
  std::ostringstream text;
  text << (test_case.new_axis ? "stack" : "concat") << " at axis " << test_case.axis << ", "
       << name(test_case.dtype);
  for (const Shape& part : test_case.parts) text << ' ' << to_string(part);
  return text.str();
}

JoinCase random_join(Random& random) {
  JoinCase result;
  result.new_axis = random.chance(.5);
  result.dtype = random.one_of(kAllDTypes);
  const auto rank = static_cast<int>(random.between(result.new_axis ? 0 : 1, 4));
  result.axis = static_cast<int>(random.between(0, result.new_axis ? rank : rank - 1));
  const int64_t parts = random.chance(.2) ? random.between(5, 40) : random.between(1, 4);
  Shape shape;
  int64_t elements = parts;
  for (int a = 0; a < rank; ++a) {
    int64_t extent = random_extent(random);
    if (elements * extent > kMostElements) extent = random.between(1, 2);
    elements *= extent;
    shape.push_back(extent);
  }
  for (int64_t i = 0; i < parts; ++i) {
    if (!result.new_axis) shape[result.axis] = random.between(0, 1 + 2 * shape[result.axis]) / 2;
    result.parts.push_back(shape);
  }
  return result;
}

Bytes reference_join(const JoinCase& test_case, const std::vector<Bytes>& parts) {
  const Shape whole = test_case.whole();
  const auto size = static_cast<size_t>(element_size(test_case.dtype));
  Bytes result(static_cast<size_t>(count(whole)) * size);
  int64_t start = 0;
  for (size_t p = 0; p < parts.size(); ++p) {
    for_each_index(test_case.parts[p], [&](int64_t i, const Shape& index) {
      int64_t at = 0;
      for (int a = 0; a < whole.rank(); ++a) {
        int64_t place = 0;
        if (test_case.new_axis && a == test_case.axis) {
          place = static_cast<int64_t>(p);
        } else {
          place = index[test_case.new_axis && a > test_case.axis ? a - 1 : a];
          if (a == test_case.axis) place += start;
        }
        at = at * whole[a] + place;
      }
      std::memcpy(result.data() + static_cast<size_t>(at) * size,
                  parts[p].data() + static_cast<size_t>(i) * size, size);
    });
    if (!test_case.new_axis) start += test_case.parts[p][test_case.axis];
  }
  return result;
}

void check_join(const JoinCase& test_case, Random& random, const KernelChoice& choice,
                const Context& context) {
  const std::string what = to_string(test_case);
  note_case(what);
  std::vector<PlacedTensor> placed;
  std::vector<Tensor> parts;
  std::vector<Bytes> elements;
  placed.reserve(test_case.parts.size());
  for (const Shape& shape : test_case.parts) {
    placed.push_back(place(random, test_case, shape, choice, true));
    parts.push_back(placed.back().tensor());
    elements.push_back(placed.back().elements());
  }
  const int axis = either_axis(random, test_case);
  const Bytes expected = reference_join(test_case, elements);
  PlacedTensor y = place(random, test_case, test_case.whole(), choice, false);
  Tensor own;
  if (test_case.new_axis) {
    stack(parts, axis, y.tensor(), context);
    own = stack(parts, axis, context);
  } else {
    concat(parts, axis, y.tensor(), context);
    own = concat(parts, axis, context);
  }
  y.expect_holds(expected, what);
  EXPECT_EQ(own.shape(), test_case.whole()) << what;
  EXPECT_EQ(own.strides(), dense_strides(own.shape())) << what;
  EXPECT_EQ(own.dtype(), test_case.dtype) << what;
  EXPECT_EQ(own.device(), choice.device()) << what;
  EXPECT_EQ(bytes_of(own), expected) << what;
}

void check_parts(const JoinCase& test_case, Random& random, const KernelChoice& choice,
                 const Context& context) {
  const std::string what = "taken apart: " + to_string(test_case);
  note_case(what);
  const PlacedTensor y = place(random, test_case, test_case.whole(), choice, true);
  std::vector<PlacedTensor> placed;
  std::vector<Tensor> parts;
  placed.reserve(test_case.parts.size());
  for (const Shape& shape : test_case.parts) {
    placed.push_back(place(random, test_case, shape, choice, false));
    parts.push_back(placed.back().tensor());
  }
  const int axis = either_axis(random, test_case);
  std::vector<Tensor> own;
  if (test_case.new_axis) {
    unstack(y.tensor(), axis, parts, context);
    own = unstack(y.tensor(), axis, context);
  } else {
    split(y.tensor(), test_case.sizes(), axis, parts, context);
    own = split(y.tensor(), test_case.sizes(), axis, context);
  }
  ASSERT_EQ(own.size(), parts.size()) << what;
  std::vector<Bytes> elements;
  for (size_t i = 0; i < own.size(); ++i) {
    EXPECT_EQ(own[i].shape(), test_case.parts[i]) << what;
    EXPECT_EQ(own[i].strides(), dense_strides(own[i].shape())) << what;
    EXPECT_EQ(own[i].dtype(), test_case.dtype) << what;
    elements.push_back(bytes_of(own[i]));
    placed[i].expect_holds(elements[i], what);
  }
  // Together the parts are y, in which every element stands once.
  EXPECT_EQ(reference_join(test_case, elements), y.elements()) << what;
}

}  // namespace sylvite::test
