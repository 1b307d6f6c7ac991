#include "runtime/ops/expand_gradient_passes.h"

#include <algorithm>

#include "expand_gradient_kernels.h"

namespace sylvite::internal {
namespace {

using expand_gradient::kKernelNames;
using expand_gradient::kKernels;

/// Signed and unsigned integers of a width share kernels.
enum Type : uint8_t { kU8, kU16, kU32, kU64, kF16, kBf16, kF32, kF64, kTypes };

struct TypeRow {
  std::string_view name;  ///< in the kernels' names: from, then to
  SumElement element;
  SumElement sum;
  Type sum_type;
};

constexpr std::array<TypeRow, kTypes> kTypeRows = {{
    {"u8_u8", {ElementKind::kUInt, 1}, {ElementKind::kUInt, 1}, kU8},
    {"u16_u16", {ElementKind::kUInt, 2}, {ElementKind::kUInt, 2}, kU16},
    {"u32_u32", {ElementKind::kUInt, 4}, {ElementKind::kUInt, 4}, kU32},
    {"u64_u64", {ElementKind::kUInt, 8}, {ElementKind::kUInt, 8}, kU64},
    {"f16_f32", {ElementKind::kUInt, 2}, {ElementKind::kFloat, 4}, kF32},
    {"bf16_f32", {ElementKind::kUInt, 2}, {ElementKind::kFloat, 4}, kF32},
    {"f32_f32", {ElementKind::kFloat, 4}, {ElementKind::kFloat, 4}, kF32},
    {"f64_f64", {ElementKind::kFloat, 8}, {ElementKind::kFloat, 8}, kF64},
}};

/// Positions of the kernels <stem><from>_<to>.
consteval std::array<int, kTypes> find_types(std::string_view stem) {
  std::array<int, kTypes> found = {};
  for (size_t type = 0; type < kTypes; ++type) {
    found[type] = -1;
    for (size_t i = 0; i < kKernelNames.size(); ++i) {
      if (kKernelNames[i].starts_with(stem) &&
          kKernelNames[i].substr(stem.size()) == kTypeRows[type].name) {
        found[type] = static_cast<int>(i);
      }
    }
  }
  return found;
}

struct Rows {
  std::array<int, kTypes> columns, lanes, rows;
  int round_f16, round_bf16;
};
constexpr Rows kCpu = {.columns = find_types("expand_gradient_columns_"),
                       .lanes = find_types("expand_gradient_lanes_"),
                       .rows = find_types("expand_gradient_rows_"),
                       .round_f16 = find_kernel(kKernelNames, "expand_gradient_round_f32_f16"),
                       .round_bf16 = find_kernel(kKernelNames, "expand_gradient_round_f32_bf16")};
constexpr Rows kGpu = {
    .columns = find_types("expand_gradient_columns_gpu_"),
    .lanes = {},
    .rows = {},
    .round_f16 = find_kernel(kKernelNames, "expand_gradient_round_gpu_f32_f16"),
    .round_bf16 = find_kernel(kKernelNames, "expand_gradient_round_gpu_f32_bf16")};

constexpr Type type_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::kFloat16:
      return kF16;
    case DType::kBFloat16:
      return kBf16;
    case DType::kFloat32:
      return kF32;
    case DType::kFloat64:
      return kF64;
    case DType::kInt8:
      return kU8;
    case DType::kInt16:
    case DType::kUInt16:
      return kU16;
    case DType::kInt32:
    case DType::kUInt32:
      return kU32;
    case DType::kInt64:
    case DType::kUInt64:
      return kU64;
    default:
      return kU8;
  }
}

/// A buffer whose dimensions are added one by one.
struct Buffer : Operand {
  Buffer(const SumSide& side, int dimensions) noexcept {
    data = side.data;
    kind = side.element.kind;
    element_bytes = side.element.bytes;
    rank = dimensions;
  }
  void set(size_t i, int64_t count, int64_t step) noexcept {
    extent[i] = static_cast<int32_t>(count);
    stride[i] = count > 1 ? static_cast<int32_t>(step) : i == 0 ? 1 : 0;
  }
  void set_outer(size_t first, std::span<const PassDim> outer, int64_t PassDim::*step) noexcept {
    for (size_t i = 0; i < kPassOuter; ++i) {
      const PassDim dim = i < outer.size() ? outer[i] : PassDim{};
      set(first + i, dim.extent, dim.*step);
    }
  }
};

}  // namespace

