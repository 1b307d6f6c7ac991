#include "sylvite/variables.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "runtime/error.h"
#include "sylvite/arithmetic.h"
#include "sylvite/cast.h"

namespace sylvite {

using internal::require_argument;

namespace {

/// splitmix64: the same sequence on every machine.
class Noise {
 public:
  explicit Noise(uint64_t seed) noexcept : state_(seed) {}
  /// Even over [0, 1), 53 bits.
  double next() noexcept {
    uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }

 private:
  uint64_t state_;
};

template <typename Next>
Tensor numbers(DType dtype, const Shape& shape, const Next& next) {
  Tensor values = Tensor::empty(DType::kFloat64, shape);
  std::generate_n(values.data_as<double>(), values.element_count(), next);
  return cast(values, dtype);
}

std::vector<Variable> table_of(const Workspace& workspace) {
  if (!workspace.has(kVariableTable)) return {};
  return workspace.get<VariableTable>(kVariableTable).variables;
}

}  // namespace

Initializer constant_initializer(double value) {
  return [value](DType dtype, const Shape& shape) { return constant_fill(shape, value, dtype); };
}

Initializer uniform_initializer(double low, double high, uint64_t seed) {
  return [=](DType dtype, const Shape& shape) {
    Noise noise(seed);
    return numbers(dtype, shape, [&] { return low + (high - low) * noise.next(); });
  };
}

Initializer normal_initializer(double mean, double deviation, uint64_t seed) {
  return [=](DType dtype, const Shape& shape) {
    Noise noise(seed);
    // Box and Muller's: 1 - u is never 0.
    return numbers(dtype, shape, [&] {
      const double radius = std::sqrt(-2 * std::log(1 - noise.next()));
      return mean + deviation * radius * std::cos(2 * std::numbers::pi * noise.next());
    });
  };
}

VariableScope::VariableScope(Workspace workspace, NameScope names, Reuse reuse)
    : workspace_(std::move(workspace)), names_(std::move(names)), reuse_(reuse) {}

VariableScope VariableScope::scope(std::string_view name) const {
  return VariableScope(workspace_, names_.scope(name), reuse_);
}

VariableScope VariableScope::reusing(Reuse reuse) const {
  return VariableScope(workspace_, names_, reuse);
}

std::string VariableScope::get(std::string_view name, const Shape& shape,
                               const VariableOptions& options) {
  std::string blob = names_(name);
  std::vector<Variable> table = table_of(workspace_);
  const bool known = std::any_of(table.begin(), table.end(),
                                 [&](const Variable& each) { return each.name == blob; });
  if (workspace_.has(blob)) {
    require_argument(known, "VariableScope: blob ", blob,
                     " is there and no variable, want another name");
    require_argument(reuse_ != Reuse::kCreate, "VariableScope: variable ", blob,
                     " is there, want a new one");
    const Tensor& value = workspace_.get(blob);
    require_argument(value.dtype() == options.dtype && value.shape() == shape,
                     "VariableScope: variable ", blob, " is ", sylvite::name(value.dtype()),
                     value.shape(), ", want ", sylvite::name(options.dtype), shape);
    return blob;
  }
  require_argument(reuse_ != Reuse::kGet, "VariableScope: no variable ", blob,
                   ", want one that is there");
  require_argument(options.initializer != nullptr, "VariableScope: variable ", blob,
                   " has no initializer, want one");
  const Tensor value = options.initializer(options.dtype, shape);
  require_argument(value.dtype() == options.dtype && value.shape() == shape,
                   "VariableScope: the initializer of variable ", blob, " gave ",
                   sylvite::name(value.dtype()), value.shape(), ", want ",
                   sylvite::name(options.dtype), shape);
  workspace_.feed(blob, value);
  if (!known) {
    table.push_back({.name = blob, .trainable = options.trainable});
    workspace_.set(kVariableTable, VariableTable{std::move(table)});
  }
  return blob;
}

std::vector<Variable> VariableScope::variables() const {
  std::vector<Variable> all = table_of(workspace_);
  const std::string prefix = names_.name().empty() ? std::string() : names_.name() + '/';
  std::erase_if(all, [&](const Variable& each) {
    return !each.name.starts_with(prefix) || !workspace_.has(each.name);
  });
  return all;
}

std::vector<std::string> VariableScope::trainable() const {
  std::vector<std::string> names;
  for (Variable& each : variables())
    if (each.trainable) names.push_back(std::move(each.name));
  return names;
}

}  // namespace sylvite
