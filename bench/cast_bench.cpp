#include <nlohmann/json.hpp>

#include "families.h"
#include "support/buffer.h"
#include "support/naive_cast.h"
#include "support/operand.h"
#include "support/operator_rows.h"
#include "support/report.h"
#include "support/roof.h"
#include "support/rows.h"
#include "sylvite/cast.h"

namespace sylvite_bench {
namespace {

using sylvite::Context;
using sylvite::Shape;
using sylvite::StorePolicy;
using sylvite::Tensor;

const CacheGroups kGroups(.95, .60, 0);
const Group kStrided = {.name = "strided"};

const Group& group_of(const CastRow& row) {
  if (row.transposed) return kStrided;
  return kGroups.of(row.bytes());
}

struct Operands {
  explicit Operands(const CastRow& row)
      : x_memory(row.count() * element_size(row.from), offset_of(row.name, row.from)),
        y_memory(row.count() * element_size(row.to), offset_of(row.name, row.to)),
        want(row.count() * element_size(row.to)),
        x(Tensor::wrap(static_cast<const void*>(x_memory.data()), row.from, row.shape,
                       row.x_strides())),
        y(Tensor::wrap(static_cast<void*>(y_memory.data()), row.to, row.shape)) {
    fill_with_numbers(row.from, x_memory.data(), row.count());
  }

  Buffer x_memory;
  Buffer y_memory;
  Buffer want;
  Tensor x;
  Tensor y;
};

/// The speed of the best memcpy, as a share of the roof.
double memcpy_ratio(const RowResult& result) {
  double ratio = 0;
  for (const Reference& roof : result.roofs) {
    if (roof.name.starts_with("memcpy")) ratio = std::max(ratio, roof.ratio);
  }
  return ratio;
}

RowResult measure(const CastRow& row, const Options& options, Roof& roof) {
  Operands operands(row);
  const auto context = [&](StorePolicy stores) {
    return Context({.target = options.target, .threads = options.threads, .stores = stores});
  };
  const Context best = context(StorePolicy::kAuto);
  const Context plain = context(StorePolicy::kPlain);
  const Group& group = group_of(row);
  RowResult result{.name = row.name,
                   .weight = row.weight,
                   .details = {{"from", name(row.from)},
                               {"to", name(row.to)},
                               {"shape", to_string(row.shape)},
                               {"order", row.transposed ? "transposed" : "dense"}},
                   .bytes = row.bytes(),
                   .group = group.name};
  take_explanation(cast_plan(operands.x.info(), operands.y.info(), row.to, best).explanation(),
                   result);

  const Shape strides = row.x_strides();
  const auto naive = [&](void* output) {
    naive_cast(row.from, row.to, operands.x_memory.data(), output, row.shape[0], row.shape[1],
               strides[0], strides[1]);
  };
  naive(operands.want.data());
  std::vector<Contestant> contestants;
  contestants.push_back({.name = row.name, .role = Contestant::Role::kRow, .call = [&] {
                           cast(operands.x, row.to, operands.y, best);
                         }});
  contestants.push_back({.name = "naive", .call = [&] { naive(operands.y_memory.data()); }});
  contestants.push_back(
      {.name = "plain", .call = [&] { cast(operands.x, row.to, operands.y, plain); }});
  for (const Contestant& contestant : contestants) {
    std::fill_n(operands.y_memory.data(), operands.y_memory.bytes(), static_cast<char>(0x5A));
    contestant.call();
    if (std::memcmp(operands.y_memory.data(), operands.want.data(),
                    static_cast<size_t>(operands.want.bytes())) != 0)
      result.error += contestant.name + ": WRONG ";
  }
  if (!result.error.empty()) return result;
  for (Contestant& copy : roof.copies(row.bytes() / 2)) contestants.push_back(std::move(copy));
  time_in_turn(contestants, options.min_time);
  take_times(contestants, result);
  // What issue 4 asks: .95 of memcpy, which the roof, with its non-temporal copies, may exceed.
  const double copied = memcpy_ratio(result);
  if (&group == &kGroups.out_of_cache) result.floor = .95 * copied;
  result.references.push_back({.name = "memcpy", .ratio = copied});
  return result;
}

}  // namespace

bool run_cast(const Options& options, nlohmann::json& json) {
  const std::vector<CastRow> rows = read_rows("cast", options, parse_cast_row);
  Roof roof(options.threads);
  return run_family(
      {.name = "cast",
       .title = "cast: ratios to the best copy of as many bytes in and out; plain and "
                "memcpy: their ratios",
       .rows = names_of(rows),
       .columns = {"plain", "memcpy"},
       .groups = {kGroups.out_of_cache, kGroups.in_cache, kGroups.small, kStrided},
       .measure = [&](size_t i) { return measure(rows[i], options, roof); }},
      json);
}

}  // namespace sylvite_bench
