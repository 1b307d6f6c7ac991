// Add and Mul against plain loops, on every target.
#include "sylvite/arithmetic.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>

#include "support/arithmetic_reference.h"
#include "support/placed_tensor.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

void call(What what, const Tensor& a, const Tensor& b, Tensor& y, const Context& context) {
  what == What::kAdd ? add(a, b, y, context) : mul(a, b, y, context);
}

class Arithmetic : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(CpuTargets, Arithmetic, ::testing::ValuesIn(cpu_target_choices()),
                         choice_name);

TEST_P(Arithmetic, CombinesEveryDTypeBroadcastAnyhow) {
  for (SeededCases cases(2, 200); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const DType dtype = random.one_of(kNumbers);
    const int size = element_size(dtype);
    const auto rank =
        static_cast<int>(random.chance(.1) ? random.between(6, kMaxRank) : random.between(0, 5));
    Shape y_shape;
    for (int axis = 0; axis < rank; ++axis) {
      y_shape.push_back(rank > 5 ? random.between(1, 2) : random.between(0, 5));
      if (count(y_shape) > 4096) y_shape[axis] = 1;
    }
    if (rank > 0 && random.chance(.7)) y_shape[rank - 1] = random.one_of(kExtents);
    const double thinned = random.one_of({0., .2, .6});
    const auto part_of = [&] {
      Shape part = y_shape;
      for (int axis = 0; axis < rank; ++axis) {
        if (random.chance(thinned)) part[axis] = 1;
      }
      int first = 0;
      while (first < rank && part[first] == 1 && random.chance(.5)) ++first;
      return Shape(std::span(part.begin() + first, part.end()));
    };
    const Shape a_shape = part_of();
    const Shape b_shape = part_of();
    // What neither has is not in y.
    for (int axis = 0; axis < rank; ++axis) {
      const auto extent = [&](const Shape& part) {
        const int of_part = axis - rank + part.rank();
        return of_part < 0 ? 1 : part[of_part];
      };
      y_shape[axis] = extent(a_shape) == 1 ? extent(b_shape) : extent(a_shape);
    }
    const int least = std::max(a_shape.rank(), b_shape.rank());
    y_shape = Shape(std::span(y_shape.end() - least, y_shape.end()));

    const PlacedTensor a(random, dtype, a_shape, random_placement(random, a_shape, size, true), {},
                         true);
    const PlacedTensor b(random, dtype, b_shape, random_placement(random, b_shape, size, true), {},
                         true);
    PlacedTensor y(random, dtype, y_shape, random_placement(random, y_shape, size, false), {},
                   false);
    const std::string shapes =
        to_string(a_shape) + " and " + to_string(b_shape) + " " + std::string(name(dtype));
    note_case(shapes);
    EXPECT_EQ(broadcast_shape(a.tensor().info(), b.tensor().info()), y_shape) << shapes;
    const Bytes p = broadcast(a.elements(), a_shape, y_shape, dtype);
    const Bytes q = broadcast(b.elements(), b_shape, y_shape, dtype);
    for (const What what : {What::kAdd, What::kMul}) {
      call(what, a.tensor(), b.tensor(), y.tensor(), GetParam().context(random.one_of({1, 2, 7})));
      y.expect_holds(reference(what, p, q, dtype), (what == What::kAdd ? "add " : "mul ") + shapes);
    }
  }
}

TEST_P(Arithmetic, RoundsOnceAroundEveryVector) {
  Random random(first_seed());
  for (const DType dtype : kNumbers) {
    for (const int64_t extent : kExtents) {
      Bytes p = numbers(random, dtype, 3 * extent);
      Bytes q = numbers(random, dtype, 3 * extent);
      Bytes one = numbers(random, dtype, 1);
      const Tensor a = wrapped(p, dtype, {3, extent});
      for (const What what : {What::kAdd, What::kMul}) {
        const auto run = [&](const Tensor& x, const Tensor& z) {
          const Context context = GetParam().context();
          return bytes_of(what == What::kAdd ? add(x, z, context) : mul(x, z, context));
        };
        const Bytes ones = broadcast(one, {1}, {3, extent}, dtype);
        EXPECT_EQ(run(a, wrapped(q, dtype, {3, extent})), reference(what, p, q, dtype))
            << name(dtype) << " " << extent;
        EXPECT_EQ(run(a, wrapped(one, dtype, {})), reference(what, p, ones, dtype)) << name(dtype);
        EXPECT_EQ(run(wrapped(one, dtype, {1}), a), reference(what, ones, p, dtype)) << name(dtype);
      }
    }
  }
}

