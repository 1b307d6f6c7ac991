#include "runner/job.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace sylvite_runner {
namespace {

using sylvite::DType;
using sylvite::Tensor;

constexpr size_t kLine = 64;

struct Bits {
  int bytes;
  int mantissa;
  int bias;
};

Bits float_bits(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return {2, 10, 15};
    case DType::kBFloat16:
      return {2, 7, 127};
    case DType::kFloat32:
      return {4, 23, 127};
    case DType::kFloat64:
      return {8, 52, 1023};
    default:
      return {0, 0, 0};
  }
}

// Random bits; floats are finite, of any sign, from 1/128 to 256, but one in eight where special ones
// are wanted.
void fill(DType dtype, char* memory, int64_t bytes, bool special_values) {
  const Bits format = float_bits(dtype);
  const int step = format.bytes != 0 ? format.bytes : dtype == DType::kBool ? 1 : 8;
  uint64_t state = 0x9E3779B97F4A7C15;
  for (int64_t i = 0; i < bytes; i += step) {
    state = state * 6364136223846793005 + 1442695040888963407;
    uint64_t bits = std::rotl(state, 29) ^ (state >> 17);
    if (dtype == DType::kBool) {
      bits &= 1;
    } else if (format.bytes != 0 && (!special_values || (state >> 60) > 1)) {
      const uint64_t sign = (bits >> 63) << (format.bytes * 8 - 1);
      const uint64_t exponent = static_cast<uint64_t>(format.bias - 7) + (bits >> 59) % 15;
      const uint64_t mantissa = bits & ((uint64_t{1} << format.mantissa) - 1);
      bits = sign | (exponent << format.mantissa) | mantissa;
    }
    std::memcpy(memory + i, &bits, static_cast<size_t>(std::min<int64_t>(step, bytes - i)));
  }
}

}  // namespace

Guarded::Guarded(int64_t bytes, int64_t offset) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t room = (static_cast<size_t>(bytes + offset) + kLine - 1) / kLine * kLine;
  mapped_ = (room + page - 1) / page * page + page;
  base_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base_ == MAP_FAILED) throw std::bad_alloc();
  char* end = static_cast<char*>(base_) + mapped_ - page;
  mprotect(end, page, PROT_NONE);
  data_ = end - room + offset;
  std::memset(base_, 0xA5, mapped_ - page);
}

Guarded::~Guarded() { munmap(base_, mapped_); }

Operands::Operands(const Job& job, sylvite::Device device, bool special_values)
    : job_(job),
      device_(device),
      x_memory_(job.x_bytes(), sylvite_bench::offset_of(job.name, job.x_dtype)),
      y_memory_(job.y_bytes(), sylvite_bench::offset_of(job.name, job.y_dtype)),
      x_(Tensor::wrap(static_cast<const void*>(x_memory_.data()), job.x_dtype, job.x_shape,
                      job.x_strides)),
      y_(Tensor::wrap(static_cast<void*>(y_memory_.data()), job.y_dtype, job.y_shape)) {
  fill(job.x_dtype, x_memory_.data(), job.x_bytes(), special_values);
  if (device_.kind == sylvite::DeviceKind::kCpu) return;
  x_ = x_.to(device_);
  y_ = Tensor::empty(job.y_dtype, job.y_shape, device_);
}

std::string Operands::written(const sylvite::Context& context) {
  const auto bytes = static_cast<size_t>(job_.y_bytes());
  std::memset(y_memory_.data(), 0x5A, bytes);
  call(context);
  if (device_.kind != sylvite::DeviceKind::kCpu) {
    context.synchronize(device_);
    const Tensor host = y_.to({});
    return {static_cast<const char*>(host.data()), bytes};
  }
  return {y_memory_.data(), bytes};
}

}  // namespace sylvite_runner
