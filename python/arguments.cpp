#include "python/arguments.h"

#include <algorithm>

#include "python/error.h"
#include "python/values.h"

namespace sylvite::python {
namespace {

bool is_integer(nb::handle value) { return PyIndex_Check(value.ptr()) != 0; }

bool is_number(nb::handle value) {
  return PyFloat_Check(value.ptr()) || is_integer(value) ||
         (nb::hasattr(value, "__float__") && !nb::hasattr(value, "__len__"));
}

double number(nb::handle value) {
  const double found = PyFloat_AsDouble(value.ptr());
  if (found == -1.0 && PyErr_Occurred() != nullptr) throw nb::python_error();
  return found;
}

std::string text(nb::handle value) {
  Py_ssize_t size = 0;
  if (PyBytes_Check(value.ptr())) {
    char* bytes = nullptr;
    PyBytes_AsStringAndSize(value.ptr(), &bytes, &size);
    return {bytes, static_cast<size_t>(size)};
  }
  const char* found = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (found == nullptr) throw nb::python_error();
  return {found, static_cast<size_t>(size)};
}

bool is_text(nb::handle value) {
  return PyUnicode_Check(value.ptr()) || PyBytes_Check(value.ptr());
}

/// The entries of a sequence, those of sequences in it one after another.
void flatten(nb::handle value, std::vector<nb::object>& entries) {
  PyObject* const found = PySequence_Tuple(value.ptr());
  if (found == nullptr) throw nb::python_error();
  const nb::object tuple = nb::steal(found);
  for (Py_ssize_t i = 0; i < PyTuple_Size(found); ++i) {
    const nb::handle entry = PyTuple_GetItem(found, i);
    if (!is_text(entry) && !is_number(entry) && PySequence_Check(entry.ptr())) {
      flatten(entry, entries);
    } else {
      entries.push_back(nb::borrow(entry));
    }
  }
}

ArgumentValue value_from(nb::handle value, const Place& place) {
  if (is_text(value)) return text(value);
  if (is_integer(value)) return integer(value, place);
  if (nb::isinstance<Net>(value)) return std::make_shared<const Net>(nb::cast<const Net&>(value));
  if (is_number(value)) return number(value);
  if (PySequence_Check(value.ptr())) {
    std::vector<nb::object> entries;
    flatten(value, entries);
    const auto all = [&](auto&& is) { return std::all_of(entries.begin(), entries.end(), is); };
    if (all(is_integer)) {
      std::vector<int64_t> numbers;
      numbers.reserve(entries.size());
      for (const nb::object& entry : entries) numbers.push_back(integer(entry, place));
      return numbers;
    }
    if (all(is_number)) {
      std::vector<double> numbers;
      numbers.reserve(entries.size());
      for (const nb::object& entry : entries) numbers.push_back(number(entry));
      return numbers;
    }
    if (all(is_text)) {
      std::vector<std::string> texts;
      texts.reserve(entries.size());
      for (const nb::object& entry : entries) texts.push_back(text(entry));
      return texts;
    }
  }
  raise_type(to_string(place), " is ", kind_of(value),
             ", want an integer, a float, a str, a list of one of them, or a Net");
}

}  // namespace

std::vector<Argument> arguments_from(nb::handle kwargs, const char* function) {
  std::vector<Argument> arguments;
  for (const auto [key, value] : nb::borrow<nb::dict>(kwargs)) {
    std::string name = text(key);
    ArgumentValue made = value_from(value, {function, name.c_str()});
    arguments.push_back({.name = std::move(name), .value = std::move(made)});
  }
  return arguments;
}

nb::dict arguments_of(const OperatorDef& def) {
  nb::dict all;
  for (const Argument& argument : def.arguments) {
    const auto put = [&]<typename T>(const T& value) {
      const nb::str name(argument.name.data(), argument.name.size());
      if constexpr (std::is_same_v<T, std::shared_ptr<const Net>>) {
        all[name] = nb::cast(*value);
      } else if constexpr (std::is_same_v<T, std::string>) {
        all[name] = nb::str(value.data(), value.size());
      } else if constexpr (std::is_arithmetic_v<T>) {
        all[name] = value;
      } else {
        nb::list entries;
        for (const auto& entry : value) {
          if constexpr (std::is_same_v<T, std::vector<std::string>>) {
            entries.append(nb::str(entry.data(), entry.size()));
          } else {
            entries.append(entry);
          }
        }
        all[name] = entries;
      }
    };
    std::visit(put, argument.value);
  }
  return all;
}

DeviceKind device_from(std::string_view device, const char* function) {
  for (const DeviceKind kind : {DeviceKind::kCpu, DeviceKind::kCuda, DeviceKind::kOpenCl})
    if (name(kind) == device) return kind;
  fail(ErrorCode::kInvalidArgument, function, ": device is \"", device,
       R"(", want "cpu", "cuda" or "opencl")");
}

std::vector<std::optional<std::string>> output_gradients(const OperatorDef& def, nb::handle given,
                                                         const char* function) {
  if (!PyDict_Check(given.ptr())) {
    raise_type(function, ": output_gradients is ", kind_of(given),
               ", want a dict of outputs' names to gradients' names");
  }
  std::vector<std::optional<std::string>> gradients(def.outputs.size());
  for (const auto [key, value] : nb::borrow<nb::dict>(given)) {
    if (!PyUnicode_Check(key.ptr()) || (!value.is_none() && !PyUnicode_Check(value.ptr()))) {
      raise_type(function, ": output_gradients has ", kind_of(key), " and ", kind_of(value),
                 ", want names");
    }
    const auto at = std::find(def.outputs.begin(), def.outputs.end(), text(key));
    if (at == def.outputs.end()) {
      fail(ErrorCode::kInvalidArgument, function, ": ", text(key), " is no output of ", def.type,
           ", want a gradient for one of its ", def.outputs.size());
    }
    if (!value.is_none()) gradients[static_cast<size_t>(at - def.outputs.begin())] = text(value);
  }
  return gradients;
}

}  // namespace sylvite::python
