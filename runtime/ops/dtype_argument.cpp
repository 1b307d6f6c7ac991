#include "runtime/ops/dtype_argument.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <string>

#include "runtime/error.h"

namespace sylvite::internal {
namespace {

/// A dtype in Caffe2's TensorProto::DataType, whose names it takes in any case.
struct Caffe2Type {
  int64_t code;
  std::string_view name;
  DType dtype;
};

constexpr std::array<Caffe2Type, 12> kCaffe2Types = {{
    {.code = 1, .name = "float", .dtype = DType::kFloat32},
    {.code = 2, .name = "int32", .dtype = DType::kInt32},
    {.code = 3, .name = "byte", .dtype = DType::kUInt8},
    {.code = 4, .name = "string", .dtype = DType::kString},
    {.code = 5, .name = "bool", .dtype = DType::kBool},
    {.code = 6, .name = "uint8", .dtype = DType::kUInt8},
    {.code = 7, .name = "int8", .dtype = DType::kInt8},
    {.code = 8, .name = "uint16", .dtype = DType::kUInt16},
    {.code = 9, .name = "int16", .dtype = DType::kInt16},
    {.code = 10, .name = "int64", .dtype = DType::kInt64},
    {.code = 12, .name = "float16", .dtype = DType::kFloat16},
    {.code = 13, .name = "double", .dtype = DType::kFloat64},
}};

DType dtype_of_name(std::string_view op, std::string_view argument, std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::ostringstream known;
  for (int i = 0; i <= static_cast<int>(DType::kString); ++i) {
    const auto dtype = static_cast<DType>(i);
    if (name(dtype) == lower) return dtype;
    known << ' ' << name(dtype);
  }
  for (const Caffe2Type& type : kCaffe2Types) {
    if (type.name == lower) return type.dtype;
  }
  fail(ErrorCode::kInvalidArgument, op, ": argument ", argument, " is \"", text,
       "\", want one of:", known.str());
}

DType dtype_of_code(std::string_view op, std::string_view argument, int64_t code) {
  std::ostringstream known;
  for (const Caffe2Type& type : kCaffe2Types) {
    if (type.code == code) return type.dtype;
    known << ' ' << type.code << " (" << type.name << ')';
  }
  fail(ErrorCode::kInvalidArgument, op, ": argument ", argument, " is ", code,
       ", want a type name or one of Caffe2's type codes:", known.str());
}

}  // namespace

DType dtype_argument(const Arguments& arguments, std::string_view argument) {
  return arguments.is_integer(argument)
             ? dtype_of_code(arguments.op(), argument, arguments.integer(argument, 0))
             : dtype_of_name(arguments.op(), argument, arguments.text(argument, ""));
}

}  // namespace sylvite::internal
