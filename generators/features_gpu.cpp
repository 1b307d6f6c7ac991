// Merges of features on a GPU, and their gradients.
//
// A segment is what input f holds of example b. Tables of segments lie by input, k = f * examples + b,
// or by example, s = b * features + f; where both are one loop, its dimensions are (b, f). The last
// dimension of every buffer is its origin: memory without addresses begins there.
#include "schedules/features_gpu.h"

#include <map>

namespace sylvite {

using Halide::cast;
using Halide::Expr;
using Halide::Func;
using Halide::Type;
using Halide::Var;

namespace {

// A code below 0: the segment is absent, or its length negative.
constexpr int kAbsent = -1;
constexpr int kNegative = -2;

/// What a segment counts.
enum class Counts { kPresence, kPresent, kLengths };
const std::map<std::string, Counts> kCounts = {
    {"presence", Counts::kPresence},  // 1 where it is present
    {"present", Counts::kPresent},    // its length where it is present
    {"lengths", Counts::kLengths},    // its length
};

/// What a scan adds up.
enum class Numbers { kElements, kPresent, kSpans, kSums };
const std::map<std::string, Numbers> kNumbers = {
    {"elements", Numbers::kElements},  // what codes count
    {"present", Numbers::kPresent},    // segments present, of their codes
    {"spans", Numbers::kSpans},        // from each entry of a table to the next
    {"sums", Numbers::kSums},          // themselves
};

Type type_of(Numbers numbers) {
  return numbers == Numbers::kElements || numbers == Numbers::kPresent ? Halide::Int(32)
                                                                       : Halide::Int(64);
}

/// Number s of `count` in the order of a scan, and 0 behind them: x holds `features` rows of
/// `examples`, and the scan goes down their columns.
template <typename Scan>
Expr number_of(const Scan& scan, const Expr& s) {
  const Expr inside = cast<uint32_t>(Halide::min(s, scan.count - 1));
  const Expr features = cast<uint32_t>(scan.features);
  const Expr k = Halide::unsafe_promise_clamped(
      cast<int>(inside % features) * scan.examples + cast<int>(inside / features), 0,
      scan.count - 1);
  const auto x = [&](const Expr& at) { return cast<int64_t>(scan.x(at, 0)); };
  const Numbers numbers = scan.numbers;
  const Expr value = numbers == Numbers::kElements  ? Halide::max(x(k), 0)
                     : numbers == Numbers::kPresent ? cast<int64_t>(x(k) >= 0)
                     : numbers == Numbers::kSpans   ? x(k + 1) - x(k)
                                                    : x(k);
  return select(s < scan.count, value, cast<int64_t>(0));
}

}  // namespace

/// Every segment's code: what it counts, or one below 0.
class Codes : public Halide::Generator<Codes> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  GeneratorParam<Counts> counts{"counts", Counts::kPresent, kCounts};
  Input<Buffer<int32_t, 3>> lengths{"lengths"};    // b, f
  Input<Buffer<uint8_t, 3>> presence{"presence"};  // b, f
  Input<int[2]> extent{"extent"};
  Output<Buffer<int32_t, 3>> codes{"codes"};  // b, f

  void generate() {
    r = box_of(extent);
    Expr code = 1;
    if (counts != Counts::kPresence) code = lengths(at_origin(r));
    const Expr negative = code < 0;
    if (counts != Counts::kLengths) code = select(presence(at_origin(r)) != 0, code, kAbsent);
    codes(anywhere(3)) = Halide::undef<int32_t>();
    codes(at_origin(r)) = select(negative, kNegative, code);
  }
  void schedule() { schedule_gpu_segments(codes, r, lengths, presence, codes); }

 private:
  RDom r;
};

/// The sum of each chunk of kScanChunk numbers.
class ScanSums : public Halide::Generator<ScanSums> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  GeneratorParam<Numbers> numbers{"numbers", Numbers::kSums, kNumbers};
  Input<Buffer<void, 2>> x{"x"};
  Input<int> count{"count"};  // at least 1
  Input<int> features{"features"};
  Input<int> examples{"examples"};
  Input<int> chunks{"chunks"};
  Output<Buffer<int64_t, 2>> sums{"sums"};  // c

  void configure() { x.set_type(type_of(numbers)); }
  void generate() {
    r = RDom(0, chunks, "r");
    Expr sum = cast<int64_t>(0);
    for (int i = 0; i < kScanNumbers; ++i)
      sum += number_of(*this, c * kScanChunk + i * kScanThreads + t);
    for (int width = kScanThreads; width >= 1; width /= 2) {
      Func half("half" + std::to_string(width));
      half(t, c) = width == kScanThreads ? sum : halves.back()(t, c) + halves.back()(t + width, c);
      halves.push_back(half);
    }
    sums(anywhere(2)) = Halide::undef<int64_t>();
    sums(r, 0) = halves.back()(0, r);
  }
  void schedule() { schedule_scan_sums(sums, r, halves, t); }

 private:
  RDom r;
  Var t{"t"}, c{"c"};
  std::vector<Func> halves;
};

