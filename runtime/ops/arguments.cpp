#include "runtime/ops/arguments.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "runtime/error.h"

namespace sylvite::internal {
namespace {

std::string_view kind_of(const Argument& argument) noexcept {
  constexpr std::array<std::string_view, 4> kKinds = {"an integer", "a number", "a text",
                                                      "a list of integers"};
  return kKinds[argument.value.index()];
}

[[noreturn]] void fail_kind(std::string_view op, const Argument& argument,
                            std::string_view wanted) {
  fail(ErrorCode::kInvalidArgument, op, ": argument ", argument.name, " is ", kind_of(argument),
       ", want ", wanted);
}

}  // namespace

Arguments::Arguments(std::string_view op, std::span<const Argument> arguments,
                     std::initializer_list<std::string_view> known)
    : op_(op), arguments_(arguments) {
  for (auto it = arguments.begin(); it != arguments.end(); ++it) {
    if (std::find(known.begin(), known.end(), it->name) == known.end()) {
      std::ostringstream names;
      for (const std::string_view name : known) names << ' ' << name;
      fail(ErrorCode::kInvalidArgument, op, ": unknown argument ", it->name,
           ", want one of:", names.str());
    }
    const bool twice =
        std::any_of(arguments.begin(), it, [&](const Argument& a) { return a.name == it->name; });
    require_argument(!twice, op, ": argument ", it->name, " is given twice, want it once");
  }
}

const Argument* Arguments::find(std::string_view name) const noexcept {
  const auto it = std::find_if(arguments_.begin(), arguments_.end(),
                               [&](const Argument& a) { return a.name == name; });
  return it == arguments_.end() ? nullptr : &*it;
}

int64_t Arguments::integer(std::string_view name, int64_t otherwise) const {
  const Argument* argument = find(name);
  if (!argument) return otherwise;
  if (const auto* value = std::get_if<int64_t>(&argument->value)) return *value;
  fail_kind(op_, *argument, "an integer");
}

double Arguments::number(std::string_view name, double otherwise) const {
  const Argument* argument = find(name);
  if (!argument) return otherwise;
  if (const auto* value = std::get_if<double>(&argument->value)) return *value;
  if (const auto* value = std::get_if<int64_t>(&argument->value))
    return static_cast<double>(*value);
  fail_kind(op_, *argument, "a number");
}

std::string_view Arguments::text(std::string_view name, std::string_view otherwise) const {
  const Argument* argument = find(name);
  if (!argument) return otherwise;
  if (const auto* value = std::get_if<std::string>(&argument->value)) return *value;
  fail_kind(op_, *argument, "a text");
}

std::vector<int64_t> Arguments::integers(std::string_view name) const {
  const Argument* argument = find(name);
  if (!argument) return {};
  if (const auto* value = std::get_if<std::vector<int64_t>>(&argument->value)) return *value;
  fail_kind(op_, *argument, "a list of integers");
}

}  // namespace sylvite::internal
