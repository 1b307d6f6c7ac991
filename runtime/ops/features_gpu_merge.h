// Merges and gradients whose tensors lie on a GPU: what the calls of features_merge.h are on the CPU.
#pragma once

#include <span>
#include <vector>

#include "runtime/ops/features_gpu.h"

namespace sylvite::internal {

/// The sums of extents before each input. Throws kInvalidArgument where one leaves int64.
std::vector<int64_t> sums_before(const std::vector<int64_t>& extents, std::string_view op);

/// The context's merge_status. Throws kInvalidArgument where it is no such tensor.
const Tensor* status_of(const Context& context, std::string_view op, Device device);

/// A merge on its way.
class DeviceMergeCall {
 public:
  /// Throws kInvalidArgument for what metadata tells of the inputs.
  DeviceMergeCall(const Merge& merge, std::span<const Parts> inputs, const Context& context);

  /// Each throws kInvalidArgument for what else is wrong with inputs, ids or outputs.
  MultiSizes sizes();
  void run(const FeatureIds* ids, std::span<Tensor* const> outputs);
  void run_new(const FeatureIds* ids, std::span<Tensor* const> outputs, const MakeOutput& make);

 private:
  void require_inputs(const CountArguments& counted);
  DeviceFacts wait();
  void tell(const Tensor& status, std::span<Tensor* const> outputs);
  int64_t extent_of(Extent extent, const DeviceFacts& facts) const;
  void require_apart(const FeatureIds* ids, std::span<Tensor* const> outputs,
                     const Tensor* status) const;
  std::vector<int64_t> firsts_of(const Parts& parts) const;
  /// has_rest: outputs may be larger than what is written.
  void fill(const FeatureIds* ids, std::span<Tensor* const> outputs, bool has_rest);

  const Merge& merge_;
  std::span<const Parts> inputs_;
  const Context& context_;
  DeviceFeatures features_;
};

/// A gradient on its way.
class DeviceGradientCall {
 public:
  DeviceGradientCall(const Gradient& gradient, const CountArguments& arguments,
                     const Context& context);

  std::vector<int64_t> sizes();
  void run(const Tensor& dvalues, std::span<Tensor> dinputs);
  std::vector<Tensor> run_new(const Tensor& dvalues, const MakeOutput& make);

 private:
  std::vector<int64_t> extents_of(const DeviceFacts& facts) const;
  void require_outputs(const Tensor& dvalues, std::span<const Tensor> dinputs,
                       const std::vector<int64_t>* extents, const Tensor* status) const;
  void fill(const Tensor& dvalues, std::span<const Tensor> dinputs);

  const Gradient& gradient_;
  CountArguments arguments_;
  const Context& context_;
  DeviceFeatures features_;
};

// merge_dense and its gradient behind their checks of dtypes and shapes. Each throws kInvalidArgument.
MultiSizes merge_dense_sizes_gpu(const Tensor& presence, std::string_view op,
                                 const Context& context);
/// make: where `out` is to be made, else nullptr.
void merge_dense_gpu(const Tensor& data, const Tensor& presence, const FeatureIds& ids,
                     MultiScalar& out, const MakeOutput* make, std::string_view op,
                     const Context& context);
void merge_dense_gradient_gpu(const Tensor& presence, const Tensor& dvalues, Tensor& ddata,
                              bool new_output, std::string_view op, const Context& context);

}  // namespace sylvite::internal
