// Merges on GPUs: calls that do not wait, tables of many chunks, and what only devices can have wrong.
#include <gtest/gtest.h>

#include <limits>

#include "support/features_cases.h"
#include "support/features_rejects.h"

namespace sylvite::test {
namespace {

constexpr int32_t kInt32Max = std::numeric_limits<int32_t>::max();

std::vector<KernelChoice> gpu_choices() {
  std::vector<KernelChoice> choices = device_choices();
  std::erase_if(choices, [](const KernelChoice& x) { return x.device() == Device{}; });
  return choices;
}

class FeaturesOnGpus : public KernelTest {
 protected:
  Device device() const { return GetParam().device(); }
  void SetUp() override {
    KernelTest::SetUp();
    status_ = longs({-7, -7, -7}).to(device());
  }
  Context not_waiting() const {
    return Context({.target = GetParam().target, .merge_status = &status_});
  }
  static Tensor longs(const std::vector<int64_t>& numbers) {
    Tensor x = Tensor::empty(DType::kInt64, {static_cast<int64_t>(numbers.size())});
    std::copy(numbers.begin(), numbers.end(), x.data_as<int64_t>());
    return x;
  }
  std::vector<int64_t> status() const {
    const Tensor host = status_.to(Device{});
    return {host.data_as<int64_t>(), host.data_as<int64_t>() + 3};
  }
  MergeFault fault() const { return static_cast<MergeFault>(status()[0]); }

  Tensor status_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FeaturesOnGpus);
INSTANTIATE_TEST_SUITE_P(Devices, FeaturesOnGpus, ::testing::ValuesIn(gpu_choices()), choice_name);

int64_t values_of(const FeatureCase& c, const Merged& merged) {
  return is_ragged(c.merge) ? static_cast<int64_t>(merged.values.size()) : 0;
}

// Outputs of the exact size, and larger ones with gaps, whose rest stays as it was.
TEST_P(FeaturesOnGpus, MergeWithoutWaiting) {
  Random random(first_seed());
  for (const Merge kind : kMerges) {
    for (const int64_t spare : {0, 1, 300}) {
      SCOPED_TRACE(testing::Message() << name_of(kind) << ", " << spare << " to spare");
      const int64_t stride = spare == 0 ? 1 : 2;
      const FeatureSizes sizes = {.examples = 200, .features = 5, .strings = false};
      const FeatureCase c = random_features(random, kind, DType::kFloat32, sizes);
      const Merged expected = reference_merge(c);
      PlacedElements memory(random, device());
      MultiMap whole;
      MultiMap out;
      std::vector<Elements> want;
      for (const Field<MultiMap>& field : output_fields(kind)) {
        const Elements merged = elements_of(expected, field.tensor);
        const bool has_rest = field.tensor != &MultiMap::lengths;
        const auto extent = static_cast<int64_t>(merged.size()) + (has_rest ? spare : 0);
        const DType dtype = dtype_of(c, field.tensor);
        const Elements before =
            random_elements(random, dtype, static_cast<size_t>(extent * stride));
        Tensor& tensor = whole.*field.tensor;
        tensor = memory.input(dtype, {extent * stride}, before).to(device());
        out.*field.tensor = tensor.view({extent}, {stride});
        want.push_back(before);
        for (size_t i = 0; i < merged.size(); ++i)
          want.back()[i * static_cast<size_t>(stride)] = merged[i];
      }
      merge(kind, memory.inputs(c), c.feature_ids, out, not_waiting());
      EXPECT_EQ(status(), (std::vector<int64_t>{0, static_cast<int64_t>(expected.keys.size()),
                                                values_of(c, expected)}));
      size_t i = 0;
      for (const Field<MultiMap>& field : output_fields(kind))
        EXPECT_EQ(elements_of(whole.*field.tensor), want[i++]) << field.name;
    }
  }
}

TEST_P(FeaturesOnGpus, MergeGradientsWithoutWaiting) {
  Random random(first_seed());
  for (const Merge kind : kMerges) {
    for (const size_t spare : {0, 1, 300}) {
      SCOPED_TRACE(testing::Message() << gradient_name_of(kind) << ", " << spare << " to spare");
      const FeatureSizes sizes = {.examples = 200, .features = 5, .strings = false};
      const FeatureCase c = random_features(random, kind, DType::kFloat32, sizes);
      const Merged merged = reference_merge(c);
      const Elements dvalues = random_elements(random, c.dtype, merged.values.size() + spare);
      const std::vector<Elements> expected = gradient_elements(c, dvalues);
      PlacedElements memory(random, device());
      const std::vector<FeatureTensors> inputs = memory.inputs(c);
      const Tensor packed = memory.input(c.dtype, {static_cast<int64_t>(dvalues.size())}, dvalues);
      std::vector<Tensor> out;
      for (const Elements& elements : expected) {
        const Shape shape = kind == Merge::kDense ? inputs[0].presence.shape()
                                                  : Shape{static_cast<int64_t>(elements.size())};
        out.push_back(memory.output(c.dtype, shape, elements));
      }
      merge_gradient(kind, inputs, packed, out, not_waiting());
      memory.expect_outputs_hold(std::string(gradient_name_of(kind)));
      EXPECT_EQ(status(), (std::vector<int64_t>{0, static_cast<int64_t>(merged.keys.size()),
                                                values_of(c, merged)}));
    }
  }
}

TEST_P(FeaturesOnGpus, FormsThatReturnTensorsLeaveTheStatusAlone) {
  for (const Merge kind : kMerges) {
    const std::vector<FeatureTensors> inputs = moved(valid_inputs(kind), device());
    const Tensor dvalues = OutputMemory(kind, device()).dvalues;
    static_cast<void>(merge(kind, inputs, kValidIds, not_waiting()));
    static_cast<void>(merge_sizes(kind, inputs, not_waiting()));
    static_cast<void>(merge_gradient(kind, inputs, dvalues, not_waiting()));
    static_cast<void>(merge_gradient_sizes(kind, inputs, not_waiting()));
    EXPECT_EQ(status(), (std::vector<int64_t>{-7, -7, -7})) << name_of(kind);
  }
}

TEST_P(FeaturesOnGpus, BatchesWithoutExamplesHaveAStatusToo) {
  Random random(first_seed());
  for (const Merge kind : kMerges) {
    const FeatureCase c =
        random_features(random, kind, DType::kInt8, {.features = 2, .strings = false});
    PlacedElements memory(random, device());
    MultiMap out = memory.outputs(c, reference_merge(c));
    merge(kind, memory.inputs(c), c.feature_ids, out, not_waiting());
    EXPECT_EQ(status(), (std::vector<int64_t>{0, 0, 0})) << name_of(kind);
  }
}

/// The middle of a larger tensor, whose ends must stay as they are.
class Fenced {
 public:
  explicit Fenced(const Tensor& x, Device device) {
    constexpr int64_t kFence = 40;
    const int64_t count = x.element_count();
    const Tensor whole = Tensor::empty(x.dtype(), {count + 2 * kFence});
    std::fill_n(whole.data_as<uint8_t>(), whole.byte_count(), uint8_t{0x5A});
    whole_ = whole.to(device);
    inside_ = whole_.view(x.shape(), dense_strides(x.shape()), kFence);
    const auto fence = static_cast<size_t>(kFence * element_size(x.dtype()));
    begin_ = fence;
    end_ = static_cast<size_t>(whole.byte_count()) - fence;
  }
  const Tensor& tensor() const { return inside_; }
  void expect_whole() const {
    const Tensor host = whole_.to(Device{});
    for (size_t i = 0; i < static_cast<size_t>(host.byte_count()); ++i) {
      if (i >= begin_ && i < end_) continue;
      ASSERT_EQ(host.data_as<uint8_t>()[i], 0x5A) << "byte " << i;
    }
  }

