// What merges and gradients have in common: lengths and presence, validated and counted. And a merge as
// a value: what each argument of an input is, and which output it goes to.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/ops/features_arguments.h"
#include "sylvite/features.h"

namespace sylvite::internal {

/// The arguments that say how much an input holds; none where an operator has no such argument.
struct CountArguments {
  Parts lengths = {};
  Parts presence = {};
  Parts inner_lengths = {};
};

/// Throws kInvalidArgument where ranks, dtypes, devices or the number of tensors or examples are not what
/// they have to be.
void require_counts(const CountArguments& arguments, Counts counts, std::string_view op,
                    Device device = {});
/// Throws kInvalidArgument where lengths sum to another number than an array holds.
void require_sum(int64_t sum, const CountArguments& arguments, bool inner, int64_t f,
                 int64_t extent, const Parts& parts, std::string_view op);

/// A gradient: whose, what its inputs count, and whether the values are the second level's.
struct Gradient {
  std::string_view op;
  Counts counts;
  bool inner = false;
};

/// One call: its scratch, its inputs, and what they hold.
class FeatureCall {
 public:
  FeatureCall(std::string_view op, const Context& context)
      : call(context, Device{}, op), scratch(context, op), dense(context, scratch) {}

  /// Throws kInvalidArgument where ranks, dtypes or extents differ from what they have to be, a length
  /// is negative, or lengths do not sum to the extent of the lengths they count.
  void count(Counts counts, const CountArguments& arguments);
  /// The second level, behind the first. Throws kInvalidArgument also where the lengths of an example
  /// become one beyond int32.
  void count_inner();
  /// [examples, features].
  void count_dense(const Tensor& presence);

  /// An array that holds input f's elements of a level. Throws kInvalidArgument where its extent is
  /// another.
  void require_extent(const Level& level, int64_t f, int64_t extent, const Parts& parts) const;
  /// A packed array's extent.
  void require_packed(const Tensor& packed, int64_t extent, std::string_view argument) const;

  Call call;
  Scratch scratch;
  DenseTensors dense;
  FeatureInputs inputs;
  std::optional<FeatureOffsets> offsets;

 private:
  [[noreturn]] void fail_negative(const Parts& lengths) const;
  void require_merged_lengths() const;

  CountArguments arguments_;
};

/// How many elements an array has.
enum class Extent : uint8_t {
  kExamples,
  kPairs,  ///< present segments
  kOuter,  ///< the sum of the lengths
  kInner,  ///< the sum of the lengths of the second level
};

enum class Role : uint8_t { kLengths, kPresence, kInnerLengths, kElements };

struct MergeInput {
  std::string_view name;
  Role role = Role::kElements;
  Extent extent = Extent::kExamples;
  std::optional<DType> dtype = {};  ///< nothing: any, one in all inputs
  int output = -1;                  ///< where its elements go, in order
};

struct MergeOutput {
  std::string_view name;
  Extent extent = Extent::kExamples;
  std::optional<DType> dtype = {};  ///< nothing: that of the input that goes there
};

struct Merge {
  std::string_view op;
  Counts counts = Counts::kLengths;
  std::span<const MergeInput> inputs;
  std::span<const MergeOutput> outputs;  ///< the first are lengths and keys
};

/// What an output of the merge has to be.
DType dtype_of(const Merge& merge, std::span<const Parts> inputs, size_t output) noexcept;

/// An output that is to be made, the i-th of a call.
struct NewOutput {
  size_t i = 0;
  std::string_view op = {};
  std::string_view name = {};
  DType dtype = DType::kInt32;
  int64_t extent = 0;
  int64_t text_bytes = 0;  ///< of strings
  Device device = {};
};

/// Gives dense memory that nothing else uses.
using MakeOutput = std::function<Tensor(const NewOutput&)>;

/// From the context's allocator.
MakeOutput outputs_of(const Context& context);

/// The outputs of merge_dense. of: what they have in common.
MultiScalar make_scalars(const MakeOutput& make, NewOutput of, DType dtype, int64_t examples,
                         int64_t pairs);

/// A merge on its way.
class MergeCall {
 public:
  /// Throws kInvalidArgument for whatever is wrong with the inputs.
  MergeCall(const Merge& merge, std::span<const Parts> inputs, const Context& context);

  MultiSizes sizes() const noexcept;
  /// ids: where pairs are made of features, else nullptr. Throws kInvalidArgument for ids and outputs
  /// that do not fit.
  void run(const FeatureIds* ids, std::span<Tensor* const> outputs);
  /// The same into tensors that `make` gives.
  void run_new(const FeatureIds* ids, std::span<Tensor* const> outputs, const MakeOutput& make);

 private:
  void require_extents(Extent level) const;
  int64_t extent_of(Extent extent) const noexcept;
  void require_outputs(const FeatureIds* ids, std::span<Tensor* const> outputs);
  void fill(const int64_t* ids, std::span<Tensor* const> outputs);

  const Merge& merge_;
  std::span<const Parts> inputs_;
  /// Strings among the elements, by the output they go to.
  struct Strings {
    size_t input;
    int output;
    StringMove move;
  };
  void count_strings();
  int64_t text_bytes(int output) const noexcept;

  const Context& context_;
  FeatureCall features_;
  std::array<std::optional<Strings>, 2> strings_;
};

/// Throws kInvalidArgument where there is not one for each feature, on the CPU or on the inputs' device.
void require_ids(const FeatureIds& ids, int64_t features, std::string_view op, Device device = {});
/// The ids as memory. Throws kInvalidArgument where there is not one for each feature.
const int64_t* dense_ids(FeatureCall& features, const FeatureIds& ids);

/// A value goes with every key: where strings are moved apart, it is the presence.
void pick_keys_alone(FeatureCall& features, PickMove& pick);

}  // namespace sylvite::internal
