#include "sylvite/name_scope.h"

#include "runtime/error.h"

namespace sylvite {

using internal::require_argument;

namespace {

void require_parts(std::string_view name) {
  const bool whole = !name.empty() && name.front() != '/' && name.back() != '/' &&
                     name.find("//") == std::string_view::npos;
  require_argument(whole, "NameScope: the name \"", name,
                   "\" has an empty part, want parts with one / between them");
}

}  // namespace

NameScope::NameScope(std::string_view name) : name_(name) { require_parts(name); }

NameScope NameScope::scope(std::string_view name) const {
  require_parts(name);
  NameScope inner;
  inner.name_ = name_.empty() ? std::string(name) : name_ + '/' + std::string(name);
  return inner;
}

std::string NameScope::operator()(std::string_view blob) const {
  const bool from_root = blob.starts_with('/');
  const std::string_view name = from_root ? blob.substr(1) : blob;
  require_parts(name);
  return from_root || name_.empty() ? std::string(name) : name_ + '/' + std::string(name);
}

OperatorDef NameScope::operator()(OperatorDef def) const {
  for (std::string& input : def.inputs) input = (*this)(input);
  for (std::string& output : def.outputs) output = (*this)(output);
  return def;
}

Net NameScope::operator()(const Net& net) const {
  std::vector<OperatorDef> operators;
  operators.reserve(net.operators().size());
  for (const OperatorDef& def : net.operators()) operators.push_back((*this)(def));
  std::vector<std::string> outputs;
  for (const std::string& output : net.external_outputs()) outputs.push_back((*this)(output));
  return Net((*this)(net.name()), std::move(operators), std::move(outputs));
}

std::string NameScope::unused(const Workspace& workspace, std::string_view blob) const {
  const std::string stem = (*this)(blob);
  std::string name = stem;
  for (int64_t i = 1; workspace.has(name); ++i) name = stem + '_' + std::to_string(i);
  return name;
}

}  // namespace sylvite
