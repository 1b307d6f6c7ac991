// Arguments by name, read once into an operator's struct.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sylvite/operator.h"
#include "sylvite/space_batch.h"

namespace sylvite::internal {

class Arguments {
 public:
  /// Throws kInvalidArgument for a name not in `known` and for one given twice.
  Arguments(std::string_view op, std::span<const Argument> arguments,
            std::span<const ArgumentSchema> known);
  Arguments(std::string_view op, std::span<const Argument> arguments,
            std::initializer_list<std::string_view> known);

  bool is_integer(std::string_view name) const noexcept;
  bool is_text(std::string_view name) const noexcept;
  bool has(std::string_view name) const noexcept { return find(name) != nullptr; }
  /// Each throws kInvalidArgument where the argument is of another type.
  int64_t integer(std::string_view name, int64_t otherwise) const;
  double number(std::string_view name, double otherwise) const;
  std::string_view text(std::string_view name, std::string_view otherwise) const;
  std::vector<int64_t> integers(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  /// Caffe2's pad_t, pad_b and pad_l, pad_r, each by default what `pad` is, and that 0: rows, columns.
  PerAxis<Sides> pads() const;
  /// Throws kInvalidArgument where it is absent, too.
  std::shared_ptr<const Net> net(std::string_view name) const;
  /// Throws kInvalidArgument where the argument is absent.
  void require(std::string_view name) const;

  std::string_view op() const noexcept { return op_; }

 private:
  template <typename Names>
  void check(const Names& known) const;
  const Argument* find(std::string_view name) const noexcept;

  std::string_view op_;
  std::span<const Argument> arguments_;
};

}  // namespace sylvite::internal
