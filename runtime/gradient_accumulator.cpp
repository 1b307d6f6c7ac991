#include "sylvite/gradient_accumulator.h"

#include <algorithm>

#include "runtime/error.h"
#include "sylvite/arithmetic.h"

namespace sylvite {

using internal::require;
using internal::require_argument;

namespace {

bool is_half(DType dtype) noexcept { return dtype == DType::kFloat16 || dtype == DType::kBFloat16; }

std::string scale_of(std::string_view gradient) {
  return GradientAccumulator::total(gradient) + "_scale";
}

}  // namespace

GradientAccumulator::GradientAccumulator(std::vector<std::string> gradients, int64_t steps,
                                         Result result)
    : gradients_(std::move(gradients)), steps_(steps), result_(result) {
  require_argument(steps >= 1, "GradientAccumulator: steps is ", steps, ", want at least 1");
  require_argument(!gradients_.empty(), "GradientAccumulator: no gradients, want at least one");
  for (auto it = gradients_.begin(); it != gradients_.end(); ++it) {
    require_argument(!it->empty(), "GradientAccumulator: the name of a gradient is empty");
    require_argument(std::find(gradients_.begin(), it, *it) == it, "GradientAccumulator: gradient ",
                     *it, " is named twice, want each once");
  }
}

std::string GradientAccumulator::total(std::string_view gradient) {
  return std::string(gradient) + "_total";
}

void GradientAccumulator::make_nets(const std::vector<Kind>& kinds) {
  Net first("first_gradients");
  Net more("more_gradients");
  Net last("mean_of_gradients");
  for (size_t i = 0; i < gradients_.size(); ++i) {
    const std::string& gradient = gradients_[i];
    const DType dtype = kinds[i].dtype;
    require(result_ == Result::kSum || dtype >= DType::kFloat16, ErrorCode::kUnsupported,
            "GradientAccumulator: gradient ", gradient, " is ", name(dtype),
            ", want a floating dtype for a mean");
    const std::string sum = total(gradient);
    const std::vector<Argument> to = {
        {"to", std::string(name(is_half(dtype) ? DType::kFloat32 : dtype))}};
    first.append({.type = "Cast", .inputs = {gradient}, .outputs = {sum}, .arguments = to});
    std::string part = gradient;
    if (is_half(dtype)) {
      part += "_float32";
      more.append({.type = "Cast", .inputs = {gradient}, .outputs = {part}, .arguments = to});
    }
    more.append({.type = "Add", .inputs = {sum, part}, .outputs = {sum}});
    last.append({.type = "Mul", .inputs = {sum, scale_of(gradient)}, .outputs = {sum}});
  }
  first_ = std::move(first);
  more_ = std::move(more);
  last_ = std::move(last);
  kinds_ = kinds;
}

bool GradientAccumulator::add(Workspace& workspace) {
  std::vector<Kind> kinds;
  for (const std::string& gradient : gradients_) {
    const Tensor& value = workspace.get(gradient);
    kinds.push_back({.dtype = value.dtype(), .shape = value.shape()});
    if (step_ == 0) continue;
    const Kind& wanted = kinds_[kinds.size() - 1];
    require_argument(kinds.back() == wanted, "GradientAccumulator: gradient ", gradient, " is ",
                     name(value.dtype()), value.shape(), " in step ", step_ + 1, ", want ",
                     name(wanted.dtype), wanted.shape, " as in the first");
  }
  if (kinds != kinds_) make_nets(kinds);
  workspace.run(step_ == 0 ? first_ : more_);
  if (++step_ < steps_) return false;
  step_ = 0;
  if (result_ == Result::kSum || steps_ == 1) return true;
  for (size_t i = 0; i < gradients_.size(); ++i) {
    const DType dtype = is_half(kinds_[i].dtype) ? DType::kFloat32 : kinds_[i].dtype;
    const std::string scale = scale_of(gradients_[i]);
    if (!workspace.has(scale) || workspace.get(scale).dtype() != dtype)
      workspace.set(scale, constant_fill({}, 1.0 / static_cast<double>(steps_), dtype));
  }
  workspace.run(last_);
  return true;
}

}  // namespace sylvite
