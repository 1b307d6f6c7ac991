// Merges of features and their gradients, a chunk of examples at a time.
#include "generators/features_tables.h"

namespace sylvite {

/// Per chunk of examples and input: the sum of the counts, how many segments are present, and the
/// largest length of them as an unsigned number. Of a length that is absent the sign alone counts.
class Totals : public Halide::Generator<Totals> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  GeneratorParam<Counts> counts{"counts", Counts::kPresent, kCounts};
  Input<Buffer<int32_t, 2>> ints{"ints"};
  Input<Buffer<uint8_t, 2>> bytes{"bytes"};
  Input<Buffer<int32_t, 2>> lengths{"lengths"};    // address of input f in ints
  Input<Buffer<int32_t, 2>> presence{"presence"};  // address of input f in bytes
  Input<int> examples{"examples"};                 // in a chunk, a multiple of kLanes
  Output<Buffer<int64_t, 3>> totals{"totals"};     // k, c, f

  void generate() {
    const RDom r(0, examples / kLanes, "r");
    const Expr b = c * examples + r * kLanes;
    Expr here = 1, length = 0;
    if (counts != Counts::kLengths) here = cast<int>(bytes(place(presence, f, b, lane)) != 0);
    if (counts != Counts::kPresence) length = ints(place(lengths, f, b, lane));
    lanes(lane, c, f) = no_sums();
    const Expr sign = std::numeric_limits<int32_t>::min();
    lanes(lane, c, f) = add_to(lanes(lane, c, f), length & -here, here, length & (-here | sign));
    totals(k, c, f) = whole.of(k, lanes, c, f);
  }
  void schedule() {
    describe_memory(ints, bytes);
    describe_addresses(lengths, presence);
    schedule_totals(totals, k, c, lanes, lane, whole);
  }

 private:
  Var k{"k"}, lane{"lane"}, c{"c"}, f{"f"};
  Func lanes{"lanes"};
  LaneTotals whole;
};

/// The same of the first n(f) numbers behind an address each.
class InnerTotals : public Halide::Generator<InnerTotals> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  Input<Buffer<int32_t, 2>> ints{"ints"};
  Input<Buffer<int32_t, 2>> lengths{"lengths"};  // address of input f
  Input<Buffer<int32_t, 1>> n{"n"};
  Output<Buffer<int64_t, 3>> totals{"totals"};  // k, c = 0, f

  void generate() {
    RDom r(0, kMaxLow, "r"), rest(0, kLanes, "rest");
    r.where(r < n(f) / kLanes);
    const Expr vectors = n(f) / kLanes * kLanes;
    rest.where(rest < n(f) - vectors);
    const Expr length = ints(place(lengths, f, r * kLanes, lane));
    const Expr last = ints(place(lengths, f, vectors, rest));
    lanes(lane, c, f) = no_sums();
    lanes(lane, c, f) = add_to(lanes(lane, c, f), length, 1, length);
    lanes(0, c, f) = add_to(lanes(0, c, f), last, 1, last);
    totals(k, c, f) = whole.of(k, lanes, c, f);
  }
  void schedule() {
    describe_memory(ints);
    describe_addresses(lengths);
    describe_tables(n);
    schedule_totals(totals, k, c, lanes, lane, whole);
    lanes.update(1).unscheduled();
  }

 private:
  Var k{"k"}, lane{"lane"}, c{"c"}, f{"f"};
  Func lanes{"lanes"};
  LaneTotals whole;
};