SumKernels::SumKernels(const Call& call, DType dtype) {
  const auto type = static_cast<size_t>(type_of(dtype));
  const auto sum_type = static_cast<size_t>(kTypeRows[type].sum_type);
  const auto pick = [&](int row) {
    return pick_kernel(kKernelNames, kKernels, row, call.targets, call.op);
  };
  element = kTypeRows[type].element;
  sum = kTypeRows[type].sum;
  const Rows& rows_of = call.on_cpu() ? kCpu : kGpu;
  columns = pick(rows_of.columns[type]);
  sum_columns = widens() ? pick(rows_of.columns[sum_type]) : columns;
  if (widens()) round = pick(dtype == DType::kFloat16 ? rows_of.round_f16 : rows_of.round_bf16);
  if (!call.on_cpu()) return;
  lanes = pick(rows_of.lanes[type]);
  rows = pick(rows_of.rows[type]);
  sum_lanes = widens() ? pick(rows_of.lanes[sum_type]) : lanes;
}

namespace {

/// Runs of memory that a pass reads side by side where its input is one run: a processor that asks for
/// lines ahead does so up to the end of a page, and for each run by itself. 1.07 times as fast in the
/// last-level cache, 1.2 out of it.
constexpr int64_t kStreams = 4;
constexpr int64_t kStreamBytes = 4096;  // of one before the next has its turn

int64_t streamed(int64_t unit_bytes) noexcept {
  return std::max<int64_t>(1, kStreamBytes / unit_bytes);
}

/// The dimension as three: some of one stream, the streams, the rest. Its extent is a multiple of both.
std::array<PassDim, 3> streams_of(const PassDim& dim, int64_t some) noexcept {
  const int64_t each = dim.extent / kStreams;
  return {{{.extent = some, .from = dim.from, .to = dim.to},
           {.extent = kStreams, .from = each * dim.from, .to = each * dim.to},
           {.extent = each / some, .from = some * dim.from, .to = some * dim.to}}};
}

}  // namespace

void add_columns(CallState& state, const Kernel& kernel, const SumSide& from, const SumSide& to,
                 const PassDim& c, const PassDim& r, std::span<const PassDim> outer) noexcept {
  constexpr int kRank = 2 + kPassOuter;
  const auto add = [&](const SumSide& x_side, const SumSide& y_side, const PassDim& groups,
                       int64_t rows, std::span<const PassDim> around) {
    Buffer x(x_side, kRank);
    x.set(0, c.extent, c.from);
    x.set(1, groups.extent * rows, r.from);
    x.set_outer(2, around, &PassDim::from);
    Buffer y(y_side, kRank);
    y.set(0, c.extent, c.to);
    y.set(1, groups.extent, r.to);
    y.set_outer(2, around, &PassDim::to);
    const auto rows_each = static_cast<int32_t>(rows);
    const void* scalar = &rows_each;
    call_kernel(kernel.entry.plain, state, &x, std::span(&scalar, 1), y);
  };
  const PassDim groups = {.extent = r.extent / kSumRows, .from = kSumRows * r.from, .to = r.to};
  if (groups.extent > 0) {
    const bool dense = groups.from == kSumRows * c.extent;
    const int64_t some = dense ? streamed(groups.from * from.element.bytes) : 1;
    const bool one_run = some > 1;
    if (one_run && outer.empty() && groups.extent % (kStreams * some) == 0) {
      const auto streams = streams_of(groups, some);
      add(from, to, streams[0], kSumRows, std::span(streams).subspan(1));
    } else if (one_run && outer.size() == 1 && outer[0].extent % kStreams == 0 &&
               groups.extent % some == 0) {
      const auto rows = streams_of(outer[0], 1);
      const std::array<PassDim, 3> around = {
          rows[1],
          {.extent = groups.extent / some, .from = some * groups.from, .to = some * groups.to},
          rows[2]};
      add(from, to, {.extent = some, .from = groups.from, .to = groups.to}, kSumRows, around);
    } else {
      add(from, to, groups, kSumRows, outer);
    }
  }
  if (const int64_t rest = r.extent % kSumRows; rest > 0) {
    add(from.at(groups.extent * groups.from), to.at(groups.extent * r.to), {.extent = 1}, rest,
        outer);
  }
}

