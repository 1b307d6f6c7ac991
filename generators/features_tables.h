// What kernels of features count, and how they reach it.
//
// A segment (b, f) is what input f holds of example b. The inputs' arrays are reached through
// `memory`: all memory, counted in elements, in two dimensions so that int32 coordinates reach it. An
// address is the pair (low, high) of them. Tables over segments are (b, f); their order in the packed
// arrays is s = b * features + f.
#pragma once

#include <limits>
#include <map>

#include "schedules/features.h"

namespace sylvite {

using Halide::cast;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Tuple;
using Halide::Type;
using Halide::Var;

/// Element `offset` + `lane` behind the address of input f. The bounds are promised for what is the
/// same in all lanes: around a vector the promise would make it scalar.
template <typename Addresses>
std::vector<Expr> place(const Addresses& address, const Expr& f, const Expr& offset,
                        const Expr& lane) {
  return {promise_low(address(0, f) + offset) + lane,
          Halide::unsafe_promise_clamped(address(1, f), 0, kMaxHigh)};
}

/// scan(b, f): what the segments before (b, f) count, scan(examples, 0) all of them. The sums of examples
/// are scanned one by one, the segments of an example side by side in vectors of examples.
/// count(vector, lane, f).
template <typename Scan, typename Count>
void scan_segments(Scan& scan, const Count& count, const Expr& features, const Expr& examples) {
  const Expr vectors = examples / kLanes;
  const RDom all({{0, kLanes}, {0, features}, {0, vectors}}, "all");
  const RDom next({{0, kLanes}, {0, features - 1}, {0, vectors}}, "next");
  const RDom row(0, examples, "row"), begin(0, examples + 1, "begin");
  const Expr at = next.z * kLanes + next.x;
  scan(Var("b"), Var("f")) = Halide::undef<int>();
  scan(begin, 0) = 0;
  scan(all.z * kLanes + all.x + 1, 0) += count(all.z, all.x, all.y);
  scan(row + 1, 0) += scan(row, 0);
  scan(at, next.y + 1) = scan(at, next.y) + count(next.z, next.x, next.y);
  schedule_scan(Func(scan), all.x, next.x);
}

/// Rows of segments that begin below `segments`.
inline Expr rows_of(const Expr& segments, const Expr& features) {
  return (segments + features - 1) / features;
}

/// What a segment counts.
enum class Counts { kPresence, kPresent, kLengths };
inline const std::map<std::string, Counts> kCounts = {
    {"presence", Counts::kPresence},  // 1 where it is present
    {"present", Counts::kPresent},    // its length where it is present
    {"lengths", Counts::kLengths},    // its length
};

/// Sum, count and largest of int32 numbers by lane. A negative number is larger than all others.
inline Tuple add_to(const Tuple& sums, const Expr& value, const Expr& count, const Expr& length) {
  return {sums[0] + cast<int64_t>(value), sums[1] + count,
          Halide::max(sums[2], cast<uint32_t>(length))};
}

inline Tuple no_sums() { return {cast<int64_t>(0), 0, cast<uint32_t>(0)}; }

/// The three of add_to over all lanes.
struct LaneTotals {
  Expr of(const Var& k, const Func& lanes, const Var& c, const Var& f) const {
    const Expr lane = all;
    sum(c, f) += lanes(lane, c, f)[0];
    present(c, f) += lanes(lane, c, f)[1];
    largest(c, f) = cast<uint32_t>(0);
    largest(c, f) = Halide::max(largest(c, f), lanes(lane, c, f)[2]);
    return Halide::mux(k, {sum(c, f), cast<int64_t>(present(c, f)), cast<int64_t>(largest(c, f))});
  }

  RDom all{0, kLanes, "all"};
  Func sum{"sum"}, present{"present"}, largest{"largest"};
};

}  // namespace sylvite
