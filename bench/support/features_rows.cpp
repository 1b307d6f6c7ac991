#include "support/features_rows.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "support/rows.h"

namespace sylvite_bench {
namespace {

using sylvite::DType;

constexpr std::array<std::string_view, 7> kMerges = {"dense",      "single_scalar", "single_list",
                                                     "single_map", "multi_scalar",  "multi_list",
                                                     "multi_map"};

Range parse_range(std::string_view column, std::string_view text) {
  if (text == "-") return {};
  const std::vector<std::string_view> ends = split(text, ':');
  if (ends.size() != 2) fail(column, text, "low:high or -");
  const Range range = {.low = parse_integer(column, ends[0], 0),
                       .high = parse_integer(column, ends[1], 0)};
  if (range.low > range.high) fail(column, text, "low at most high");
  return range;
}

/// "5x": times the naive loop; "1.5us": at most; "-": neither.
void parse_floor(const std::string& text, FeaturesRow& row) {
  if (text == "-") return;
  if (text.ends_with("us")) {
    row.most_us = parse_number("floor", text.substr(0, text.size() - 2));
  } else if (text.ends_with('x')) {
    row.naive_floor = parse_number("floor", text.substr(0, text.size() - 1));
  } else {
    fail("floor", text, "<number>x, <number>us or -");
  }
}

}  // namespace

FeaturesRow parse_features_row(std::string_view line) {
  const auto column = columns_of<11>(
      line, "name op dtype examples features pairs lengths presence spread floor weight");
  FeaturesRow row;
  row.name = column[0];
  std::string_view op = column[1];
  row.gradient = op.ends_with("_gradient");
  if (row.gradient) op.remove_suffix(std::string_view("_gradient").size());
  const auto* found = std::find(kMerges.begin(), kMerges.end(), op);
  if (found == kMerges.end()) fail("op", column[1], "a merge, e.g. single_list_gradient");
  row.merge = static_cast<Merge>(found - kMerges.begin());
  row.dtype = parse_dtype(column[2]);
  if (row.dtype == DType::kString && !is_ragged(row.merge))
    fail("dtype", column[2], "a type of numbers for scalars");
  row.examples = parse_integer("examples", column[3], 1);
  row.features = parse_integer("features", column[4], 1);
  row.pairs = parse_range("pairs", column[5]);
  row.lengths = parse_range("lengths", column[6]);
  row.presence = parse_number("presence", column[7]);
  if (column[8] != "even" && column[8] != "skewed") fail("spread", column[8], "even or skewed");
  row.skewed = column[8] == "skewed";
  parse_floor(column[9], row);
  row.weight = parse_weight(column[10]);
  return row;
}

nlohmann::json details_of(const FeaturesRow& row) {
  return {{"op", std::string(kMerges[static_cast<size_t>(row.merge)]) +
                     (row.gradient ? "_gradient" : "")},
          {"dtype", name(row.dtype)},
          {"examples", row.examples},
          {"features", row.features},
          {"pairs", {row.pairs.low, row.pairs.high}},
          {"lengths", {row.lengths.low, row.lengths.high}},
          {"presence", row.presence},
          {"skewed", row.skewed},
          {"naive_floor", row.naive_floor},
          {"most_us", row.most_us}};
}

}  // namespace sylvite_bench
