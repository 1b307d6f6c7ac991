// NumPy arrays as tensors, and tensors as NumPy arrays.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sylvite/tensor.h"

namespace nb = nanobind;  // NOLINT(misc-unused-alias-decls)

namespace sylvite::python {

/// Loads NumPy's C interface and ml_dtypes' bfloat16. Throws what importing them throws.
void import_numpy();

/// What a message names: a function, one of its arguments, and which entry of a list, from 1.
struct Place {
  const char* function;
  const char* argument;
  size_t entry = 0;
};
/// "merge_dense: data", "stack: x_2".
std::string to_string(const Place& place);

/// An argument as a tensor, and the NumPy array whose memory it is: the argument itself, or one over its
/// memory (buffers, DLPack), or a copy where byte strides are no multiple of the element.
struct Input {
  nb::object array;
  Tensor tensor;
};
Input input(nb::handle value, const Place& place);

/// The tensor alone. It borrows from `value`, which must outlive it, and owns whatever was made on the
/// way.
Tensor tensor(nb::handle value, const Place& place);
/// One tensor per entry of a sequence; `sequence` becomes a tuple that keeps the entries.
std::vector<Tensor> tensors(nb::object& sequence, const Place& place);

/// A new array that owns the tensor's memory through a capsule; strings as an object array of bytes.
nb::object to_array(Tensor tensor, bool read_only = false);
/// The same where `y` is memory of its own; where it is x's, a view of x's array.
nb::object to_view(const Input& x, Tensor y, bool read_only = false);

/// A tensor that takes the array over, where nobody else has it or its memory; nothing elsewhere.
std::optional<Tensor> adopt(nb::object& value);

DType dtype_from(nb::handle value, const Place& place);

/// What the caller gave as out=: one array, or a sequence of them.
class Outputs {
 public:
  /// Throws nb::type_error where `out` is no array; Error where arrays are given that nothing can be
  /// written to.
  Outputs(nb::handle out, bool several, const char* function);

  /// Whether operators write into all of them themselves. Object arrays of strings, and arrays whose
  /// byte strides are no multiple of the element, take copies of results made elsewhere.
  bool direct() const noexcept { return direct_; }
  std::span<Tensor> tensors() noexcept { return tensors_; }
  /// Copies. Throws kInvalidArgument, before anything is written, where number, dtype or shape differ.
  void store(std::span<const Tensor> results);

 private:
  void add(nb::handle out, const Place& place);

  const char* function_;
  std::vector<nb::object> arrays_;
  std::vector<Tensor> tensors_;
  bool direct_ = true;
};

}  // namespace sylvite::python
