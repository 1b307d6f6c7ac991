// merge_dense and its gradient: features next to each other, so that an example's are a row.
#include "runtime/ops/features_kinds.h"
#include "runtime/shape.h"
#include "runtime/strings.h"

namespace sylvite {
namespace {

using internal::DenseOutputs;
using internal::FeatureCall;
using internal::FeatureMoves;
using internal::MemoryRanges;
using internal::PickMove;
using internal::require;
using internal::require_argument;
using internal::StringMove;
using internal::StringRuns;
using internal::Texts;

constexpr std::string_view kMerge = "MergeDenseFeatureTensors";
constexpr std::string_view kGradient = "MergeDenseFeatureTensorsGradient";

void require_matrix(const Tensor& x, std::string_view op, std::string_view argument) {
  require_argument(x.rank() == 2, op, ": ", argument, " has shape ", x.shape(),
                   ", want two axes: examples and features");
}

void require_presence(const Tensor& presence, std::string_view op) {
  require_matrix(presence, op, "presence");
  require_argument(presence.dtype() == DType::kBool, op, ": presence has dtype ",
                   name(presence.dtype()), ", want bool");
  require_argument(presence.shape()[1] > 0, op, ": presence has 0 features, want at least 1");
}

Texts texts_of(const Tensor& output) {
  return {.offsets = output.data_as<int64_t>(), .text = output.text_data()};
}

/// A call between a matrix, of data or of its gradient, and the packed values.
class DenseCall {
 public:
  DenseCall(std::string_view op, const Context& context)
      : op_(op), context_(context), features_(op, context) {}

  void count(const Tensor& presence) {
    presence_ = &presence;
    features_.count_dense(presence);
  }
  int64_t pairs() const noexcept { return features_.offsets->pairs(); }
  int64_t text_bytes() const noexcept { return strings_ ? strings_->text_bytes() : 0; }

  void read_data(const Tensor& data);
  void require_ids(const FeatureIds& ids) {
    static_cast<void>(internal::dense_ids(features_, ids));
  }
  void merge(const Tensor& data, const FeatureIds& ids, const MultiScalar& out);
  Tensor new_output(DType dtype, const Shape& shape, std::string_view argument) const;

  void read_gradient(const Tensor& dvalues);
  void split(const Tensor& dvalues, const Tensor& ddata);

 private:
  void count_strings(bool split, const Texts& matrix, const Texts& packed);
  void set_matrix(const Texts& matrix) noexcept;
  std::byte** columns_of(const void* matrix, int element_bytes);
  void run(const FeatureMoves& moves, const DenseOutputs& dense);

