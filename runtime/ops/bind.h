// What operators by name have in common: how they are run, and how their gradients are named.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/shape.h"
#include "sylvite/workspace.h"

namespace sylvite::internal {

/// A plan for the tensors that came last.
class PlanCache {
 public:
  /// Runs the plan that `make` makes of (x, y), made once for as long as tensors like these come.
  template <typename Make>
  void run(const Tensor& x, Tensor& y, const Make& make) {
    if (!plan_ || !same(x, x_) || !same(y, y_)) {
      plan_.reset();
      x_ = x.info();
      y_ = y.info();
      plan_ = make(x_, y_);
    }
    plan_->run(x, y);
  }

 private:
  static bool same(const Tensor& tensor, const TensorInfo& info) noexcept {
    return tensor.dtype() == info.dtype && tensor.shape() == info.shape &&
           tensor.strides() == info.strides && tensor.device() == info.device;
  }

  std::optional<Plan> plan_;
  TensorInfo x_;
  TensorInfo y_;
};

/// Tensors that a runner collects for one call, its memory kept for the next: dropped at the end,
/// because handles would keep the blobs' memory from being written to again.
template <typename Handles>
class HandlesForACall {
 public:
  explicit HandlesForACall(std::vector<Handles>& handles) noexcept : handles_(handles) {}
  HandlesForACall(const HandlesForACall&) = delete;
  HandlesForACall& operator=(const HandlesForACall&) = delete;
  ~HandlesForACall() { handles_.clear(); }

 private:
  std::vector<Handles>& handles_;
};

/// Whether some output has a gradient, but not this one, on which alone those of the inputs depend.
inline bool has_gradients_but_of(const GradientRequest& request, size_t output) {
  return !request.outputs[output] &&
         std::any_of(request.outputs.begin(), request.outputs.end(),
                     [](const auto& gradient) { return gradient.has_value(); });
}

/// A gradient by one operator: `inputs` to the gradient of input i, which it is the only one to have.
inline GradientDefs gradient_by(const GradientRequest& request, std::string type,
                                std::vector<std::string> inputs,
                                std::vector<Argument> arguments = {}, size_t i = 0) {
  GradientDefs made;
  made.inputs.resize(request.def.inputs.size());
  made.inputs[i] = request.input(i);
  made.operators.push_back({.type = std::move(type),
                            .inputs = std::move(inputs),
                            .outputs = {*made.inputs[i]},
                            .arguments = std::move(arguments),
                            .device = request.def.device});
  return made;
}

}  // namespace sylvite::internal
