#include "python/array.h"

#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <numpy/arrayobject.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "python/dlpack.h"
#include "python/error.h"

namespace sylvite::python {
namespace {

int g_bfloat16 = NPY_NOTYPE;

struct NumberType {
  int numpy;
  DType dtype;
};
constexpr std::array<NumberType, 14> kNumberTypes = {{
    {NPY_BOOL, DType::kBool},
    {NPY_BYTE, DType::kInt8},
    {NPY_UBYTE, DType::kUInt8},
    {NPY_SHORT, DType::kInt16},
    {NPY_USHORT, DType::kUInt16},
    {NPY_INT, DType::kInt32},
    {NPY_UINT, DType::kUInt32},
    {NPY_LONG, DType::kInt64},
    {NPY_ULONG, DType::kUInt64},
    {NPY_LONGLONG, DType::kInt64},
    {NPY_ULONGLONG, DType::kUInt64},
    {NPY_HALF, DType::kFloat16},
    {NPY_FLOAT, DType::kFloat32},
    {NPY_DOUBLE, DType::kFloat64},
}};

std::optional<DType> dtype_of(int numpy) noexcept {
  if (numpy == NPY_OBJECT) return DType::kString;
  if (numpy == g_bfloat16) return DType::kBFloat16;
  for (const NumberType& type : kNumberTypes)
    if (type.numpy == numpy) return type.dtype;
  return {};
}

int numpy_of(DType dtype) noexcept {
  if (dtype == DType::kString) return NPY_OBJECT;
  if (dtype == DType::kBFloat16) return g_bfloat16;
  return std::find_if(kNumberTypes.begin(), kNumberTypes.end(),
                      [&](const NumberType& type) { return type.dtype == dtype; })
      ->numpy;
}

PyArrayObject* as_array(nb::handle value) noexcept {
  return reinterpret_cast<PyArrayObject*>(value.ptr());
}

nb::object steal(PyObject* made) {
  if (made == nullptr) throw nb::python_error();
  return nb::steal(made);
}

/// Takes references on Python's side from wherever the last tensor goes.
std::function<void()> let_go(PyObject* object) {
  return [object] {
    if (const nb::detail::cleanup_guard alive{}) Py_DECREF(object);
  };
}

nb::object new_array(int type, const Shape& shape, const Shape& strides, void* data,
                     bool read_only) {
  std::array<npy_intp, kMaxRank> extents;
  std::array<npy_intp, kMaxRank> steps;
  PyArray_Descr* descr = PyArray_DescrFromType(type);
  if (descr == nullptr) throw nb::python_error();
  const auto bytes = PyDataType_ELSIZE(descr);
  for (size_t i = 0; i < static_cast<size_t>(shape.rank()); ++i) {
    extents[i] = shape[static_cast<int>(i)];
    if (data != nullptr) steps[i] = strides[static_cast<int>(i)] * bytes;
  }
  // Without memory to point at, any flag would ask for column-major memory.
  nb::object array = steal(PyArray_NewFromDescr(
      &PyArray_Type, descr, shape.rank(), extents.data(), data == nullptr ? nullptr : steps.data(),
      data, data == nullptr || read_only ? 0 : NPY_ARRAY_WRITEABLE, nullptr));
  if (read_only) PyArray_CLEARFLAGS(as_array(array), NPY_ARRAY_WRITEABLE);
  return array;
}

void set_base(const nb::object& array, nb::object base) {
  if (PyArray_SetBaseObject(as_array(array), base.release().ptr()) != 0) throw nb::python_error();
}

// --- in ------------------------------------------------------------------------------------------

DType require_dtype(PyArrayObject* array, const Place& place) {
  const std::optional<DType> dtype = dtype_of(PyArray_TYPE(array));
  const auto text = [&] {
    return std::string(
        nb::str(nb::handle(reinterpret_cast<PyObject*>(PyArray_DESCR(array)))).c_str());
  };
  if (!dtype) {
    fail(ErrorCode::kUnsupported, to_string(place), " has dtype ", text(),
         ", want bool, an integer, float16, bfloat16, float32, float64, or an object array of "
         "bytes");
  }
  if (!PyArray_ISNOTSWAPPED(array)) {
    fail(ErrorCode::kInvalidArgument, to_string(place), " has dtype ", text(),
         ", want this machine's byte order");
  }
  return *dtype;
}

Shape shape_of(PyArrayObject* array) {
  static_assert(sizeof(npy_intp) == sizeof(int64_t));
  return Shape(std::span(reinterpret_cast<const int64_t*>(PyArray_DIMS(array)),
                         static_cast<size_t>(PyArray_NDIM(array))));
}

/// In elements; nothing where an axis steps over a part of an element.
std::optional<Shape> strides_of(PyArrayObject* array) {
  const npy_intp bytes = PyArray_ITEMSIZE(array);
  if (PyArray_SIZE(array) == 0) return dense_strides(shape_of(array));  // NumPy's are zeros
  Shape strides;
  for (int i = 0; i < PyArray_NDIM(array); ++i) {
    const bool steps = PyArray_DIM(array, i) > 1;
    if (steps && PyArray_STRIDE(array, i) % bytes != 0) return {};
    strides.push_back(steps ? PyArray_STRIDE(array, i) / bytes : 1);
  }
  return strides;
}

Tensor string_tensor(nb::handle array, const Place& place) {
  const nb::object flat = steal(PyArray_Ravel(as_array(array), NPY_CORDER));
  auto* const* const items = static_cast<PyObject* const*>(PyArray_DATA(as_array(flat)));
  std::vector<std::string_view> texts(static_cast<size_t>(PyArray_SIZE(as_array(flat))));
  for (size_t i = 0; i < texts.size(); ++i) {
    if (items[i] == nullptr || !PyBytes_Check(items[i])) {
      raise_type(to_string(place), ": element ", i, " is ", kind_of(nb::handle(items[i])),
                 ", want bytes");
    }
    char* text = nullptr;
    Py_ssize_t length = 0;
    PyBytes_AsStringAndSize(items[i], &text, &length);
    texts[i] = {text, static_cast<size_t>(length)};
  }
  return Tensor::strings(texts, shape_of(as_array(array)));
}

nb::object array_over(Foreign&& memory) {
  const int type = numpy_of(memory.dtype);
  const bool empty = memory.data == nullptr;
  nb::object array = new_array(type, memory.shape, memory.strides, memory.data, memory.read_only);
  if (!empty) set_base(array, std::move(memory.owner));
  return array;
}

/// The array that an argument is, or a new one over its memory.
nb::object array_of(nb::handle value, const Place& place) {
  if (PyArray_Check(value.ptr())) return nb::borrow(value);
  if (PyArray_CheckScalar(value.ptr())) return steal(PyArray_FromScalar(value.ptr(), nullptr));
  if (nb::hasattr(value, "__dlpack__")) return array_over(from_dlpack(value, place));
  if (PyObject_CheckBuffer(value.ptr()) != 0) {
    PyObject* view = PyMemoryView_FromObject(value.ptr());
    if (view == nullptr) throw nb::python_error();
    const nb::object memory = nb::steal(view);
    return steal(PyArray_FromAny(memory.ptr(), nullptr, 0, 0, 0, nullptr));
  }
  raise_type(to_string(place), " is ", kind_of(value),
             ", want a NumPy array, or what has the buffer protocol or __dlpack__");
}

}  // namespace

void import_numpy() {
  if (_import_array() < 0) throw nb::python_error();
  const nb::object bfloat16 = nb::module_::import_("ml_dtypes").attr("bfloat16");
  PyArray_Descr* descr = nullptr;
  if (PyArray_DescrConverter(bfloat16.ptr(), &descr) == 0) throw nb::python_error();
  g_bfloat16 = descr->type_num;
  Py_DECREF(descr);
}

std::string to_string(const Place& place) {
  std::string text = std::string(place.function) + ": " + place.argument;
  return place.entry == 0 ? text : text + "_" + std::to_string(place.entry);
}

Input input(nb::handle value, const Place& place) {
  Input made{.array = array_of(value, place), .tensor = {}};
  const DType dtype = require_dtype(as_array(made.array), place);
  if (dtype == DType::kString) {
    made.tensor = string_tensor(made.array, place);
    return made;
  }
  std::optional<Shape> strides = strides_of(as_array(made.array));
  if (!strides) {
    made.array = steal(PyArray_NewCopy(as_array(made.array), NPY_CORDER));
    strides = strides_of(as_array(made.array));
  }
  PyArrayObject* const array = as_array(made.array);
  made.tensor =
      Tensor::wrap(static_cast<const void*>(PyArray_DATA(array)), dtype, shape_of(array), *strides);
  return made;
}

Tensor tensor(nb::handle value, const Place& place) {
  Input made = input(value, place);
  if (made.array.is(value) || made.tensor.dtype() == DType::kString) return std::move(made.tensor);
  const Tensor& borrowed = made.tensor;
  return Tensor::wrap(static_cast<const void*>(borrowed.data()), borrowed.dtype(), borrowed.shape(),
                      borrowed.strides(), let_go(made.array.release().ptr()));
}

std::vector<Tensor> tensors(nb::object& sequence, const Place& place) {
  if (PyArray_Check(sequence.ptr()) || PyUnicode_Check(sequence.ptr()) ||
      PyBytes_Check(sequence.ptr()) || !PySequence_Check(sequence.ptr())) {
    raise_type(to_string(place), " is ", kind_of(sequence), ", want a list of arrays");
  }
  sequence = steal(PySequence_Tuple(sequence.ptr()));
  std::vector<Tensor> made;
  const auto count = nb::len(sequence);
  made.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    made.push_back(tensor(PyTuple_GetItem(sequence.ptr(), static_cast<Py_ssize_t>(i)),
                          {place.function, place.argument, i + 1}));
  }
  return made;
}

