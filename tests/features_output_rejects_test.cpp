// Outputs of the merges that a call must refuse, and memory on devices.
#include <gtest/gtest.h>

#include "support/features_rejects.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

class FeaturesOutputs : public KernelTest {
 protected:
  Device device() const { return GetParam().device(); }
};
INSTANTIATE_TEST_SUITE_P(Devices, FeaturesOutputs, ::testing::ValuesIn(device_choices()),
                         choice_name);
// What only memory on the CPU can be, and calls over several devices.
class FeaturesOutputsHere : public ::testing::Test {};

/// Spoils one output field after the other.
template <typename Spoil>
void for_each_output(Device device, Fragments fragments, const Spoil& spoil) {
  for (const Merge kind : kMerges) {
    for (const Field<MultiMap>& field : output_fields(kind)) {
      SCOPED_TRACE(testing::Message() << name_of(kind) << ": " << field.name);
      OutputMemory memory(kind);
      Tensor& tensor = memory.out.*field.tensor;
      tensor = spoil(tensor);
      memory.move(device);
      const std::vector<FeatureTensors> inputs = moved(valid_inputs(kind), device);
      const auto into = [&] { merge(kind, inputs, kValidIds, memory.out); };
      expect_rejected(kInvalidArgument, {name_of(kind), field.name}, memory, into);
      expect_rejected(kInvalidArgument, fragments, memory, into);
    }
  }
}

template <typename Spoil>
void for_each_dinput(Device device, Fragments fragments, const Spoil& spoil) {
  for (const Merge kind : kMerges) {
    const size_t count = OutputMemory(kind).dinputs.size();
    for (size_t place = 0; place < count; ++place) {
      SCOPED_TRACE(testing::Message() << gradient_name_of(kind) << ", input " << place + 1);
      OutputMemory memory(kind);
      memory.dinputs[place] = spoil(memory.dinputs[place]);
      memory.move(device);
      const std::vector<FeatureTensors> inputs = moved(valid_inputs(kind), device);
      const auto into = [&] { merge_gradient(kind, inputs, memory.dvalues, memory.dinputs); };
      expect_rejected(kInvalidArgument, {gradient_name_of(kind)}, memory, into);
      expect_rejected(kInvalidArgument, fragments, memory, into);
    }
  }
}

Tensor of_type(const Tensor& x, DType dtype) { return Tensor::wrap(x.data(), dtype, x.shape()); }
Tensor of_shape(const Tensor& x, const Shape& shape) {
  return Tensor::wrap(x.data(), x.dtype(), shape);
}

TEST_P(FeaturesOutputs, OfAnotherTypeAreRefused) {
  const auto other = [](const Tensor& x) { return of_type(x, DType::kUInt8); };
  for_each_output(device(), {"uint8"}, other);
  for_each_dinput(device(), {"uint8", "float32"}, other);
}

TEST_P(FeaturesOutputs, OfAnotherShapeAreRefused) {
  const auto shorter = [](const Tensor& x) { return of_shape(x, {x.element_count() - 1}); };
  const auto longer = [](const Tensor& x) { return of_shape(x, {x.element_count() + 1}); };
  const auto column = [](const Tensor& x) { return of_shape(x, {x.element_count(), 1}); };
  const auto none = [](const Tensor& x) { return of_shape(x, {0}); };
  for_each_output(device(), {}, shorter);
  for_each_output(device(), {}, longer);
  for_each_output(device(), {}, column);
  for_each_output(device(), {}, none);
  for_each_dinput(device(), {}, shorter);
  for_each_dinput(device(), {}, longer);
  for_each_dinput(device(), {}, column);
  for_each_dinput(device(), {}, none);
}

TEST_F(FeaturesOutputsHere, ThatAreReadOnlyAreRefused) {
  const auto read_only = [](const Tensor& x) {
    return Tensor::wrap(static_cast<const void*>(x.data()), x.dtype(), x.shape());
  };
  for_each_output(Device{}, {"read-only"}, read_only);
  for_each_dinput(Device{}, {"read-only"}, read_only);
}

TEST_P(FeaturesOutputs, ThatOverlapThemselvesAreRefused) {
  const auto zeros = [](const Tensor& x) {
    Shape strides = x.shape();
    for (int axis = 0; axis < strides.rank(); ++axis) strides[axis] = 0;
    return Tensor::wrap(x.data(), x.dtype(), x.shape(), strides);
  };
  for_each_output(device(), {"overlap"}, zeros);
  for_each_dinput(device(), {"overlap"}, zeros);
}

