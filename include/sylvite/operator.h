// Operators by name: what they are, what runs them, what their gradients are.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sylvite/context.h"
#include "sylvite/error.h"
#include "sylvite/plan.h"
#include "sylvite/tensor.h"

namespace sylvite {

class Net;
class OperatorCall;
class Registry;

using ArgumentValue =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                 std::vector<std::string>, std::shared_ptr<const Net>>;

/// A named argument of an operator, with Caffe2's names.
struct Argument {
  std::string name;
  ArgumentValue value;
};

/// One use of an operator: its name, the blobs it reads and writes, its arguments.
///
/// It runs on the device of its input tensors. `device` says where where there is none; any but the
/// CPU is also what at least one input must be on: nothing is copied from one device to another.
struct OperatorDef {
  std::string type;
  std::vector<std::string> inputs = {};
  std::vector<std::string> outputs = {};
  std::vector<Argument> arguments = {};
  DeviceKind device = DeviceKind::kCpu;
};

/// How many inputs or outputs an operator takes.
struct Arity {
  static constexpr int kAny = std::numeric_limits<int>::max();

  // NOLINTNEXTLINE(google-explicit-constructor): .inputs = 1
  constexpr Arity(int exactly) : least(exactly), most(exactly) {}
  constexpr Arity(int at_least, int at_most) : least(at_least), most(at_most) {}

  int least;
  int most;
};

/// An argument as documentation tells of it; `standard` is what holds where it is absent, empty
/// where it must be given or where its absence means something of its own.
struct ArgumentSchema {
  std::string_view name;
  std::string_view type;
  std::string_view standard = {};
  std::string_view summary = {};
};

/// Runs a bound operator: its arguments are read and checked already.
using Runner = std::function<void(OperatorCall& call)>;

/// What a gradient rule is asked: the operator, and the name of the gradient of each of its outputs
/// where there is one.
struct GradientRequest {
  const Registry& registry;
  const OperatorDef& def;
  std::span<const std::optional<std::string>> outputs;
  /// Per input: whether the operator or a later one writes the blob anew, so that the gradient cannot
  /// read it.
  std::vector<bool> overwritten = {};

  /// The gradient of output i. Throws kInvalidArgument where there is none.
  const std::string& output(size_t i) const;
  /// "<input>_grad"
  std::string input(size_t i) const;
};

/// The operators that compute the gradients of an operator's inputs, and their names: nothing for
/// an input that needs none.
struct GradientDefs {
  std::vector<OperatorDef> operators;
  std::vector<std::optional<std::string>> inputs;
  /// Blobs that forward and backward pass share on purpose, such as scopes: that an operator writes
  /// them anew does not stand in the way of reading them.
  std::vector<std::string> shared = {};
};

enum class GradientKind : uint8_t {
  kNone,        ///< No input needs a gradient.
  kRule,        ///< `gradient` makes it.
  kForbidden,   ///< There must not be one; asking is an error.
  kNotWritten,  ///< There could be one, but nobody has written it; asking is an error.
};

/// Thrown for kForbidden and kNotWritten. Code kUnsupported.
class GradientError : public Error {
 public:
  GradientError(GradientKind kind, const std::string& message)
      : Error(ErrorCode::kUnsupported, message), kind_(kind) {}
  GradientKind kind() const noexcept { return kind_; }

