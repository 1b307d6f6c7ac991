// Memory of other frameworks, by DLPack.
#pragma once

#include <nanobind/nanobind.h>

#include "python/array.h"

namespace sylvite::python {

/// `data` is nullptr where there are no elements. Strides in elements.
struct Foreign {
  DType dtype;
  Shape shape;
  Shape strides;
  void* data;
  bool read_only;
  nb::object owner;
};

/// Throws kUnsupported: memory that is not the CPU's, a dtype that no tensor has; nb::type_error where
/// the object's __dlpack__ gives nothing to use.
Foreign from_dlpack(nb::handle value, const Place& place);

}  // namespace sylvite::python
