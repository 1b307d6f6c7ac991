// One line of bench/shapes/*.txt: an operator call on a given shape.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sylvite/space_batch.h"
#include "sylvite/tensor.h"

namespace sylvite_bench {

enum class Op : uint8_t { kSpaceToBatch, kBatchToSpace };

struct Case {
  std::string name;
  Op op = Op::kSpaceToBatch;
  sylvite::DType dtype = sylvite::DType::kFloat32;
  sylvite::Layout layout = sylvite::Layout::kNchw;
  sylvite::Shape shape;                   // of the input
  sylvite::PerAxis<int64_t> block = {};   // one or two axes
  sylvite::PerAxis<sylvite::Sides> pads;  // paddings or crops, one per axis
  double weight = 1;

  /// Rows named so begin one element after an aligned address.
  bool unaligned() const { return name.find("unaligned") != std::string::npos; }
};

/// Throws std::runtime_error with file, line and what is wrong there.
std::vector<Case> read_cases(const std::string& file);

/// One line without comment; throws std::runtime_error.
Case parse_case(std::string_view line);

std::string_view op_name(Op op);
std::string_view layout_name(sylvite::Layout layout);
std::string pads_text(const Case& row);
std::string block_text(const Case& row);

}  // namespace sylvite_bench