 private:
  GradientKind kind_;
};

/// An operator of the library as a value.
struct OperatorSchema {
  std::string_view name;
  Arity inputs = 0;
  Arity outputs = 0;
  std::string_view summary;
  std::span<const ArgumentSchema> arguments = {};
  /// Parses and validates the arguments, infers the output, plans the call. nullptr where what a call
  /// takes depends on what its inputs hold.
  Plan (*plan)(std::span<const TensorInfo> inputs, std::span<const Argument> arguments,
               const Context& context) = nullptr;
  /// Loads the operator's GPU modules on a device.
  void (*warm_up)(Device device, const Context& context) = nullptr;
  /// Parses and validates the arguments of a def whose name, inputs and outputs are checked.
  Runner (*bind)(const OperatorDef& def) = nullptr;
  /// Whether an output may have the name of an input: a view, or elements that depend on their own
  /// place alone. Elsewhere it is refused.
  bool in_place = false;
  GradientKind gradient_kind = GradientKind::kNotWritten;
  GradientDefs (*gradient)(const GradientRequest& request) = nullptr;
};

/// Every operator of the library, by name.
std::span<const OperatorSchema* const> operators() noexcept;

/// Which kernel, target, variant and how many bytes a call would take; nothing is run.
/// Throws what the call would throw, and kInvalidArgument for an unknown operator or argument.
Explanation explain(std::string_view op, std::span<const TensorInfo> inputs,
                    std::span<const Argument> arguments = {}, const Context& context = {});

/// A user's own operator. Where one of its outputs has the name of an input, the output still is
/// memory of its own, and takes the input's place when the operator has returned.
struct Operator {
  std::string name;
  Arity inputs = {0, Arity::kAny};
  Arity outputs = {0, Arity::kAny};
  std::string summary = {};
  /// Checks the def's arguments and returns what runs it.
  std::function<Runner(const OperatorDef& def)> bind;
};

using GradientRule = std::function<GradientDefs(const GradientRequest& request)>;

/// Names to operators. A value; workspaces share one that no longer changes.
class Registry {
 public:
  struct Entry {
    std::string name;
    Arity inputs = 0;
    Arity outputs = 0;
    std::string summary;
    std::vector<ArgumentSchema> arguments;
    /// Empty for a device that the operator does not run on. By DeviceKind.
    std::array<std::function<Runner(const OperatorDef& def)>, 3> bind;
    /// What binds it is the same for all devices and looks at its inputs itself.
    bool follows_inputs = false;
    /// Whether an output may have the name of an input.
    bool in_place = true;
    GradientKind gradient_kind = GradientKind::kNotWritten;
    GradientRule gradient;
    /// Whether it leaves its outputs' memory alone until nothing can go wrong any more.
    bool validates_first = false;
  };

  /// Throws kInvalidArgument where the name is unknown, naming those that are known.
  const Entry& find(std::string_view name) const;
  bool has(std::string_view name) const noexcept { return entries_.contains(name); }
  std::vector<std::string_view> names() const;

  /// Throws kInvalidArgument where the name is taken on that device, or empty, or nothing binds it.
  void add(const Operator& op, DeviceKind device);
  void add(const OperatorSchema& schema);
  /// Throws kInvalidArgument where the operator is unknown or has a gradient already.
  void add_gradient(std::string_view name, GradientKind kind, GradientRule rule = {});

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

/// A registry of one's own that holds every operator of the library.
std::shared_ptr<Registry> builtin_registry();

/// What runs an operator whose inputs are on the CPU; on a CUDA device. Of an operator registered for
/// both, a net runs the one that its tensors ask for. Throws what Registry::add throws.
void register_cpu_operator(Registry& registry, const Operator& op);
void register_cuda_operator(Registry& registry, const Operator& op);
void register_gradient(Registry& registry, std::string_view name, GradientRule rule);
/// For operators without a rule: kNone, or kForbidden.
void register_gradient(Registry& registry, std::string_view name, GradientKind kind);

/// The operators that compute the gradients of one operator's inputs from those of its outputs.
/// outputs: one entry per output, nothing where it has no gradient.
/// Throws kInvalidArgument: an unknown operator, a count that is not the operator's, a name that is
/// empty; GradientError where there must not be a gradient or nobody has written it.
/// overwritten: inputs that a later operator of the net writes anew.
GradientDefs gradient_defs(const Registry& registry, const OperatorDef& def,
                           std::span<const std::optional<std::string>> outputs,
                           std::vector<bool> overwritten = {});

}  // namespace sylvite
