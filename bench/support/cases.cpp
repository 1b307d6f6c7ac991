#include "support/cases.h"

#include <array>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

namespace sylvite_bench {
namespace {

using sylvite::DType;
using sylvite::Layout;
using sylvite::Sides;

[[noreturn]] void fail(std::string_view column, std::string_view got, std::string_view want) {
  std::ostringstream message;
  message << column << " is '" << got << "', want " << want;
  throw std::runtime_error(message.str());
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  while (true) {
    const size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

int64_t parse_integer(std::string_view column, std::string_view text, int64_t least) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least)
    fail(column, text, "an integer of at least " + std::to_string(least));
  return value;
}

Op parse_op(std::string_view text) {
  if (text == op_name(Op::kSpaceToBatch)) return Op::kSpaceToBatch;
  if (text == op_name(Op::kBatchToSpace)) return Op::kBatchToSpace;
  fail("op", text, "s2b or b2s");
}

DType parse_dtype(std::string_view text) {
  for (int code = 0; code <= static_cast<int>(DType::kFloat64); ++code)
    if (name(static_cast<DType>(code)) == text) return static_cast<DType>(code);
  fail("dtype", text, "a dtype's name, e.g. float32");
}

Layout parse_layout(std::string_view text) {
  if (text == layout_name(Layout::kNchw)) return Layout::kNchw;
  if (text == layout_name(Layout::kNhwc)) return Layout::kNhwc;
  fail("layout", text, "nchw or nhwc");
}

sylvite::Shape parse_shape(std::string_view text) {
  sylvite::Shape shape;
  for (const std::string_view part : split(text, 'x'))
    shape.push_back(parse_integer("shape", part, 1));
  if (shape.rank() != 3 && shape.rank() != 4)
    fail("shape", text, "3 or 4 extents, e.g. 1x64x65x65");
  return shape;
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

double parse_weight(const std::string& text) {
  size_t used = 0;
  double weight = -1;
  try {
    weight = std::stod(text, &used);
  } catch (const std::logic_error&) {
    used = 0;
  }
  if (used != text.size() || !(weight > 0)) fail("weight", text, "a number above 0");
  return weight;
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

Case parse_case(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::array<std::string, 8> column;
  for (std::string& word : column)
    if (!(words >> word))
      throw std::runtime_error("want name op dtype layout shape block pads weight");
  std::string rest;
  if (words >> rest) throw std::runtime_error("unexpected '" + rest + "' after the weight");

  Case row;
  row.name = column[0];
  row.op = parse_op(column[1]);
  row.dtype = parse_dtype(column[2]);
  row.layout = parse_layout(column[3]);
  row.shape = parse_shape(column[4]);
  row.block = parse_block(column[5], row.shape.rank() - 2);
  row.pads = parse_pads(column[6], row.shape.rank() - 2);
  row.weight = parse_weight(column[7]);
  check_extents(row);
  return row;
}

std::vector<Case> read_cases(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(file + ": cannot be read");
  std::vector<Case> cases;
  std::set<std::string> names;
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    line.resize(std::min(line.find('#'), line.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      cases.push_back(parse_case(line));
      if (!names.insert(cases.back().name).second)
        throw std::runtime_error("this name came before");
    } catch (const std::exception& error) {
      throw std::runtime_error(file + ":" + std::to_string(number) + ": " + error.what());
    }
  }
  return cases;
}

}  // namespace sylvite_bench
