#include "support/placed_tensor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <sstream>

namespace sylvite::test {
namespace {

/// Rows of elements, in row-major order: visit(element, place in flat memory, count, stride).
template <typename Visit>
void for_each_row(const Shape& shape, const Placement& placement, const Visit& visit) {
  const int64_t elements = count(shape);
  const int inner = shape.rank() - 1;
  const int64_t row = inner < 0 ? 1 : shape[inner];
  Shape index = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) index[axis] = 0;
  int64_t at = placement.first;
  for (int64_t i = 0; i < elements; i += row) {
    visit(i, at, row, inner < 0 ? 1 : placement.strides[inner]);
    for (int axis = inner - 1; axis >= 0; --axis) {
      at += placement.strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= placement.strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

/// Where each element lies in flat memory, in row-major order.
template <typename Visit>
void for_each_element(const Shape& shape, const Placement& placement, const Visit& visit) {
  for_each_row(shape, placement, [&](int64_t i, int64_t at, int64_t row, int64_t stride) {
    for (int64_t k = 0; k < row; ++k)
      visit(static_cast<size_t>(i + k), static_cast<size_t>(at + k * stride));
  });
}

template <int kBytes>
void copy_elements(uint8_t* to, int64_t to_stride, const uint8_t* from, int64_t from_stride,
                   int64_t elements) {
  for (int64_t k = 0; k < elements; ++k)
    std::memcpy(to + k * to_stride * kBytes, from + k * from_stride * kBytes, kBytes);
}

void copy_row(uint8_t* to, int64_t to_stride, const uint8_t* from, int64_t from_stride,
              int64_t elements, int bytes) {
  if (to_stride == 1 && from_stride == 1) {
    std::memcpy(to, from, static_cast<size_t>(elements * bytes));
    return;
  }
  switch (bytes) {
    case 1:
      return copy_elements<1>(to, to_stride, from, from_stride, elements);
    case 2:
      return copy_elements<2>(to, to_stride, from, from_stride, elements);
    case 4:
      return copy_elements<4>(to, to_stride, from, from_stride, elements);
    default:
      return copy_elements<8>(to, to_stride, from, from_stride, elements);
  }
}

/// Row-major elements into flat memory that begins at `flat`.
void lay_out(const Shape& shape, const Placement& placement, int bytes, const Bytes& elements,
             uint8_t* flat) {
  for_each_row(shape, placement, [&](int64_t i, int64_t at, int64_t row, int64_t stride) {
    copy_row(flat + at * bytes, stride, elements.data() + i * bytes, 1, row, bytes);
  });
}

std::string index_of(int64_t element, const Shape& shape) {
  Shape index = shape;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    index[axis] = element % shape[axis];
    element /= shape[axis];
  }
  return to_string(index);
}

}  // namespace

Placement dense_placement(const Shape& shape, GuardedBuffer::Flush flush) {
  return {.strides = dense_strides(shape), .elements = count(shape), .flush = flush};
}

Placement random_placement(Random& random, const Shape& shape, int element_size, bool is_input) {
  Placement placement = dense_placement(shape);
  placement.flush = random.one_of({GuardedBuffer::Flush::kStart, GuardedBuffer::Flush::kEnd});
  if (random.chance(.2))
    placement.shift = static_cast<int>(random.between(1, int64_t{2} * element_size));
  if (random.chance(.4)) return placement;

  std::vector<int> order(static_cast<size_t>(shape.rank()));
  std::iota(order.rbegin(), order.rend(), 0);
  if (random.chance(.4)) {
    for (size_t i = 1; i < order.size(); ++i) {
      std::swap(order[i], order[static_cast<size_t>(random.between(0, static_cast<int64_t>(i)))]);
    }
  }
  int64_t block = 1;
  int64_t last = 0;
  for (const int axis : order) {
    const int64_t steps = std::max<int64_t>(shape[axis], 1) - 1;
    if (is_input && random.chance(.1)) {
      placement.strides[axis] = 0;
      continue;
    }
    const int64_t stride = random.chance(.2) ? block * random.between(2, 3) : block;
    placement.strides[axis] = stride;
    if (random.chance(.2)) {
      placement.strides[axis] = -stride;
      placement.first += steps * stride;
    }
    last += steps * stride;
    block = (steps + 1) * stride + (random.chance(.2) ? random.between(1, 9) : 0);
  }
  placement.elements = count(shape) == 0 ? 0 : last + 1;
  if (count(shape) == 0) placement.first = 0;
  return placement;
}

PlacedTensor::PlacedTensor(Random& random, DType dtype, const Shape& shape,
                           const Placement& placement, Device device, bool is_input, Shaper shaper,
                           const Bytes* elements)
    : memory_(placement.elements * element_size(dtype), placement.flush, placement.shift),
      placement_(placement) {
  const std::span<uint8_t> accessible = memory_.accessible();
  before_ = random.bytes(static_cast<int64_t>(accessible.size()));
  std::memcpy(accessible.data(), before_.data(), before_.size());
  if (shaper != nullptr) {
    shaper(memory_.bytes(), dtype);
    std::memcpy(before_.data(), accessible.data(), before_.size());
  }
  if (elements != nullptr) {
    lay_out(shape, placement, element_size(dtype), *elements, memory_.data());
  }
  uint8_t* first = memory_.data() + placement.first * element_size(dtype);
  const Shape flat_shape{placement.elements};
  if (device.kind != DeviceKind::kCpu) {
    flat_ = Tensor::wrap(memory_.data(), dtype, flat_shape).to(device);
    tensor_ = flat_.view(shape, placement.strides, placement.first);
  } else if (is_input) {
    memory_.protect_from_writes();
    tensor_ = Tensor::wrap(static_cast<const void*>(first), dtype, shape, placement.strides);
  } else {
    tensor_ = Tensor::wrap(first, dtype, shape, placement.strides);
  }
}

Bytes PlacedTensor::elements() const {
  const int bytes = element_size(tensor_.dtype());
  Bytes result(static_cast<size_t>(tensor_.byte_count()));
  for_each_row(
      tensor_.shape(), placement_, [&](int64_t i, int64_t at, int64_t row, int64_t stride) {
        copy_row(result.data() + i * bytes, 1, memory_.data() + at * bytes, stride, row, bytes);
      });
  return result;
}

void PlacedTensor::expect_holds(const Bytes& expected, const std::string& what) const {
  const auto size = static_cast<size_t>(element_size(tensor_.dtype()));
  ASSERT_EQ(expected.size(), static_cast<size_t>(tensor_.byte_count())) << what;
  if (tensor_.device().kind != DeviceKind::kCpu) {
    const Tensor copy = flat_.to(Device{});
    ASSERT_EQ(static_cast<size_t>(copy.byte_count()), memory_.bytes().size()) << what;
    if (copy.byte_count() > 0) {
      std::memcpy(memory_.data(), copy.data(), static_cast<size_t>(copy.byte_count()));
    }
  }
  Bytes wanted = before_;
  const auto begin = static_cast<size_t>(memory_.data() - memory_.accessible().data());
  lay_out(tensor_.shape(), placement_, static_cast<int>(size), expected, wanted.data() + begin);
  const uint8_t* got = memory_.accessible().data();
  if (std::memcmp(got, wanted.data(), wanted.size()) == 0) return;
  std::ostringstream report;
  int64_t wrong = 0;
  for_each_element(tensor_.shape(), placement_, [&](size_t i, size_t at) {
    if (std::memcmp(memory_.data() + at * size, expected.data() + i * size, size) == 0) return;
    if (wrong++ < 4) report << ' ' << index_of(static_cast<int64_t>(i), tensor_.shape());
  });
  ADD_FAILURE() << what << "\n"
                << wrong << " of " << tensor_.element_count() << " elements are wrong, first at"
                << report.str() << (wrong == 0 ? " (none: bytes beside the elements changed)" : "")
                << "\nstrides " << to_string(placement_.strides) << ", " << name(tensor_.dtype())
                << " at " << tensor_.data();
}

}  // namespace sylvite::test
