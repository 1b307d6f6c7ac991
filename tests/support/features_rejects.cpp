#include "support/features_rejects.h"

#include <algorithm>

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

template <typename T>
Tensor tensor_of(DType dtype, const std::vector<T>& numbers) {
  Tensor tensor = Tensor::empty(dtype, {static_cast<int64_t>(numbers.size())});
  std::copy(numbers.begin(), numbers.end(), tensor.data_as<T>());
  return tensor;
}

}  // namespace

Tensor int32s(const std::vector<int32_t>& numbers) { return tensor_of(DType::kInt32, numbers); }

Tensor any(DType dtype, const Shape& shape) {
  static uint64_t element = 0;
  Shape strides = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) strides[axis] = 0;
  return Tensor::wrap(&element, dtype, shape, strides);
}

std::string numbered(Merge merge, std::string_view name, size_t input) {
  std::string text(name);
  return merge == Merge::kDense ? text : text + "_" + std::to_string(input + 1);
}

std::vector<FeatureTensors> valid_inputs(Merge merge) {
  if (merge == Merge::kDense) {
    Tensor presence = Tensor::empty(DType::kBool, {3, 3});
    Tensor data = Tensor::empty(DType::kFloat32, {3, 3});
    for (int i = 0; i < 9; ++i) {
      presence.data_as<uint8_t>()[i] = i % 2 == 0 ? 1 : 0;
      data.data_as<float>()[i] = static_cast<float>(i);
    }
    return {{.presence = presence, .values = data}};
  }
  FeatureTensors x;
  x.values = tensor_of<float>(DType::kFloat32, {1, 2, 3});
  if (is_multi(merge)) {
    x.lengths = int32s({2, 0, 1});
    x.keys = tensor_of<int64_t>(DType::kInt64, {4, 5, 6});
    x.values_lengths = int32s({1, 0, 2});
  } else {
    x.lengths = int32s({2, 4, 1});
    x.presence = tensor_of<uint8_t>(DType::kBool, {1, 0, 1});
  }
  if (is_map(merge)) x.values_keys = tensor_of<int16_t>(DType::kInt16, {7, 8, 9});
  return {x, x, x};
}

Tensor moved(const Tensor& x, Device device) {
  if (device == Device{}) return x;
  const Shape& strides = x.strides();
  const bool one = x.rank() > 0 && x.element_count() > 0 &&
                   std::all_of(strides.begin(), strides.end(), [](int64_t s) { return s == 0; });
  if (!one) return x.to(device);
  return x.view({1}, {1}).to(device).view(x.shape(), strides);
}

std::vector<FeatureTensors> moved(std::vector<FeatureTensors> inputs, Device device) {
  using T = FeatureTensors;
  for (FeatureTensors& input : inputs) {
    for (Tensor T::*tensor :
         {&T::lengths, &T::presence, &T::keys, &T::values_lengths, &T::values_keys, &T::values}) {
      input.*tensor = moved(input.*tensor, device);
    }
  }
  return inputs;
}

void OutputMemory::move(Device device) {
  for (Tensor* tensor : {&out.lengths, &out.keys, &out.values_lengths, &out.values_keys,
                         &out.values_values, &dvalues}) {
    *tensor = moved(*tensor, device);
  }
  for (Tensor& tensor : dinputs) tensor = moved(tensor, device);
}

Bytes OutputMemory::content() const {
  if (out.lengths.device() == Device{}) return bytes;
  Bytes all;
  const auto add = [&](const Tensor& tensor) {
    const Tensor host = tensor.to(Device{});
    all.insert(all.end(), host.data_as<uint8_t>(), host.data_as<uint8_t>() + host.byte_count());
  };
  for (const Tensor* tensor :
       {&out.lengths, &out.keys, &out.values_lengths, &out.values_keys, &out.values_values}) {
    add(*tensor);
  }
  for (const Tensor& tensor : dinputs) add(tensor);
  return all;
}

OutputMemory::OutputMemory(Merge merge, Device device) {
  // Of one dense input 5 of 9 are there; of each of three others 2 or 3.
  const int64_t inputs = merge == Merge::kDense ? 1 : 3;
  const int64_t pairs = merge == Merge::kDense ? 5 : is_multi(merge) ? 9 : 6;
  const int64_t values = is_ragged(merge) ? 9 : pairs;
  int64_t used = 0;
  const auto next = [&](DType dtype, const Shape& shape) {
    int64_t count = 1;
    for (const int64_t extent : shape) count *= extent;
    uint8_t* data = bytes.data() + used;
    used += (count * element_size(dtype) + 15) / 16 * 16;
    return Tensor::wrap(data, dtype, shape);
  };
  for (size_t i = 0; i < 1024; ++i) bytes.push_back(static_cast<uint8_t>(0xA5 ^ i));
  out = {.lengths = next(DType::kInt32, {3}),
         .keys = next(DType::kInt64, {pairs}),
         .values_lengths = next(DType::kInt32, {pairs}),
         .values_keys = next(DType::kInt16, {values}),
         .values_values = next(DType::kFloat32, {values})};
  const Shape of_input = merge == Merge::kDense ? Shape{3, 3} : Shape{3};
  for (int64_t i = 0; i < inputs; ++i) dinputs.push_back(next(DType::kFloat32, of_input));
  dvalues = any(DType::kFloat32, {values});
  move(device);
}

void expect_refused(Device device, Merge merge_kind, const std::vector<FeatureTensors>& inputs,
                    Fragments fragments, FeatureIds ids) {
  OutputMemory memory(merge_kind, device);
  const std::vector<FeatureTensors> there = moved(inputs, device);
  const auto into = [&] { merge(merge_kind, there, ids, memory.out); };
  expect_rejected(kInvalidArgument, {name_of(merge_kind)}, memory, into);
  expect_rejected(kInvalidArgument, fragments, memory, into);
  expect_rejected(kInvalidArgument, fragments, [&] { merge(merge_kind, there, ids); });
}

void expect_gradient_refused(Device device, Merge merge, const std::vector<FeatureTensors>& inputs,
                             Fragments fragments) {
  OutputMemory memory(merge, device);
  const std::vector<FeatureTensors> there = moved(inputs, device);
  const auto into = [&] { merge_gradient(merge, there, memory.dvalues, memory.dinputs); };
  expect_rejected(kInvalidArgument, {gradient_name_of(merge)}, memory, into);
  expect_rejected(kInvalidArgument, fragments, memory, into);
  expect_rejected(kInvalidArgument, fragments,
                  [&] { merge_gradient(merge, there, memory.dvalues); });
}

}  // namespace sylvite::test