// --- out -----------------------------------------------------------------------------------------

namespace {

/// The texts of a tensor with any strides as bytes, in row-major order.
void fill_texts(const Tensor& tensor, PyObject** items) {
  const int rank = tensor.rank();
  std::array<int64_t, kMaxRank> at = {};
  int64_t element = 0;
  for (int64_t i = 0; i < tensor.element_count(); ++i) {
    const std::string_view text = tensor.text(element);
    PyObject* bytes = PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
    if (bytes == nullptr) throw nb::python_error();
    Py_XDECREF(std::exchange(items[i], bytes));
    for (int axis = rank - 1; axis >= 0; --axis) {
      int64_t& index = at[static_cast<size_t>(axis)];
      element += tensor.strides()[axis];
      if (++index < tensor.shape()[axis]) break;
      element -= index * tensor.strides()[axis];
      index = 0;
    }
  }
}

}  // namespace

nb::object to_array(Tensor tensor, bool read_only) {
  if (tensor.dtype() == DType::kString) {
    nb::object array = new_array(NPY_OBJECT, tensor.shape(), {}, nullptr, read_only);
    fill_texts(tensor, static_cast<PyObject**>(PyArray_DATA(as_array(array))));
    return array;
  }
  const int type = numpy_of(tensor.dtype());
  if (tensor.element_count() == 0) return new_array(type, tensor.shape(), {}, nullptr, read_only);
  auto* const keeper = new Tensor(std::move(tensor));
  nb::capsule owner(keeper, [](void* p) noexcept { delete static_cast<Tensor*>(p); });
  nb::object array = new_array(type, keeper->shape(), keeper->strides(), keeper->data(), read_only);
  set_base(array, std::move(owner));
  return array;
}