  std::string_view op_;
  const Context& context_;
  FeatureCall features_;
  const Tensor* presence_ = nullptr;
  std::optional<StringMove> strings_;
};

void DenseCall::set_matrix(const Texts& matrix) noexcept {
  for (int64_t f = 0; f < features_.inputs.features; ++f) {
    strings_->arrays[f] = {.offsets = matrix.offsets + f, .text = matrix.text};
  }
}

void DenseCall::count_strings(bool split, const Texts& matrix, const Texts& packed) {
  strings_.emplace(*features_.offsets, StringRuns::kExample, split, features_.scratch);
  strings_->stride = features_.inputs.features;
  strings_->one_array = true;
  strings_->packed = packed;
  set_matrix(matrix);
  strings_->count(features_.call);
}

/// Where the features of a matrix begin.
std::byte** DenseCall::columns_of(const void* matrix, int element_bytes) {
  auto** columns = features_.scratch.take<std::byte*>(features_.inputs.features);
  for (int64_t f = 0; f < features_.inputs.features; ++f) {
    columns[f] = const_cast<std::byte*>(static_cast<const std::byte*>(matrix)) + f * element_bytes;
  }
  return columns;
}

void DenseCall::run(const FeatureMoves& moves, const DenseOutputs& dense) {
  internal::run_feature_moves(features_.call, *features_.offsets, moves, features_.scratch);
  if (strings_) strings_->run(features_.call);
  dense.copy_back(features_.call);
  internal::throw_if_failed(features_.call);
}

Tensor DenseCall::new_output(DType dtype, const Shape& shape, std::string_view argument) const {
  if (dtype == DType::kString) {
    return internal::new_string_output(shape, text_bytes(), context_, op_, argument);
  }
  return internal::new_output(dtype, shape, context_, Device{}, op_, argument);
}

void DenseCall::read_data(const Tensor& data) {
  if (data.dtype() == DType::kString) count_strings(false, features_.dense.texts(data), {});
}

void DenseCall::merge(const Tensor& data, const FeatureIds& ids, const MultiScalar& out) {
  PickMove pick = {.ids = internal::dense_ids(features_, ids)};
  MemoryRanges ranges(6, features_.scratch);
  ranges.read(data);
  ranges.read(*presence_);
  if (ids.tensor()) ranges.read(*ids.tensor());
  const auto write = [&](const Tensor& output, DType dtype, int64_t extent,
                         std::string_view argument) {
    internal::require_writable(output, dtype, {extent}, op_, argument);
    ranges.write(output);
  };
  write(out.lengths, DType::kInt32, data.shape()[0], "lengths");
  write(out.keys, DType::kInt64, pairs(), "keys");
  write(out.values, data.dtype(), pairs(), "values");
  if (strings_) internal::require_string_output(out.values, text_bytes(), op_, "values");
  require_argument(ranges.apart(), op_,
                   ": an output overlaps an input or another output in memory, want them apart");
  DenseOutputs dense(context_, op_);
  pick.keys = reinterpret_cast<int64_t*>(dense.of(out.keys));
  if (strings_) {
    strings_->packed = texts_of(out.values);
    internal::pick_keys_alone(features_, pick);
  } else {
    pick.value_bytes = element_size(data.dtype());
    pick.values = columns_of(features_.dense.of(data), pick.value_bytes);
    pick.value_stride = features_.inputs.features;
    pick.packed = dense.of(out.values);
  }
  run({.lengths = reinterpret_cast<int32_t*>(dense.of(out.lengths)), .pick = &pick}, dense);
}

void DenseCall::read_gradient(const Tensor& dvalues) {
  features_.require_packed(dvalues, pairs(), "dvalues");
  if (dvalues.dtype() == DType::kString) count_strings(true, {}, features_.dense.texts(dvalues));
}

void DenseCall::split(const Tensor& dvalues, const Tensor& ddata) {
  internal::require_writable(ddata, dvalues.dtype(), presence_->shape(), op_, "ddata");
  if (strings_) internal::require_string_output(ddata, text_bytes(), op_, "ddata");
  MemoryRanges ranges(3, features_.scratch);
  ranges.read(*presence_);
  ranges.read(dvalues);
  ranges.write(ddata);
  require_argument(ranges.apart(), op_, ": ddata overlaps an input in memory, want them apart");
  DenseOutputs dense(context_, op_);
  if (strings_) {
    set_matrix(texts_of(ddata));
    return run({}, dense);
  }
  const int bytes = element_size(dvalues.dtype());
  const internal::ExpandMove expand = {
      .packed = static_cast<const std::byte*>(features_.dense.of(dvalues)),
      .values = columns_of(dense.of(ddata), bytes),
      .value_stride = features_.inputs.features,
      .value_bytes = bytes};
  run({.expand = &expand}, dense);
}

void require_inputs(const Tensor& data, const Tensor& presence) {
  require_presence(presence, kMerge);
  require_matrix(data, kMerge, "data");
  require_argument(data.shape() == presence.shape(), kMerge, ": data has shape ", data.shape(),
                   ", want ", presence.shape(), " as presence has");
  const Device device = presence.device();
  require(device == Device{} || data.dtype() != DType::kString, ErrorCode::kUnsupported, kMerge,
          ": data holds strings, want a dtype of fixed size on a GPU");
  internal::require_device(data, kMerge, "data", device);
}

/// Counts the inputs of the merge.
void count(DenseCall& call, const Tensor& data, const Tensor& presence) {
  call.count(presence);
  call.read_data(data);
}

void count_gradient(DenseCall& call, const Tensor& presence, const Tensor& dvalues) {
  call.count(presence);
  call.read_gradient(dvalues);
}

}  // namespace

MultiScalar internal::merge_dense_new(const Tensor& data, const Tensor& presence,
                                      const FeatureIds& ids, const Context& context,
                                      const MakeOutput& make) {
  require_inputs(data, presence);
  if (presence.device() != Device{}) {
    MultiScalar out;
    merge_dense_gpu(data, presence, ids, out, &make, kMerge, context);
    return out;
  }
  DenseCall call(kMerge, context);
  count(call, data, presence);
  call.require_ids(ids);
  const MultiScalar out = make_scalars(make, {.op = kMerge, .text_bytes = call.text_bytes()},
                                       data.dtype(), data.shape()[0], call.pairs());
  call.merge(data, ids, out);
  return out;
}

MultiScalar merge_dense(const Tensor& data, const Tensor& presence, FeatureIds feature_ids,
                        const Context& context) {
  return internal::merge_dense_new(data, presence, feature_ids, context,
                                   internal::outputs_of(context));
}

void merge_dense(const Tensor& data, const Tensor& presence, FeatureIds feature_ids,
                 MultiScalar& out, const Context& context) {
  require_inputs(data, presence);
  if (presence.device() != Device{}) {
    internal::merge_dense_gpu(data, presence, feature_ids, out, nullptr, kMerge, context);
    return;
  }
  DenseCall call(kMerge, context);
  count(call, data, presence);
  call.merge(data, feature_ids, out);
}

MultiSizes merge_dense_sizes(const Tensor& data, const Tensor& presence, const Context& context) {
  require_inputs(data, presence);
  if (presence.device() != Device{})
    return internal::merge_dense_sizes_gpu(presence, kMerge, context);
  DenseCall call(kMerge, context);
  count(call, data, presence);
  return {.examples = data.shape()[0], .pairs = call.pairs(), .values_text = call.text_bytes()};
}

Tensor merge_dense_gradient(const Tensor& presence, const Tensor& dvalues, const Context& context) {
  require_presence(presence, kGradient);
  if (presence.device() != Device{}) {
    Tensor ddata;
    internal::merge_dense_gradient_gpu(presence, dvalues, ddata, true, kGradient, context);
    return ddata;
  }
  DenseCall call(kGradient, context);
  count_gradient(call, presence, dvalues);
  Tensor ddata = call.new_output(dvalues.dtype(), presence.shape(), "ddata");
  call.split(dvalues, ddata);
  return ddata;
}

void merge_dense_gradient(const Tensor& presence, const Tensor& dvalues, Tensor& ddata,
                          const Context& context) {
  require_presence(presence, kGradient);
  if (presence.device() != Device{}) {
    internal::merge_dense_gradient_gpu(presence, dvalues, ddata, false, kGradient, context);
    return;
  }
  DenseCall call(kGradient, context);
  count_gradient(call, presence, dvalues);
  call.split(dvalues, ddata);
}

}  // namespace sylvite
