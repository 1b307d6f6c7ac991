// What every C function must refuse of every argument it has.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "support/c_tensors.h"

namespace sylvite::test {

/// This status, and each fragment stands in the last error.
inline testing::AssertionResult refused(sylvite_status got, sylvite_status want,
                                        std::initializer_list<std::string_view> fragments) {
  const std::string_view text = sylvite_last_error();
  if (got != want) {
    return testing::AssertionFailure() << sylvite_status_text(got) << ", want "
                                       << sylvite_status_text(want) << "; last error: " << text;
  }
  for (const std::string_view fragment : fragments) {
    if (text.find(fragment) == std::string_view::npos) {
      return testing::AssertionFailure() << "no \"" << fragment << "\" in: " << text;
    }
  }
  return testing::AssertionSuccess();
}

template <typename T>
concept Versioned = requires(T value) {
  value.struct_size;
};
template <typename T>
concept Reserved = requires(T value) {
  value.reserved;
};
/// Features are structs of tensors and nothing else.
template <typename T>
concept HoldsTensors = requires(T value) {
  value.values.dtype;
}
|| requires(T value) { value.values_values.dtype; };

/// A function, and arguments that it takes. Each argument is then broken in every way its type has.
template <typename... Params>
class Refusals {
 public:
  using Function = sylvite_status (*)(Params...);
  using Arguments = std::tuple<Params...>;

  Refusals(const char* name, Function function, Arguments good, std::vector<Tensor> memory)
      : name_(name), function_(function), good_(std::move(good)), memory_(std::move(memory)) {}

  /// may_be_null: positions of pointers that are optional; no_memory: whether tensors need none.
  void check(std::vector<size_t> may_be_null = {}, bool no_memory = false) {
    SCOPED_TRACE(name_);
    may_be_null_ = std::move(may_be_null);
    no_memory_ = no_memory;
    EXPECT_TRUE(is_ok(std::apply(function_, good_)));
    [this]<size_t... I>(std::index_sequence<I...>) { (break_argument<I>(), ...); }
    (std::index_sequence_for<Params...>());
    EXPECT_TRUE(is_ok(std::apply(function_, good_))) << "all is whole again";
  }

 private:
  template <size_t I>
  void break_argument() {
    using Param = std::tuple_element_t<I, Arguments>;
    if constexpr (std::is_pointer_v<Param>) {
      using T = std::remove_const_t<std::remove_pointer_t<Param>>;
      if (std::get<I>(good_) == nullptr) return;
      if (std::find(may_be_null_.begin(), may_be_null_.end(), I) == may_be_null_.end()) {
        Arguments bad = good_;
        std::get<I>(bad) = nullptr;
        expect_refused("NULL", bad);
      }
      if constexpr (std::is_same_v<T, sylvite_tensor> || HoldsTensors<T>) {
        auto* tensors = const_cast<sylvite_tensor*>(
            reinterpret_cast<const sylvite_tensor*>(std::get<I>(good_)));
        constexpr size_t kCount =
            sizeof(T) / sizeof(sylvite_tensor);  // NOLINT(bugprone-sizeof-expression)
        for (size_t i = 0; i < kCount; ++i) break_tensor(tensors[i]);
      }
      if constexpr (Versioned<T>) {
        auto& value = const_cast<T&>(*std::get<I>(good_));
        expect_refused("struct_size is 0", value.struct_size, 0U);
        expect_refused("struct_size", value.struct_size, uint32_t{sizeof(T)} - 1);
        if constexpr (Reserved<T>) expect_refused("reserved is 1", value.reserved, 1);
      }
    }
  }

  void break_tensor(sylvite_tensor& tensor) {
    expect_refused("rank is -1", tensor.rank, -1);
    expect_refused("rank is 33", tensor.rank, 33);
    expect_refused("dtype is 0", tensor.dtype, 0);
    expect_refused("dtype is 15", tensor.dtype, 15);
    expect_refused("dtype is -7", tensor.dtype, -7);
    expect_refused("device.kind is 3", tensor.device.kind, 3);
    const std::vector<int64_t> negative(SYLVITE_MAX_RANK, -4);
    if (tensor.rank > 0) {
      expect_refused("shape is NULL", tensor.shape, static_cast<const int64_t*>(nullptr));
      expect_refused("-4", tensor.shape, negative.data());
      // Bytes that leave int64, where an axis has more than one element.
      const std::vector<int64_t> far(SYLVITE_MAX_RANK, std::numeric_limits<int64_t>::max());
      if (std::any_of(tensor.shape, tensor.shape + tensor.rank, [](int64_t n) { return n > 1; })) {
        expect_refused("int64", tensor.strides, far.data());
      }
    }
    if (!no_memory_) expect_refused("data is NULL", tensor.data, static_cast<void*>(nullptr));
  }

  template <typename T>
  void expect_refused(std::string_view fragment, T& field, T bad) {
    const T before = std::exchange(field, bad);
    expect_refused(fragment, good_);
    field = before;
  }

  void expect_refused(std::string_view fragment, const Arguments& arguments) {
    const std::string before = bytes();
    EXPECT_TRUE(refused(std::apply(function_, arguments), SYLVITE_INVALID_ARGUMENT,
                        {std::string(name_) + ": ", fragment}));
    EXPECT_EQ(bytes(), before) << "something was written";
  }

  std::string bytes() const {
    std::string all;
    for (const Tensor& tensor : memory_) all += contents(tensor);
    return all;
  }

  const char* name_;
  Function function_;
  Arguments good_;
  std::vector<Tensor> memory_;
  std::vector<size_t> may_be_null_;
  bool no_memory_ = false;
};

template <typename... Params, typename... Given>
Refusals<Params...> refusals(const char* name, sylvite_status (*function)(Params...),
                             std::vector<Tensor> memory, Given... given) {
  return {name, function, std::tuple<Params...>(given...), std::move(memory)};
}

}  // namespace sylvite::test
