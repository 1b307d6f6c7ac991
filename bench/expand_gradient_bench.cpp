#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "families.h"
#include "support/buffer.h"
#include "support/machine.h"
#include "support/operator_rows.h"
#include "support/report.h"
#include "support/roof.h"
#include "support/rows.h"
#include "sylvite/sylvite.h"

namespace sylvite_bench {
namespace {

using sylvite::Context;
using sylvite::DType;
using sylvite::Shape;
using sylvite::Tensor;

const CacheGroups kGroups(.80, 0, 0);

// What issue 4 asks of a row.
double floor_of(const SumRow& row, int64_t bytes) {
  const int64_t inner = row.dy[row.dy.rank() - 1];
  const bool repeats = row.x[row.x.rank() - 1] == 1 && inner <= 7;
  if (repeats) return bytes >= kInCacheFrom ? .30 : 0;
  return bytes > last_level_cache() && row.dtype == DType::kFloat32 ? .80 : 0;
}

// Small numbers that every type holds, in no order that a sum would profit from.
int value_at(int64_t i) {
  return static_cast<int>(static_cast<uint64_t>(i) * 2654435761U >> 27 & 7);
}

template <typename T>
void fill(char* memory, int64_t count) {
  T* values = reinterpret_cast<T*>(memory);
  for (int64_t i = 0; i < count; ++i) values[i] = static_cast<T>(value_at(i));
}

// 0 to 7 as float16 and bfloat16.
constexpr uint16_t kFloat16[] = {0, 0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600, 0x4700};
constexpr uint16_t kBFloat16[] = {0, 0x3F80, 0x4000, 0x4040, 0x4080, 0x40A0, 0x40C0, 0x40E0};

void fill(DType dtype, char* memory, int64_t count) {
  switch (dtype) {
    case DType::kInt8:
    case DType::kUInt8:
      return fill<uint8_t>(memory, count);
    case DType::kInt16:
    case DType::kUInt16:
      return fill<uint16_t>(memory, count);
    case DType::kInt32:
    case DType::kUInt32:
      return fill<uint32_t>(memory, count);
    case DType::kInt64:
    case DType::kUInt64:
      return fill<uint64_t>(memory, count);
    case DType::kFloat64:
      return fill<double>(memory, count);
    case DType::kFloat32:
      return fill<float>(memory, count);
    case DType::kFloat16:
    case DType::kBFloat16:
      for (int64_t i = 0; i < count; ++i) {
        const auto value = static_cast<size_t>(value_at(i));
        reinterpret_cast<uint16_t*>(memory)[i] =
            dtype == DType::kFloat16 ? kFloat16[value] : kBFloat16[value];
      }
      return;
    default:
      throw std::runtime_error("dtype is no number");
  }
}

// Calls visit(i, position in x) for every element of dy, as Caffe2's ReduceTensor walks them.
template <typename Visit>
void walk(const SumRow& row, const Visit& visit) {
  const int rank = row.dy.rank();
  Shape index = row.dy;
  Shape stride = sylvite::dense_strides(row.x);
  for (int axis = 0; axis < rank; ++axis) {
    index[axis] = 0;
    if (row.x[axis] == 1) stride[axis] = 0;
  }
  int64_t count = 1;
  for (const int64_t extent : row.dy) count *= extent;
  int64_t to = 0;
  for (int64_t i = 0; i < count; ++i) {
    visit(i, to);
    for (int axis = rank - 1; axis >= 0; --axis) {
      to += stride[axis];
      if (++index[axis] < row.dy[axis]) break;
      to -= stride[axis] * row.dy[axis];
      index[axis] = 0;
    }
  }
}

// Caffe2 has float32, float64, int32 and int64; the others stand for themselves.
template <typename T>
void naive(const SumRow& row, const char* dy, char* dx, int64_t dx_count) {
  const T* from = reinterpret_cast<const T*>(dy);
  T* to = reinterpret_cast<T*>(dx);
  std::fill_n(to, dx_count, T{});
  walk(row, [&](int64_t i, int64_t at) { to[at] = static_cast<T>(to[at] + from[i]); });
}

void naive(const SumRow& row, const char* dy, char* dx, int64_t dx_count) {
  switch (element_size(row.dtype)) {
    case 1:
      return naive<uint8_t>(row, dy, dx, dx_count);
    case 2:
      return naive<uint16_t>(row, dy, dx, dx_count);
    case 4:
      if (row.dtype != DType::kFloat32) return naive<uint32_t>(row, dy, dx, dx_count);
      return naive<float>(row, dy, dx, dx_count);
    default:
      if (row.dtype != DType::kFloat64) return naive<uint64_t>(row, dy, dx, dx_count);
      return naive<double>(row, dy, dx, dx_count);
  }
}

double value_of(DType dtype, const char* element) {
  const auto read = [&](auto value) {
    std::memcpy(&value, element, sizeof value);
    return static_cast<double>(value);
  };
  switch (dtype) {
    case DType::kFloat32:
      return read(float{});
    case DType::kFloat64:
      return read(double{});
    case DType::kBFloat16: {
      const auto bits = static_cast<uint32_t>(read(uint16_t{})) << 16;
      float value = 0;
      std::memcpy(&value, &bits, sizeof value);
      return value;
    }
    case DType::kFloat16: {
      const auto bits = static_cast<int>(read(uint16_t{}));
      return std::ldexp(1024 + (bits & 1023), (bits >> 10) - 25);  // no sum here is a denormal
    }
    default:
      return 0;
  }
}

// Sums of whole numbers: what is not rounded must be right, a rounded half within its half unit.
std::string check(const SumRow& row, const char* dx, int64_t dx_count) {
  std::vector<uint64_t> sums(static_cast<size_t>(dx_count));
  walk(row, [&](int64_t i, int64_t at) {
    sums[static_cast<size_t>(at)] += static_cast<uint64_t>(value_at(i));
  });
  const int bytes = element_size(row.dtype);
  const double units = row.dtype == DType::kBFloat16  ? 0x1p-8
                       : row.dtype == DType::kFloat16 ? 0x1p-11
                       : row.dtype == DType::kFloat32 ? 0x1p-20
                                                      : 0;
  const bool number = units > 0 || row.dtype == DType::kFloat64;
  for (int64_t i = 0; i < dx_count; ++i) {
    const uint64_t sum = sums[static_cast<size_t>(i)];
    const char* got = dx + i * bytes;
    const auto want = static_cast<double>(sum);
    const bool infinite = row.dtype == DType::kFloat16 && want >= 65520;
    const bool right = !number    ? std::memcmp(got, &sum, static_cast<size_t>(bytes)) == 0
                       : infinite ? true
                                  : std::fabs(value_of(row.dtype, got) - want) <= units * want;
    if (!right) return "element " + std::to_string(i) + " of dx is wrong";
  }
  return {};
}

RowResult measure(const SumRow& row, const Options& options, Roof& roof) {
  const Context context({.target = options.target, .threads = options.threads});
  int64_t dy_count = 1;
  int64_t dx_count = 1;
  for (const int64_t extent : row.dy) dy_count *= extent;
  for (const int64_t extent : row.x) dx_count *= extent;
  const int64_t bytes = dy_count * element_size(row.dtype);
  Buffer from(bytes);
  Buffer to(dx_count * element_size(row.dtype));
  fill(row.dtype, from.data(), dy_count);
  const Tensor dy = Tensor::wrap(static_cast<const void*>(from.data()), row.dtype, row.dy);
  Tensor dx = Tensor::wrap(static_cast<void*>(to.data()), row.dtype, row.x);

  RowResult result{
      .name = row.name,
      .weight = row.weight,
      .details = {{"dtype", name(row.dtype)}, {"dy", to_string(row.dy)}, {"x", to_string(row.x)}},
      .bytes = bytes + to.bytes(),
      .group = kGroups.of(bytes).name,
      .floor = floor_of(row, bytes)};
  take_explanation(
      sylvite::expand_gradient_plan(dy.info(), dx.info(), row.x, context).explanation(), result);

  const auto call = [&] { sylvite::expand_gradient(dy, row.x, dx, context); };
  call();
  result.error = check(row, to.data(), dx_count);
  if (!result.error.empty()) return result;

  std::vector<Contestant> contestants = {
      {.name = row.name, .role = Contestant::Role::kRow, .call = call}};
  for (Contestant& read : roof.reads(bytes)) contestants.push_back(std::move(read));
  contestants.push_back(
      {.name = "naive", .call = [&] { naive(row, from.data(), to.data(), dx_count); }});
  // A memcpy of as many bytes, read and written, on all threads.
  for (Contestant& copy : roof.copies(result.bytes / 2)) {
    if (copy.name != (options.threads > 1 ? "memcpy_all_threads" : "memcpy_1_thread")) continue;
    copy.name = "memcpy";
    copy.role = Contestant::Role::kReference;
    contestants.push_back(std::move(copy));
  }
  time_in_turn(contestants, options.min_time);
  take_times(contestants, result);
  return result;
}

}  // namespace

bool run_expand_gradient(const Options& options, nlohmann::json& json) {
  const std::vector<SumRow> rows = read_rows("expand_gradient", options, parse_sum_row);
  Roof roof(options.threads);
  return run_family(
      {.name = "expand_gradient",
       .title = "expand_gradient: ratios to the best read of dY; memcpy: that of a memcpy which "
                "moves as many bytes",
       .rows = names_of(rows),
       .columns = {"memcpy"},
       .groups = kGroups.all(),
       .measure = [&](size_t i) { return measure(rows[i], options, roof); }},
      json);
}

}  // namespace sylvite_bench
