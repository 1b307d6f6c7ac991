#include "python/error.h"

#include <new>

#include "sylvite/operator.h"

namespace sylvite::python {
namespace {

/// sylvite.errors, for the life of the process.
PyObject* g_errors = nullptr;

void set_error(const char* type, const char* message, const char* reason = nullptr) {
  const nb::object error = nb::handle(g_errors).attr(type)(message);
  if (reason != nullptr) error.attr("reason") = reason;
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
}

const char* type_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "InvalidArgument";
    case ErrorCode::kUnsupported:
      return "Unsupported";
    case ErrorCode::kOutOfMemory:
      return "OutOfMemory";
    case ErrorCode::kDeviceError:
      return "DeviceError";
    case ErrorCode::kInternal:
      return "Error";
  }
  return "Error";
}

void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const GradientError& error) {
    set_error("Unsupported", error.what(),
              error.kind() == GradientKind::kForbidden ? "forbidden" : "not_written");
  } catch (const Error& error) {
    set_error(type_of(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    set_error("OutOfMemory", "out of memory");
  }
}

}  // namespace

std::string kind_of(nb::handle value) {
  if (!value.is_valid()) return "nothing";
  if (value.is_none()) return "None";
  const std::string name = nb::str(value.type().attr("__name__")).c_str();
  const bool vowel = std::string_view("aeiou").find(name.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + name;
}

void translate_errors() {
  g_errors = nb::module_::import_("sylvite.errors").release().ptr();
  nb::register_exception_translator(translate);
}

}  // namespace sylvite::python