nb::object to_view(const Input& x, Tensor y, bool read_only) {
  if (y.storage() != x.tensor.storage()) return to_array(std::move(y));
  if (y.dtype() == DType::kString) {
    nb::list shape;
    for (const int64_t extent : y.shape()) shape.append(extent);
    return x.array.attr("reshape")(shape);
  }
  PyArrayObject* const array = as_array(x.array);
  nb::object view = new_array(PyArray_TYPE(array), y.shape(), y.strides(), y.data(),
                              read_only || !PyArray_ISWRITEABLE(array));
  set_base(view, x.array);
  return view;
}

std::optional<Tensor> adopt(nb::object& value) {
  if (!PyArray_CheckExact(value.ptr()) || Py_REFCNT(value.ptr()) != 1) return {};
  PyArrayObject* const array = as_array(value);
  const std::optional<DType> dtype = dtype_of(PyArray_TYPE(array));
  if (!PyArray_CHKFLAGS(array, NPY_ARRAY_OWNDATA) || PyArray_BASE(array) != nullptr ||
      !dtype.has_value() || *dtype == DType::kString || !PyArray_ISCARRAY(array)) {
    return {};
  }
  void* const data = PyArray_DATA(array);
  const Shape shape = shape_of(array);
  return Tensor::wrap(data, *dtype, shape, {}, let_go(value.release().ptr()));
}

