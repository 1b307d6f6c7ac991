// What the C functions are made of: each is one guarded() call of a C++ function on converted arguments.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/error.h"
#include "sylvite/context.h"
#include "sylvite/sylvite_c.h"

namespace sylvite::internal::c_api {

/// Where in a call's arguments something stands: "x", "x[3]", "features[2].lengths".
struct Place {
  // NOLINTNEXTLINE(google-explicit-constructor): input(x, "x")
  Place(const char* argument, int64_t index = -1, const char* field = nullptr) noexcept
      : argument(argument), index(index), field(field) {}

  const char* argument;
  int64_t index;
  const char* field;
};
std::ostream& operator<<(std::ostream& text, const Place& place);

/// An error in how C called: its message begins with the argument, and guarded() puts the function in
/// front.
class CallError : public Error {
 public:
  using Error::Error;
};

template <typename... Parts>
void require_call(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]] {
    throw CallError(ErrorCode::kInvalidArgument, joined(parts...));
  }
}

/// Notes the exception that is being handled as the thread's last error.
sylvite_status report(const char* function) noexcept;

/// The boundary that no exception crosses.
template <typename Call>
sylvite_status guarded(const char* function, const Call& call) noexcept {
  try {
    call();
    return SYLVITE_OK;
  } catch (...) {
    return report(function);
  }
}

template <typename T>
T& required(T* pointer, const Place& place) {
  require_call(pointer != nullptr, place, " is NULL, want its address");
  return *pointer;
}

/// The place of a handle that a call makes, NULL until it is made.
template <typename T>
T*& handle(T** place, const char* argument) {
  required(place, argument) = nullptr;
  return *place;
}

/// Makes it once its place is known to be one.
template <typename T, typename Make>
void make(T** place, const char* argument, const Make& new_handle) {
  T*& made = handle(place, argument);
  made = new_handle();
}

/// `count` elements.
template <typename T>
std::span<T> array(T* values, int64_t count, const char* argument) {
  require_call(count >= 0, argument, ": count is ", count, ", want at least 0");
  require_call(values != nullptr || count == 0, argument, " is NULL, want ", count, " of them");
  return {values, static_cast<size_t>(count)};
}

/// The size of a struct as its caller knows it. Those so far are of their first versions.
template <typename T>
void check_version(const T& value, const char* argument) {
  const size_t size = value.struct_size;
  require_call(size >= sizeof(T), argument, ".struct_size is ", size, ", want ", sizeof(T));
}

/// A copy of a struct that may come from a caller of another version.
template <typename T>
T versioned(const T* pointer, const char* argument) {
  const T& value = required(pointer, argument);
  check_version(value, argument);
  const auto* bytes = reinterpret_cast<const char*>(&value);
  for (size_t i = sizeof(T); i < value.struct_size; ++i) {
    require_call(bytes[i] == 0, argument, ".struct_size is ", value.struct_size, ", want ",
                 sizeof(T), ", or 0 in what is behind");
  }
  return value;
}

/// dtype, shape, strides and device, checked; no memory is wanted.
TensorInfo info_of(const sylvite_tensor* tensor, const Place& place);
/// The caller's memory, read-only; writable.
Tensor input(const sylvite_tensor* tensor, const Place& place);
Tensor output(const sylvite_tensor* tensor, const Place& place);
std::vector<TensorInfo> infos_of(const sylvite_tensor* tensors, int64_t count,
                                 const char* argument);
std::vector<Tensor> inputs(const sylvite_tensor* tensors, int64_t count, const char* argument);
std::vector<Tensor> outputs(const sylvite_tensor* tensors, int64_t count, const char* argument);

Shape shape_of(const int64_t* extents, int32_t rank, const char* argument);
void give(const Shape& shape, sylvite_shape& to) noexcept;
Device device_of(sylvite_device device, const Place& place);
sylvite_device c_device(Device device) noexcept;
sylvite_dtype c_dtype(DType dtype) noexcept;

/// A call that writes one tensor: `call(y)`, in the order in which C names its arguments.
template <typename Call>
sylvite_status writes(const char* function, const sylvite_tensor* y, const char* argument,
                      const Call& call) noexcept {
  return guarded(function, [&] {
    Tensor out = output(y, argument);
    call(out);
  });
}

/// A call that tells the shape of y.
template <typename Call>
sylvite_status tells(const char* function, sylvite_shape* y_shape, const Call& call) noexcept {
  return guarded(function, [&] {
    sylvite_shape& to = required(y_shape, "y_shape");
    give(call(), to);
  });
}

/// What a context handle points to, and what workspaces made with it keep.
struct ContextState {
  ThreadPool pool = {};
  Allocator allocator = {};
  std::optional<Tensor> merge_status = std::nullopt;
  Context context = {};
};

Context context_of(const sylvite_context* context);

std::string text_of(const char* text, const Place& place);
std::vector<std::string> texts_of(const char* const* texts, int64_t count, const char* argument);
/// A new list.
template <typename Texts>
sylvite_texts* new_texts(const Texts& texts);

}  // namespace sylvite::internal::c_api

// NOLINTBEGIN(readability-identifier-naming): C's names
struct sylvite_context {
  std::shared_ptr<const sylvite::internal::c_api::ContextState> state;
};

struct sylvite_texts {
  std::vector<std::optional<std::string>> texts;
};
// NOLINTEND(readability-identifier-naming)

template <typename Texts>
sylvite_texts* sylvite::internal::c_api::new_texts(const Texts& texts) {
  auto list = std::make_unique<sylvite_texts>();
  for (const auto& text : texts) list->texts.emplace_back(text);
  return list.release();
}
