// Gradients: the other operator, and the adjoint in the sense of the inner product.
#include <gtest/gtest.h>

#include "support/placed_tensor.h"
#include "support/space_batch_cases.h"

namespace sylvite::test {
namespace {

class SpaceBatchGradient : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(AllTargets, SpaceBatchGradient, ::testing::ValuesIn(target_choices()),
                         choice_name);

/// Small whole numbers, so that sums of products are exact.
Tensor random_integers(Random& random, const Shape& shape, Device device) {
  const Tensor host = Tensor::empty(DType::kInt64, shape);
  for (int64_t i = 0; i < host.element_count(); ++i) {
    host.data_as<int64_t>()[i] = random.between(-1000, 1000);
  }
  return host.to(device);
}

int64_t inner_product(const Tensor& a, const Tensor& b) {
  const Tensor left = a.to(Device{});
  const Tensor right = b.to(Device{});
  EXPECT_EQ(left.shape(), right.shape());
  if (left.shape() != right.shape()) return 0;
  int64_t sum = 0;
  for (int64_t i = 0; i < left.element_count(); ++i) {
    sum += left.data_as<int64_t>()[i] * right.data_as<int64_t>()[i];
  }
  return sum;
}

TEST_P(SpaceBatchGradient, IsTheAdjointOfSpaceToBatch) {
  const Context context = GetParam().context();
  for (SeededCases cases(.3); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    SpaceBatchCase test_case = random_case(random);
    test_case.args.pad_value = 0;
    const auto& [image, args, dtype] = test_case;
    const Tensor x = random_integers(random, image, GetParam().device());
    const Tensor g = random_integers(random, reference_shape(image, args), GetParam().device());
    EXPECT_EQ(inner_product(space_to_batch(x, args, context), g),
              inner_product(x, space_to_batch_gradient(g, args, context)))
        << to_string(test_case);
  }
}

TEST_P(SpaceBatchGradient, IsTheAdjointOfBatchToSpace) {
  const Context context = GetParam().context();
  for (SeededCases cases(.3); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const SpaceBatchCase test_case = random_case(random);
    const BatchToSpaceArgs args = inverse(test_case.args);
    const Shape phases = reference_shape(test_case.image, test_case.args);
    const Tensor x = random_integers(random, phases, GetParam().device());
    const Tensor g = random_integers(random, test_case.image, GetParam().device());
    EXPECT_EQ(inner_product(batch_to_space(x, args, context), g),
              inner_product(x, batch_to_space_gradient(g, args, context)))
        << to_string(test_case);
  }
}

TEST_P(SpaceBatchGradient, IsTheOtherOperatorForEveryTypeAndLayoutInMemory) {
  const Context context = GetParam().context();
  for (SeededCases cases(.3); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const SpaceBatchCase test_case = random_case(random);
    const auto& [image, args, dtype] = test_case;
    const int size = element_size(dtype);
    const Shape phases = reference_shape(image, args);
    const std::string what = to_string(test_case);
    const Device device = GetParam().device();

    const PlacedTensor dy(random, dtype, phases, random_placement(random, phases, size, true),
                          device, true);
    PlacedTensor dx(random, dtype, image, random_placement(random, image, size, false), device,
                    false);
    space_to_batch_gradient(dy.tensor(), args, dx.tensor(), context);
    dx.expect_holds(reference_batch_to_space(dy.elements(), phases, inverse(args), size),
                    "space_to_batch_gradient " + what);

    const PlacedTensor b2s_dy(random, dtype, image, random_placement(random, image, size, true),
                              device, true);
    PlacedTensor b2s_dx(random, dtype, phases, random_placement(random, phases, size, false),
                        device, false);
    batch_to_space_gradient(b2s_dy.tensor(), inverse(args), b2s_dx.tensor(), context);
    b2s_dx.expect_holds(reference_space_to_batch(b2s_dy.elements(), image, args, encode(0, dtype)),
                        "batch_to_space_gradient " + what);
  }
}

}  // namespace
}  // namespace sylvite::test
