// Tensors above 2^31 bytes and above 2^31 elements. Their elements follow a formula, and a sample of
// them is looked at.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "support/random_shapes.h"
#include "support/reference.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr int64_t kTwoTo31 = int64_t{1} << 31;
constexpr int64_t kMostBytes = kTwoTo31 + (int64_t{1} << 21);

/// Byte `i` of the input.
uint8_t byte_at(int64_t i) {
  const uint64_t word = (static_cast<uint64_t>(i) / 8 + 1) * 0x9E3779B97F4A7C15U;
  return static_cast<uint8_t>(word >> (static_cast<uint64_t>(i) % 8 * 8) ^ word >> 56);
}

class Mapping {
 public:
  Mapping() {
    void* memory = mmap(nullptr, kMostBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    madvise(memory, kMostBytes, MADV_HUGEPAGE);
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

void fill_by_formula(uint8_t* data) {
  const auto fill = [data](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i += 8) {
      std::array<uint8_t, 8> bytes = {};
      for (int64_t j = 0; j < 8; ++j) bytes[static_cast<size_t>(j)] = byte_at(i + j);
      std::memcpy(data + i, bytes.data(), bytes.size());
    }
  };
  std::thread other(fill, 0, kMostBytes / 2);
  fill(kMostBytes / 2, kMostBytes);
  other.join();
}

/// One input and one output for all tests of this file: they take a second each to page in.
struct Memory {
  Mapping input;
  Mapping output;
  Memory() { fill_by_formula(input.data()); }
};
std::unique_ptr<Memory> memory;

int64_t offset_of(const Shape& index, const Shape& strides) {
  int64_t offset = 0;
  for (int axis = 0; axis < index.rank(); ++axis) offset += index[axis] * strides[axis];
  return offset;
}

/// Where in x the element `index` of SpaceToBatch's y comes from; false in the padding.
bool source_of(const Shape& index, const Shape& x, const SpaceToBatchArgs& args, Shape& from) {
  const int first = args.layout == Layout::kNchw ? 2 : 1;
  from = index;
  from[0] = index[0] % x[0];
  int64_t phase = index[0] / x[0];
  for (int i = args.block_shape.size() - 1; i >= 0; --i) {
    const int64_t block = args.block_shape[i];
    from[first + i] = index[first + i] * block + phase % block -
                      (args.paddings.size() == 0 ? 0 : args.paddings[i].before);
    phase /= block;
    if (from[first + i] < 0 || from[first + i] >= x[first + i]) return false;
  }
  return true;
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

/// What one byte of the output must be.
using Expect = std::function<void(int64_t at, uint8_t wanted)>;

class SpaceBatchLarge : public KernelTest {
 protected:
  static void SetUpTestSuite() { memory = std::make_unique<Memory>(); }
  static void TearDownTestSuite() { memory.reset(); }

  void check_space_to_batch(DType dtype, const Shape& x_shape, const SpaceToBatchArgs& args,
                            Shape x_strides = {}) {
    const int size = element_size(dtype);
    if (x_strides.rank() == 0) x_strides = dense_strides(x_shape);
    const Shape y_shape = reference_shape(x_shape, args);
    const Shape y_strides = dense_strides(y_shape);
    const Bytes pad = encode(args.pad_value, dtype);
    const auto samples = [&](const Expect& expect) {
      Random random(first_seed());
      Shape from;
      for (int i = 0; i < kSamples && !HasFailure(); ++i) {
        const Shape index = sample(random, y_shape);
        const bool inside = source_of(index, x_shape, args, from);
        const int64_t at = offset_of(index, y_strides) * size;
        const int64_t source = inside ? offset_of(from, x_strides) * size : 0;
        for (int64_t byte = 0; byte < size; ++byte) {
          expect(at + byte, inside ? byte_at(source + byte) : pad[static_cast<size_t>(byte)]);
        }
      }
    };
    check(dtype, x_shape, x_strides, y_shape, samples,
          [&](const Tensor& x, Tensor& y) { space_to_batch(x, args, y, GetParam().context()); });
  }

  /// `image` is the result of BatchToSpace with crops = paddings.
  void check_batch_to_space(DType dtype, const Shape& image, const SpaceToBatchArgs& args) {
    const int size = element_size(dtype);
    const Shape x_shape = reference_shape(image, args);
    const Shape x_strides = dense_strides(x_shape);
    const Shape y_strides = dense_strides(image);
    const auto samples = [&](const Expect& expect) {
      Random random(first_seed());
      Shape to;
      for (int i = 0; i < kSamples && !HasFailure(); ++i) {
        const Shape index = sample(random, x_shape);
        if (!source_of(index, image, args, to)) continue;
        const int64_t at = offset_of(to, y_strides) * size;
        const int64_t source = offset_of(index, x_strides) * size;
        for (int64_t byte = 0; byte < size; ++byte) expect(at + byte, byte_at(source + byte));
      }
    };
    check(dtype, x_shape, x_strides, image, samples, [&](const Tensor& x, Tensor& y) {
      batch_to_space(x, inverse(args), y, GetParam().context());
    });
  }

 private:
  static constexpr int kSamples = 300000;

  static void check(DType dtype, const Shape& x_shape, const Shape& x_strides, const Shape& y_shape,
                    const std::function<void(const Expect&)>& samples,
                    const std::function<void(const Tensor&, Tensor&)>& run) {
    const Device device = GetParam().device();
    uint8_t* out = memory->output.data();
    ASSERT_LE(count(y_shape) * element_size(dtype), kMostBytes);
    Tensor x =
        Tensor::wrap(static_cast<const void*>(memory->input.data()), dtype, x_shape, x_strides);
    Tensor y = Tensor::wrap(out, dtype, y_shape);
    samples([&](int64_t at, uint8_t wanted) { out[at] = static_cast<uint8_t>(~wanted); });
    if (device.kind == DeviceKind::kCpu) {
      run(x, y);
    } else {
      x = x.to(device);
      y = Tensor::empty(dtype, y_shape, device);
      run(x, y);
      const Tensor copy = y.to(Device{});
      std::memcpy(out, copy.data(), static_cast<size_t>(copy.byte_count()));
    }
    samples([&](int64_t at, uint8_t wanted) {
      EXPECT_EQ(out[at], wanted) << "byte " << at << " of y " << to_string(y_shape);
    });
  }
};

std::vector<KernelChoice> large_choices() {
  std::vector<KernelChoice> choices;
  for (const KernelChoice& choice : target_choices()) {
    const DeviceKind kind = choice.device().kind;
    const bool first = choices.empty() || choices.back().device().kind != kind;
    if (first && kind != DeviceKind::kOpenCl) choices.push_back(choice);
  }
  return choices;
}

INSTANTIATE_TEST_SUITE_P(BestTargets, SpaceBatchLarge, ::testing::ValuesIn(large_choices()),
                         choice_name);

TEST_P(SpaceBatchLarge, BytesInRowsAndPlanes) {
  const Shape image{3, 1, 32770, 21850};
  ASSERT_GT(count(image), kTwoTo31);
  check_space_to_batch(DType::kUInt8, image, {{2, 2}});
  check_batch_to_space(DType::kUInt8, image, {{2, 2}});
}

TEST_P(SpaceBatchLarge, OneAxisLongerThanInt32) {
  const Shape image{1, 1, kTwoTo31 + 6};
  check_space_to_batch(DType::kUInt8, image, {{2}});
  check_batch_to_space(DType::kUInt8, image, {{2}});
  check_space_to_batch(DType::kUInt8, {1, kTwoTo31 + 2, 1}, {{3}, {{1, 1}}, Layout::kNhwc, 77});
}

TEST_P(SpaceBatchLarge, ChannelsLast) {
  const Shape image{1, 4103, 32718, 16};
  ASSERT_GT(count(image), kTwoTo31);
  const SpaceToBatchArgs args{{3, 3}, {{1, 0}, {0, 3}}, Layout::kNhwc, 5};
  ASSERT_LE(count(reference_shape(image, args)), kMostBytes);
  check_space_to_batch(DType::kUInt8, image, args);
  check_batch_to_space(DType::kUInt8, image, args);
}

TEST_P(SpaceBatchLarge, WideElements) {
  const Shape floats{2, 3, 9460, 9460};
  ASSERT_GT(count(floats) * 4, kTwoTo31);
  check_space_to_batch(DType::kFloat32, floats, {{4, 5}});
  check_batch_to_space(DType::kFloat32, floats, {{4, 5}});
  const Shape doubles{1, 2, 11586, 11586};
  ASSERT_GT(count(doubles) * 8, kTwoTo31);
  check_space_to_batch(DType::kFloat64, doubles, {{2, 3}});
}

TEST_P(SpaceBatchLarge, PaddedOutputOfASmallInput) {
  const SpaceToBatchArgs args{{2, 2}, {{40000, 5000}, {3, 46397}}, Layout::kNchw, 200};
  const Shape image{1, 1, 1000, 300};
  ASSERT_GT(count(reference_shape(image, args)), kTwoTo31);
  check_space_to_batch(DType::kUInt8, image, args);
}

TEST_P(SpaceBatchLarge, CroppedOutputOfALargeInput) {
  const SpaceToBatchArgs args{{2, 2}, {{40000, 5000}, {3, 46397}}};
  check_batch_to_space(DType::kUInt8, {1, 1, 1000, 300}, args);
}

TEST_P(SpaceBatchLarge, StridesBeyondInt32) {
  if (GetParam().device().kind != DeviceKind::kCpu) GTEST_SKIP() << "to() makes a dense copy";
  const Shape image{2, 2, 6, 8};
  check_space_to_batch(DType::kUInt8, image, {{2, 2}}, {kTwoTo31, 800, 8, 1});
  check_space_to_batch(DType::kUInt8, image, {{2, 2}}, {1, 2, 429496730, 4});
  check_space_to_batch(DType::kUInt8, image, {{3, 4}}, {1, 2, 4, 306783379});
  check_space_to_batch(DType::kUInt8, {35800, 1, 6, 10000}, {{2, 2}}, {0, 0, 10000, 1});
}

}  // namespace
}  // namespace sylvite::test
