// SpaceToBatch and BatchToSpace: the blocks of an image become entries of its batch, and back.
#pragma once

#include <cstdint>

#include "sylvite/context.h"
#include "sylvite/plan.h"
#include "sylvite/tensor.h"

namespace sylvite {

/// Where the channels stand, for 1 to 4 spatial axes.
enum class Layout : uint8_t {
  kNchw,  ///< [N, C, spatial…], Caffe2's default
  kNhwc,  ///< [N, spatial…, C], TensorFlow's
};

/// Elements added or cut before and after one spatial axis.
struct Sides {
  int64_t before = 0;
  int64_t after = 0;

  bool operator==(const Sides&) const = default;
};

/// One entry per spatial axis, up to 4 of them, stored inline.
template <typename T>
class PerAxis {
 public:
  static constexpr int kMaxSize = 4;

  constexpr PerAxis() = default;
  constexpr PerAxis(std::initializer_list<T> values) {
    for (const T& value : values) push_back(value);
  }
  /// Entries above kMaxSize are counted, not kept: validation reports the count.
  constexpr void push_back(const T& value) {
    if (size_ < kMaxSize) values_[static_cast<size_t>(size_)] = value;
    ++size_;
  }
  constexpr int size() const noexcept { return size_; }
  constexpr const T& operator[](int axis) const noexcept {
    return values_[static_cast<size_t>(axis)];
  }
  constexpr T& operator[](int axis) noexcept { return values_[static_cast<size_t>(axis)]; }

 private:
  std::array<T, kMaxSize> values_ = {};
  int size_ = 0;
};

struct SpaceToBatchArgs {
  /// One block per spatial axis, each at least 1. M = block_shape.size(), 1 to 4.
  PerAxis<int64_t> block_shape = {2, 2};
  /// Padding per spatial axis; none means 0.
  PerAxis<Sides> paddings = {};
  Layout layout = Layout::kNchw;
  /// What the padding holds. Must be exactly representable in X's dtype.
  double pad_value = 0;
};

struct BatchToSpaceArgs {
  PerAxis<int64_t> block_shape = {2, 2};
  /// Elements cut off per spatial axis; none means 0.
  PerAxis<Sides> crops = {};
  Layout layout = Layout::kNchw;
};

/// Moves each phase of the padded image into the batch:
///   y[(b_1 * block_2 + b_2) * N + n, c, h, w] = x_padded[n, c, h * block_1 + b_1, w * block_2 + b_2]
/// and alike for 1, 3 and 4 spatial axes, the blocks in row-major order.
///
/// x: [N, C, spatial…] or [N, spatial…, C], rank M + 2, every dtype but string, any strides and alignment.
/// Returns batch N * prod(block), each spatial extent (before + extent + after) / block, C as it is.
/// Throws kInvalidArgument: rank, M, block < 1, negative padding, a padded extent its block does
/// not divide, sizes beyond int64, a pad_value the dtype cannot hold; for the form that writes into
/// `y`: its dtype, shape, device, memory that overlaps x's or itself, read-only memory; kUnsupported:
/// strings.
/// Source: Caffe2 SpaceToBatch; TensorFlow SpaceToBatchND for the N-D blocks.
Tensor space_to_batch(const Tensor& x, const SpaceToBatchArgs& args, const Context& context = {});
void space_to_batch(const Tensor& x, const SpaceToBatchArgs& args, Tensor& y,
                    const Context& context = {});
Plan space_to_batch_plan(const TensorInfo& x, const TensorInfo& y, const SpaceToBatchArgs& args,
                         const Context& context = {});
/// Shape of y. Throws what space_to_batch throws for these shapes.
Shape space_to_batch_shape(const TensorInfo& x, const SpaceToBatchArgs& args);

/// The inverse: interleaves the phases held by the batch into images, then cuts `crops` off.
///   y[n, c, i, j] = x[(b_1 * block_2 + b_2) * N + n, c, h, w] with
///   i + crop_top = h * block_1 + b_1, j + crop_left = w * block_2 + b_2
///
/// x: batch N * prod(block), rank M + 2, every dtype but string, any strides and alignment.
/// Returns batch N, each spatial extent extent * block - before - after, C as it is.
/// Throws kInvalidArgument: rank, M, block < 1, a batch prod(block) does not divide, negative crops
/// or crops beyond the extent, sizes beyond int64, and what space_to_batch throws for `y`.
/// Source: Caffe2 BatchToSpace; TensorFlow BatchToSpaceND.
Tensor batch_to_space(const Tensor& x, const BatchToSpaceArgs& args, const Context& context = {});
void batch_to_space(const Tensor& x, const BatchToSpaceArgs& args, Tensor& y,
                    const Context& context = {});
Plan batch_to_space_plan(const TensorInfo& x, const TensorInfo& y, const BatchToSpaceArgs& args,
                         const Context& context = {});
Shape batch_to_space_shape(const TensorInfo& x, const BatchToSpaceArgs& args);

/// Gradient of space_to_batch with respect to x: dy interleaved, the padding cut off.
/// dy: shape and dtype of y. Returns x's shape. Throws what batch_to_space throws.
Tensor space_to_batch_gradient(const Tensor& dy, const SpaceToBatchArgs& args,
                               const Context& context = {});
void space_to_batch_gradient(const Tensor& dy, const SpaceToBatchArgs& args, Tensor& dx,
                             const Context& context = {});

/// Gradient of batch_to_space with respect to x: dy moved into the batch, zero where it was cut.
/// dy: shape and dtype of y. Returns x's shape. Throws what space_to_batch throws.
Tensor batch_to_space_gradient(const Tensor& dy, const BatchToSpaceArgs& args,
                               const Context& context = {});
void batch_to_space_gradient(const Tensor& dy, const BatchToSpaceArgs& args, Tensor& dx,
                             const Context& context = {});

}  // namespace sylvite
