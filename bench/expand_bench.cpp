// Expand against the best fill of the bytes it writes.
#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "families.h"
#include "support/buffer.h"
#include "support/operand.h"
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
using sylvite::StorePolicy;
using sylvite::Tensor;

const CacheGroups kGroups(.85, .55, .30);
constexpr double kRowFloor = .30;

/// Caffe2's loop: an index per axis, carried on element by element. T: as wide as an element.
template <typename T>
void naive_expand(const Shape& x_shape, const Shape& y_shape, const void* x, void* y) {
  const auto* from = static_cast<const T*>(x);
  auto* to = static_cast<T*>(y);
  const int rank = y_shape.rank();
  const int added = rank - x_shape.rank();
  std::array<int, sylvite::kMaxRank> index = {};
  const int64_t count = byte_count(DType::kUInt8, y_shape);
  for (int64_t i = 0; i < count; ++i) {
    int64_t at = 0;
    for (int axis = added; axis < rank; ++axis) {
      const int64_t extent = x_shape[axis - added];
      at = at * extent + (extent == 1 ? 0 : index[static_cast<size_t>(axis)]);
    }
    to[i] = from[at];
    for (int axis = rank - 1; axis >= 0; --axis) {
      if (++index[static_cast<size_t>(axis)] < y_shape[axis]) break;
      index[static_cast<size_t>(axis)] = 0;
    }
  }
}

class Problem {
 public:
  explicit Problem(const ExpandRow& row)
      : row_(row),
        x_memory_(byte_count(row.dtype, row.x), offset_of(row.name, row.dtype)),
        y_memory_(byte_count(row.dtype, row.y), offset_of(row.name, row.dtype)),
        x_(Tensor::wrap(static_cast<const void*>(x_memory_.data()), row.dtype, row.x)),
        y_(Tensor::wrap(static_cast<void*>(y_memory_.data()), row.dtype, row.y)) {
    x_memory_.fill_with_noise();
  }

  int64_t bytes_read() const { return x_memory_.bytes(); }
  int64_t bytes_written() const { return y_memory_.bytes(); }
  void call(const Context& context) { expand(x_, row_.y, y_, context); }
  sylvite::Plan plan(const Context& context) const {
    return expand_plan(x_.info(), y_.info(), row_.y, context);
  }
  void naive() { naive_to(y_memory_.data()); }

  /// Empty, or where y differs from the naive loop's bytes behind a call.
  std::string check(const Context& context) {
    Buffer want(y_memory_.bytes());
    naive_to(want.data());
    std::fill_n(y_memory_.data(), y_memory_.bytes(), static_cast<char>(0x5A));
    call(context);
    char* end = y_memory_.data() + y_memory_.bytes();
    const auto [got, expected] = std::mismatch(y_memory_.data(), end, want.data());
    if (got == end) return {};
    return "WRONG from byte " + std::to_string(got - y_memory_.data()) + " of " +
           std::to_string(y_memory_.bytes());
  }

 private:
  void naive_to(void* y) const {
    switch (element_size(row_.dtype)) {
      case 1:
        return naive_expand<uint8_t>(row_.x, row_.y, x_.data(), y);
      case 2:
        return naive_expand<uint16_t>(row_.x, row_.y, x_.data(), y);
      case 4:
        return naive_expand<uint32_t>(row_.x, row_.y, x_.data(), y);
      default:
        return naive_expand<uint64_t>(row_.x, row_.y, x_.data(), y);
    }
  }

  const ExpandRow& row_;
  Buffer x_memory_;
  Buffer y_memory_;
  Tensor x_;
  Tensor y_;
};

RowResult measure(const ExpandRow& row, const Options& options, Roof& roof) {
  Problem problem(row);
  const auto context = [&](StorePolicy stores) {
    return Context({.target = options.target, .threads = options.threads, .stores = stores});
  };
  const Context best = context(StorePolicy::kAuto);
  const Context plain = context(StorePolicy::kPlain);
  const int64_t written = problem.bytes_written();
  const Group& group = kGroups.of(written);

  RowResult result{
      .name = row.name,
      .weight = row.weight,
      .details = {{"dtype", name(row.dtype)}, {"x", to_string(row.x)}, {"y", to_string(row.y)}},
      .bytes = problem.bytes_read() + written,
      .group = group.name};
  const sylvite::Plan plan = problem.plan(best);
  take_explanation(plan.explanation(), result);
  result.floor = kRowFloor;
  result.error = problem.check(best);
  if (result.error.empty()) result.error = problem.check(plain);
  if (!result.error.empty()) return result;

  std::vector<Contestant> contestants = {
      {.name = row.name, .role = Contestant::Role::kRow, .call = [&] { problem.call(best); }}};
  for (Contestant& fill : roof.fills(written)) contestants.push_back(std::move(fill));
  contestants.push_back({.name = "naive", .call = [&] { problem.naive(); }});
  contestants.push_back({.name = "plain", .call = [&] { problem.call(plain); }});
  // The memcpy of all threads stands before the non-temporal one; with one thread it is the first.
  std::vector<Contestant> copies = roof.copies(written);
  Contestant& memcpy = copies[copies.size() - 2];
  memcpy.name = "memcpy";
  memcpy.role = Contestant::Role::kReference;
  contestants.push_back(std::move(memcpy));
  time_in_turn(contestants, options.min_time);
  take_times(contestants, result);
  return result;
}

}  // namespace

bool run_expand(const Options& options, nlohmann::json& json) {
  const std::vector<ExpandRow> cases = read_rows("expand", options, parse_expand_row);
  Roof roof(options.threads);
  return run_family(
      {.name = "expand",
       .title =
           "expand: ratios to the best fill of the bytes written; plain stores and a memcpy of "
           "as many bytes: their ratios",
       .rows = names_of(cases),
       .columns = {"plain", "memcpy"},
       .groups = kGroups.all(),
       .measure = [&](size_t i) { return measure(cases[i], options, roof); }},
      json);
}

}  // namespace sylvite_bench
