// Gradients by rule: of one operator, and of a whole net by a walk in reverse.
#include <algorithm>
#include <set>
#include <tuple>

#include "runtime/error.h"
#include "runtime/net_state.h"
#include "sylvite/net.h"

namespace sylvite {

using internal::require_argument;

namespace {

[[noreturn]] void fail_gradient(GradientKind kind, std::string_view op, std::string_view why) {
  throw GradientError(kind, std::string(op) + ": " + std::string(why));
}

OperatorDef sum_of(std::vector<std::string> parts, std::string result, DeviceKind device) {
  return {.type = "Sum",
          .inputs = std::move(parts),
          .outputs = {std::move(result)},
          .arguments = {},
          .device = device};
}

/// An input that stands twice in the def has one gradient: the sum of its parts.
void sum_repeated_inputs(const OperatorDef& def, GradientDefs& made) {
  for (size_t i = 0; i < def.inputs.size(); ++i) {
    std::vector<std::string> parts;
    std::vector<size_t> places;
    for (size_t k = 0; k < def.inputs.size(); ++k) {
      if (def.inputs[k] != def.inputs[i] || !made.inputs[k]) continue;
      if (std::find(parts.begin(), parts.end(), *made.inputs[k]) == parts.end())
        parts.push_back(*made.inputs[k]);
      places.push_back(k);
    }
    if (places.size() < 2 || places.front() != i) continue;
    std::string whole = parts.front();
    if (parts.size() > 1) {
      whole = def.inputs[i] + "_grad";
      made.operators.push_back(sum_of(std::move(parts), whole, def.device));
    }
    for (const size_t place : places) made.inputs[place] = whole;
  }
}

}  // namespace

GradientDefs gradient_defs(const Registry& registry, const OperatorDef& def,
                           std::span<const std::optional<std::string>> outputs,
                           std::vector<bool> overwritten) {
  const Registry::Entry& entry = registry.find(def.type);
  require_argument(outputs.size() == def.outputs.size(), def.type, ": ", outputs.size(),
                   " output gradients, want one for each of the ", def.outputs.size(), " outputs");
  for (const auto& gradient : outputs) {
    require_argument(!gradient || !gradient->empty(), def.type,
                     ": the name of an output gradient is empty, want a name or nothing");
  }
  const auto inputs = static_cast<int64_t>(def.inputs.size());
  require_argument(inputs >= entry.inputs.least && inputs <= entry.inputs.most, def.type, ": ",
                   inputs, " inputs, want at least ", entry.inputs.least, " and at most ",
                   entry.inputs.most);
  switch (entry.gradient_kind) {
    case GradientKind::kNone:
      return {.operators = {},
              .inputs = std::vector<std::optional<std::string>>(def.inputs.size())};
    case GradientKind::kForbidden:
      fail_gradient(entry.gradient_kind, def.type, "it must not have a gradient");
    case GradientKind::kNotWritten:
      fail_gradient(entry.gradient_kind, def.type, "nobody has written its gradient");
    case GradientKind::kRule:
      break;
  }
  overwritten.resize(def.inputs.size());
  for (size_t i = 0; i < def.inputs.size(); ++i) {
    const auto& names = def.outputs;
    if (std::find(names.begin(), names.end(), def.inputs[i]) != names.end()) overwritten[i] = true;
  }
  GradientDefs made = entry.gradient({.registry = registry,
                                      .def = def,
                                      .outputs = outputs,
                                      .overwritten = std::move(overwritten)});
  require_argument(made.inputs.size() == def.inputs.size(), def.type, ": its gradient rule names ",
                   made.inputs.size(), " gradients, want one or nothing for each of the ",
                   def.inputs.size(), " inputs");
  sum_repeated_inputs(def, made);
  return made;
}

namespace {

/// A blob as one operator left it: operators may write one name several times.
struct Version {
  std::string name;
  int version = 0;