TEST_P(Arithmetic, KnowsEveryHalf) {
  Bytes all(size_t{2} * 65536);
  for (size_t i = 0; i < 65536; ++i) put(all, i, static_cast<uint16_t>(i));
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    for (const double value : {0.0, -0.0, 1.0, 1.5, -3e-7, 1e3, 6e4}) {
      Bytes other(all.size());
      for (size_t i = 0; i < 65536; ++i) put(other, i, nearest_half(value, dtype));
      for (const What what : {What::kAdd, What::kMul}) {
        Tensor y = Tensor::empty(dtype, {65536});
        call(what, wrapped(all, dtype, {65536}), wrapped(other, dtype, {65536}), y,
             GetParam().context());
        EXPECT_EQ(bytes_of(y), reference(what, all, other, dtype)) << name(dtype) << " " << value;
      }
    }
  }
}

TEST_P(Arithmetic, WritesOverItsInputs) {
  for (SeededCases cases(1, 60); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const DType dtype = random.one_of(kNumbers);
    const Shape shape = {random.between(1, 3), random.one_of(kExtents)};
    const Shape row = {shape[1]};
    const auto placed = [&](const Shape& of, bool is_input) {
      const Placement placement = random_placement(random, of, element_size(dtype), is_input);
      return PlacedTensor(random, dtype, of, placement, {}, is_input);
    };
    const PlacedTensor x = placed(row, true);
    const Bytes q = broadcast(x.elements(), row, shape, dtype);
    const Context context = GetParam().context();
    for (const What what : {What::kAdd, What::kMul}) {
      PlacedTensor first = placed(shape, false);
      const Bytes p = first.elements();
      const Tensor same = first.tensor();
      call(what, same, x.tensor(), first.tensor(), context);
      first.expect_holds(reference(what, p, q, dtype), "over the first");
      PlacedTensor second = placed(shape, false);
      const Bytes r = second.elements();
      call(what, x.tensor(), second.tensor(), second.tensor(), context);
      second.expect_holds(reference(what, q, r, dtype), "over the second");
      PlacedTensor both = placed(shape, false);
      const Bytes s = both.elements();
      call(what, both.tensor(), both.tensor(), both.tensor(), context);
      both.expect_holds(reference(what, s, s, dtype), "over both");
    }
  }
}

TEST_P(Arithmetic, SharesLargeTensorsOut) {
  Random random(first_seed());
  const Shape shape = {3, 217, 1111};
  for (const DType dtype : {DType::kUInt8, DType::kFloat32}) {
    Bytes p = numbers(random, dtype, count(shape));
    Bytes q = numbers(random, dtype, 217);
    const Bytes wide = broadcast(q, {217, 1}, shape, dtype);
    for (const int threads : {1, 2, 7}) {
      const Tensor y =
          add(wrapped(p, dtype, shape), wrapped(q, dtype, {217, 1}), GetParam().context(threads));
      EXPECT_EQ(bytes_of(y), reference(What::kAdd, p, wide, dtype)) << threads << " threads";
    }
  }
}

/// Memory that only exists where it is touched.
class SparseMemory {
 public:
  explicit SparseMemory(size_t bytes) : bytes_(bytes) {
    memory_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  SparseMemory(const SparseMemory&) = delete;
  SparseMemory& operator=(const SparseMemory&) = delete;
  ~SparseMemory() { munmap(memory_, bytes_); }
  void* data() const { return memory_; }

 private:
  size_t bytes_;
  void* memory_;
};

TEST_P(Arithmetic, StepsFurtherThanInt32) {
  const int64_t stride = (int64_t{1} << 31) + 3;
  const SparseMemory memory(static_cast<size_t>(2 * stride + 64) * 2);
  if (memory.data() == MAP_FAILED) GTEST_SKIP() << "no address space for 8 GiB";
  const Tensor x = Tensor::wrap(memory.data(), DType::kInt16, {3, 5}, {stride, 1});
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 5; ++j)
      x.data_as<int16_t>()[i * stride + j] = static_cast<int16_t>(10 * i + j);
  }
  const std::array parts = {x, x, x};
  const Tensor y = add(x, x, GetParam().context());
  const Tensor z = sum(parts, GetParam().context());
  for (int64_t i = 0; i < 15; ++i) {
    EXPECT_EQ(y.data_as<int16_t>()[i], 2 * (10 * (i / 5) + i % 5));
    EXPECT_EQ(z.data_as<int16_t>()[i], 3 * (10 * (i / 5) + i % 5));
  }
}

}  // namespace
}  // namespace sylvite::test
