#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "families.h"
#include "support/buffer.h"
#include "support/report.h"
#include "support/roof.h"
#include "support/rows.h"
#include "sylvite/join.h"

namespace sylvite_bench {
namespace {

using sylvite::Context;
using sylvite::DType;
using sylvite::Shape;
using sylvite::Tensor;

const CacheGroups kGroups(0, 0, 0);

/// One line of bench/shapes/join.txt: equal parts, joined or taken apart.
struct JoinRow {
  std::string name;
  std::string op;  ///< stack, concat, unstack, split
  DType dtype = DType::kFloat32;
  Shape part;
  int axis = 0;  ///< of the whole
  int64_t parts = 1;
  double weight = 1;

  bool joins() const { return op == "stack" || op == "concat"; }
  bool new_axis() const { return op == "stack" || op == "unstack"; }
};

JoinRow parse_join_row(std::string_view line) {
  const auto column = columns_of<7>(line, "name op dtype part axis parts weight");
  JoinRow row;
  row.name = column[0];
  row.op = column[1];
  if (!row.joins() && row.op != "unstack" && row.op != "split")
    fail("op", row.op, "stack, concat, unstack or split");
  row.dtype = parse_dtype(column[2]);
  row.part = parse_shape(column[3]);
  row.axis = static_cast<int>(parse_integer("axis", column[4], 0));
  if (row.axis >= row.part.rank() + (row.new_axis() ? 1 : 0))
    fail("axis", column[4], "an axis of the whole");
  row.parts = parse_integer("parts", column[5], 1);
  row.weight = parse_weight(column[6]);
  return row;
}

class JoinProblem {
 public:
  explicit JoinProblem(const JoinRow& row) : row_(row), sizes_(static_cast<size_t>(row.parts)) {
    for (int64_t i = 0; i < row.parts; ++i) {
      parts_.push_back(Tensor::empty(row.dtype, row.part));
      std::memset(parts_.back().data(), static_cast<int>(i % 251 + 1), bytes(parts_.back()));
    }
    whole_ = row.new_axis() ? stack(parts_, row.axis) : concat(parts_, row.axis);
    std::fill(sizes_.begin(), sizes_.end(), row.new_axis() ? 1 : row.part[row.axis]);
  }

  int64_t bytes_moved() const { return 2 * whole_.byte_count(); }

  void call(const Context& context) {
    if (row_.op == "stack") stack(parts_, row_.axis, whole_, context);
    if (row_.op == "concat") concat(parts_, row_.axis, whole_, context);
    if (row_.op == "unstack") unstack(whole_, row_.axis, parts_, context);
    if (row_.op == "split") split(whole_, sizes_, row_.axis, parts_, context);
  }

  /// As Caffe2's Concat and Split do it: part by part, a memcpy for each row of it.
  void naive() {
    int64_t rows = 1;
    for (int a = 0; a < row_.axis; ++a) rows *= whole_.shape()[a];
    const auto run = bytes(parts_[0]) / static_cast<size_t>(rows);
    const auto pitch = bytes(whole_) / static_cast<size_t>(rows);
    for (size_t i = 0; i < parts_.size(); ++i) {
      for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
        char* in_part = parts_[i].data_as<char>() + row * run;
        char* in_whole = whole_.data_as<char>() + row * pitch + i * run;
        row_.joins() ? std::memcpy(in_whole, in_part, run) : std::memcpy(in_part, in_whole, run);
      }
    }
  }

  /// Empty, or what is wrong behind the call.
  std::string check(const Context& context) {
    const auto written = [&] {
      std::string all;
      if (row_.joins()) return std::string(whole_.data_as<char>(), bytes(whole_));
      for (const Tensor& part : parts_) all.append(part.data_as<char>(), bytes(part));
      return all;
    };
    naive();
    const std::string want = written();
    for (Tensor& part : parts_) {
      if (!row_.joins()) std::memset(part.data(), 0, bytes(part));
    }
    if (row_.joins()) std::memset(whole_.data(), 0, bytes(whole_));
    call(context);
    return written() == want ? "" : "WRONG";
  }

 private:
  static size_t bytes(const Tensor& x) { return static_cast<size_t>(x.byte_count()); }

  JoinRow row_;
  std::vector<Tensor> parts_;
  Tensor whole_;
  std::vector<int64_t> sizes_;
};

RowResult measure(const JoinRow& row, const Options& options, Roof& roof) {
  JoinProblem problem(row);
  const Context context({.target = options.target, .threads = options.threads});
  RowResult result{.name = row.name,
                   .weight = row.weight,
                   .details = {{"op", row.op},
                               {"dtype", name(row.dtype)},
                               {"part", to_string(row.part)},
                               {"axis", row.axis},
                               {"parts", row.parts}},
                   .bytes = problem.bytes_moved(),
                   .group = kGroups.of(problem.bytes_moved()).name};
  result.error = problem.check(context);
  if (!result.error.empty()) return result;
  std::vector<Contestant> contestants = roof.copies(problem.bytes_moved() / 2);
  contestants.push_back(
      {.name = row.name, .role = Contestant::Role::kRow, .call = [&] { problem.call(context); }});
  contestants.push_back({.name = "naive", .call = [&] { problem.naive(); }});
  time_in_turn(contestants, options.min_time);
  take_times(contestants, result);
  return result;
}

}  // namespace

bool run_join(const Options& options, nlohmann::json& json) {
  const std::vector<JoinRow> rows = read_rows("join", options, parse_join_row);
  Roof roof(options.threads);
  return run_family({.name = "join",
                     .title = "join: ratios to the best copy of the same bytes",
                     .rows = names_of(rows),
                     .columns = {},
                     .groups = kGroups.all(),
                     .measure = [&](size_t i) { return measure(rows[i], options, roof); }},
                    json);
}

}  // namespace sylvite_bench
