// One line of bench/shapes/*.txt: an operator call on a given shape.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
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
};

/// One line without comment; throws std::runtime_error.
Case parse_case(std::string_view line);

/// What the JSON says of a row beside its figures.
nlohmann::json details_of(const Case& row);

}  // namespace sylvite_bench
