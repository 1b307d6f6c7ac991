// Nets: operators in the order in which they run, and the gradients of a whole net.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sylvite/operator.h"

namespace sylvite {

class Workspace;

/// A cheap handle on an immutable list of operators; changing one handle leaves its copies alone.
class Net {
 public:
  /// Throws kInvalidArgument where an operator has no type, an external output nobody writes, or nets
  /// in arguments that nest more than 64 deep, this one included.
  explicit Net(std::string name, std::vector<OperatorDef> operators = {},
               std::vector<std::string> external_outputs = {});

  const std::string& name() const noexcept;
  const std::vector<OperatorDef>& operators() const noexcept;
  /// Blobs that are read before any operator of the net writes them, in order of their first use.
  const std::vector<std::string>& external_inputs() const noexcept;
  /// As given; by default every blob that is written and not read afterwards.
  const std::vector<std::string>& external_outputs() const noexcept;

  void append(OperatorDef def);

  /// Appends the operators that compute the gradient of every blob that the given outputs depend on.
  /// outputs: blob to the name of its gradient, which stands in the workspace when the net runs.
  /// Returns blob to gradient name, those given included. A blob used several times has the sum of
  /// its parts, "<blob>_grad_autosplit_<i>", under "<blob>_grad".
  /// Throws kInvalidArgument: no outputs, an output that the net does not know, an operator whose
  /// gradient needs a blob that a later one overwrites; GradientError as gradient_defs does.
  std::map<std::string, std::string> add_gradients(
      const std::map<std::string, std::string>& outputs, const Registry& registry);
  std::map<std::string, std::string> add_gradients(
      const std::map<std::string, std::string>& outputs);

  /// The net as a Graphviz graph: operators as boxes, blobs as ellipses.
  std::string to_dot() const;
  /// The same with what the workspace holds under the blobs' names: dtype, shape, bytes, and dashed
  /// lines between those that share memory. Blobs it lacks stand there by their names alone.
  std::string to_dot(const Workspace& workspace) const;

  struct State;
  const std::shared_ptr<const State>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace sylvite
