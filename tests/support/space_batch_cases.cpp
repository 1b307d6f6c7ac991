#include "support/space_batch_cases.h"

#include <algorithm>
#include <vector>

#include "support/placed_tensor.h"
#include "support/reference.h"

namespace sylvite::test {
namespace {

constexpr int64_t kMostElements = 20000;

int64_t padded_elements(const PerAxis<int64_t>& phases, const PerAxis<int64_t>& blocks) {
  int64_t product = 1;
  for (int i = 0; i < phases.size(); ++i) {
    product *= std::max<int64_t>(phases[i], 1) * blocks[i];
  }
  return product;
}

int64_t extent_around_a_vector(Random& random) {
  return random.one_of({4, 8, 16, 32, 64}) + random.between(-1, 1);
}

/// Splits `total` into padding before, image and padding behind.
Sides random_padding(Random& random, int64_t block, int64_t total) {
  const auto most = random.one_of<int64_t>({0, 0, 1, 3, block + 2, 3 * block, total});
  Sides padding;
  padding.before = random.between(0, std::min(most, total));
  padding.after = random.between(0, std::min(most, total - padding.before));
  return padding;
}

double random_pad_value(Random& random, DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return static_cast<double>(random.between(0, 1));
    case DType::kUInt8:
      return static_cast<double>(random.between(0, 255));
    case DType::kInt8:
      return static_cast<double>(random.between(-128, 127));
    case DType::kUInt16:
    case DType::kUInt32:
    case DType::kUInt64:
      return static_cast<double>(random.between(0, 65535));
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
      return static_cast<double>(random.between(-32768, 32767));
    default:
      return static_cast<double>(random.between(-255, 255)) / 8;
  }
}

}  // namespace

std::string to_string(const SpaceBatchCase& test_case) {
  return std::string(name(test_case.dtype)) + " " + to_string(test_case.image) + ", " +
         describe(test_case.args);
}

Shape image_shape(Layout layout, int64_t batch, int64_t channels,
                  std::initializer_list<int64_t> spatial) {
  Shape shape{batch};
  if (layout == Layout::kNchw) shape.push_back(channels);
  for (const int64_t extent : spatial) shape.push_back(extent);
  if (layout == Layout::kNhwc) shape.push_back(channels);
  return shape;
}

SpaceBatchCase case_of_phases(int64_t batch, int64_t channels, const PerAxis<int64_t>& phases,
                              const SpaceToBatchArgs& args, DType dtype) {
  SpaceBatchCase result{image_shape(args.layout, batch, channels, {}), args, dtype};
  Shape shape{batch};
  if (args.layout == Layout::kNchw) shape.push_back(channels);
  for (int i = 0; i < phases.size(); ++i) {
    const Sides padding = args.paddings.size() == 0 ? Sides{} : args.paddings[i];
    shape.push_back(phases[i] * args.block_shape[i] - padding.before - padding.after);
  }
  if (args.layout == Layout::kNhwc) shape.push_back(channels);
  result.image = shape;
  return result;
}

SpaceBatchCase random_case(Random& random) {
  const int axes = static_cast<int>(random.one_of({1, 2, 2, 2, 3, 4}));
  SpaceToBatchArgs args;
  args.layout = random.one_of({Layout::kNchw, Layout::kNhwc});
  args.block_shape = {};
  PerAxis<int64_t> phases;
  for (int i = 0; i < axes; ++i) {
    args.block_shape.push_back(random.one_of<int64_t>({1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 12}));
    const bool last = i == axes - 1;
    phases.push_back(random.chance(.04)          ? 0
                     : last && random.chance(.7) ? extent_around_a_vector(random)
                                                 : random.between(1, 6));
  }
  while (padded_elements(phases, args.block_shape) > kMostElements) {
    const int i = static_cast<int>(random.between(0, axes - 1));
    if (phases[i] > 1 && random.chance(.5)) {
      phases[i] = phases[i] / 2;
    } else {
      args.block_shape[i] = std::max<int64_t>(1, args.block_shape[i] / 2);
    }
  }
  const int64_t room = kMostElements / padded_elements(phases, args.block_shape);
  int64_t channels = random.chance(.02) ? 0 : random.one_of<int64_t>({1, 1, 3, 4, 16, 64, 256});
  if (channels > room) channels = random.between(1, std::min<int64_t>(room, 3));
  int64_t batch = random.chance(.02) ? 0 : random.one_of<int64_t>({1, 1, 2, 3});
  if (batch * channels > room) batch = 1;
  if (random.chance(.7)) {
    for (int i = 0; i < axes; ++i) {
      args.paddings.push_back(
          random_padding(random, args.block_shape[i], phases[i] * args.block_shape[i]));
    }
  }
  const DType dtype = random.one_of(kAllDTypes);
  if (random.chance(.5)) args.pad_value = random_pad_value(random, dtype);
  return case_of_phases(batch, channels, phases, args, dtype);
}

void check_space_to_batch(const SpaceBatchCase& test_case, Random& random,
                          const KernelChoice& choice, const Context& context) {
  const auto& [image, args, dtype] = test_case;
  const int size = element_size(dtype);
  const Shape y_shape = reference_shape(image, args);
  const PlacedTensor x(random, dtype, image, random_placement(random, image, size, true),
                       choice.device(), true);
  PlacedTensor y(random, dtype, y_shape, random_placement(random, y_shape, size, false),
                 choice.device(), false);
  const std::string what = "space_to_batch " + to_string(test_case) + ", x strides " +
                           to_string(x.tensor().strides()) + ", y strides " +
                           to_string(y.tensor().strides());
  note_case(what);
  EXPECT_EQ(space_to_batch_shape(x.tensor().info(), args), y_shape) << what;
  try {
    space_to_batch(x.tensor(), args, y.tensor(), context);
  } catch (const Error& error) {
    FAIL() << what << "\n" << error.what();
  }
  y.expect_holds(reference_space_to_batch(x.elements(), image, args, encode(args.pad_value, dtype)),
                 what);
}

void check_batch_to_space(const SpaceBatchCase& test_case, Random& random,
                          const KernelChoice& choice, const Context& context) {
  const auto& [image, s2b_args, dtype] = test_case;
  const BatchToSpaceArgs args = inverse(s2b_args);
  const int size = element_size(dtype);
  const Shape phases = reference_shape(image, s2b_args);
  const PlacedTensor x(random, dtype, phases, random_placement(random, phases, size, true),
                       choice.device(), true);
  PlacedTensor y(random, dtype, image, random_placement(random, image, size, false),
                 choice.device(), false);
  const std::string what = "batch_to_space to " + to_string(test_case) + ", x strides " +
                           to_string(x.tensor().strides()) + ", y strides " +
                           to_string(y.tensor().strides());
  note_case(what);
  EXPECT_EQ(batch_to_space_shape(x.tensor().info(), args), image) << what;
  try {
    batch_to_space(x.tensor(), args, y.tensor(), context);
  } catch (const Error& error) {
    FAIL() << what << "\n" << error.what();
  }
  y.expect_holds(reference_batch_to_space(x.elements(), phases, args, size), what);
}

}  // namespace sylvite::test
