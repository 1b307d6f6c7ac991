// Expand into tensors above 2^31 bytes and elements, and from and to strides beyond int32. Elements
// follow a formula, and a sample of them is looked at.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "support/random_shapes.h"
#include "support/reference.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr int64_t kTwoTo31 = int64_t{1} << 31;
constexpr int64_t kMostBytes = kTwoTo31 + (int64_t{1} << 21);

/// Zero pages that take memory where they are written to.
class Mapping {
 public:
  Mapping() {
    void* memory = mmap(nullptr, kMostBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    data_ = static_cast<uint8_t*>(memory);
  }
  Mapping(const Mapping&) = delete;
  Mapping(Mapping&&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping() { munmap(data_, kMostBytes); }
  uint8_t* data() const { return data_; }

 private:
  uint8_t* data_;
};

uint8_t byte_of(int64_t element, int64_t byte) {
  const uint64_t word = (static_cast<uint64_t>(element) + 1) * 0x9E3779B97F4A7C15U;
  return static_cast<uint8_t>(word >> (static_cast<uint64_t>(byte) * 8) ^ word >> 56);
}

int64_t offset_of(const Shape& index, const Shape& strides) {
  int64_t offset = 0;
  for (int axis = 0; axis < index.rank(); ++axis) offset += index[axis] * strides[axis];
  return offset;
}

/// An index of `shape`: half the time near the first or last element along each axis.
Shape sample(Random& random, const Shape& shape) {
  Shape index = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const int64_t near = std::min<int64_t>(shape[axis] - 1, 3);
    index[axis] =
        random.one_of({random.between(0, shape[axis] - 1), random.between(0, shape[axis] - 1),
                       random.between(0, near), shape[axis] - 1 - random.between(0, near)});
  }
  return index;
}

class ExpandLarge : public KernelTest {
 protected:
  static void SetUpTestSuite() {
    input = std::make_unique<Mapping>();
    output = std::make_unique<Mapping>();
  }
  static void TearDownTestSuite() {
    input.reset();
    output.reset();
  }

  /// Both ranks are the same. Strides of rank 0: dense.
  static void check(DType dtype, const Shape& x_shape, const Shape& y_shape, Shape x_strides = {},
                    Shape y_strides = {}) {
    const int64_t size = element_size(dtype);
    if (x_strides.rank() == 0) x_strides = dense_strides(x_shape);
    if (y_strides.rank() == 0) y_strides = dense_strides(y_shape);
    write_input(x_shape, x_strides, size);
    const Tensor x =
        Tensor::wrap(static_cast<const void*>(input->data()), dtype, x_shape, x_strides);
    Tensor y = Tensor::wrap(output->data(), dtype, y_shape, y_strides);
    ASSERT_LE(y.byte_range().high, kMostBytes);
    for_samples(x_shape, y_shape, [&](const Shape& index, int64_t element) {
      for (int64_t byte = 0; byte < size; ++byte) {
        output->data()[offset_of(index, y_strides) * size + byte] =
            static_cast<uint8_t>(~byte_of(element, byte));
      }
    });
    expand(x, y_shape, y, GetParam().context());
    for_samples(x_shape, y_shape, [&](const Shape& index, int64_t element) {
      for (int64_t byte = 0; byte < size; ++byte) {
        EXPECT_EQ(output->data()[offset_of(index, y_strides) * size + byte], byte_of(element, byte))
            << "byte " << byte << " of element " << to_string(index) << " of y "
            << to_string(y_shape);
      }
    });
  }

 private:
  static constexpr int kSamples = 100000;

  static void write_input(const Shape& shape, const Shape& strides, int64_t size) {
    Shape index = shape;
    for (int axis = 0; axis < shape.rank(); ++axis) index[axis] = 0;
    for (int64_t element = 0; element < count(shape); ++element) {
      for (int64_t byte = 0; byte < size; ++byte)
        input->data()[offset_of(index, strides) * size + byte] = byte_of(element, byte);
      for (int axis = shape.rank() - 1; axis >= 0 && ++index[axis] == shape[axis]; --axis)
        index[axis] = 0;
    }
  }

  /// visit(index into y, element of x).
  template <typename Visit>
  static void for_samples(const Shape& x_shape, const Shape& y_shape, const Visit& visit) {
    Random random(first_seed());
    const Shape dense = dense_strides(x_shape);
    for (int i = 0; i < kSamples && !HasFailure(); ++i) {
      const Shape index = sample(random, y_shape);
      Shape from = index;
      for (int axis = 0; axis < from.rank(); ++axis)
        if (x_shape[axis] == 1) from[axis] = 0;
      visit(index, offset_of(from, dense));
    }
  }

  static inline std::unique_ptr<Mapping> input;
  static inline std::unique_ptr<Mapping> output;
};

std::vector<KernelChoice> best_cpu_choices() {
  std::vector<KernelChoice> choices = cpu_kernel_choices();
  std::erase_if(choices, [first = choices.front().target](const KernelChoice& choice) {
    return choice.target != first;
  });
  return choices;
}

INSTANTIATE_TEST_SUITE_P(BestTarget, ExpandLarge, ::testing::ValuesIn(best_cpu_choices()),
                         choice_name);

TEST_P(ExpandLarge, OneElement) { check(DType::kUInt8, {1}, {kTwoTo31 + 6}); }

TEST_P(ExpandLarge, RowsOfOneElement) {
  check(DType::kUInt8, {40001, 1}, {40001, 53700});
  check(DType::kFloat32, {3, 1}, {3, 178956972});
}

TEST_P(ExpandLarge, RepeatedElements) { check(DType::kUInt8, {1, 1000001, 1}, {716, 1000001, 3}); }

TEST_P(ExpandLarge, ShortPeriods) {
  check(DType::kUInt8, {1, 7}, {306783381, 7});
  check(DType::kUInt16, {2, 1, 3}, {2, 178956972, 3});
}

TEST_P(ExpandLarge, LongRowsAndMiddleAxes) {
  check(DType::kUInt8, {1, 1000003}, {2148, 1000003});
  check(DType::kUInt16, {2, 1, 512, 1024}, {2, 1025, 512, 1024});
}

TEST_P(ExpandLarge, TinyExtents) { check(DType::kUInt8, {1, 20000, 1, 3}, {7159, 20000, 5, 3}); }

TEST_P(ExpandLarge, StridesBeyondInt32) {
  const int64_t far = kTwoTo31 + 4096;
  check(DType::kUInt8, {2, 1, 5}, {2, 3, 5}, {far, 0, 1});
  check(DType::kUInt8, {5, 1, 2}, {5, 3, 2}, {1, 0, far});
  check(DType::kUInt8, {2, 5, 1}, {2, 5, 3}, {far, 2, 0});
  check(DType::kUInt8, {2, 5, 1}, {2, 5, 3}, {5, 1, 1}, {far, 3, 1});
  check(DType::kUInt8, {1, 5, 2}, {3, 5, 2}, {}, {10, 1, far});
  check(DType::kUInt8, {3, 5, 1}, {3, 5, 1000}, {}, {far / 2, 1000, 1});
}

}  // namespace
}  // namespace sylvite::test