/// The tables of a chunk: how many elements a segment has (none where it is absent), where they begin
/// in its input and in the packed array, and how many segments before it are present. Where presence
/// is counted, a segment has one element where it is present, and `from` and `to` are left as they
/// are; where lengths are counted, `position` is.
class Segments : public Halide::Generator<Segments> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  GeneratorParam<Counts> counts{"counts", Counts::kPresent, kCounts};
  Input<Buffer<int32_t, 2>> ints{"ints"};
  Input<Buffer<uint8_t, 2>> bytes{"bytes"};
  Input<Buffer<int32_t, 2>> lengths{"lengths"};
  Input<Buffer<int32_t, 2>> presence{"presence"};
  Input<int> features{"features"};
  Input<int> examples{"examples"};                  // a multiple of kLanes
  Output<Buffer<int32_t, 2>> count{"count"};        // b, f
  Output<Buffer<int32_t, 2>> from{"from"};          // b, f; an example longer, as those that follow
  Output<Buffer<int32_t, 2>> to{"to"};              // b, f
  Output<Buffer<int32_t, 2>> position{"position"};  // b, f

  void generate() {
    const auto here = [&](const Expr& offset, const Expr& lane, const Expr& f) -> Expr {
      return cast<int>(bytes(place(presence, f, offset, lane)) != 0);
    };
    const auto counted = [&](const Expr& vector, const Expr& lane, const Expr& f) -> Expr {
      return count(vector * kLanes + lane, f);
    };
    Expr value = 1;
    if (counts != Counts::kLengths) value = here(0, b, f);
    if (counts != Counts::kPresence) value = ints(place(lengths, f, 0, b)) & -value;
    count(b, f) = value;
    from(b, f) = Halide::undef<int>();
    if (counts == Counts::kPresence) {
      to(b, f) = Halide::undef<int>();
    } else {
      r = RDom({{0, kLanes}, {0, examples / kLanes}}, "r");
      const Expr at = r.y * kLanes + r.x;
      from(0, f) = 0;
      from(at + 1, f) = from(at, f) + count(at, f);
      scan_segments(to, counted, features, examples);
    }
    if (counts == Counts::kLengths) {
      position(b, f) = Halide::undef<int>();
    } else if (counts == Counts::kPresence) {
      scan_segments(position, counted, features, examples);
    } else {
      const auto present = [&](const Expr& vector, const Expr& lane, const Expr& f) {
        return here(vector * kLanes, lane, f);
      };
      scan_segments(position, present, features, examples);
    }
  }
  void schedule() {
    describe_memory(ints, bytes);
    describe_addresses(lengths, presence);
    describe_tables(count, from, to, position);
    describe_pitch(count, from, to, position);
    Func(count).vectorize(b, kLanes, Halide::TailStrategy::RoundUp);
    if (counts == Counts::kPresence) return;
    Func(from).update(0).unscheduled();
    Func(from).update(1).unroll(r.x);
  }

 private:
  Var b{"b"}, f{"f"};
  RDom r;
};

/// The tables of the second level: the numbers behind an address, n(f) of them, are lengths, and a
/// segment counts their sum over its range of the first level.
class InnerSegments : public Halide::Generator<InnerSegments> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  Input<Buffer<int32_t, 2>> ints{"ints"};
  Input<Buffer<int32_t, 2>> lengths{"lengths"};  // address of input f
  Input<Buffer<int32_t, 1>> n{"n"};
  Input<Buffer<int32_t, 1>> begin{"begin"};  // of input f in before
  Input<Buffer<int32_t, 2>> outer{"outer"};  // b, f: the first level's from, an example longer
  Input<int> features{"features"};
  Input<int> examples{"examples"};
  Output<Buffer<int32_t, 1>> before{"before"};  // sums before every number
  Output<Buffer<int32_t, 2>> count{"count"};    // b, f
  Output<Buffer<int32_t, 2>> from{"from"};      // b, f
  Output<Buffer<int32_t, 2>> to{"to"};          // b, f; an example longer

  void generate() {
    r = RDom({{0, kMaxLow}, {0, features}}, "r");
    r.where(r.x < n(r.y));
    const RDom first(0, features, "first");
    const Expr at = promise_inside(begin(r.y) + r.x, before, 2);
    before(i) = Halide::undef<int>();
    before(promise_inside(begin(first), before, 1)) = 0;
    before(at + 1) = before(at) + ints(place(lengths, r.y, r.x, 0));
    from(b, f) = before(promise_inside(begin(f) + outer(b, f), before, 1));
    count(b, f) = before(promise_inside(begin(f) + outer(b + 1, f), before, 1)) - from(b, f);
    const auto counted = [&](const Expr& vector, const Expr& lane, const Expr& f) -> Expr {
      return count(vector * kLanes + lane, f);
    };
    scan_segments(to, counted, features, examples);
  }
  void schedule() {
    describe_memory(ints);
    describe_addresses(lengths);
    describe_tables(n, begin, outer, before, count, from, to);
    describe_pitch(count, from, to, outer);
  }

 private:
  Var b{"b"}, f{"f"}, i{"i"};
  RDom r;
};

/// A loop over the runs of a chunk in vectors of `step` bytes, one for each segment or, where runs are
/// longer, so many that they cover it, and its places on both sides. A vector may reach past its run's
/// end: what it spoils there is written later. Where not all of them stay within `room`, those that do
/// not are left out. The innermost loops are over `block` features of all examples.
struct RunLoop {
  RDom r;
  std::vector<Expr> ragged;
  Expr packed;
};

