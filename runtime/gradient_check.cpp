#include "sylvite/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "runtime/error.h"
#include "runtime/workspace_state.h"
#include "sylvite/cast.h"
#include "sylvite/variables.h"

namespace sylvite {

using internal::require_argument;

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

bool is_floating(DType dtype) noexcept {
  return dtype >= DType::kFloat16 && dtype <= DType::kFloat64;
}

/// The distance from 1 to the next number.
double precision_of(DType dtype) noexcept {
  if (dtype == DType::kFloat16) return 0x1p-10;
  if (dtype == DType::kBFloat16) return 0x1p-7;
  return dtype == DType::kFloat32 ? 0x1p-23 : 0x1p-52;
}

double tolerance_of(DType dtype) noexcept {
  if (dtype == DType::kFloat16) return 2e-2;
  if (dtype == DType::kBFloat16) return 2e-1;
  return dtype == DType::kFloat32 ? 2e-3 : 1e-6;
}

/// Dense, on the CPU.
Tensor as_doubles(const Tensor& tensor) { return cast(tensor.to(Device{}), DType::kFloat64); }

class Checker {
 public:
  Checker(const Workspace& from, const Net& net, const GradientCheckOptions& options)
      : net_(net), options_(options), workspace_(from.state()->registry, from.context()) {
    for (const std::string& input : net.external_inputs())
      inputs_.emplace_back(input, from.get(input).to(from.get(input).device(), from.context()));
    feed_all();
    workspace_.run(net_);
    choose_outputs();
    choose_inputs();
  }

  GradientCheck run() {
    const std::map<std::string, Tensor> by_rule = gradients();
    GradientCheck check;
    check.tolerance = options_.tolerance > 0 ? options_.tolerance : tolerance_;
    for (const auto& [blob, value] : inputs_) {
      const bool chosen = std::find(chosen_.begin(), chosen_.end(), blob) != chosen_.end();
      if (chosen) compare(blob, value, by_rule, check);
    }
    return check;
  }

 private:
  struct Output {
    std::string blob;
    std::string gradient;
    Tensor weights;  ///< float64, what the gradient's blob holds
  };

  void feed_all() {
    for (const auto& [blob, value] : inputs_) workspace_.feed(blob, value);
  }

  void choose_outputs() {
    uint64_t seed = options_.seed;
    for (const std::string& blob : net_.external_outputs()) {
      if (workspace_.type_of(blob) != kTypeName<Tensor>) continue;
      const Tensor value = workspace_.get(blob);
      if (!is_floating(value.dtype())) continue;
      const Tensor weights = uniform_initializer(.5, 1.5, seed++)(value.dtype(), value.shape());
      const std::string gradient = blob + "_check_gradient";
      inputs_.emplace_back(gradient, weights.to(value.device(), workspace_.context()));
      outputs_.push_back({.blob = blob, .gradient = gradient, .weights = as_doubles(weights)});
      tolerance_ = std::max(tolerance_, tolerance_of(value.dtype()));
    }
    require_argument(!outputs_.empty(), "check_gradient: Net ", net_.name(),
                     " has no output of a floating dtype, want at least one");
  }

  void choose_inputs() {
    const std::vector<std::string>& known = net_.external_inputs();
    for (const std::string& blob : options_.inputs) {
      require_argument(std::find(known.begin(), known.end(), blob) != known.end(),
                       "check_gradient: ", blob, " is no external input of Net ", net_.name());
    }
    for (const auto& [blob, value] : inputs_) {
      if (std::find(known.begin(), known.end(), blob) == known.end()) continue;
      const auto& wanted = options_.inputs;
      const bool named = std::find(wanted.begin(), wanted.end(), blob) != wanted.end();
      require_argument(!named || is_floating(value.dtype()), "check_gradient: ", blob, " is ",
                       name(value.dtype()), ", want a floating dtype");
      if ((!named && !wanted.empty()) || !is_floating(value.dtype())) continue;
      chosen_.push_back(blob);
      tolerance_ = std::max(tolerance_, tolerance_of(value.dtype()));
    }
    require_argument(!chosen_.empty(), "check_gradient: Net ", net_.name(),
                     " has no input of a floating dtype, want at least one");
  }