  bool operator<(const Version& other) const {
    return std::tie(name, version) < std::tie(other.name, other.version);
  }
};

/// Gradients of one version of a blob, from each operator that reads it.
struct Parts {
  struct Part {
    std::string name;
    size_t begin;  ///< the gradient operators that make it; none for a gradient that was given
    size_t end;
  };
  std::vector<Part> parts;
};

/// Makes the gradient operators of one net.
class ReverseWalk {
 public:
  ReverseWalk(const Net& net, const Registry& registry) : net_(net), registry_(registry) {
    for (const OperatorDef& def : net.operators()) {
      std::vector<int>& inputs = input_versions_.emplace_back();
      std::vector<int>& outputs = output_versions_.emplace_back();
      for (const std::string& input : def.inputs) inputs.push_back(last_[input]);
      for (const std::string& output : def.outputs) outputs.push_back(++last_[output]);
      names_.insert(def.inputs.begin(), def.inputs.end());
      names_.insert(def.outputs.begin(), def.outputs.end());
    }
  }

  std::map<std::string, std::string> walk(const std::map<std::string, std::string>& outputs) {
    require_argument(!outputs.empty(), "Net ", net_.name(),
                     ": gradients of no output, want at least one blob and its gradient's name");
    for (const auto& [blob, gradient] : outputs) {
      require_argument(last_.contains(blob), "Net ", net_.name(), ": gradient of ", blob,
                       ", a blob that none of its operators knows");
      require_argument(!gradient.empty(), "Net ", net_.name(), ": the gradient of ", blob,
                       " has an empty name, want a name");
      names_.insert(gradient);
      gradients_[{blob, last_[blob]}].parts.push_back({.name = gradient, .begin = 0, .end = 0});
    }
    for (size_t i = net_.operators().size(); i-- > 0;) visit(i);
    std::map<std::string, std::string> result = outputs;
    // The first version of a name is the one that its gradient's blob keeps.
    for (const auto& [version, parts] : gradients_) result.emplace(version.name, finish(version));
    return result;
  }

  std::vector<OperatorDef>& operators() noexcept { return made_; }

 private:
  void visit(size_t i) {
    const OperatorDef& def = net_.operators()[i];
    std::vector<std::optional<std::string>> outputs;
    bool any = false;
    for (size_t k = 0; k < def.outputs.size(); ++k) {
      const Version version = {.name = def.outputs[k], .version = output_versions_[i][k]};
      outputs.emplace_back();
      if (!gradients_.contains(version)) continue;
      outputs.back() = finish(version);
      any = true;
    }
    if (!any) return;
    std::vector<bool> overwritten;
    for (size_t k = 0; k < def.inputs.size(); ++k)
      overwritten.push_back(input_versions_[i][k] != last_.at(def.inputs[k]));
    GradientDefs made = gradient_defs(registry_, def, outputs, std::move(overwritten));
    for (const OperatorDef& each : made.operators) {
      require_forward_blobs(i, each, made.shared);
      names_.insert(each.outputs.begin(), each.outputs.end());
    }
    const size_t begin = made_.size();
    std::move(made.operators.begin(), made.operators.end(), std::back_inserter(made_));
    std::set<std::string_view> counted;
    for (size_t k = 0; k < def.inputs.size(); ++k) {
      if (!made.inputs[k] || !counted.insert(def.inputs[k]).second) continue;
      names_.insert(*made.inputs[k]);
      gradients_[{def.inputs[k], input_versions_[i][k]}].parts.push_back(
          {.name = *made.inputs[k], .begin = begin, .end = made_.size()});
    }
  }

