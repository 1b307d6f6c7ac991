#include "python/values.h"

#include <string_view>

#include "python/error.h"

namespace sylvite::python {
namespace {

/// Calls each(entry) for every entry of a list, a tuple or another sequence.
template <typename Each>
void for_each(nb::handle value, const Place& place, const char* want, Each&& each) {
  PyObject* const found = PyUnicode_Check(value.ptr()) || PyBytes_Check(value.ptr())
                              ? nullptr
                              : PySequence_Tuple(value.ptr());
  if (found == nullptr) {
    PyErr_Clear();
    raise_type(to_string(place), " is ", kind_of(value), ", want ", want);
  }
  const nb::object entries = nb::steal(found);
  const Py_ssize_t count = PyTuple_Size(found);
  for (Py_ssize_t i = 0; i < count; ++i) each(nb::handle(PyTuple_GetItem(found, i)));
}

/// An int, or one of NumPy's, which have an index and no length.
bool is_one_integer(nb::handle value) {
  if (PyLong_Check(value.ptr())) return true;
  return PyIndex_Check(value.ptr()) != 0 && PySequence_Check(value.ptr()) == 0;
}

}  // namespace

int64_t integer(nb::handle value, const Place& place) {
  PyObject* const found = PyNumber_Index(value.ptr());
  if (found == nullptr) {
    PyErr_Clear();
    raise_type(to_string(place), " is ", kind_of(value), ", want an integer");
  }
  const nb::object index = nb::steal(found);
  int overflow = 0;
  const int64_t number = PyLong_AsLongLongAndOverflow(found, &overflow);
  if (overflow != 0) {
    fail(ErrorCode::kInvalidArgument, to_string(place), " is ", nb::str(index).c_str(),
         ", want an int64");
  }
  return number;
}

std::vector<int64_t> integers(nb::handle value, const Place& place) {
  if (is_one_integer(value)) return {integer(value, place)};
  std::vector<int64_t> numbers;
  for_each(value, place, "a sequence of integers",
           [&](nb::handle entry) { numbers.push_back(integer(entry, place)); });
  return numbers;
}

Shape shape_from(nb::handle value, const Place& place) {
  Shape shape;
  if (is_one_integer(value)) {
    shape.push_back(integer(value, place));
    return shape;
  }
  for_each(value, place, "a sequence of integers",
           [&](nb::handle entry) { shape.push_back(integer(entry, place)); });
  return shape;
}

PerAxis<int64_t> per_axis(nb::handle value, const Place& place) {
  PerAxis<int64_t> numbers;
  for_each(value, place, "a sequence of integers, one per spatial axis",
           [&](nb::handle entry) { numbers.push_back(integer(entry, place)); });
  return numbers;
}

PerAxis<Sides> sides(nb::handle value, const Place& place) {
  PerAxis<Sides> all;
  if (value.is_none()) return all;
  constexpr const char* kWant = "a sequence of (before, after), one per spatial axis";
  for_each(value, place, kWant, [&](nb::handle entry) {
    Sides pair;
    int count = 0;
    for_each(entry, place, kWant, [&](nb::handle side) {
      (count == 0 ? pair.before : pair.after) = integer(side, place);
      ++count;
    });
    if (count != 2) {
      fail(ErrorCode::kInvalidArgument, to_string(place), " has an entry of ", count,
           " numbers, want 2: before and after");
    }
    all.push_back(pair);
  });
  return all;
}

Layout layout_from(nb::handle value, const Place& place) {
  if (!PyUnicode_Check(value.ptr()))
    raise_type(to_string(place), " is ", kind_of(value), ", want \"NCHW\" or \"NHWC\"");
  const std::string_view text = nb::borrow<nb::str>(value).c_str();
  if (text == "NCHW") return Layout::kNchw;
  if (text == "NHWC") return Layout::kNhwc;
  fail(ErrorCode::kInvalidArgument, to_string(place), " is \"", text,
       R"(", want "NCHW" or "NHWC")");
}

}  // namespace sylvite::python
