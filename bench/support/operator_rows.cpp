#include "support/operator_rows.h"

#include "support/rows.h"

namespace sylvite_bench {

CastRow parse_cast_row(std::string_view line) {
  const auto column = columns_of<6>(line, "name from to shape order weight");
  CastRow row;
  row.name = column[0];
  row.from = parse_dtype(column[1]);
  row.to = parse_dtype(column[2]);
  row.shape = parse_shape(column[3]);
  if (row.shape.rank() == 1) row.shape = {1, row.shape[0]};
  if (row.shape.rank() != 2) fail("shape", column[3], "one or two extents");
  row.transposed = column[4] == "transposed";
  if (!row.transposed && column[4] != "dense") fail("order", column[4], "dense or transposed");
  row.weight = parse_weight(column[5]);
  return row;
}

ExpandRow parse_expand_row(std::string_view line) {
  const auto [name, dtype, x, y, weight] = columns_of<5>(line, "name dtype x y weight");
  return {.name = name,
          .dtype = parse_dtype(dtype),
          .x = parse_shape(x),
          .y = parse_shape(y),
          .weight = parse_weight(weight)};
}

SumRow parse_sum_row(std::string_view line) {
  const auto column = columns_of<5>(line, "name dtype dy x weight");
  SumRow row{.name = column[0],
             .dtype = parse_dtype(column[1]),
             .dy = parse_shape(column[2]),
             .x = parse_shape(column[3]),
             .weight = parse_weight(column[4])};
  if (row.dy.rank() != row.x.rank()) fail("x", column[3], "the rank of dy");
  for (int axis = 0; axis < row.dy.rank(); ++axis) {
    if (row.x[axis] != 1 && row.x[axis] != row.dy[axis]) fail("x", column[3], "1 or dy's extent");
  }
  return row;
}

}  // namespace sylvite_bench
