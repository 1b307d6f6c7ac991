// Variables: blobs that are made once, with an initializer, and found again by their names.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sylvite/name_scope.h"
#include "sylvite/workspace.h"

namespace sylvite {

/// Makes a variable's first value: a tensor of this dtype and shape, on any device.
using Initializer = std::function<Tensor(DType dtype, const Shape& shape)>;

/// `value` in every element.
Initializer constant_initializer(double value);
/// Even over [low, high), and a bell around `mean`: the same numbers for the same seed, to within the
/// rounding of the machine's arithmetic. For floating dtypes.
Initializer uniform_initializer(double low, double high, uint64_t seed);
Initializer normal_initializer(double mean, double deviation, uint64_t seed);

struct Variable {
  std::string name;  ///< of the blob
  bool trainable = true;
};

struct VariableOptions {
  DType dtype = DType::kFloat32;
  Initializer initializer = constant_initializer(0);
  bool trainable = true;
};

/// Whether a scope makes variables or shares them.
enum class Reuse : uint8_t {
  kGetOrCreate,  ///< What is there is shared, what is not is made.
  kCreate,       ///< Each variable is new; one that is there is an error.
  kGet,          ///< Each variable is there; one that is not is an error.
};

/// What the variables of a workspace are, in a blob of it: so all scopes over one workspace, and over
/// its children, see the same variables, and reset() forgets them together with their blobs.
struct VariableTable {
  std::vector<Variable> variables;
};
template <>
inline constexpr std::string_view kTypeName<VariableTable> = "variables";
inline constexpr std::string_view kVariableTable = ".variables";

/// Variables of a workspace under a name scope. A value, cheap to copy; scopes of one name over one
/// workspace share their variables.
///
///   VariableScope layer = VariableScope(workspace).scope("layer1");
///   const std::string w = layer.get("w", {64, 3, 3, 3}, {.initializer = normal_initializer(0, .1, 1)});
class VariableScope {
 public:
  explicit VariableScope(Workspace workspace, NameScope names = {},
                         Reuse reuse = Reuse::kGetOrCreate);

  VariableScope scope(std::string_view name) const;
  VariableScope reusing(Reuse reuse) const;
  const NameScope& names() const noexcept { return names_; }

  /// The name of the variable's blob, for operators to read and write. A new one is made in the
  /// workspace, with the initializer's value; of one that is there the value stays, and whether it is
  /// trainable.
  /// Throws kInvalidArgument: one that is there has another shape or dtype or is no variable, `reuse`
  /// forbids it, an initializer that gives another shape or dtype than it is asked for.
  std::string get(std::string_view name, const Shape& shape, const VariableOptions& options = {});

  /// Those of this scope and the scopes in it, in the order they were made; and the names of those
  /// that are trainable.
  std::vector<Variable> variables() const;
  std::vector<std::string> trainable() const;

 private:
  Workspace workspace_;
  NameScope names_;
  Reuse reuse_;
};

}  // namespace sylvite
