// Gradients of several small batches, added up before they are used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sylvite/workspace.h"

namespace sylvite {

/// Adds up what gradient blobs hold after each of k backward passes. Half types are added in float32.
///
///   GradientAccumulator totals({"w_grad", "b_grad"}, 4);
///   …  workspace.run(forward_and_backward);
///      if (totals.add(workspace)) workspace.run(update);  // which reads "w_grad_total", "b_grad_total"
class GradientAccumulator {
 public:
  enum class Result : uint8_t { kMean, kSum };

  /// Throws kInvalidArgument: steps below 1, no gradients, one named twice or with an empty name.
  GradientAccumulator(std::vector<std::string> gradients, int64_t steps,
                      Result result = Result::kMean);

  /// "<gradient>_total": the blob that holds the mean, or the sum, after the last of k steps and until
  /// the next one; before it, the sum so far. float32 for half types, else the gradient's dtype.
  static std::string total(std::string_view gradient);

  /// Adds the gradients that the workspace holds. Says whether this was the last of k steps; the next
  /// one begins anew. Serves one workspace at a time.
  /// Throws kInvalidArgument, before anything is added: a gradient that is missing, no tensor, or in
  /// the middle of k steps of another dtype or shape than before; kUnsupported: the mean of integers.
  bool add(Workspace& workspace);

  /// Steps added since the last total: 0 to k - 1.
  int64_t step() const noexcept { return step_; }

 private:
  struct Kind {
    DType dtype;
    Shape shape;
    bool operator==(const Kind&) const = default;
  };
  void make_nets(const std::vector<Kind>& kinds);

  std::vector<std::string> gradients_;
  int64_t steps_;
  Result result_;
  int64_t step_ = 0;
  std::vector<Kind> kinds_;
  Net first_{"first_gradients"};
  Net more_{"more_gradients"};
  Net last_{"mean_of_gradients"};
};

}  // namespace sylvite
