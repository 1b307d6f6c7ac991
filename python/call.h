// A typed function's way from Python and back: results made anew, or written into out=.
#pragma once

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "python/array.h"
#include "python/context.h"
#include "python/error.h"

namespace sylvite::python {

/// Runs something of the library with the interpreter free for other threads.
template <typename Run>
decltype(auto) without_gil(Run&& run) {
  const nb::gil_scoped_release released;
  return std::forward<Run>(run)();
}

/// A function of one result. fresh(context) returns it, into(y, context) writes it.
template <typename Fresh, typename Into>
nb::object call(const char* function, nb::handle out, Fresh&& fresh, Into&& into) {
  const Context context = current_context();
  if (out.is_none()) return to_array(without_gil([&] { return fresh(context); }));
  Outputs outputs(out, false, function);
  if (outputs.direct()) {
    without_gil([&] { into(outputs.tensors()[0], context); });
  } else {
    const Tensor result = without_gil([&] { return fresh(context); });
    outputs.store(std::span(&result, 1));
  }
  return nb::borrow(out);
}

/// A function whose result is a view of x where it can be.
template <typename Fresh, typename Into>
nb::object call_view(const char* function, const Input& x, nb::handle out, Fresh&& fresh,
                     Into&& into) {
  if (!out.is_none()) return call(function, out, fresh, into);
  const Context context = current_context();
  return to_view(x, without_gil([&] { return fresh(context); }));
}

/// A function of several results: a list of arrays.
template <typename Fresh, typename Into>
nb::object call_list(const char* function, nb::handle out, Fresh&& fresh, Into&& into) {
  const Context context = current_context();
  if (!out.is_none()) {
    Outputs outputs(out, true, function);
    if (outputs.direct()) {
      without_gil([&] { into(outputs.tensors(), context); });
    } else {
      outputs.store(without_gil([&] { return fresh(context); }));
    }
    return nb::borrow(out);
  }
  nb::list arrays;
  for (Tensor& result : without_gil([&] { return fresh(context); }))
    arrays.append(to_array(std::move(result)));
  return arrays;
}

/// A struct of tensors, field by field, in the order in which Python sees them.
template <typename Struct>
struct Field {
  const char* name;
  Tensor Struct::*member;
};

/// A function whose results are a struct's fields: a tuple of arrays.
template <typename Result, size_t kCount, typename Fresh, typename Into>
nb::object call_struct(const char* function, const std::array<Field<Result>, kCount>& fields,
                       nb::handle out, Fresh&& fresh, Into&& into) {
  const Context context = current_context();
  if (!out.is_none()) {
    Outputs outputs(out, true, function);
    if (outputs.tensors().size() != kCount) {
      fail(ErrorCode::kInvalidArgument, function, ": ", outputs.tensors().size(),
           " arrays in out, want ", kCount);
    }
    if (outputs.direct()) {
      Result result;
      for (size_t i = 0; i < kCount; ++i) result.*fields[i].member = outputs.tensors()[i];
      without_gil([&] { into(result, context); });
    } else {
      const Result result = without_gil([&] { return fresh(context); });
      std::array<Tensor, kCount> results;
      for (size_t i = 0; i < kCount; ++i) results[i] = result.*fields[i].member;
      outputs.store(results);
    }
    return nb::borrow(out);
  }
  Result result = without_gil([&] { return fresh(context); });
  nb::list arrays;
  for (const Field<Result>& field : fields)
    arrays.append(to_array(std::move(result.*field.member)));
  return nb::tuple(arrays);
}

}  // namespace sylvite::python
