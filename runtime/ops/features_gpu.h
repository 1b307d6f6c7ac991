// Merges and gradients on a GPU: lengths and presence counted there, and what the host learns of them.
#pragma once

#include <deque>
#include <vector>

#include "runtime/ops/features_gpu_calls.h"
#include "runtime/ops/features_merge.h"

namespace sylvite::internal {

/// Where the first input lies; CPU where there is none.
inline Device device_of(const Parts& parts) noexcept {
  return parts.count() > 0 ? parts[0].device() : Device{};
}

/// Tensors as dense, aligned memory on their device; copies live as long as this.
class DenseOnDevice {
 public:
  explicit DenseOnDevice(Call& call) noexcept : call_(call) {}

  const Tensor& of(const Tensor& tensor);
  /// An output: itself, or a tensor that copy_back copies to it; keeps: with what the output holds now,
  /// because not all of it is written.
  const Tensor& of_output(const Tensor& output, bool keeps = false);
  void copy_back();

 private:
  struct Copy {
    Tensor dense;
    Tensor output;
  };
  Tensor like(const Tensor& tensor) const;

  Call& call_;
  std::deque<Tensor> inputs_;
  std::deque<Copy> outputs_;
};

/// What the host learns of a call's inputs.
struct DeviceFacts {
  int64_t pairs = 0;
  std::vector<int64_t> outer;  ///< elements of each input
  std::vector<int64_t> inner;  ///< of the second level
};

/// One call: its inputs counted on their device. Its tables, where `by input` means [features][examples]
/// and `by example` [examples][features], hold the elements before each segment.
class DeviceFeatures {
 public:
  DeviceFeatures(std::string_view op, const Context& context, Device device)
      : call(context, device, op), dense(call) {}

  /// Launches the counting. Throws kInvalidArgument for what ranks, dtypes, devices and extents tell,
  /// kUnsupported where there are more segments or pairs than tables take.
  void count(Counts counts, const CountArguments& arguments);
  /// The same for presence [examples, features].
  void count_dense(const Tensor& presence);

  /// Waits for what was counted. Throws what the CPU throws for lengths that are negative or become too
  /// long.
  DeviceFacts wait();
  /// Throws kInvalidArgument where input f's elements of a level are not as many as its array holds.
  void require_extent(const DeviceFacts& facts, bool inner, int64_t f, int64_t extent,
                      const Parts& parts) const;

  // Instead of waiting: `status` takes the totals and what is wrong, the later told before the earlier.
  /// Packed arrays of less room than is needed, Q's INT64_MAX where it does not matter;
  void tell(const Tensor& status, int64_t pairs, int64_t values);
  /// an input f of another number of elements;
  void tell_unless(bool inner, int64_t f, int64_t extent);
  /// lengths that are negative or become too long.
  void tell_of_lengths();

  int64_t examples() const noexcept { return examples_; }
  int64_t features() const noexcept { return features_; }
  int64_t segments() const noexcept { return examples_ * features_; }
  bool has_inner() const noexcept { return arguments_.inner_lengths.count() > 0; }

  void write_lengths(const Tensor& lengths);
  /// first: elements of all inputs before input f's.
  void move_runs(bool inner, bool split, int64_t f, int64_t first, const Tensor& array,
                 const Tensor& packed);
  /// Throws kUnsupported where an OpenCL kernel cannot reach all of a tensor: before anything is written.
  void require_reachable(const Tensor& tensor) const;
  /// Throws kInvalidArgument where there is not an id for each feature.
  void require_ids(const FeatureIds& ids);
  void write_keys(const FeatureIds& ids, const Tensor& keys);
  /// Feature f, or with rank 2 all of them.
  void pick(const Tensor& values, int64_t f, const Tensor& packed);
  void expand(const Tensor& packed, int64_t f, const Tensor& values);

  Call call;
  DenseOnDevice dense;

 private:
  using Array = features_gpu::Array;

  void begin(Counts counts, int64_t examples, int64_t features);
  void scan_outer();
  void count_inner();
  Array table(int64_t entries);
  void fill(const Array& array, int64_t count, int64_t value);
  void check_lengths(const Array& word);
  void check_room(const Array& table, int64_t room);
  [[noreturn]] void explain() const;
  void write_totals(const Array& words);
  const Array& packed_before() const noexcept;
  features_gpu::Segments segments_of(const Tensor& array) const noexcept;

  CountArguments arguments_;
  Counts counts_ = Counts::kPresence;
  int64_t examples_ = 0;
  int64_t features_ = 0;
  int64_t inner_count_ = 0;  ///< second-level lengths of all inputs
  bool inner_fits_ = true;
  std::vector<Tensor> tables_;  ///< their memory
  Array codes_;                 ///< by input
  Array inner_codes_;           ///< [inner_count]
  Array by_input_;
  Array by_example_;
  Array positions_;  ///< present segments before each, by example
  Array inner_by_input_;
  Array inner_by_example_;
  Array status_;
};

}  // namespace sylvite::internal