TEST_F(FeaturesOutputsHere, ThatOverlapAnInputAreRefused) {
  for (const Merge kind : kMerges) {
    for (const Field<MultiMap>& field : output_fields(kind)) {
      for (const Field<FeatureTensors>& input : input_fields(kind)) {
        SCOPED_TRACE(testing::Message()
                     << name_of(kind) << ": " << field.name << " over " << input.name);
        OutputMemory memory(kind);
        std::vector<FeatureTensors> inputs = valid_inputs(kind);
        Tensor& out = memory.out.*field.tensor;
        // The last input's tensor, seen through the output's type, in one block of memory.
        Tensor& from = inputs.back().*input.tensor;
        Bytes block(512);
        std::copy_n(from.data_as<uint8_t>(), from.byte_count(), block.data() + 128);
        from = Tensor::wrap(block.data() + 128, from.dtype(), from.shape());
        out = Tensor::wrap(block.data() + 128 - out.byte_count() + 1, out.dtype(), out.shape());
        const Bytes before = block;
        expect_rejected(kInvalidArgument, {name_of(kind), "overlap"}, memory.bytes,
                        [&] { merge(kind, inputs, kValidIds, memory.out); });
        EXPECT_EQ(block, before);
      }
    }
  }
}

TEST_F(FeaturesOutputsHere, ThatOverlapEachOtherAreRefused) {
  for (const Merge kind : kMerges) {
    for (const Field<MultiMap>& a : output_fields(kind)) {
      for (const Field<MultiMap>& b : output_fields(kind)) {
        if (a.tensor == b.tensor) continue;
        OutputMemory memory(kind);
        Tensor& moved = memory.out.*a.tensor;
        moved = Tensor::wrap((memory.out.*b.tensor).data_as<uint8_t>() + 4, moved.dtype(),
                             moved.shape());
        expect_rejected(kInvalidArgument, {name_of(kind), "overlap"}, memory.bytes,
                        [&] { merge(kind, valid_inputs(kind), kValidIds, memory.out); });
      }
    }
    OutputMemory memory(kind);
    if (memory.dinputs.size() < 2) continue;
    memory.dinputs[2] =
        Tensor::wrap(memory.dinputs[0].data_as<uint8_t>() + 4, DType::kFloat32, {3});
    expect_rejected(kInvalidArgument, {gradient_name_of(kind), "overlap"}, memory.bytes, [&] {
      merge_gradient(kind, valid_inputs(kind), memory.dvalues, memory.dinputs);
    });
  }
}

TEST_P(FeaturesOutputs, OfAnotherNumberAreRefused) {
  for (const Merge kind : kMerges) {
    if (kind == Merge::kDense) continue;
    OutputMemory memory(kind, device());
    memory.dinputs.pop_back();
    expect_rejected(kInvalidArgument, {gradient_name_of(kind), "2", "3"}, memory, [&] {
      merge_gradient(kind, moved(valid_inputs(kind), device()), memory.dvalues, memory.dinputs);
    });
  }
}

// One input on a GPU among others on the CPU, and all of the outputs there.
TEST_F(FeaturesOutputsHere, AndInputsOnSeveralDevicesAreRefused) {
  bool found = false;
  for (const std::string_view target : targets()) {
    const Device device = device_of(target);
    if (device.kind == DeviceKind::kCpu) continue;
    found = true;
    note_exercised(target);
    for (const Merge kind : kMerges) {
      for (const Field<FeatureTensors>& field : input_fields(kind)) {
        OutputMemory memory(kind);
        const Bytes before = memory.bytes;
        std::vector<FeatureTensors> inputs = valid_inputs(kind);
        Tensor& tensor = inputs.back().*field.tensor;
        tensor = tensor.to(device);
        EXPECT_THROW(merge(kind, inputs, kValidIds, memory.out), Error) << field.name;
        EXPECT_THROW(merge(kind, inputs, kValidIds), Error) << field.name;
        EXPECT_EQ(memory.bytes, before);
      }
    }
  }
  if (!found) GTEST_SKIP() << "one device here";
}

}  // namespace
}  // namespace sylvite::test