  /// What the gradient of operator i reads of the forward pass must still be there when it runs.
  void require_forward_blobs(size_t i, const OperatorDef& gradient,
                             const std::vector<std::string>& shared) const {
    const OperatorDef& def = net_.operators()[i];
    for (const std::string& name : gradient.inputs) {
      const auto input = std::find(def.inputs.begin(), def.inputs.end(), name);
      const auto output = std::find(def.outputs.begin(), def.outputs.end(), name);
      const bool reads = input != def.inputs.end();
      const bool writes = output != def.outputs.end();
      const bool is_shared = std::find(shared.begin(), shared.end(), name) != shared.end();
      if ((!reads && !writes) || is_shared) continue;
      require_argument(!(reads && writes), "Net ", net_.name(), ": operator ", i, " (", def.type,
                       ") overwrites its input ", name, ", which its gradient needs");
      const int needed =
          reads ? input_versions_[i][static_cast<size_t>(input - def.inputs.begin())]
                : output_versions_[i][static_cast<size_t>(output - def.outputs.begin())];
      require_argument(needed == last_.at(name), "Net ", net_.name(), ": the gradient of operator ",
                       i, " (", def.type, ") needs ", name, ", which a later operator overwrites");
    }
  }

  /// The one name of a gradient: where it has several parts, they are told apart and summed.
  std::string finish(const Version& version) {
    std::vector<Parts::Part>& parts = gradients_[version].parts;
    if (parts.size() == 1) return parts.front().name;
    const std::string base = version.name + "_grad";
    std::vector<std::string> names;
    bool given = false;
    for (Parts::Part& part : parts) {
      if (!is_written(part)) {
        given = given || part.name == base;
        names.push_back(part.name);
        continue;
      }
      const std::string name = unused(base + "_autosplit_");
      rename(part, name);
      names.push_back(name);
    }
    // A gradient that the caller feeds keeps what was fed.
    std::string whole = given ? unused(base + "_sum_") : base;
    names_.insert(whole);
    made_.push_back(sum_of(std::move(names), whole, DeviceKind::kCpu));
    parts = {{.name = whole, .begin = made_.size() - 1, .end = made_.size()}};
    return whole;
  }

  /// Whether the part has operators of its own; else it is a gradient that was given, or passed through.
  bool is_written(const Parts::Part& part) const {
    return std::any_of(
        made_.begin() + static_cast<std::ptrdiff_t>(part.begin),
        made_.begin() + static_cast<std::ptrdiff_t>(part.end), [&](const OperatorDef& def) {
          return std::find(def.outputs.begin(), def.outputs.end(), part.name) != def.outputs.end();
        });
  }

  std::string unused(const std::string& stem) {
    for (int i = 0;; ++i) {
      std::string name = stem + std::to_string(i);
      if (names_.insert(name).second) return name;
    }
  }

  /// Where a part's operators write its name, and read what they wrote.
  void rename(Parts::Part& part, const std::string& name) {
    bool written = false;
    for (size_t i = part.begin; i < part.end; ++i) {
      if (written) std::replace(made_[i].inputs.begin(), made_[i].inputs.end(), part.name, name);
      for (std::string& output : made_[i].outputs) {
        if (output != part.name) continue;
        output = name;
        written = true;
      }
    }
    part.name = name;
  }

  const Net& net_;
  const Registry& registry_;
  std::map<std::string, int> last_;
  std::set<std::string> names_;
  std::vector<std::vector<int>> input_versions_;
  std::vector<std::vector<int>> output_versions_;
  std::map<Version, Parts> gradients_;
  std::vector<OperatorDef> made_;
};

}  // namespace

std::map<std::string, std::string> Net::add_gradients(
    const std::map<std::string, std::string>& outputs, const Registry& registry) {
  ReverseWalk walk(*this, registry);
  std::map<std::string, std::string> gradients = walk.walk(outputs);
  std::vector<OperatorDef> all = operators();
  std::move(walk.operators().begin(), walk.operators().end(), std::back_inserter(all));
  *this = Net(name(), std::move(all),
              state_->outputs_given ? external_outputs() : std::vector<std::string>{});
  return gradients;
}

std::map<std::string, std::string> Net::add_gradients(
    const std::map<std::string, std::string>& outputs) {
  return add_gradients(outputs, *builtin_registry());
}

}  // namespace sylvite