 private:
  Tensor whole_, inside_;
  size_t begin_, end_;
};

/// Runs a merge and its gradient on spoilt inputs: both say so, and write nothing beside their outputs.
void expect_fault(MergeFault fault, Merge kind, const std::vector<FeatureTensors>& inputs,
                  bool in_gradient, const Context& context, Device device) {
  SCOPED_TRACE(name_of(kind));
  const OutputMemory memory(kind);
  MultiMap out;
  std::vector<Fenced> fences;
  for (const Field<MultiMap>& field : output_fields(kind)) {
    fences.emplace_back(memory.out.*field.tensor, device);
    out.*field.tensor = fences.back().tensor();
  }
  const std::vector<FeatureTensors> there = moved(inputs, device);
  const auto told = [&] {
    return static_cast<MergeFault>(context.merge_status()->to(Device{}).data_as<int64_t>()[0]);
  };
  merge(kind, there, kValidIds, out, context);
  EXPECT_EQ(told(), fault);
  if (in_gradient) {
    std::vector<Tensor> dinputs;
    for (const Tensor& dinput : memory.dinputs) {
      fences.emplace_back(dinput, device);
      dinputs.push_back(fences.back().tensor());
    }
    merge_gradient(kind, there, moved(memory.dvalues, device), dinputs, context);
    EXPECT_EQ(told(), fault);
  }
  for (const Fenced& fence : fences) fence.expect_whole();
}

TEST_P(FeaturesOnGpus, NegativeLengthsAreToldOf) {
  for (const Merge kind : kMerges) {
    if (!is_multi(kind) && !is_ragged(kind)) continue;
    for (const int32_t wrong : {-1, std::numeric_limits<int32_t>::min()}) {
      for (const size_t place : {0, 1, 2}) {
        std::vector<FeatureTensors> inputs = valid_inputs(kind);
        // Of an absent example.
        inputs[place].lengths = int32s({2, wrong, 1});
        expect_fault(MergeFault::kNegativeLength, kind, inputs, true, not_waiting(), device());
        if (!is_multi(kind) || !is_ragged(kind)) continue;
        inputs = valid_inputs(kind);
        inputs[place].values_lengths = int32s({1, 2, wrong});
        expect_fault(MergeFault::kNegativeLength, kind, inputs, true, not_waiting(), device());
      }
    }
  }
}

TEST_P(FeaturesOnGpus, LengthsThatDoNotSumToWhatTheValuesHoldAreToldOf) {
  for (const Merge kind : kMerges) {
    if (!is_multi(kind) && !is_ragged(kind)) continue;
    for (const int32_t wrong : {0, 1, 3, 100'000}) {
      for (const size_t place : {0, 1, 2}) {
        std::vector<FeatureTensors> inputs = valid_inputs(kind);
        inputs[place].lengths = int32s({wrong, 0, 1});
        // The gradient of the second level has no array of the first's but its lengths.
        expect_fault(MergeFault::kLengthSum, kind, inputs, true, not_waiting(), device());
        if (!is_multi(kind) || !is_ragged(kind)) continue;
        inputs = valid_inputs(kind);
        inputs[place].values_lengths = int32s({1, wrong + 3, 1});
        expect_fault(MergeFault::kLengthSum, kind, inputs, true, not_waiting(), device());
      }
    }
  }
}

TEST_P(FeaturesOnGpus, MergedLengthsBeyondInt32AreToldOf) {
  for (const Merge kind : {Merge::kMultiScalar, Merge::kMultiList, Merge::kMultiMap}) {
    for (const size_t example : {0, 1, 2}) {
      std::vector<int32_t> numbers = {0, 0, 0};
      numbers[example] = kInt32Max;
      std::vector<FeatureTensors> inputs = valid_inputs(kind);
      inputs[0].lengths = inputs[2].lengths = int32s(numbers);
      expect_fault(MergeFault::kMergedLength, kind, inputs, true, not_waiting(), device());
    }
  }
}

TEST_P(FeaturesOnGpus, RoomThatIsMissingIsToldOf) {
  for (const Merge kind : kMerges) {
    const std::vector<FeatureTensors> inputs = moved(valid_inputs(kind), device());
    for (const Field<MultiMap>& field : output_fields(kind)) {
      if (field.tensor == &MultiMap::lengths) continue;
      for (const bool none : {false, true}) {
        SCOPED_TRACE(testing::Message() << name_of(kind) << ": " << field.name << none);
        OutputMemory memory(kind);
        Tensor& tensor = memory.out.*field.tensor;
        tensor = tensor.view({none ? 0 : tensor.element_count() - 1}, {1});
        const Fenced fenced(tensor, device());
        memory.move(device());
        memory.out.*field.tensor = fenced.tensor();
        merge(kind, inputs, kValidIds, memory.out, not_waiting());
        EXPECT_EQ(fault(), MergeFault::kRoom) << name_of(kind) << ": " << field.name;
        fenced.expect_whole();
      }
    }
    OutputMemory memory(kind, device());
    for (const int64_t extent : {memory.dvalues.element_count() - 1, int64_t{0}}) {
      const Tensor dvalues = moved(any(DType::kFloat32, {extent}), device());
      merge_gradient(kind, inputs, dvalues, memory.dinputs, not_waiting());
      EXPECT_EQ(fault(), MergeFault::kRoom) << gradient_name_of(kind);
    }
  }
}

TEST_P(FeaturesOnGpus, AStatusIsThreeNumbersThere) {
  for (const Merge kind : kMerges) {
    const std::vector<FeatureTensors> inputs = moved(valid_inputs(kind), device());
    const auto refused = [&](const Tensor& status, Fragments fragments) {
      OutputMemory memory(kind, device());
      const Context context({.target = GetParam().target, .merge_status = &status});
      expect_rejected(ErrorCode::kInvalidArgument, fragments, memory,
                      [&] { merge(kind, inputs, kValidIds, memory.out, context); });
      expect_rejected(ErrorCode::kInvalidArgument, fragments, memory, [&] {
        merge_gradient(kind, inputs, memory.dvalues, memory.dinputs, context);
      });
    };
    refused(longs({1, 2, 3}), {"merge_status", "cpu"});
    refused(longs({1, 2, 3, 4}).to(device()), {"merge_status", "[4]"});
    refused(int32s({1, 2, 3}).to(device()), {"merge_status", "int32"});
    const Tensor gaps = longs({1, 2, 3, 4, 5}).to(device()).view({3}, {2});
    refused(gaps, {"merge_status", "gaps"});
  }
}

// Strings never lie on a GPU: they are among its tensors, or are the call's.
TEST_P(FeaturesOnGpus, StringsAreUnsupported) {
  const std::vector<std::string_view> texts = {"a", "b", "c"};
  for (const Merge kind : kMerges) {
    if (kind == Merge::kDense) continue;
    const auto refused = [&](Tensor FeatureTensors::*field, std::string_view name) {
      std::vector<FeatureTensors> inputs = moved(valid_inputs(kind), device());
      for (FeatureTensors& input : inputs) input.*field = Tensor::strings(texts, {3});
      // An operator whose first tensor holds them is one on the CPU.
      const bool here = kind == Merge::kSingleScalar;
      expect_rejected(here ? ErrorCode::kInvalidArgument : ErrorCode::kUnsupported,
                      {name_of(kind), here ? "presence" : name},
                      [&] { merge(kind, inputs, kValidIds); });
    };
    refused(&FeatureTensors::values, "values_1 holds strings");
    if (is_map(kind)) refused(&FeatureTensors::values_keys, "keys_1 holds strings");
  }
  const Tensor presence = moved(valid_inputs(Merge::kDense)[0].presence, device());
  const Tensor data = Tensor::strings(std::vector<std::string_view>(9, "x"), {3, 3});
  expect_rejected(ErrorCode::kUnsupported, {"MergeDenseFeatureTensors", "data holds strings"},
                  [&] { merge_dense(data, presence, kValidIds); });
}

// Storages instead of addresses.
TEST_P(FeaturesOnGpus, OutputsThatOverlapAreRefused) {
  for (const Merge kind : kMerges) {
    for (const Field<MultiMap>& field : output_fields(kind)) {
      for (const Field<FeatureTensors>& input : input_fields(kind)) {
        OutputMemory memory(kind, device());
        std::vector<FeatureTensors> inputs = moved(valid_inputs(kind), device());
        Tensor& out = memory.out.*field.tensor;
        Tensor& from = inputs.back().*input.tensor;
        if (out.dtype() != from.dtype()) continue;
        const Tensor host = Tensor::empty(from.dtype(), {128});
        std::fill_n(host.data_as<uint8_t>(), host.byte_count(), uint8_t{0});
        const Tensor values = from.to(Device{});
        std::copy_n(values.data_as<uint8_t>(), values.byte_count(),
                    host.data_as<uint8_t>() + int64_t{64} * element_size(from.dtype()));
        const Tensor block = host.to(device());
        from = block.view(from.shape(), dense_strides(from.shape()), 64);
        out = block.view(out.shape(), {1}, 64 - out.element_count() + 1);
        expect_rejected(ErrorCode::kInvalidArgument, {name_of(kind), "overlap"}, memory,
                        [&] { merge(kind, inputs, kValidIds, memory.out); });
        out = block.view(out.shape(), {1}, 64 - out.element_count());
        EXPECT_NO_THROW(merge(kind, inputs, kValidIds, memory.out))
            << name_of(kind) << ": " << field.name << " beside " << input.name;
      }
    }
    OutputMemory memory(kind, device());
    if (memory.dinputs.size() < 2) continue;
    const Tensor block = Tensor::empty(DType::kFloat32, {8}, device());
    memory.dinputs[0] = block.view({3}, {1}, 1);
    memory.dinputs[2] = block.view({3}, {1}, 3);
    expect_rejected(ErrorCode::kInvalidArgument, {gradient_name_of(kind), "overlap"}, memory, [&] {
      merge_gradient(kind, moved(valid_inputs(kind), device()), memory.dvalues, memory.dinputs);
    });
  }
}

TEST_P(FeaturesOnGpus, AreWarmedUp) { EXPECT_NO_THROW(GetParam().context().warm_up(device())); }

// More than 1024 chunks of 1024 numbers: sums of sums, on both levels of lengths.
TEST_P(FeaturesOnGpus, TakeTablesOfManyChunks) {
  Random random(first_seed());
  for (const Merge kind : {Merge::kDense, Merge::kSingleList, Merge::kMultiList}) {
    const FeatureSizes sizes = {
        .examples = 530'000, .features = 2, .longest = 1, .presence = .9, .strings = false};
    const FeatureCase c = random_features(random, kind, DType::kUInt8, sizes);
    check_merge(c, random, GetParam().context(), device());
    if (HasFailure()) return;
    check_merge_gradient(c, random, GetParam().context(), device());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace sylvite::test
