#include "python/dlpack.h"

#include <nanobind/ndarray.h>

#include <optional>

#include "python/error.h"

namespace sylvite::python {
namespace {

using Code = nb::dlpack::dtype_code;

struct Kind {
  Code code;
  int bits;
  DType dtype;
};
constexpr std::array<Kind, 13> kKinds = {{
    {Code::Bool, 8, DType::kBool},
    {Code::Int, 8, DType::kInt8},
    {Code::UInt, 8, DType::kUInt8},
    {Code::Int, 16, DType::kInt16},
    {Code::UInt, 16, DType::kUInt16},
    {Code::Int, 32, DType::kInt32},
    {Code::UInt, 32, DType::kUInt32},
    {Code::Int, 64, DType::kInt64},
    {Code::UInt, 64, DType::kUInt64},
    {Code::Float, 16, DType::kFloat16},
    {Code::Bfloat, 16, DType::kBFloat16},
    {Code::Float, 32, DType::kFloat32},
    {Code::Float, 64, DType::kFloat64},
}};

DType dtype_of(nb::dlpack::dtype dtype, const Place& place) {
  for (const Kind& kind : kKinds) {
    if (dtype.code == static_cast<uint8_t>(kind.code) && dtype.bits == kind.bits &&
        dtype.lanes == 1)
      return kind.dtype;
  }
  fail(ErrorCode::kUnsupported, to_string(place), " has DLPack dtype code ",
       static_cast<int>(dtype.code), " of ", static_cast<int>(dtype.bits), " bits and ",
       dtype.lanes, " lanes, want bool, an integer or a float of up to 64 bits");
}

template <typename Memory>
Foreign describe(const Memory& memory, bool read_only, const Place& place) {
  if (memory.device_type() != nb::device::cpu::value) {
    fail(ErrorCode::kUnsupported, to_string(place), " is on DLPack device type ",
         memory.device_type(), ", want 1, the CPU");
  }
  Foreign found{.dtype = dtype_of(memory.dtype(), place),
                .shape = {},
                .strides = {},
                .data = nullptr,
                .read_only = read_only,
                .owner = {}};
  for (size_t i = 0; i < memory.ndim(); ++i) {
    found.shape.push_back(static_cast<int64_t>(memory.shape(i)));
    found.strides.push_back(memory.stride(i));
  }
  if (memory.size() == 0) return found;
  found.data = const_cast<void*>(static_cast<const void*>(memory.data()));
  found.owner = nb::capsule(new Memory(memory),
                            [](void* kept) noexcept { delete static_cast<Memory*>(kept); });
  return found;
}

}  // namespace

Foreign from_dlpack(nb::handle value, const Place& place) {
  if (nb::ndarray<> memory; nb::try_cast(value, memory, false))
    return describe(memory, false, place);
  if (nb::ndarray<nb::ro> memory; nb::try_cast(value, memory, false))
    return describe(memory, true, place);
  raise_type(to_string(place), " is ", kind_of(value), " whose __dlpack__ gives nothing to use");
}

}  // namespace sylvite::python
