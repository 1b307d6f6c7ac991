// Which kernels turn one dtype into another. The kernel table says which pairs have one; all others
// go through a third dtype that leaves nothing to round twice. Known at compile time.
#pragma once

#include <array>
#include <cstdint>

#include "cast_kernels.h"
#include "sylvite/tensor.h"

namespace sylvite::internal {

inline constexpr int kNumericDTypes = static_cast<int>(DType::kFloat64) + 1;

struct CastStep {
  int row = -1;  ///< of the cast family's kernels
  DType to = DType::kBool;
};

struct CastPath {
  static constexpr int kMaxSteps = 3;

  std::array<CastStep, kMaxSteps> steps = {};
  int count = 0;  ///< 0: the bytes are the same
};

constexpr int cast_bytes(DType dtype) noexcept {
  switch (dtype) {
    case DType::kBool:
    case DType::kInt8:
    case DType::kUInt8:
      return 1;
    case DType::kInt16:
    case DType::kUInt16:
    case DType::kFloat16:
    case DType::kBFloat16:
      return 2;
    case DType::kInt32:
    case DType::kUInt32:
    case DType::kFloat32:
      return 4;
    default:
      return 8;
  }
}

constexpr bool is_half(DType dtype) noexcept {
  return dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}
constexpr bool is_integer(DType dtype) noexcept {
  return dtype >= DType::kInt8 && dtype <= DType::kUInt64;
}
constexpr bool is_signed(DType dtype) noexcept {
  return dtype == DType::kInt8 || dtype == DType::kInt16 || dtype == DType::kInt32 ||
         dtype == DType::kInt64;
}

/// Of an integer: DType has each signed one in front of the unsigned one.
constexpr DType unsigned_of(DType dtype) noexcept {
  return is_signed(dtype) ? static_cast<DType>(static_cast<int>(dtype) + 1) : dtype;
}
constexpr DType signed_of(DType dtype) noexcept {
  return static_cast<DType>(static_cast<int>(unsigned_of(dtype)) - 1);
}

/// The name of a dtype in the kernel table.
constexpr std::string_view kernel_type(DType dtype) noexcept {
  constexpr std::array<std::string_view, kNumericDTypes> kNames = {
      "bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f16", "bf16", "f32", "f64"};
  return kNames[static_cast<size_t>(dtype)];
}

using CastRows = std::array<std::array<int, kNumericDTypes>, kNumericDTypes>;

/// The rows <stem>_<from>_<to> by the two dtypes; -1 where there is none.
consteval CastRows find_casts(std::string_view stem) {
  constexpr auto kNone = static_cast<size_t>(kNumericDTypes);
  const auto dtype_of = [](std::string_view text) {
    size_t dtype = 0;
    while (dtype < kNone && kernel_type(static_cast<DType>(dtype)) != text) ++dtype;
    return dtype;
  };
  CastRows rows;
  for (auto& row : rows) row.fill(-1);
  for (size_t i = 0; i < cast::kKernelNames.size(); ++i) {
    const std::string_view name = cast::kKernelNames[i];
    if (!name.starts_with(stem)) continue;
    const size_t middle = name.find('_', stem.size());
    if (middle == std::string_view::npos) continue;
    const size_t from = dtype_of(name.substr(stem.size(), middle - stem.size()));
    const size_t to = dtype_of(name.substr(middle + 1));
    if (from < kNone && to < kNone) rows[from][to] = static_cast<int>(i);
  }
  return rows;
}

/// Integers become bool, and narrower, by their width; wider by their sign; and a bfloat16 is zero
/// where a float16 of the same bits is.
constexpr int find_cast(const CastRows& rows, DType from, DType to) noexcept {
  const bool narrower = is_integer(to) && cast_bytes(to) < cast_bytes(from);
  if (is_integer(from) && (to == DType::kBool || narrower)) {
    from = unsigned_of(from);
    to = unsigned_of(to);
  } else if (from == DType::kBool && is_integer(to)) {
    to = unsigned_of(to);
  } else if (is_integer(from) && is_integer(to)) {
    to = is_signed(from) ? signed_of(to) : unsigned_of(to);
  } else if (from == DType::kBFloat16 && to == DType::kBool) {
    from = DType::kFloat16;
  }
  return rows[static_cast<size_t>(from)][static_cast<size_t>(to)];
}

/// The dtype to go through. Exact, or what is lost does not change the last rounding.
constexpr DType cast_via(DType from, DType to) noexcept {
  // float32 holds every half type and every integer of 16 bits; and larger integers, rounded, are
  // infinite in float16 where they were so before.
  if (is_half(from) || to == DType::kFloat16) return DType::kFloat32;
  if (to == DType::kBFloat16) return cast_bytes(from) <= 2 ? DType::kFloat32 : DType::kFloat64;
  if (from == DType::kFloat32) return DType::kFloat64;
  return is_signed(from) ? DType::kInt32 : DType::kUInt32;
}

consteval CastPath make_cast_path(const CastRows& rows, DType from, DType to) {
  CastPath path;
  const auto step = [&](DType next) {
    const int row = find_cast(rows, from, next);
    if (row < 0) throw "the kernel table lacks a cast that others need";
    path.steps[static_cast<size_t>(path.count++)] = {.row = row, .to = next};
    from = next;
  };
  if (from == to) return path;
  if (from == DType::kBool && find_cast(rows, from, to) < 0) {  // any byte but 0 is true
    from = DType::kUInt8;
    step(DType::kBool);
    from = DType::kUInt8;
  }
  while (from != to && !(is_integer(from) && is_integer(to) && cast_bytes(from) == cast_bytes(to)))
    step(find_cast(rows, from, to) >= 0 ? to : cast_via(from, to));
  return path;
}

using CastPaths = std::array<std::array<CastPath, kNumericDTypes>, kNumericDTypes>;

consteval CastPaths make_cast_paths(std::string_view stem) {
  const CastRows rows = find_casts(stem);
  CastPaths paths;
  for (int from = 0; from < kNumericDTypes; ++from) {
    for (int to = 0; to < kNumericDTypes; ++to) {
      paths[static_cast<size_t>(from)][static_cast<size_t>(to)] =
          make_cast_path(rows, static_cast<DType>(from), static_cast<DType>(to));
    }
  }
  return paths;
}

}  // namespace sylvite::internal