  /// By rule, of the inputs that have one; float64.
  std::map<std::string, Tensor> gradients() {
    Net with = net_;
    std::map<std::string, std::string> given;
    for (const Output& output : outputs_) given.emplace(output.blob, output.gradient);
    const auto names = with.add_gradients(given, workspace_.registry());
    feed_all();
    workspace_.run(with);
    std::map<std::string, Tensor> result;
    for (const auto& [blob, value] : inputs_) {
      const auto found = names.find(blob);
      if (found == names.end() || !is_floating(value.dtype())) continue;
      const Tensor& gradient = workspace_.get(found->second);
      require_argument(gradient.shape() == value.shape() && gradient.dtype() == value.dtype(),
                       "check_gradient: the gradient of ", blob, " is ", name(gradient.dtype()),
                       gradient.shape(), ", want ", name(value.dtype()), value.shape());
      result.emplace(blob, as_doubles(gradient));
    }
    return result;
  }

  /// The weighted sum of the outputs with one element of one input moved to another value.
  double sum_at(const std::string& blob, const Tensor& moved) {
    feed_all();
    workspace_.feed(blob, moved);
    workspace_.run(net_);
    double sum = 0;
    for (const Output& output : outputs_) {
      const Tensor y = as_doubles(workspace_.get(output.blob));
      for (int64_t i = 0; i < y.element_count(); ++i)
        sum += y.data_as<double>()[i] * output.weights.data_as<double>()[i];
    }
    return sum;
  }

  /// The input with element i moved, in the input's dtype; `to` becomes the value that it holds there.
  Tensor moved(const Tensor& value, int64_t i, double& to) const {
    Tensor doubles = as_doubles(value);
    doubles.data_as<double>()[i] = to;
    const Tensor rounded = cast(doubles, value.dtype());
    to = as_doubles(rounded).data_as<double>()[i];
    return rounded.to(value.device(), workspace_.context());
  }

  double difference(const std::string& blob, const Tensor& value, int64_t i) {
    const double x = as_doubles(value).data_as<double>()[i];
    const double relative =
        options_.step > 0 ? options_.step : std::cbrt(precision_of(value.dtype()));
    const double step = relative * std::max(1.0, std::abs(x));
    double above = x + step;
    double below = x - step;
    const double to_above = sum_at(blob, moved(value, i, above));
    const double to_below = sum_at(blob, moved(value, i, below));
    return (to_above - to_below) / (above - below);
  }

  void compare(const std::string& blob, const Tensor& value,
               const std::map<std::string, Tensor>& by_rule, GradientCheck& check) {
    struct Pair {
      int64_t element;
      double rule;
      double difference;
    };
    const int64_t count = value.element_count();
    const int64_t many = std::min(count, std::max<int64_t>(options_.most_elements, 1));
    const auto rule = by_rule.find(blob);
    std::vector<Pair> pairs;
    double largest = 0;
    for (int64_t k = 0; k < many; ++k) {
      const int64_t i = k * (count / many) + k * (count % many) / many;
      const double of_rule = rule == by_rule.end() ? 0 : rule->second.data_as<double>()[i];
      pairs.push_back({.element = i, .rule = of_rule, .difference = difference(blob, value, i)});
      largest = std::max({largest, std::abs(of_rule), std::abs(pairs.back().difference)});
    }
    for (const Pair& pair : pairs) {
      const double apart = std::abs(pair.rule - pair.difference);
      double relative = apart > 0 ? apart / largest : 0;
      if (!std::isfinite(pair.rule) || !std::isfinite(pair.difference)) relative = kNever;
      if (check.elements++ == 0 || relative > check.worst) {
        check.worst = relative;
        check.blob = blob;
        check.element = pair.element;
        check.by_rule = pair.rule;
        check.by_difference = pair.difference;
      }
    }
  }

  const Net& net_;
  const GradientCheckOptions& options_;
  Workspace workspace_;
  std::vector<std::pair<std::string, Tensor>> inputs_;
  std::vector<std::string> chosen_;
  std::vector<Output> outputs_;
  double tolerance_ = 0;
};

}  // namespace

std::string to_string(const GradientCheck& check) {
  std::ostringstream text;
  text << "gradients within " << check.worst << " of differences, want " << check.tolerance << ", "
       << check.elements << " elements";
  if (check.elements > 0) {
    text << "; the worst: " << check.blob << '[' << check.element << "], " << check.by_rule
         << " by rule, " << check.by_difference << " by difference";
  }
  return text.str();
}

GradientCheck check_gradient(const Workspace& workspace, const Net& net,
                             const GradientCheckOptions& options) {
  return Checker(workspace, net, options).run();
}

GradientCheck check_gradient(const Workspace& workspace, const OperatorDef& def,
                             const GradientCheckOptions& options) {
  return check_gradient(workspace, Net(def.type, {def}), options);
}

}  // namespace sylvite