template <typename Kernel>
RunLoop loop_over_runs(const Kernel& k, const Expr& block, const Expr& blocks) {
  const int step = k.step;
  const RDom r({{0, step},
                {0, k.longer ? Expr(kMaxLow) : Expr(1)},
                {0, block},
                {0, rows_of(k.segments, k.features)},
                {0, blocks}},
               "r");
  const Expr b = r[3], feature = r[4] * block + r[2], vector = r[1] * step;
  // Conditions are read all at once: those of features past the last one from the last one's tables.
  const Expr f = Halide::min(feature, k.features - 1);
  const Expr n = k.count(b, f) << k.shift, at = k.from(b, f) << k.shift;
  const Expr to = promise_inside((k.to(b, f) << k.shift) + vector, k.packed, step);
  RunLoop loop = {r, place(k.ragged, f, at + vector, r[0]), to + r[0]};
  loop.r.where(feature < k.features && b * k.features + f < k.segments);
  if (k.longer) loop.r.where(r[1] < Halide::max((n + (step - 1)) / step, 1));
  loop.r.where(k.inside || at + n + step <= k.room(f));
  return loop;
}

/// The inputs' runs to the packed array. What they spoil past its end is the caller's to keep off.
class MergeRuns : public Halide::Generator<MergeRuns> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  GeneratorParam<int> step{"step", 64};
  GeneratorParam<bool> longer{"longer", false};
  Input<Buffer<uint8_t, 2>> memory{"memory"};
  Input<Buffer<int32_t, 2>> ragged{"ragged"};  // address of input f
  Input<Buffer<int32_t, 1>> room{"room"};      // bytes behind it that may be touched
  Input<Buffer<int32_t, 2>> count{"count"};    // b, f
  Input<Buffer<int32_t, 2>> from{"from"};      // b, f
  Input<Buffer<int32_t, 2>> to{"to"};          // b, f
  Input<int> features{"features"};
  Input<int> segments{"segments"};
  Input<uint32_t> shift{"shift"};  // binary logarithm of the bytes of an element
  Input<bool> inside{"inside"};    // all vectors stay within `room`
  Output<Buffer<uint8_t, 1>> packed{"packed"};

  void generate() {
    const RunLoop loop = loop_over_runs(*this, features, 1);
    r = loop.r;
    packed(Var("i")) = Halide::undef<uint8_t>();
    packed(loop.packed) = memory(loop.ragged);
  }
  void schedule() { schedule_runs(*this, packed, r[0]); }

 private:
  RDom r;
};

/// The packed array's runs to the inputs' gradients.
class SplitRuns : public Halide::Generator<SplitRuns> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  GeneratorParam<int> step{"step", 64};
  GeneratorParam<bool> longer{"longer", false};
  Input<Buffer<uint8_t, 1>> packed{"packed"};
  Input<Buffer<int32_t, 2>> ragged{"ragged"};
  Input<Buffer<int32_t, 1>> room{"room"};
  Input<Buffer<int32_t, 2>> count{"count"};
  Input<Buffer<int32_t, 2>> from{"from"};
  Input<Buffer<int32_t, 2>> to{"to"};
  Input<int> features{"features"};
  Input<int> segments{"segments"};
  Input<uint32_t> shift{"shift"};
  Input<bool> inside{"inside"};
  Output<Buffer<uint8_t, 2>> memory{"memory"};

  void generate() {
    const RunLoop loop =
        loop_over_runs(*this, kSplitBlock, (features + kSplitBlock - 1) / kSplitBlock);
    r = loop.r;
    memory(Var("low"), Var("high")) = Halide::undef<uint8_t>();
    memory(loop.ragged) = packed(loop.packed);
  }
  void schedule() { schedule_runs(*this, memory, r[0]); }

 private:
  RDom r;
};

/// The key and the value of every present segment at its position. An absent one writes to the
/// position of the next present one, which comes later. value(b, f).
template <typename Kernel, typename Value>
void pick(Kernel& k, const Value& value) {
  RDom r({{0, k.features}, {0, rows_of(k.segments, k.features)}}, "r");
  r.where(r.y * k.features + r.x < k.segments);
  const Expr first = value(r.y, r.x);
  k.packed(Var("i")) = Tuple(Halide::undef<int64_t>(), Halide::undef(first.type()));
  const Expr at = Halide::unsafe_promise_clamped(k.position(r.y, r.x), 0, k.pairs - 1);
  k.packed(at) = Tuple(k.ids(r.x), first);
}

