// What a Plan keeps.
#pragma once

#include "runtime/move.h"
#include "sylvite/plan.h"

namespace sylvite {

/// One planned call: operators derive their own, with whatever they decided.
struct Plan::State {
  State(std::string_view name, TensorInfo in, TensorInfo out, const Context& with)
      : op(name), x(std::move(in)), y(std::move(out)), context(with) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  virtual ~State() = default;

  /// x and y are those of the plan and apart in memory.
  virtual void run(const Tensor& from, Tensor& to) const = 0;

  std::string_view op;
  TensorInfo x;
  TensorInfo y;
  Context context;
  Explanation explanation = {};
};

}  // namespace sylvite