/// y(s) = the sum of all numbers before s, for s up to `count`; `before` holds what lies before each
/// chunk.
class Scan : public Halide::Generator<Scan> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  GeneratorParam<Numbers> numbers{"numbers", Numbers::kSums, kNumbers};
  Input<Buffer<void, 2>> x{"x"};
  Input<Buffer<int64_t, 2>> before{"before"};  // c
  Input<int> count{"count"};                   // at least 1
  Input<int> features{"features"};
  Input<int> examples{"examples"};
  Input<int> chunks{"chunks"};  // that hold `count` numbers and one more
  Output<Buffer<int64_t, 2>> y{"y"};

  void configure() { x.set_type(type_of(numbers)); }
  void generate() {
    staged(i, c) = number_of(*this, c * kScanChunk + i);
    Expr sum = cast<int64_t>(0);
    for (int n = 0; n < kScanNumbers; ++n) sum += staged(t * kScanNumbers + n, c);
    Func own("own");
    own(t, c) = sum;
    steps = {own};
    for (int reach = 1; reach < kScanThreads; reach *= 2) {
      const Func last = steps.back();
      Func step("step" + std::to_string(reach));
      step(t, c) = last(t, c) + select(t < reach, 0, last(Halide::max(t - reach, 0), c));
      steps.push_back(step);
    }
    r = RDom({{0, kScanNumbers}, {0, kScanThreads}, {0, chunks}}, "r");
    const Expr first = r.y * kScanNumbers, s = r.z * kScanChunk + first + r.x;
    r.where(s <= count);
    Expr earlier = before(r.z, 0) + steps.back()(r.y, r.z) - own(r.y, r.z);
    for (int n = 0; n + 1 < kScanNumbers; ++n)
      earlier += select(n < r.x, staged(first + n, r.z), cast<int64_t>(0));
    y(anywhere(2)) = Halide::undef<int64_t>();
    y(s, 0) = earlier;
  }
  void schedule() { schedule_scan(y, r, staged, i, steps, t); }

 private:
  RDom r;
  Var i{"i"}, t{"t"}, c{"c"};
  Func staged{"staged"};
  std::vector<Func> steps;
};

/// y(k) = table(at(k)).
class LookUp : public Halide::Generator<LookUp> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  Input<Buffer<int64_t, 2>> table{"table"};
  Input<Buffer<int64_t, 2>> at{"at"};
  Input<int> last{"last"};  // entry of the table
  Input<int[1]> extent{"extent"};
  Output<Buffer<int64_t, 2>> y{"y"};

  void generate() {
    r = box_of(extent);
    y(anywhere(2)) = Halide::undef<int64_t>();
    y(at_origin(r)) =
        table(cast<int>(Halide::clamp(at(at_origin(r)), cast<int64_t>(0), cast<int64_t>(last))), 0);
  }
  void schedule() { schedule_gpu_run(y, r); }

 private:
  RDom r;
};

// What a condition reads is clamped into the loop: it may be asked before the loop's end is.

/// word(0) = mark where a code says that a length is negative.
class CheckCodes : public Halide::Generator<CheckCodes> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  Input<Buffer<int32_t, 2>> codes{"codes"};
  Input<int[1]> extent{"extent"};
  Input<int64_t> mark{"mark"};
  Output<Buffer<int64_t, 2>> word{"word"};

  void generate() {
    r = box_of(extent);
    word(anywhere(2)) = Halide::undef<int64_t>();
    word(0 * r.x, 0) = select(codes(Halide::min(r.x, extent[0] - 1), 0) <= kNegative, mark,
                              Halide::undef<int64_t>());
  }
  void schedule() { schedule_gpu_marks(word, r); }

 private:
  RDom r;
};

/// word(0) = mark where a table goes up by less than `least` or more than `most` in `step` entries.
class CheckSpans : public Halide::Generator<CheckSpans> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  Input<Buffer<int64_t, 2>> table{"table"};
  Input<int[1]> extent{"extent"};
  Input<int> step{"step"};
  Input<int64_t> least{"least"};
  Input<int64_t> most{"most"};
  Input<int64_t> mark{"mark"};
  Output<Buffer<int64_t, 2>> word{"word"};

  void generate() {
    r = box_of(extent);
    const Expr at = Halide::min(r.x, extent[0] - 1);
    const Expr span = table((at + 1) * step, 0) - table(at * step, 0);
    word(anywhere(2)) = Halide::undef<int64_t>();
    word(0 * r.x, 0) = select(span < least || span > most, mark, Halide::undef<int64_t>());
  }
  void schedule() { schedule_gpu_marks(word, r); }

 private:
  RDom r;
};

/// Merged lengths: how far a table by example goes up in an example.
class Lengths : public Halide::Generator<Lengths> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  Input<Buffer<int64_t, 2>> table{"table"};
  Input<int[1]> extent{"extent"};
  Input<int> features{"features"};
  Output<Buffer<int32_t, 2>> lengths{"lengths"};

  void generate() {
    r = box_of(extent);
    lengths(anywhere(2)) = Halide::undef<int32_t>();
    lengths(r, 0) = cast<int32_t>(table((r.x + 1) * features, 0) - table(r.x * features, 0));
  }
  void schedule() { schedule_gpu_run(lengths, r); }

 private:
  RDom r;
};

