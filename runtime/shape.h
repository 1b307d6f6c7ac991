// What every operator asks of shapes and strides before it runs.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/checked.h"
#include "sylvite/tensor.h"

namespace sylvite::internal {

/// Product of the extents; nothing where it leaves int64. 0 as soon as one extent is 0.
Checked checked_count(const Shape& shape) noexcept;

/// What Tensor::byte_range would say; nothing where an address leaves int64.
std::optional<ByteRange> byte_range(const Shape& shape, const Shape& strides,
                                    int element_bytes) noexcept;

/// Whether two different elements may share memory: some stride does not step over all that the
/// smaller strides reach.
bool overlaps_itself(const Shape& shape, const Shape& strides) noexcept;

/// Row-major without gaps, whatever the strides of extents of 1 are.
bool is_dense(const Tensor& tensor) noexcept;

/// Strides as given, or dense ones for rank 0.
Shape strides_of(const TensorInfo& info) noexcept;

/// x's strides seen from the axes of y, which x broadcasts to: 0 where x has no axis or is broadcast.
Shape broadcast_strides(const Shape& x, const Shape& x_strides, const Shape& y) noexcept;

/// Throws kInvalidArgument unless info is a tensor at all: extents not negative, strides of the
/// shape's rank, addresses and byte count within int64.
void require_tensor(const TensorInfo& info, std::string_view op, std::string_view argument);

/// Throws kUnsupported for strings.
void require_fixed_size(DType dtype, std::string_view op, std::string_view argument);

/// Throws kInvalidArgument unless y, a tensor, can take an output of this dtype and shape beside x: dtype,
/// shape, device, no element twice in memory.
void require_output(const TensorInfo& y, DType dtype, const Shape& shape, Device device,
                    std::string_view op, std::string_view argument);
void require_output(const Tensor& y, DType dtype, const Shape& shape, Device device,
                    std::string_view op, std::string_view argument);

/// The extents that an int32 or int64 tensor of rank 1 on the CPU holds. Throws kInvalidArgument.
Shape shape_from(const Tensor& shape, std::string_view op);

/// An output of the call's own. Throws what Tensor::empty throws, naming operator and argument.
Tensor new_output(DType dtype, const Shape& shape, const Context& context, Device device,
                  std::string_view op, std::string_view argument);

/// Throws kInvalidArgument where y is read-only or shares bytes with x.
void require_apart(const Tensor& x, const Tensor& y, std::string_view op,
                   std::string_view argument);

}  // namespace sylvite::internal