DType dtype_from(nb::handle value, const Place& place) {
  constexpr auto kLast = static_cast<int>(DType::kString);
  const bool is_text = PyUnicode_Check(value.ptr());
  if (is_text) {
    const std::string_view text = nb::borrow<nb::str>(value).c_str();
    for (int i = 0; i <= kLast; ++i)
      if (name(static_cast<DType>(i)) == text) return static_cast<DType>(i);
  }
  PyArray_Descr* descr = nullptr;
  if (value.is_none() || PyArray_DescrConverter(value.ptr(), &descr) == 0) {
    PyErr_Clear();
    const std::string got = nb::repr(value).c_str();
    const char* want =
        ", want a dtype: bool, an integer, float16, bfloat16, float32, float64, string";
    if (!is_text) raise_type(to_string(place), " is ", got, want);
    fail(ErrorCode::kInvalidArgument, to_string(place), " is ", got, want);
  }
  const nb::object keeper = nb::steal(reinterpret_cast<PyObject*>(descr));
  const std::optional<DType> dtype = dtype_of(descr->type_num);
  if (!dtype || !PyDataType_ISNOTSWAPPED(descr)) {
    fail(
        ErrorCode::kUnsupported, to_string(place), " is ", nb::repr(keeper).c_str(),
        ", want bool, an integer, float16, bfloat16, float32, float64 or string, in this machine's "
        "byte order");
  }
  return *dtype;
}

Outputs::Outputs(nb::handle out, bool several, const char* function) : function_(function) {
  if (!several) {
    add(out, {function, "out"});
    return;
  }
  if (!PyTuple_Check(out.ptr()) && !PyList_Check(out.ptr())) {
    raise_type(function, ": out is ", kind_of(out), ", want a tuple of arrays");
  }
  const nb::object entries = steal(PySequence_Tuple(out.ptr()));
  for (size_t i = 0; i < nb::len(entries); ++i) {
    add(PyTuple_GetItem(entries.ptr(), static_cast<Py_ssize_t>(i)), {function, "out", i + 1});
  }
}

void Outputs::add(nb::handle out, const Place& place) {
  nb::object value = array_of(out, place);
  PyArrayObject* const array = as_array(value);
  const DType dtype = require_dtype(array, place);
  const std::optional<Shape> strides = dtype == DType::kString ? std::nullopt : strides_of(array);
  if (!PyArray_ISWRITEABLE(array)) {
    fail(ErrorCode::kInvalidArgument, to_string(place),
         " is read-only memory, want memory to write to");
  }
  direct_ = direct_ && strides.has_value();
  tensors_.push_back(strides ? Tensor::wrap(PyArray_DATA(array), dtype, shape_of(array), *strides)
                             : Tensor());
  arrays_.push_back(std::move(value));
}

void Outputs::store(std::span<const Tensor> results) {
  if (results.size() != arrays_.size()) {
    fail(ErrorCode::kInvalidArgument, function_, ": ", arrays_.size(), " arrays in out, want ",
         results.size());
  }
  for (size_t i = 0; i < results.size(); ++i) {
    PyArrayObject* const array = as_array(arrays_[i]);
    const Place place{function_, "out", arrays_.size() == 1 ? 0 : i + 1};
    const DType dtype = dtype_of(PyArray_TYPE(array)).value();
    if (dtype != results[i].dtype()) {
      fail(ErrorCode::kInvalidArgument, to_string(place), " has dtype ", name(dtype), ", want ",
           name(results[i].dtype()));
    }
    if (shape_of(array) != results[i].shape()) {
      fail(ErrorCode::kInvalidArgument, to_string(place), " has shape ",
           sylvite::to_string(shape_of(array)), ", want ", sylvite::to_string(results[i].shape()));
    }
  }
  for (size_t i = 0; i < results.size(); ++i) {
    const nb::object made = to_array(results[i]);
    if (PyArray_CopyInto(as_array(arrays_[i]), as_array(made)) != 0) throw nb::python_error();
  }
}

}  // namespace sylvite::python
