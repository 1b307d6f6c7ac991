// What the merges of feature tensors must refuse: for each operator, at the first, the middle and the
// last input and example, on every device.
#include "support/features_rejects.h"

#include <gtest/gtest.h>

#include <limits>
#include <new>

#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr int32_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int32_t kInt32Min = std::numeric_limits<int32_t>::min();

using Inputs = std::vector<FeatureTensors>;

class FeaturesReject : public KernelTest {
 protected:
  Device device() const { return GetParam().device(); }
  void expect_refused(Merge merge, const Inputs& inputs, Fragments fragments,
                      FeatureIds ids = kValidIds) {
    test::expect_refused(device(), merge, inputs, fragments, ids);
  }
  void expect_gradient_refused(Merge merge, const Inputs& inputs, Fragments fragments) {
    test::expect_gradient_refused(device(), merge, inputs, fragments);
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, FeaturesReject, ::testing::ValuesIn(device_choices()),
                         choice_name);
class FeaturesGradientReject : public FeaturesReject {};
INSTANTIATE_TEST_SUITE_P(Devices, FeaturesGradientReject, ::testing::ValuesIn(device_choices()),
                         choice_name);

/// Calls visit(merge, inputs, place) for every operator and input.
template <typename Visit>
void for_each_place(const Visit& visit) {
  for (const Merge merge : kMerges) {
    const size_t inputs = valid_inputs(merge).size();
    for (size_t place = 0; place < inputs; ++place) {
      SCOPED_TRACE(testing::Message() << name_of(merge) << ", input " << place + 1);
      visit(merge, valid_inputs(merge), place);
    }
  }
}

/// The lengths of an operator, one level or two, with their sums' arrays.
struct Lengths {
  Tensor FeatureTensors::*tensor;
  std::vector<Tensor FeatureTensors::*> of;
};
std::vector<Lengths> lengths_of(Merge merge) {
  using T = FeatureTensors;
  switch (merge) {
    case Merge::kSingleList:
      return {{&T::lengths, {&T::values}}};
    case Merge::kSingleMap:
      return {{&T::lengths, {&T::values_keys, &T::values}}};
    case Merge::kMultiScalar:
      return {{&T::lengths, {&T::keys, &T::values}}};
    case Merge::kMultiList:
      return {{&T::lengths, {&T::keys, &T::values_lengths}}, {&T::values_lengths, {&T::values}}};
    case Merge::kMultiMap:
      return {{&T::lengths, {&T::keys, &T::values_lengths}},
              {&T::values_lengths, {&T::values_keys, &T::values}}};
    default:
      return {};
  }
}

TEST_P(FeaturesReject, NothingOfTheValidInputs) {
  for (const Merge kind : kMerges) {
    OutputMemory memory(kind, device());
    const Inputs inputs = moved(valid_inputs(kind), device());
    EXPECT_NO_THROW(merge(kind, inputs, kValidIds, memory.out)) << name_of(kind);
    EXPECT_NO_THROW(merge_gradient(kind, inputs, memory.dvalues, memory.dinputs)) << name_of(kind);
  }
}

TEST_P(FeaturesReject, NoInputs) {
  for (const Merge merge : kMerges) {
    if (merge == Merge::kDense) continue;
    SCOPED_TRACE(name_of(merge));
    expect_refused(merge, {}, {}, std::vector<int64_t>{});
    expect_gradient_refused(merge, {}, {});
  }
}

TEST_P(FeaturesReject, FeatureIdsOfAnotherNumberOrType) {
  for (const Merge merge : kMerges) {
    if (is_multi(merge)) continue;
    SCOPED_TRACE(name_of(merge));
    const Inputs inputs = valid_inputs(merge);
    expect_refused(merge, inputs, {"feature_ids", "2", "3"}, std::vector<int64_t>{11, 12});
    expect_refused(merge, inputs, {"feature_ids", "4", "3"}, std::vector<int64_t>{1, 2, 3, 4});
    expect_refused(merge, inputs, {"feature_ids", "0", "3"}, std::vector<int64_t>{});
    expect_refused(merge, inputs, {"feature_ids", "int32", "int64"}, any(DType::kInt32, {3}));
    expect_refused(merge, inputs, {"feature_ids"}, any(DType::kInt64, {3, 1}));
    expect_refused(merge, inputs, {"feature_ids"}, any(DType::kInt64, {2}));
  }
}

TEST_P(FeaturesReject, ExamplesThatDifferBetweenInputs) {
  for_each_place([this](Merge merge, Inputs inputs, size_t place) {
    FeatureTensors& x = inputs[place];
    if (merge == Merge::kDense) {
      x.presence = any(DType::kBool, {4, 3});
      expect_refused(merge, inputs, {"presence", "[4, 3]", "[3, 3]"});
      x.presence = any(DType::kBool, {3, 2});
      expect_refused(merge, inputs, {"presence", "[3, 2]", "[3, 3]"});
      return;
    }
    // One more example without anything: the sums are right.
    if (is_multi(merge)) {
      x.lengths = int32s({2, 0, 1, 0});
      expect_refused(merge, inputs, {"lengths", "3", "4"});
      expect_gradient_refused(merge, inputs, {"lengths", "3", "4"});
      x.lengths = int32s({2, 1});
      expect_refused(merge, inputs, {"lengths", "2", "3"});
      return;
    }
    const Tensor presence = x.presence;
    x.presence = any(DType::kBool, {4});
    expect_refused(merge, inputs, {"3", "4"});
    if (is_ragged(merge)) {
      expect_gradient_refused(merge, inputs, {"3", "4"});
      x.lengths = int32s({2, 4, 1, 0});
      x.values = any(DType::kFloat32, {0});
      x.values_keys = any(DType::kInt16, {0});
      expect_refused(merge, inputs, {"3", "4"});
      return;
    }
    x.values = any(DType::kFloat32, {4});
    expect_refused(merge, inputs, {"3", "4"});
    x.presence = presence;
    x.values = any(DType::kFloat32, {2});
    expect_refused(merge, inputs, {"2", "3"});
  });
}

TEST_P(FeaturesReject, NegativeLengthsOfAbsentExamplesToo) {
  for_each_place([this](Merge merge, Inputs inputs, size_t place) {
    for (const Lengths& lengths : lengths_of(merge)) {
      Tensor& tensor = inputs[place].*lengths.tensor;
      const Tensor valid = tensor;
      for (size_t example : {0, 1, 2}) {
        for (const int32_t wrong : {-1, -2, kInt32Min}) {
          std::vector<int32_t> numbers(valid.data_as<int32_t>(), valid.data_as<int32_t>() + 3);
          numbers[example] = wrong;
          tensor = int32s(numbers);
          const std::string name = numbered(merge, "lengths", place);
          const std::string got = std::to_string(wrong);
          const std::string at = std::to_string(example);
          expect_refused(merge, inputs, {name, at, got});
          expect_rejected(ErrorCode::kInvalidArgument, {name_of(merge), name, at, got},
                          [&] { merge_sizes(merge, moved(inputs, device())); });
          expect_gradient_refused(merge, inputs, {name, at, got});
        }
      }
      tensor = valid;
    }
  });
}

TEST_P(FeaturesReject, LengthsThatDoNotSumToWhatTheValuesHold) {
  for_each_place([this](Merge merge, const Inputs& valid, size_t place) {
    for (const Lengths& lengths : lengths_of(merge)) {
      for (const int64_t extent : {2, 4, 0, 1000}) {
        Inputs inputs = valid;
        for (Tensor FeatureTensors::*array : lengths.of) {
          Tensor& tensor = inputs[place].*array;
          if (array == &FeatureTensors::values_lengths) {
            // Zeros leave the second level's sum as wrong as the first; both are refused.
            tensor = any(DType::kInt32, {extent});
          } else {
            tensor = any(tensor.dtype(), {extent});
          }
        }
        expect_refused(merge, inputs,
                       {"_" + std::to_string(place + 1), std::to_string(extent), "3"});
      }
    }
  });
}

/// A feature of three examples without any value.
FeatureTensors nothing(Merge merge) {
  FeatureTensors x = valid_inputs(merge)[0];
  for (const Field<FeatureTensors>& field : input_fields(merge)) {
    Tensor& tensor = x.*field.tensor;
    tensor = any(tensor.dtype(), {0});
  }
  x.lengths = any(DType::kInt32, {3});
  x.presence = any(DType::kBool, {3});
  return x;
}

// Modulo 2^32 this sum is 0.
TEST_P(FeaturesReject, LengthsWhoseSumLeavesInt32) {
  for_each_place([this](Merge merge, const Inputs& valid, size_t place) {
    for (const Lengths& lengths : lengths_of(merge)) {
      for (const int64_t extent : {0, 3}) {
        Inputs inputs(valid.size(), nothing(merge));
        FeatureTensors& x = inputs[place];
        x = valid[place];
        const uint8_t present = 1;
        if (!is_multi(merge)) x.presence = Tensor::wrap(&present, DType::kBool, {3}, {0});
        x.*lengths.tensor = int32s({kInt32Max, kInt32Max, 2});
        for (Tensor FeatureTensors::*array : lengths.of)
          x.*array = any((x.*array).dtype(), {extent});
        const std::string name = "_" + std::to_string(place + 1);
        expect_refused(merge, inputs, {name, "4294967296", std::to_string(extent)});
      }
    }
  });
}

TEST_P(FeaturesReject, KeysAndValuesOfDifferentExtents) {
  for_each_place([this](Merge merge, const Inputs& valid, size_t place) {
    for (const Lengths& lengths : lengths_of(merge)) {
      if (lengths.of.size() < 2) continue;
      for (Tensor FeatureTensors::*odd : lengths.of) {
        for (const int64_t extent : {2, 4, 0}) {
          Inputs inputs = valid;
          Tensor& tensor = inputs[place].*odd;
          tensor = any(tensor.dtype(), {extent});
          expect_refused(merge, inputs,
                         {"_" + std::to_string(place + 1), std::to_string(extent), "3"});
        }
      }
    }
  });
}

TEST_P(FeaturesReject, TypesThatAreNotTheContracts) {
  for_each_place([this](Merge merge, const Inputs& valid, size_t place) {
    for (const Field<FeatureTensors>& field : input_fields(merge)) {
      const Tensor& good = valid[place].*field.tensor;
      const bool of_values =
          field.tensor == &FeatureTensors::values || field.tensor == &FeatureTensors::values_keys;
      // Values need the same type in all inputs: alone, any is right.
      if (of_values && valid.size() == 1) continue;
      for (const DType dtype : {DType::kUInt8, DType::kUInt32, DType::kFloat64}) {
        Inputs inputs = valid;
        inputs[place].*field.tensor = any(dtype, good.shape());
        expect_refused(merge, inputs, {field.name, name(dtype), name(good.dtype())});
        const bool in_gradient = !of_values && field.tensor != &FeatureTensors::keys;
        if (in_gradient)
          expect_gradient_refused(merge, inputs, {field.name, name(dtype), name(good.dtype())});
      }
    }
  });
}

TEST_P(FeaturesReject, TensorsOfAnotherRank) {
  for_each_place([this](Merge merge, const Inputs& valid, size_t place) {
    for (const Field<FeatureTensors>& field : input_fields(merge)) {
      const Tensor& good = valid[place].*field.tensor;
      Shape longer = good.shape();
      longer.push_back(1);
      for (const Shape& shape : {longer, Shape{}}) {
        Inputs inputs = valid;
        inputs[place].*field.tensor = any(good.dtype(), shape);
        expect_refused(merge, inputs, {numbered(merge, field.name, place)});
        const bool in_gradient = field.tensor == &FeatureTensors::lengths ||
                                 field.tensor == &FeatureTensors::presence ||
                                 field.tensor == &FeatureTensors::values_lengths;
        if (in_gradient && !(merge == Merge::kDense))
          expect_gradient_refused(merge, inputs, {numbered(merge, field.name, place)});
      }
    }
  });
}

/// No memory for anything large: these tensors have no memory of their size behind them.
constexpr Allocator kSmallMemory = {
    .allocate = [](void*, size_t bytes, size_t alignment) -> void* {
      return bytes > (size_t{1} << 30) ? nullptr
                                       : ::operator new(bytes, std::align_val_t(alignment));
    },
    .deallocate = [](void*, void* pointer,
                     size_t) { ::operator delete(pointer, std::align_val_t(64)); }};

// Two inputs of 2^31 - 1 pairs each in one example: no int32 holds their number.
TEST_P(FeaturesReject, MergedLengthsBeyondInt32) {
  for (const Merge kind : {Merge::kMultiScalar, Merge::kMultiList, Merge::kMultiMap}) {
    SCOPED_TRACE(name_of(kind));
    for (const int64_t example : {0, 1, 2}) {
      std::vector<int32_t> numbers = {0, 0, 0};
      numbers[static_cast<size_t>(example)] = kInt32Max;
      Inputs inputs = valid_inputs(kind);
      for (size_t place : {0, 2}) {
        FeatureTensors& x = inputs[place];
        x.lengths = int32s(numbers);
        x.keys = any(DType::kInt64, {kInt32Max});
        x.values_lengths = any(DType::kInt32, {kInt32Max});
        const int64_t values = is_ragged(kind) ? 0 : kInt32Max;
        x.values = any(DType::kFloat32, {values});
        x.values_keys = any(DType::kInt16, {values});
      }
      inputs = moved(inputs, device());
      const OutputMemory memory(kind, device());
      MultiMap out = memory.out;
      const Context context({.allocator = &kSmallMemory});
      expect_rejected(ErrorCode::kInvalidArgument,
                      {name_of(kind), std::to_string(example), "2147483647"}, memory,
                      [&] { merge(kind, inputs, kValidIds, out, context); });
      expect_rejected(ErrorCode::kInvalidArgument, {name_of(kind), "2147483647"},
                      [&] { merge(kind, inputs, kValidIds, context); });
    }
  }
}

// 2^47 values of one list feature, and no memory behind them.
TEST_P(FeaturesReject, NoTotalBeyondInt32) {
  const int64_t examples = 1 << 16;
  const int64_t values = examples * kInt32Max;
  const uint8_t present = 1;
  const std::vector<SingleListFeature> x = {
      {.lengths = moved(Tensor::wrap(&kInt32Max, DType::kInt32, {examples}, {0}), device()),
       .values = moved(any(DType::kFloat32, {values}), device()),
       .presence = moved(Tensor::wrap(&present, DType::kBool, {examples}, {0}), device())}};
  EXPECT_EQ(merge_single_list_sizes(x),
            (MultiSizes{.examples = examples, .pairs = examples, .values = values}));
  expect_rejected(ErrorCode::kOutOfMemory, {"MergeSingleListFeatureTensors"},
                  [&] { merge_single_list(x, {7}, {{.allocator = &kSmallMemory}}); });
}

TEST_P(FeaturesGradientReject, MergedGradientsOfTheWrongLength) {
  for (const Merge merge : kMerges) {
    SCOPED_TRACE(name_of(merge));
    OutputMemory memory(merge, device());
    const Inputs inputs = moved(valid_inputs(merge), device());
    const int64_t want = memory.dvalues.element_count();
    for (const int64_t extent : {want - 1, want + 1, int64_t{0}, int64_t{kInt32Max}}) {
      const Tensor dvalues = moved(any(DType::kFloat32, {extent}), device());
      const auto into = [&] { merge_gradient(merge, inputs, dvalues, memory.dinputs); };
      expect_rejected(ErrorCode::kInvalidArgument,
                      {gradient_name_of(merge), std::to_string(extent), std::to_string(want)},
                      memory, into);
      expect_rejected(ErrorCode::kInvalidArgument, {std::to_string(extent), std::to_string(want)},
                      [&] { merge_gradient(merge, inputs, dvalues); });
    }
    const Tensor plane = moved(any(DType::kFloat32, {want, 1}), device());
    expect_rejected(ErrorCode::kInvalidArgument, {gradient_name_of(merge)}, memory,
                    [&] { merge_gradient(merge, inputs, plane, memory.dinputs); });
  }
}

TEST_P(FeaturesGradientReject, ListsOfTensorsThatDoNotPairUp) {
  const std::vector<Tensor> three(3, moved(int32s({0, 0, 0}), device()));
  const std::vector<Tensor> two(2, three[0]);
  const std::vector<Tensor> there(3, moved(any(DType::kBool, {3}), device()));
  const Tensor none = moved(any(DType::kFloat32, {0}), device());
  const auto refused = [](std::string_view op, const auto& call) {
    expect_rejected(ErrorCode::kInvalidArgument, {op, "2", "3"}, call);
  };
  refused("MergeSingleListFeatureTensorsGradient",
          [&] { merge_single_list_gradient(two, there, none); });
  refused("MergeSingleMapFeatureTensorsGradient",
          [&] { merge_single_map_gradient(two, there, none); });
  refused("MergeMultiListFeatureTensorsGradient",
          [&] { merge_multi_list_gradient(three, two, none); });
  refused("MergeMultiMapFeatureTensorsGradient",
          [&] { merge_multi_map_gradient(two, three, none); });
}

TEST_P(FeaturesGradientReject, ValuesLengthsThatAreNotAsManyAsTheirPairs) {
  for (const Merge merge : {Merge::kMultiList, Merge::kMultiMap}) {
    for (const size_t place : {0, 1, 2}) {
      Inputs inputs = valid_inputs(merge);
      inputs[place].values_lengths = int32s({1, 0, 2, 0});
      expect_gradient_refused(merge, inputs, {"_" + std::to_string(place + 1), "4", "3"});
    }
  }
}

}  // namespace
}  // namespace sylvite::test
