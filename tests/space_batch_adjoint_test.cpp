// A second opinion on the gradients: Halide's own derivative of the forward pass.
#include "oracles/space_batch_adjoint.h"

#include <HalideBuffer.h>
#include <gtest/gtest.h>

#include "support/random_shapes.h"
#include "support/reference.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

class SpaceBatchOracle : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(AllTargets, SpaceBatchOracle, ::testing::ValuesIn(target_choices()),
                         choice_name);

Tensor random_doubles(Random& random, const Shape& shape) {
  Tensor tensor = Tensor::empty(DType::kFloat64, shape);
  for (int64_t i = 0; i < tensor.element_count(); ++i) {
    tensor.data_as<double>()[i] = static_cast<double>(random.between(-99, 99));
  }
  return tensor;
}

/// Dense memory, its extents innermost first.
Halide::Runtime::Buffer<double> seen_by_halide(const Tensor& tensor,
                                               const std::vector<int>& extents) {
  return Halide::Runtime::Buffer<double>(tensor.data_as<double>(), extents);
}

void expect_same(const Tensor& got, const Tensor& wanted, const std::string& what) {
  const Tensor copy = got.to(Device{});
  ASSERT_EQ(copy.shape(), wanted.shape()) << what;
  for (int64_t i = 0; i < wanted.element_count(); ++i) {
    ASSERT_EQ(copy.data_as<double>()[i], wanted.data_as<double>()[i]) << what << ", element " << i;
  }
}

TEST_P(SpaceBatchOracle, AgreesWithHalidesDerivatives) {
  const Context context = GetParam().context();
  for (SeededCases cases(.2); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const auto small = [&](int64_t low, int64_t high) {
      return static_cast<int>(random.between(low, high));
    };
    const int n = small(1, 2), c = small(1, 2), h = small(1, 3), w = small(1, 4);
    const int block_h = small(1, 3), block_w = small(1, 4);
    const auto sides = [&](int64_t phases, int64_t block) {
      const int64_t total = phases * block;
      const int64_t before = random.between(0, total - 1);
      return Sides{before, random.between(0, total - 1 - before)};
    };
    const SpaceToBatchArgs args{{block_h, block_w}, {sides(h, block_h), sides(w, block_w)}};
    const Shape phase_shape{int64_t{n} * block_h * block_w, c, h, w};
    const Shape image_shape = reference_shape(phase_shape, inverse(args));
    const Tensor image = random_doubles(random, image_shape);
    const Tensor phases = random_doubles(random, phase_shape);
    const Tensor image_gradient = Tensor::empty(DType::kFloat64, image_shape);
    const Tensor phases_gradient = Tensor::empty(DType::kFloat64, phase_shape);

    const std::vector<int> image_extents = {static_cast<int>(image_shape[3]),
                                            static_cast<int>(image_shape[2]), c, n};
    const std::vector<int> phase_extents = {w, h, c, n, block_w, block_h};
    auto image_in = seen_by_halide(image, image_extents);
    auto phases_in = seen_by_halide(phases, phase_extents);
    auto image_out = seen_by_halide(image_gradient, image_extents);
    auto phases_out = seen_by_halide(phases_gradient, phase_extents);
    ASSERT_EQ(space_batch_adjoint(image_in, phases_in, block_h, block_w,
                                  static_cast<int>(args.paddings[0].before),
                                  static_cast<int>(args.paddings[1].before), image_out, phases_out),
              0);

    const Device device = GetParam().device();
    const std::string what = to_string(image_shape) + ", " + describe(args);
    expect_same(space_to_batch_gradient(phases.to(device), args, context), image_gradient,
                "space_to_batch_gradient " + what);
    expect_same(batch_to_space_gradient(image.to(device), inverse(args), context), phases_gradient,
                "batch_to_space_gradient " + what);
  }
}

}  // namespace
}  // namespace sylvite::test
