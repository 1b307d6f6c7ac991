#include "sylvite/net.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "runtime/error.h"
#include "runtime/net_state.h"

namespace sylvite {

using internal::require_argument;

namespace {

/// What the net reads before it writes it, and what it writes and does not read afterwards.
void find_external_blobs(Net::State& net) {
  net.external_inputs.clear();
  std::set<std::string_view> known;
  std::vector<std::string_view> unread;
  for (const OperatorDef& def : net.operators) {
    for (const std::string& input : def.inputs) {
      if (known.insert(input).second) net.external_inputs.push_back(input);
      std::erase(unread, input);
    }
    for (const std::string& output : def.outputs) {
      known.insert(output);
      if (std::find(unread.begin(), unread.end(), output) == unread.end())
        unread.emplace_back(output);
    }
  }
  if (net.outputs_given) {
    for (const std::string& output : net.external_outputs) {
      require_argument(known.contains(output), "Net ", net.name, ": external output ", output,
                       ", a blob that none of its operators knows");
    }
  } else {
    net.external_outputs.assign(unread.begin(), unread.end());
  }
}

/// An operator that a net takes; counts the nets within.
void check_operator(Net::State& net, const OperatorDef& def, size_t at) {
  require_argument(!def.type.empty(), "Net ", net.name, ": operator ", at,
                   " has no type, want an operator's name");
  for (const Argument& argument : def.arguments) {
    const auto* inner = std::get_if<std::shared_ptr<const Net>>(&argument.value);
    if (inner == nullptr || *inner == nullptr) continue;
    net.depth = std::max(net.depth, (*inner)->state()->depth + 1);
    require_argument(net.depth <= internal::kMaxNetDepth, "Net ", net.name, ": operator ", at, ", ",
                     def.type, ": nets nest ", net.depth, " deep with argument ", argument.name,
                     ", want at most ", internal::kMaxNetDepth);
  }
}

}  // namespace

Net::Net(std::string name, std::vector<OperatorDef> operators,
         std::vector<std::string> external_outputs) {
  auto state = std::make_shared<State>();
  state->outputs_given = !external_outputs.empty();
  state->name = std::move(name);
  state->operators = std::move(operators);
  state->external_outputs = std::move(external_outputs);
  for (size_t i = 0; i < state->operators.size(); ++i)
    check_operator(*state, state->operators[i], i);
  find_external_blobs(*state);
  state_ = std::move(state);
}

const std::string& Net::name() const noexcept { return state_->name; }
const std::vector<OperatorDef>& Net::operators() const noexcept { return state_->operators; }
const std::vector<std::string>& Net::external_inputs() const noexcept {
  return state_->external_inputs;
}
const std::vector<std::string>& Net::external_outputs() const noexcept {
  return state_->external_outputs;
}

void Net::append(OperatorDef def) {
  auto state = std::make_shared<State>(*state_);
  check_operator(*state, def, state->operators.size());
  state->operators.push_back(std::move(def));
  find_external_blobs(*state);
  state_ = std::move(state);
}

std::string Net::to_dot() const { return internal::net_as_dot(*this, internal::dot_quoted, {}); }

namespace internal {

std::string dot_quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
      continue;
    }
    result += c;
  }
  return result + '"';
}

std::string net_as_dot(const Net& net,
                       const std::function<std::string(std::string_view blob)>& label_of,
                       const std::string& more) {
  std::ostringstream dot;
  dot << "digraph " << dot_quoted(net.name()) << " {\n  rankdir=TB;\n";
  std::set<std::string_view> blobs;
  for (const OperatorDef& def : net.operators()) {
    blobs.insert(def.inputs.begin(), def.inputs.end());
    blobs.insert(def.outputs.begin(), def.outputs.end());
  }
  const auto node_of = [](std::string_view blob) {
    return dot_quoted("blob " + std::string(blob));
  };
  for (const std::string_view blob : blobs)
    dot << "  " << node_of(blob) << " [label=" << label_of(blob) << "];\n";
  for (size_t i = 0; i < net.operators().size(); ++i) {
    const OperatorDef& def = net.operators()[i];
    const std::string node = dot_quoted("op " + std::to_string(i));
    dot << "  " << node << " [shape=box, label=" << dot_quoted(def.type) << "];\n";
    for (const std::string& input : def.inputs)
      dot << "  " << node_of(input) << " -> " << node << ";\n";
    for (const std::string& output : def.outputs)
      dot << "  " << node << " -> " << node_of(output) << ";\n";
  }
  dot << more << "}\n";
  return dot.str();
}

}  // namespace internal
}  // namespace sylvite
