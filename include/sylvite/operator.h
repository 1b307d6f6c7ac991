// Operators by name: their schemas, and what a call by name would do.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sylvite/context.h"
#include "sylvite/plan.h"
#include "sylvite/tensor.h"

namespace sylvite {

/// A named argument of an operator, with Caffe2's names.
struct Argument {
  std::string name;
  std::variant<int64_t, double, std::string, std::vector<int64_t>> value;
};

/// An operator as a value: what the library knows of it by name.
struct OperatorSchema {
  std::string_view name;
  int inputs = 0;
  int outputs = 0;
  std::string_view summary;
  /// Parses and validates the arguments, infers the output, plans the call.
  Plan (*plan)(std::span<const TensorInfo> inputs, std::span<const Argument> arguments,
               const Context& context) = nullptr;
  /// Loads the operator's GPU modules on a device.
  void (*warm_up)(Device device, const Context& context) = nullptr;
};

/// Every operator of the library, by name.
std::span<const OperatorSchema* const> operators() noexcept;

/// Which kernel, target, variant and how many bytes a call would take; nothing is run.
/// Throws what the call would throw, and kInvalidArgument for an unknown operator or argument.
Explanation explain(std::string_view op, std::span<const TensorInfo> inputs,
                    std::span<const Argument> arguments = {}, const Context& context = {});

}  // namespace sylvite