/// Values out of the inputs.
class Pick : public Halide::Generator<Pick> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  Input<Buffer<void, 2>> memory{"memory"};
  Input<Buffer<int32_t, 2>> ragged{"ragged"};      // address of input f
  Input<Buffer<int64_t, 1>> ids{"ids"};            // f
  Input<Buffer<int32_t, 2>> position{"position"};  // b, f
  Input<int> features{"features"};
  Input<int> segments{"segments"};  // up to the last present one
  Input<int> pairs{"pairs"};        // present segments
  Input<int> stride{"stride"};      // elements from one example to the next
  Output<Func> packed{"packed"};    // key and value

  void configure() { memory.set_type(element); }
  void generate() {
    pick(*this, [&](const Expr& b, const Expr& f) -> Expr {
      return memory(place(ragged, f, b * stride, 0));
    });
  }
  void schedule() {
    describe_memory(memory);
    describe_addresses(ragged);
    schedule_pick(*this);
  }
};

/// Values that are the lengths, which the tables have.
class PickLengths : public Halide::Generator<PickLengths> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  Input<Buffer<uint32_t, 2>> count{"count"};       // b, f
  Input<Buffer<int64_t, 1>> ids{"ids"};            // f
  Input<Buffer<int32_t, 2>> position{"position"};  // b, f
  Input<int> features{"features"};
  Input<int> segments{"segments"};
  Input<int> pairs{"pairs"};
  Output<Func> packed{"packed"};

  void generate() {
    pick(*this, [&](const Expr& b, const Expr& f) -> Expr { return count(b, f); });
  }
  void schedule() {
    describe_tables(count);
    describe_pitch(position, count);
    schedule_pick(*this);
  }
};

/// The value at the position of every present segment, 0 where one is absent.
class Expand : public Halide::Generator<Expand> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  Input<Buffer<void, 1>> packed{"packed"};         // at least one
  Input<Buffer<int32_t, 2>> ragged{"ragged"};      // address of input f
  Input<Buffer<int32_t, 2>> present{"present"};    // b, f: 1 or 0
  Input<Buffer<int32_t, 2>> position{"position"};  // b, f
  Input<int> features{"features"};
  Input<int> examples{"examples"};
  Input<int> stride{"stride"};  // elements from one example to the next
  Output<Buffer<void, 2>> memory{"memory"};

  void configure() {
    packed.set_type(element);
    memory.set_type(element);
  }
  void generate() {
    // Vectors of examples where they lie side by side, then what is left.
    const Expr vectors = Halide::select(stride == 1, examples / kLanes, 0);
    const Expr rest = examples - vectors * kLanes;
    r = RDom({{0, kLanes}, {0, vectors}, {0, features}}, "r");
    const RDom last({{0, features}, {0, rest}}, "last");
    const auto value = [&](const Expr& b, const Expr& f) {
      const Expr at = Halide::clamp(position(b, f), 0, packed.dim(0).extent() - 1);
      return packed(at) & cast(element, -present(b, f));
    };
    memory(Var("low"), Var("high")) = Halide::undef(element);
    memory(place(ragged, r[2], r[1] * kLanes, r[0])) = value(r[1] * kLanes + r[0], r[2]);
    const Expr b = vectors * kLanes + last.y;
    memory(place(ragged, last.x, b * stride, 0)) = value(b, last.x);
  }
  void schedule() {
    describe_memory(memory);
    describe_addresses(ragged);
    describe_tables(packed, present, position);
    describe_pitch(present, position);
    Func(memory).update(0).allow_race_conditions().vectorize(r[0]);
    Func(memory).update(1).unscheduled();
  }

 private:
  RDom r;
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::Totals, totals)
HALIDE_REGISTER_GENERATOR(sylvite::InnerTotals, inner_totals)
HALIDE_REGISTER_GENERATOR(sylvite::Segments, segments)
HALIDE_REGISTER_GENERATOR(sylvite::InnerSegments, inner_segments)
HALIDE_REGISTER_GENERATOR(sylvite::MergeRuns, merge_runs)
HALIDE_REGISTER_GENERATOR(sylvite::SplitRuns, split_runs)
HALIDE_REGISTER_GENERATOR(sylvite::Pick, pick)
HALIDE_REGISTER_GENERATOR(sylvite::PickLengths, pick_lengths)
HALIDE_REGISTER_GENERATOR(sylvite::Expand, expand_present)
