// Conv and its gradients against plain loops in wide arithmetic, on every target.
#include "sylvite/conv.h"

#include <string>
#include <vector>

#include "support/products.h"

namespace sylvite::test {
namespace {

class Conv : public Products {};
INSTANTIATE_TEST_SUITE_P(CpuTargets, Conv, ::testing::ValuesIn(cpu_target_choices()), choice_name);

struct ConvCase {
  Shape x, w;
  ConvArgs args;

  int64_t stride(int axis) const { return args.strides.size() == 0 ? 1 : args.strides[axis]; }
  int64_t before(int axis) const {
    return args.paddings.size() == 0 ? 0 : args.paddings[axis].before;
  }
  int64_t places(int axis) const {
    const Sides sides = args.paddings.size() == 0 ? Sides{} : args.paddings[axis];
    return (sides.before + x[axis + 2] + sides.after - w[axis + 2]) / stride(axis) + 1;
  }
  Shape y() const { return {x[0], w[0], places(0), places(1)}; }

  /// visit(x, w, y) for every product, each its element's place in row-major order.
  template <typename Visit>
  void for_each_product(const Visit& visit) const {
    const Shape of_y = y();
    int64_t to = 0;
    for (int64_t n = 0; n < x[0]; ++n) {
      for (int64_t m = 0; m < w[0]; ++m) {
        for (int64_t i = 0; i < of_y[2]; ++i) {
          for (int64_t j = 0; j < of_y[3]; ++j, ++to) {
            for (int64_t tap = 0; tap < w[1] * w[2] * w[3]; ++tap) {
              const int64_t row = i * stride(0) + tap / w[3] % w[2] - before(0);
              const int64_t column = j * stride(1) + tap % w[3] - before(1);
              if (row < 0 || row >= x[2] || column < 0 || column >= x[3]) continue;
              const int64_t plane = n * x[1] + tap / w[3] / w[2];
              visit((plane * x[2] + row) * x[3] + column, m * w[1] * w[2] * w[3] + tap, to);
            }
          }
        }
      }
    }
  }
};

std::string to_string(const ConvCase& c) {
  std::string text = to_string(c.x) + " by " + to_string(c.w) + ", strides " +
                     std::to_string(c.stride(0)) + " " + std::to_string(c.stride(1)) + ", paddings";
  for (int axis = 0; axis < c.args.paddings.size(); ++axis) {
    text += " " + std::to_string(c.args.paddings[axis].before) + "+" +
            std::to_string(c.args.paddings[axis].after);
  }
  return text;
}

ConvCase random_conv(Random& random) {
  ConvCase c;
  const auto channels = [&] {
    return random.chance(.05)  ? 0
           : random.chance(.8) ? random.between(1, 9)
                               : random.between(60, 70);
  };
  c.x = {random.between(random.chance(.1) ? 0 : 1, 3), channels(), 0, 0};
  c.w = {channels(), c.x[1], 0, 0};
  if (random.chance(.8)) c.args.strides = {random.between(1, 3), random.between(1, 3)};
  const bool padded = random.chance(.7);
  if (padded)
    c.args.paddings = {{random.between(0, 4), random.between(0, 4)},
                       {random.between(0, 4), random.between(0, 4)}};
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t filter = random.chance(.9) ? random.between(1, 5) : random.between(6, 13);
    const int64_t padding = padded ? c.args.paddings[axis].before + c.args.paddings[axis].after : 0;
    const int64_t least = std::max<int64_t>(filter - padding, 0);
    const int64_t most = axis == 1 && random.chance(.3) ? 70 : 12;
    c.x[axis + 2] = least + random.between(0, most);
    c.w[axis + 2] = filter;
  }
  return c;
}

std::vector<Sum> sums(const Shape& shape) {
  return std::vector<Sum>(static_cast<size_t>(count(shape)));
}

TEST_P(Conv, AndItsGradientsMatchPlainLoops) {
  for (SeededCases cases(4, 60); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const DType dtype = random.one_of(kFloats);
    const ConvCase c = random_conv(random);
    const std::string what = std::string(name(dtype)) + " " + to_string(c);
    note_case(what);
    const bool dense = random.chance(.4);
    const Numbers x(random, dtype, c.x, dense);
    const Numbers w(random, dtype, c.w, dense);
    const Numbers bias(random, dtype, {c.w[0]}, dense);
    const Numbers dy(random, dtype, c.y(), dense);
    EXPECT_EQ(conv_shape(x.tensor().info(), w.tensor().info(), c.args), c.y()) << what;
    const Context context = any_context(random);
    // A dense run gives the same bits as a scattered one, and every target the same as the first.
    const auto check = [&](const char* of, PlacedTensor& out, const std::vector<Sum>& wanted,
                           const Tensor& again) {
      const Bytes got = out.elements();
      expect_near(numbers_of(got, dtype), wanted, dtype, of + (" " + what));
      out.expect_holds(got, what);
      EXPECT_EQ(bytes_of(again), got) << of << " " << what;
      if (cases.seed() < first_seed() + 60) expect_same_on_all_targets(of + cases.trace(), got);
    };
    const Tensor x_copy = x.tensor().to(Device{});
    const Tensor w_copy = w.tensor().to(Device{});
    const Tensor dy_copy = dy.tensor().to(Device{});

    PlacedTensor y = output(random, dtype, c.y());
    std::vector<Sum> wanted = sums(c.y());
    c.for_each_product([&](int64_t of_x, int64_t of_w, int64_t of_y) {
      wanted[static_cast<size_t>(of_y)].add(x[of_x], w[of_w]);
    });
    conv(x.tensor(), w.tensor(), c.args, y.tensor(), context);
    check("conv", y, wanted, conv(x_copy, w_copy, c.args, any_context(random)));

    for (size_t i = 0; i < wanted.size(); ++i)
      wanted[i].add(1, bias[static_cast<int64_t>(i) / (c.y()[2] * c.y()[3]) % c.w[0]]);
    PlacedTensor biased = output(random, dtype, c.y());
    conv(x.tensor(), w.tensor(), bias.tensor(), c.args, biased.tensor(), context);
    check("conv with bias", biased, wanted,
          conv(x_copy, w_copy, bias.tensor().to(Device{}), c.args, any_context(random)));

    PlacedTensor dx = output(random, dtype, c.x);
    wanted = sums(c.x);
    c.for_each_product([&](int64_t of_x, int64_t of_w, int64_t of_y) {
      wanted[static_cast<size_t>(of_x)].add(dy[of_y], w[of_w]);
    });
    conv_gradient_input(dy.tensor(), w.tensor(), c.x, c.args, dx.tensor(), context);
    check("input gradient", dx, wanted,
          conv_gradient_input(dy_copy, w_copy, c.x, c.args, any_context(random)));

    PlacedTensor dw = output(random, dtype, c.w);
    wanted = sums(c.w);
    c.for_each_product([&](int64_t of_x, int64_t of_w, int64_t of_y) {
      wanted[static_cast<size_t>(of_w)].add(dy[of_y], x[of_x]);
    });
    conv_gradient_filter(x.tensor(), dy.tensor(), c.w, c.args, dw.tensor(), context);
    check("filter gradient", dw, wanted,
          conv_gradient_filter(x_copy, dy_copy, c.w, c.args, any_context(random)));

    PlacedTensor db = output(random, dtype, {c.w[0]});
    wanted = sums({c.w[0]});
    for (int64_t i = 0; i < count(c.y()); ++i)
      wanted[static_cast<size_t>(i / (c.y()[2] * c.y()[3]) % c.w[0])].add(1, dy[i]);
    conv_gradient_bias(dy.tensor(), db.tensor(), context);
    check("bias gradient", db, wanted, conv_gradient_bias(dy_copy, any_context(random)));
  }
}

TEST_P(Conv, GradientsAreTheDerivativesOfConv) {
  Random random(first_seed());
  const ConvCase c = {{2, 3, 6, 5}, {4, 3, 3, 2}, {{2, 1}, {{1, 2}, {0, 1}}}};
  const Context context = GetParam().context();
  Numbers x(random, DType::kFloat64, c.x, true);
  Numbers w(random, DType::kFloat64, c.w, true);
  Numbers bias(random, DType::kFloat64, {4}, true);
  const Numbers dy(random, DType::kFloat64, c.y(), true);
  // Linear in each of them: the quotient of differences is the derivative but for rounding.
  const auto loss = [&] {
    const Tensor y = conv(x.tensor(), w.tensor(), bias.tensor(), c.args, context);
    double total = 0;
    for (int64_t i = 0; i < y.element_count(); ++i) total += y.data_as<double>()[i] * dy[i];
    return total;
  };
  const auto expect_derivative = [&](const Numbers& of, const Tensor& gradient) {
    auto* values = of.tensor().data_as<double>();
    ASSERT_EQ(gradient.shape(), of.tensor().shape());
    for (int64_t i = 0; i < gradient.element_count(); ++i) {
      const double kept = values[i];
      values[i] = kept + .5;
      const double up = loss();
      values[i] = kept - .5;
      const double down = loss();
      values[i] = kept;
      EXPECT_NEAR(gradient.data_as<double>()[i], up - down, 1e-11) << i;
    }
  };
  expect_derivative(x, conv_gradient_input(dy.tensor(), w.tensor(), c.x, c.args, context));
  expect_derivative(w, conv_gradient_filter(x.tensor(), dy.tensor(), c.w, c.args, context));
  expect_derivative(bias, conv_gradient_bias(dy.tensor(), context));
}

TEST_P(Conv, LargeOnesAreSharedOutWithoutAnotherBit) {
  Random random(first_seed());
  const ConvCase c = {{3, 20, 40, 90}, {70, 20, 3, 3}, {{}, {{1, 1}, {1, 1}}}};
  const Numbers x(random, DType::kFloat32, c.x, true);
  const Numbers w(random, DType::kFloat32, c.w, true);
  const Numbers dy(random, DType::kFloat32, c.y(), true);
  std::vector<Bytes> first;
  for (const int threads : {1, 2, 7}) {
    const Context context = GetParam().context(threads);
    const std::vector<Bytes> got = {
        bytes_of(conv(x.tensor(), w.tensor(), c.args, context)),
        bytes_of(conv_gradient_input(dy.tensor(), w.tensor(), c.x, c.args, context)),
        bytes_of(conv_gradient_filter(x.tensor(), dy.tensor(), c.w, c.args, context)),
        bytes_of(conv_gradient_bias(dy.tensor(), context)),
        bytes_of(matmul(x.tensor().view({180, 1200}, {1200, 1}),
                        dy.tensor().view({1200, 600}, {600, 1}), {}, context))};
    if (first.empty()) first = got;
    EXPECT_TRUE(got == first) << threads << " threads";
  }
  for (size_t i = 0; i < first.size(); ++i)
    expect_same_on_all_targets("large " + std::to_string(i), first[i]);
}

/// A dilated convolution by blocks: what these helpers are there for.
TEST_P(Conv, BetweenSpaceToBatchAndBackIsDilated) {
  Random random(first_seed());
  const Context context = GetParam().context();
  const Numbers x(random, DType::kFloat64, {1, 2, 10, 12}, true);
  const Numbers w(random, DType::kFloat64, {3, 2, 3, 3}, true);
  const Tensor phases = space_to_batch(x.tensor(), {{2, 2}, {{2, 2}, {2, 2}}}, context);
  const Tensor y = batch_to_space(conv(phases, w.tensor(), {}, context), {{2, 2}}, context);
  ASSERT_EQ(y.shape(), (Shape{1, 3, 10, 12}));
  for (int64_t i = 0; i < y.element_count(); ++i) {
    const int64_t m = i / 120;
    double wanted = 0;
    for (int64_t tap = 0; tap < 18; ++tap) {
      const int64_t row = i / 12 % 10 + tap / 3 % 3 * 2 - 2;
      const int64_t column = i % 12 + tap % 3 * 2 - 2;
      if (row < 0 || row >= 10 || column < 0 || column >= 12) continue;
      wanted += w[m * 18 + tap] * x[(tap / 9 * 10 + row) * 12 + column];
    }
    EXPECT_NEAR(y.data_as<double>()[i], wanted, 1e-13) << i;
  }
}

}  // namespace
}  // namespace sylvite::test
