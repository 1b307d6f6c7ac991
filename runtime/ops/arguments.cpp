#include "runtime/ops/arguments.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "runtime/error.h"

namespace sylvite::internal {
namespace {

std::string_view kind_of(const Argument& argument) noexcept {
  constexpr std::array<std::string_view, std::variant_size_v<ArgumentValue>> kKinds = {
      "an integer",        "a number",        "a text", "a list of integers",
      "a list of numbers", "a list of texts", "a net"};
  return kKinds[argument.value.index()];
}

[[noreturn]] void fail_kind(std::string_view op, const Argument& argument,
                            std::string_view wanted) {
  fail(ErrorCode::kInvalidArgument, op, ": argument ", argument.name, " is ", kind_of(argument),
       ", want ", wanted);
}

std::string_view name_of(std::string_view name) noexcept { return name; }
std::string_view name_of(const ArgumentSchema& argument) noexcept { return argument.name; }

}  // namespace

template <typename Names>
void Arguments::check(const Names& known) const {
  for (auto it = arguments_.begin(); it != arguments_.end(); ++it) {
    if (std::none_of(known.begin(), known.end(),
                     [&](const auto& each) { return name_of(each) == it->name; })) {
      std::ostringstream names;
      for (const auto& each : known) names << ' ' << name_of(each);
      fail(ErrorCode::kInvalidArgument, op_, ": unknown argument ", it->name,
           known.size() == 0 ? ", want none" : ", want one of:", names.str());
    }
    const bool twice =
        std::any_of(arguments_.begin(), it, [&](const Argument& a) { return a.name == it->name; });
    require_argument(!twice, op_, ": argument ", it->name, " is given twice, want it once");
  }
}

Arguments::Arguments(std::string_view op, std::span<const Argument> arguments,
                     std::span<const ArgumentSchema> known)
    : op_(op), arguments_(arguments) {
  check(known);
}

Arguments::Arguments(std::string_view op, std::span<const Argument> arguments,
                     std::initializer_list<std::string_view> known)
    : op_(op), arguments_(arguments) {
  check(known);
}

void Arguments::require(std::string_view name) const {
  require_argument(has(name), op_, ": argument ", name, " is missing");
}

const Argument* Arguments::find(std::string_view name) const noexcept {
  const auto it = std::find_if(arguments_.begin(), arguments_.end(),
                               [&](const Argument& a) { return a.name == name; });
  return it == arguments_.end() ? nullptr : &*it;
}

bool Arguments::is_integer(std::string_view name) const noexcept {
  const Argument* argument = find(name);
  return argument != nullptr && std::holds_alternative<int64_t>(argument->value);
}

bool Arguments::is_text(std::string_view name) const noexcept {
  const Argument* argument = find(name);
  return argument != nullptr && std::holds_alternative<std::string>(argument->value);
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

std::vector<std::string> Arguments::texts(std::string_view name) const {
  const Argument* argument = find(name);
  if (!argument) return {};
  if (const auto* value = std::get_if<std::vector<std::string>>(&argument->value)) return *value;
  fail_kind(op_, *argument, "a list of texts");
}

PerAxis<Sides> Arguments::pads() const {
  const int64_t pad = integer("pad", 0);
  return {{integer("pad_t", pad), integer("pad_b", pad)},
          {integer("pad_l", pad), integer("pad_r", pad)}};
}

std::shared_ptr<const Net> Arguments::net(std::string_view name) const {
  require(name);
  const Argument* argument = find(name);
  const auto* value = std::get_if<std::shared_ptr<const Net>>(&argument->value);
  if (value && *value) return *value;
  fail_kind(op_, *argument, "a net");
}

}  // namespace sylvite::internal
