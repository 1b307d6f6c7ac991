// MatMul against plain loops in wide arithmetic, on every target.
#include <limits>

#include "support/products.h"
#include "sylvite/conv.h"

namespace sylvite::test {
namespace {

class MatMul : public Products {};
INSTANTIATE_TEST_SUITE_P(CpuTargets, MatMul, ::testing::ValuesIn(cpu_target_choices()),
                         choice_name);

int64_t random_side(Random& random) {
  if (random.chance(.1)) return 0;
  return random.chance(.6) ? random.between(1, 20)
                           : random.one_of({31, 32, 33, 63, 64, 65, 127, 128, 129, 200, 300});
}

TEST_P(MatMul, MatchesPlainLoops) {
  for (SeededCases cases(2, 60); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const DType dtype = random.one_of(kFloats);
    const MatMulArgs args = {random.chance(.5), random.chance(.5)};
    const int64_t rows = random_side(random);
    const int64_t depth = random_side(random);
    const int64_t columns = random_side(random);
    const bool dense = random.chance(.4);
    const Numbers a(random, dtype, args.transpose_a ? Shape{depth, rows} : Shape{rows, depth},
                    dense);
    const Numbers b(random, dtype, args.transpose_b ? Shape{columns, depth} : Shape{depth, columns},
                    dense);
    const std::string what = std::string(name(dtype)) + " " + to_string(a.tensor().shape()) +
                             " by " + to_string(b.tensor().shape());
    note_case(what);
    PlacedTensor y = output(random, dtype, {rows, columns});
    EXPECT_EQ(matmul_shape(a.tensor().info(), b.tensor().info(), args), y.tensor().shape());
    matmul(a.tensor(), b.tensor(), args, y.tensor(), any_context(random));
    std::vector<Sum> wanted(static_cast<size_t>(rows * columns));
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        for (int64_t k = 0; k < depth; ++k) {
          wanted[static_cast<size_t>(i * columns + j)].add(
              a[args.transpose_a ? k * rows + i : i * depth + k],
              b[args.transpose_b ? j * depth + k : k * columns + j]);
        }
      }
    }
    const Bytes got = y.elements();
    expect_near(numbers_of(got, dtype), wanted, dtype, what);
    // Nothing but the elements is written, and dense copies give the same bits.
    y.expect_holds(got, what);
    const Tensor again =
        matmul(a.tensor().to(Device{}), b.tensor().to(Device{}), args, any_context(random));
    EXPECT_EQ(bytes_of(again), got) << what;
    if (cases.seed() < first_seed() + 60)
      expect_same_on_all_targets("matmul " + cases.trace(), got);
  }
}

TEST_P(MatMul, AddsBlocksOf128InTurn) {
  Random random(first_seed());
  const Numbers a(random, DType::kFloat32, {3, 300}, true);
  const Numbers b(random, DType::kFloat32, {300, 5}, true);
  const Tensor y = matmul(a.tensor(), b.tensor(), {}, GetParam().context());
  for (int64_t i = 0; i < 15; ++i) {
    float total = 0;
    for (int64_t begin = 0; begin < 300; begin += 128) {
      float sum = 0;
      for (int64_t k = begin; k < std::min<int64_t>(begin + 128, 300); ++k) {
        const volatile float product =
            static_cast<float>(a[i / 5 * 300 + k]) * static_cast<float>(b[k * 5 + i % 5]);
        sum += product;
      }
      total += sum;
    }
    EXPECT_EQ(y.data_as<float>()[i], total);
  }
}

TEST_P(MatMul, KeepsWhatIsNoNumberToItsPlace) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> a = {1, 0, inf, 2};
  const std::vector<float> b = {inf, 3, 1, 4};
  const Tensor y =
      matmul(Tensor::wrap(a.data(), DType::kFloat32, {2, 2}),
             Tensor::wrap(b.data(), DType::kFloat32, {2, 2}), {}, GetParam().context());
  EXPECT_EQ(y.data_as<float>()[0], inf);
  EXPECT_EQ(y.data_as<float>()[1], 3);
  EXPECT_EQ(y.data_as<float>()[2], inf);
  EXPECT_EQ(y.data_as<float>()[3], inf);
  const std::vector<float> c = {0, 0, 0, 0};
  const Tensor z =
      matmul(Tensor::wrap(a.data(), DType::kFloat32, {2, 2}),
             Tensor::wrap(c.data(), DType::kFloat32, {2, 2}), {}, GetParam().context());
  EXPECT_EQ(z.data_as<float>()[1], 0);
  EXPECT_EQ(z.data_as<uint32_t>()[2], 0x7FC00000U);
}

}  // namespace
}  // namespace sylvite::test