/// A piece of one input's array to its places in the packed one, or back. A thread moves an element:
/// it looks for the segment that holds it, so that long runs and short ones keep all threads busy, and
/// neighbours look at the same entries.
class Runs : public Halide::Generator<Runs> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GeneratorParam<bool> split{"split", false};  // from the packed array to the input's
  Input<Buffer<void, 2>> x{"x"};
  Input<Buffer<int64_t, 2>> begins{"begins"};  // b: elements before the segment, by input
  Input<Buffer<int64_t, 2>> places{"places"};  // s: elements before it, by example
  Input<int> examples{"examples"};
  Input<int> features{"features"};
  Input<int> steps{"steps"};        // 2^steps >= examples
  Input<int64_t> first{"first"};    // the piece's first element, as `begins` counts
  Input<int64_t> packed{"packed"};  // the packed array's first element here, as `places` counts
  Input<int> room{"room"};          // elements of the packed array here
  Input<int[1]> extent{"extent"};   // of the piece
  Output<Buffer<void, 2>> y{"y"};

  void configure() {
    x.set_type(element);
    y.set_type(element);
  }
  void generate() {
    // The last segment that does not begin behind element i, bit by bit.
    const RDom bit(0, steps, "bit");
    segment(i) = 0;
    const Expr next = segment(i) + (1 << cast<uint32_t>(steps - 1 - bit));
    const Expr begin = begins(Halide::clamp(next, 0, examples - 1), 0);
    segment(i) = select(next < examples && begin <= first + i, next, segment(i));
    const Expr b = Halide::unsafe_promise_clamped(segment(i), 0, examples - 1);
    place(i) = places(b * features, 0) + (first + i - begins(b, 0)) - packed;

    r = box_of(extent);
    const Expr inside = place(r.x) >= 0 && place(r.x) < room;
    const Expr there = cast<int>(Halide::clamp(place(r.x), 0, cast<int64_t>(room) - 1));
    y(anywhere(2)) = Halide::undef(element);
    if (split) {
      y(r.x, 0) = select(inside, x(there, 0), Halide::undef(element));
    } else {
      y(there, 0) = select(inside, x(r.x, 0), Halide::undef(element));
    }
  }
  void schedule() { schedule_gpu_runs(y, r, segment, place); }

 private:
  RDom r;
  Var i{"i"};
  Func segment{"segment"}, place{"place"};
};

/// The value of every present segment at its position.
class Pick : public Halide::Generator<Pick> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  Input<Buffer<void, 3>> x{"x"};                   // b, f
  Input<Buffer<int64_t, 2>> position{"position"};  // s
  Input<int[2]> extent{"extent"};
  Input<int> features{"features"};  // from one example to the next in position
  Input<int> room{"room"};          // of the packed array, at least 1
  Output<Buffer<void, 2>> packed{"packed"};

  void configure() {
    x.set_type(element);
    packed.set_type(element);
  }
  void generate() {
    r = box_of(extent);
    const Expr b = Halide::min(r.x, extent[0] - 1), f = Halide::min(r.y, extent[1] - 1);
    const Expr s = f + b * features;
    const Expr at = position(s, 0);
    const Expr present = position(s + 1, 0) > at && at >= 0 && at < room;
    const Expr there = cast<int>(Halide::clamp(at, cast<int64_t>(0), cast<int64_t>(room) - 1));
    packed(anywhere(2)) = Halide::undef(element);
    packed(there, 0) = select(present, x(b, f, 0), Halide::undef(element));
  }
  void schedule() { schedule_gpu_segments(packed, r, x); }

 private:
  RDom r;
};

/// The value at the position of every present segment, 0 where one is absent.
class Expand : public Halide::Generator<Expand> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  Input<Buffer<void, 2>> packed{"packed"};
  Input<Buffer<int64_t, 2>> position{"position"};  // s
  Input<int[2]> extent{"extent"};
  Input<int> features{"features"};
  Input<int> room{"room"};         // of the packed array, at least 1
  Output<Buffer<void, 3>> y{"y"};  // b, f

  void configure() {
    packed.set_type(element);
    y.set_type(element);
  }
  void generate() {
    r = box_of(extent);
    const Expr s = r.y + r.x * features;
    const Expr at = position(s, 0);
    const Expr there = cast<int>(Halide::clamp(at, cast<int64_t>(0), cast<int64_t>(room) - 1));
    y(anywhere(3)) = Halide::undef(element);
    y(at_origin(r)) = select(position(s + 1, 0) > at, packed(there, 0), cast(element, 0));
  }
  void schedule() { schedule_gpu_segments(y, r, y); }

 private:
  RDom r;
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::Codes, codes_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::ScanSums, scan_sums_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::Scan, scan_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::LookUp, look_up_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::CheckCodes, check_codes_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::CheckSpans, check_spans_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::Lengths, lengths_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::Runs, runs_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::Pick, pick_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::Expand, expand_present_gpu)
