// Gradients against finite differences, for users' own operators and nets.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "sylvite/workspace.h"

namespace sylvite {

struct GradientCheckOptions {
  /// Blobs whose gradients are checked; none: every external input of a floating dtype.
  std::vector<std::string> inputs = {};
  /// How far an element is moved, relative to its size where that is above 1; 0: the cube root of its
  /// dtype's precision.
  double step = 0;
  /// The largest distance that is right, relative to the largest gradient of the blob; 0: by the
  /// coarsest floating dtype of inputs and outputs, 2e-2 for float16 (2e-1 for bfloat16), 2e-3 for
  /// float32, 1e-6 for float64.
  double tolerance = 0;
  /// Per blob; of a larger one as many are chosen, evenly.
  int64_t most_elements = 256;
  /// Of the weights that the outputs are summed with.
  uint64_t seed = 1;
};

/// How far the gradients by rule are from central differences, and where they are farthest.
struct GradientCheck {
  double worst = 0;  ///< relative to the blob's largest gradient; infinite where one is no number
  double tolerance = 0;  ///< what was asked for, or came of the dtypes
  int64_t elements = 0;  ///< compared
  std::string blob;      ///< the worst one's
  int64_t element = 0;   ///< its place in row-major order
  double by_rule = 0;
  double by_difference = 0;

  bool right() const noexcept { return elements > 0 && worst <= tolerance; }
};

/// "gradients within 1.2e-09 of differences, 12 elements; the worst: x[3], 0.5 by rule, …".
std::string to_string(const GradientCheck& check);

/// Sums all floating external outputs with random weights and compares, element by element, how the
/// sum moves with an input and what the gradient operators of the net say. An input without a gradient
/// counts as one of gradient 0: what a rule has forgotten is found.
///
/// Runs on copies in a workspace of its own with the same registry; `workspace` gives the values of the
/// external inputs and stays as it is.
/// Throws kInvalidArgument: an input that is missing or no tensor, options.inputs that name another blob
/// or one of no floating dtype, a gradient of another shape or dtype than its blob, no floating output;
/// what the net throws; GradientError as gradient_defs does.
GradientCheck check_gradient(const Workspace& workspace, const Net& net,
                             const GradientCheckOptions& options = {});
GradientCheck check_gradient(const Workspace& workspace, const OperatorDef& def,
                             const GradientCheckOptions& options = {});

}  // namespace sylvite
