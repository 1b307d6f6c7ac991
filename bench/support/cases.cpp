#include "support/cases.h"

#include <array>
#include <nlohmann/json.hpp>

#include "support/rows.h"

namespace sylvite_bench {
namespace {

using sylvite::Layout;
using sylvite::Sides;

std::string_view op_name(Op op) { return op == Op::kSpaceToBatch ? "s2b" : "b2s"; }

std::string_view layout_name(Layout layout) { return layout == Layout::kNchw ? "nchw" : "nhwc"; }

std::string block_text(const Case& row) {
  std::string text;
  for (int axis = 0; axis < row.block.size(); ++axis)
    text += (axis ? "x" : "") + std::to_string(row.block[axis]);
  return text;
}

std::string pads_text(const Case& row) {
  std::string text;
  for (int axis = 0; axis < row.pads.size(); ++axis)
    text += (axis ? "," : "") + std::to_string(row.pads[axis].before) + ":" +
            std::to_string(row.pads[axis].after);
  return text;
}

Op parse_op(std::string_view text) {
  if (text == op_name(Op::kSpaceToBatch)) return Op::kSpaceToBatch;
  if (text == op_name(Op::kBatchToSpace)) return Op::kBatchToSpace;
  fail("op", text, "s2b or b2s");
}

Layout parse_layout(std::string_view text) {
  if (text == layout_name(Layout::kNchw)) return Layout::kNchw;
  if (text == layout_name(Layout::kNhwc)) return Layout::kNhwc;
  fail("layout", text, "nchw or nhwc");
}

sylvite::PerAxis<int64_t> parse_block(std::string_view text, int axes) {
  sylvite::PerAxis<int64_t> block;
  for (const std::string_view part : split(text, 'x'))
    block.push_back(parse_integer("block", part, 1));
  if (block.size() != axes) fail("block", text, "one entry per spatial axis, e.g. 2x2");
  return block;
}

sylvite::PerAxis<Sides> parse_pads(std::string_view text, int axes) {
  sylvite::PerAxis<Sides> pads;
  if (text == "-") {
    for (int axis = 0; axis < axes; ++axis) pads.push_back({});
    return pads;
  }
  for (const std::string_view part : split(text, ',')) {
    const auto sides = split(part, ':');
    if (sides.size() != 2) fail("pads", text, "- or before:after per spatial axis, e.g. 1:2,0:1");
    pads.push_back({parse_integer("pads", sides[0], 0), parse_integer("pads", sides[1], 0)});
  }
  if (pads.size() != axes) fail("pads", text, "- or one before:after per spatial axis");
  return pads;
}

void check_extents(const Case& row) {
  const bool gather = row.op == Op::kBatchToSpace;
  int64_t blocks = 1;
  for (int axis = 0; axis < row.block.size(); ++axis) {
    const int64_t extent = row.shape[axis + (row.layout == Layout::kNchw ? 2 : 1)];
    const int64_t sides = row.pads[axis].before + row.pads[axis].after;
    blocks *= row.block[axis];
    if (gather && extent * row.block[axis] <= sides)
      fail("pads", pads_text(row), "crops smaller than the image");
    if (!gather && (extent + sides) % row.block[axis] != 0)
      fail("pads", pads_text(row), "padded extents that the block divides");
  }
  if (gather && row.shape[0] % blocks != 0)
    fail("shape", to_string(row.shape), "a batch that " + std::to_string(blocks) + " divides");
}

}  // namespace

nlohmann::json details_of(const Case& row) {
  return {{"op", op_name(row.op)},
          {"dtype", name(row.dtype)},
          {"layout", layout_name(row.layout)},
          {"shape", to_string(row.shape)},
          {"block", block_text(row)},
          {"pads", pads_text(row)}};
}

Case parse_case(std::string_view line) {
  const auto column = columns_of<8>(line, "name op dtype layout shape block pads weight");
  Case row;
  row.name = column[0];
  row.op = parse_op(column[1]);
  row.dtype = parse_dtype(column[2]);
  row.layout = parse_layout(column[3]);
  row.shape = parse_shape(column[4]);
  if (row.shape.rank() != 3 && row.shape.rank() != 4)
    fail("shape", column[4], "3 or 4 extents, e.g. 1x64x65x65");
  row.block = parse_block(column[5], row.shape.rank() - 2);
  row.pads = parse_pads(column[6], row.shape.rank() - 2);
  row.weight = parse_weight(column[7]);
  check_extents(row);
  return row;
}

}  // namespace sylvite_bench
