#include "runtime/strings.h"

#include <algorithm>
#include <cstring>

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/halide_call.h"
#include "runtime/shape.h"
#include "runtime/storage.h"

namespace sylvite {

using internal::require;
using internal::require_argument;

namespace {

/// Offsets never fall and stay within the text.
void require_offsets(const int64_t* offsets, int64_t count, int64_t text_bytes) {
  int64_t before = 0;
  for (int64_t i = 0; i <= count; ++i) {
    require_argument(offsets[i] >= before && offsets[i] <= text_bytes,
                     "Tensor::wrap_strings: offset ", i, " is ", offsets[i], ", want one from ",
                     before, " to ", text_bytes);
    before = offsets[i];
  }
}

int64_t checked_string_count(const Shape& shape, int64_t text_bytes) {
  internal::require_tensor({.dtype = DType::kString, .shape = shape}, "Tensor", "shape");
  require_argument(text_bytes >= 0, "Tensor: room for ", text_bytes,
                   " bytes of text, want at least 0");
  return *internal::checked_count(shape);
}

}  // namespace

Tensor Tensor::wrap_strings(int64_t* offsets, char* text, int64_t text_bytes, const Shape& shape,
                            std::function<void()> deleter) {
  const int64_t count = checked_string_count(shape, text_bytes);
  require_argument(offsets != nullptr || count == 0,
                   "Tensor::wrap_strings: offsets is null, want the address of ", count, " + 1");
  require_argument(text != nullptr || text_bytes == 0,
                   "Tensor::wrap_strings: text is null, want the address of ", text_bytes,
                   " bytes");
  auto storage = std::make_shared<Storage>();
  storage->base = offsets;
  storage->text = text;
  storage->text_bytes = text_bytes;
  storage->deleter = std::move(deleter);
  return {std::move(storage), offsets, 0, DType::kString, shape, dense_strides(shape)};
}

Tensor Tensor::wrap_strings(const int64_t* offsets, const char* text, int64_t text_bytes,
                            const Shape& shape, std::function<void()> deleter) {
  const int64_t count = checked_string_count(shape, text_bytes);
  if (offsets != nullptr) require_offsets(offsets, count, text_bytes);
  Tensor tensor = wrap_strings(const_cast<int64_t*>(offsets), const_cast<char*>(text), text_bytes,
                               shape, std::move(deleter));
  std::const_pointer_cast<Storage>(tensor.storage_)->read_only = true;
  return tensor;
}

Tensor Tensor::empty_strings(const Shape& shape, int64_t text_bytes) {
  return empty_strings(shape, text_bytes, Context());
}

Tensor Tensor::empty_strings(const Shape& shape, int64_t text_bytes, const Context& context) {
  const int64_t count = checked_string_count(shape, text_bytes);
  const internal::Checked offsets =
      internal::checked_mul(internal::checked_add(count, 1), int64_t{sizeof(int64_t)});
  const internal::Checked bytes = internal::checked_add(offsets, text_bytes);
  require_argument(bytes.has_value(), "Tensor: strings of shape ", shape, " and ", text_bytes,
                   " bytes of text have more bytes than int64 can count");
  auto storage = std::make_shared<Storage>();
  storage->allocator = context.allocator();
  storage->base = internal::allocate(storage->allocator, *bytes);
  require(storage->base != nullptr, ErrorCode::kOutOfMemory, "Tensor: no memory for ", *bytes,
          " bytes of strings of shape ", shape);
  storage->bytes = *offsets;
  storage->allocated = *bytes;
  storage->owned = true;
  storage->text = static_cast<char*>(storage->base) + *offsets;
  storage->text_bytes = text_bytes;
  std::memset(storage->base, 0, static_cast<size_t>(*offsets));
  void* data = storage->base;
  return {std::move(storage), data, 0, DType::kString, shape, dense_strides(shape)};
}

Tensor Tensor::strings(std::span<const std::string_view> texts, const Shape& shape) {
  const int64_t count = checked_string_count(shape, 0);
  require_argument(count == static_cast<int64_t>(texts.size()), "Tensor::strings: ", texts.size(),
                   " texts, want ", count, " for shape ", shape);
  int64_t bytes = 0;
  for (const std::string_view text : texts) bytes += static_cast<int64_t>(text.size());
  Tensor tensor = empty_strings(shape, bytes);
  auto* offset = tensor.data_as<int64_t>();
  char* to = tensor.text_data();
  for (const std::string_view text : texts) {
    to = std::copy(text.begin(), text.end(), to);
    *++offset = to - tensor.text_data();
  }
  return tensor;
}

std::string_view Tensor::text(int64_t element) const noexcept {
  const int64_t* offset = data_as<int64_t>() + element;
  return {text_data() + offset[0], static_cast<size_t>(offset[1] - offset[0])};
}

char* Tensor::text_data() const noexcept { return storage_ ? storage_->text : nullptr; }
int64_t Tensor::text_capacity() const noexcept { return storage_ ? storage_->text_bytes : 0; }

namespace internal {

int64_t text_bytes_of(const Tensor& x, std::string_view op, std::string_view argument) {
  Checked bytes = 0;
  for_each_element(x.shape(), x.strides(), [&](int64_t element) {
    bytes = checked_add(bytes, static_cast<int64_t>(x.text(element).size()));
  });
  require_argument(bytes.has_value(), op, ": ", argument, " of shape ", x.shape(),
                   " has more bytes of text than int64 can count");
  return *bytes;
}

void require_text_room(const Tensor& y, int64_t text_bytes, std::string_view op,
                       std::string_view argument) {
  require_argument(y.text_capacity() >= text_bytes, op, ": ", argument, " has room for ",
                   y.text_capacity(), " bytes of text, want ", text_bytes);
}

void require_string_output(const Tensor& y, int64_t text_bytes, std::string_view op,
                           std::string_view argument) {
  require_argument(y.storage_offset() == 0 && y.strides() == dense_strides(y.shape()), op, ": ",
                   argument, " is a view of other strings, want strings of its own");
  require_text_room(y, text_bytes, op, argument);
}

Tensor new_string_output(const Shape& shape, int64_t text_bytes, const Context& context,
                         std::string_view op, std::string_view argument) {
  try {
    return Tensor::empty_strings(shape, text_bytes, context);
  } catch (const Error& error) {
    fail(error.code(), op, ": ", argument, ": ", error.what());
  }
}

void copy_strings(const Tensor& x, Tensor& y) noexcept {
  auto* offset = y.data_as<int64_t>();
  char* to = y.text_data();
  if (y.element_count() > 0) *offset = 0;
  for_each_element(x.shape(), x.strides(), [&](int64_t element) {
    const std::string_view text = x.text(element);
    to = std::copy(text.begin(), text.end(), to);
    *++offset = to - y.text_data();
  });
}

Tensor dense_strings(const Tensor& x, const Context& context, std::string_view op) {
  try {
    Tensor y = Tensor::empty_strings(x.shape(), text_bytes_of(x, op, "X"), context);
    copy_strings(x, y);
    return y;
  } catch (const Error& error) {
    fail(error.code(), op, ": ", error.what());
  }
}

}  // namespace internal
}  // namespace sylvite