namespace {

/// What both ways of adding lanes hand their kernel; `groups` as the kernel has it.
void call_lanes(CallState& state, const Kernel& kernel, Buffer rows, const SumSide& sums,
                const SumSide& to, int64_t width, int64_t tail, int64_t groups,
                std::span<const PassDim> outer) noexcept {
  constexpr int kRank = 1 + kPassOuter;
  const int64_t lanes = kSumLanes * width;
  rows.set_outer(1, outer, &PassDim::from);
  Buffer p(sums, kRank);
  p.set(0, lanes, 1);
  int64_t stride = lanes;
  for (size_t i = 0; i < kPassOuter; ++i) {
    const int64_t extent = i < outer.size() ? outer[i].extent : 1;
    p.set(1 + i, extent, stride);
    stride *= extent;
  }
  Buffer y(to, kRank);
  y.set(0, width, 1);
  y.set_outer(1, outer, &PassDim::to);
  const auto width_of_row = static_cast<int32_t>(width);
  const auto first = static_cast<int32_t>((kSumLanes - tail) * width);
  const auto groups_of_row = static_cast<int32_t>(groups);
  const std::array<const void*, 3> scalars = {&width_of_row, &first, &groups_of_row};
  const std::array<Operand, 2> operands = {rows, p};
  const Operand output = y;
  call_kernel(kernel.entry.plain, state, operands, scalars, std::span(&output, 1));
}

}  // namespace

void add_lanes(CallState& state, const Kernel& kernel, const SumSide& rows, const SumSide& sums,
               const SumSide& to, int64_t width, int64_t tail,
               std::span<const PassDim> outer) noexcept {
  Buffer x(rows, 1 + kPassOuter);
  x.set(0, kSumLanes * width, 1);
  const bool many = width == 1 && !outer.empty() && outer[0].extent >= kManyRows;
  call_lanes(state, kernel, x, sums, to, width, tail, many && outer[0].to == 1 ? 0 : -1, outer);
}

void add_groups(CallState& state, const Kernel& kernel, const SumSide& rows, const SumSide& to,
                int64_t groups, std::span<const PassDim> outer) noexcept {
  Buffer x(rows, 1 + kPassOuter);
  x.set(0, groups * kSumLanes, 1);
  const int64_t some = std::max(kManyRows, streamed(groups * kSumLanes * rows.element.bytes));
  if (outer.size() == 1 && outer[0].extent % (kStreams * some) == 0) {
    return call_lanes(state, kernel, x, to, to, 1, 0, groups, streams_of(outer[0], some));
  }
  call_lanes(state, kernel, x, to, to, 1, 0, groups, outer);  // there are no sums to read
}

void add_rows(CallState& state, const Kernel& kernel, const SumSide& from, const SumSide& to,
              int64_t n, const PassDim& k, std::span<const PassDim> outer) noexcept {
  constexpr int kRank = 1 + kPassOuter;
  Buffer x(from, kRank);
  x.set(0, k.extent * n, 1);
  x.set_outer(1, outer, &PassDim::from);
  Buffer y(to, kRank);
  y.set(0, k.extent, k.to);
  y.set_outer(1, outer, &PassDim::to);
  const auto length = static_cast<int32_t>(n);
  const void* scalar = &length;
  call_kernel(kernel.entry.plain, state, &x, std::span(&scalar, 1), y);
}

void round_sums(CallState& state, const Kernel& kernel, const SumSide& from, const SumSide& to,
                int64_t count) noexcept {
  Buffer x(from, 1);
  x.set(0, count, 1);
  Buffer y(to, 1);
  y.set(0, count, 1);
  call_kernel(kernel.entry.plain, state, &x, {}, y);
}

}  // namespace sylvite::internal
