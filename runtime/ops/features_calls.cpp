#include "runtime/ops/features_calls.h"

#include <algorithm>
#include <limits>

#include "features_kernels.h"

namespace sylvite::internal::features {
namespace {

constexpr int32_t kMaxCoordinate = std::numeric_limits<int32_t>::max();

struct Extent {
  int64_t extent;
  int64_t stride;
};

template <typename T>
Operand operand_of(const T* data, ElementKind kind, int element_bytes,
                   std::initializer_list<Extent> dims) noexcept {
  Operand operand;
  operand.data = const_cast<void*>(static_cast<const void*>(data));
  operand.kind = kind;
  operand.element_bytes = element_bytes;
  operand.rank = 0;
  for (const Extent& dim : dims) {
    const auto i = static_cast<size_t>(operand.rank++);
    operand.extent[i] = static_cast<int32_t>(dim.extent);
    operand.stride[i] = static_cast<int32_t>(dim.stride);
  }
  return operand;
}

Operand numbers(const int32_t* data, std::initializer_list<Extent> dims) noexcept {
  return operand_of(data, ElementKind::kInt, 4, dims);
}
Operand numbers(const int64_t* data, std::initializer_list<Extent> dims) noexcept {
  return operand_of(data, ElementKind::kInt, 8, dims);
}

/// All memory.
Operand memory(ElementKind kind, int element_bytes) noexcept {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): no object; kernels add whole addresses to it.
  return operand_of(reinterpret_cast<const void*>(kOrigin), kind, element_bytes,
                    {{kMaxCoordinate, 1}, {int64_t{1} << 20, int64_t{1} << kLowBits}});
}

Operand addresses(const Address* of, int64_t features) noexcept {
  return numbers(of ? &of->low : &kMaxCoordinate, {{2, 1}, {features, 2}});
}

/// A table, `more` examples longer.
Operand table(const Tables& t, const int32_t* of, int64_t more = 0) noexcept {
  return numbers(of, {{t.examples + more, 1}, {t.features, t.pitch}});
}

class Scalars {
 public:
  template <typename... Numbers>
  explicit Scalars(const Numbers&... values) noexcept
      : numbers_{static_cast<int32_t>(values)...}, count_(sizeof...(values)) {
    for (size_t i = 0; i < count_; ++i) addresses_[i] = &numbers_[i];
  }
  Scalars(const Scalars&) = delete;
  Scalars& operator=(const Scalars&) = delete;
  operator std::span<const void* const>() const noexcept {  // NOLINT(google-explicit-constructor)
    return {addresses_.data(), count_};
  }

 private:
  std::array<int32_t, 4> numbers_;
  std::array<const void*, 4> addresses_;
  size_t count_;
};

KernelFn kernel_at(const Call& call, int row) {
  return pick_kernel(kKernelNames, kKernels, row, call.targets, call.op).entry.plain;
}

int shift_of(int bytes) noexcept { return width_index(bytes); }

}  // namespace

KernelFn totals_kernel_of(const Call& call, Counts counts) {
  constexpr std::array<int, 3> kRows = {find_kernel(kKernelNames, "totals_presence_u8"),
                                        find_kernel(kKernelNames, "totals_present_u8"),
                                        find_kernel(kKernelNames, "totals_lengths_u8")};
  return kernel_at(call, kRows[static_cast<size_t>(counts)]);
}

KernelFn segments_kernel_of(const Call& call, Counts counts) {
  constexpr std::array<int, 3> kRows = {find_kernel(kKernelNames, "segments_presence_u8"),
                                        find_kernel(kKernelNames, "segments_present_u8"),
                                        find_kernel(kKernelNames, "segments_lengths_u8")};
  return kernel_at(call, kRows[static_cast<size_t>(counts)]);
}

KernelFn inner_totals_kernel_of(const Call& call) {
  return kernel_at(call, find_kernel(kKernelNames, "inner_totals_u8"));
}

KernelFn inner_segments_kernel_of(const Call& call) {
  return kernel_at(call, find_kernel(kKernelNames, "inner_segments_u8"));
}

RunFunctions run_kernels_of(const Call& call, bool split) {
  constexpr std::array<std::array<int, kRunKernels.size()>, 2> kRows = {
      {{find_kernel(kKernelNames, "merge_runs_32_u8"),
        find_kernel(kKernelNames, "merge_runs_64_u8"),
        find_kernel(kKernelNames, "merge_runs_96_u8"),
        find_kernel(kKernelNames, "merge_runs_longer_u8")},
       {find_kernel(kKernelNames, "split_runs_32_u8"),
        find_kernel(kKernelNames, "split_runs_64_u8"),
        find_kernel(kKernelNames, "split_runs_96_u8"),
        find_kernel(kKernelNames, "split_runs_longer_u8")}}};
  RunFunctions functions;
  for (size_t i = 0; i < functions.size(); ++i) functions[i] = kernel_at(call, kRows[split][i]);
  return functions;
}

KernelFn pick_kernel_of(const Call& call, const PickMove& move) {
  constexpr std::array<int, 4> kRows = find_widths(kKernelNames, "pick_u");
  if (!move.values) return kernel_at(call, find_kernel(kKernelNames, "pick_lengths_u8"));
  return kernel_at(call, kRows[static_cast<size_t>(width_index(move.value_bytes))]);
}

KernelFn expand_kernel_of(const Call& call, int value_bytes) {
  constexpr std::array<int, 4> kRows = find_widths(kKernelNames, "expand_present_u");
  return kernel_at(call, kRows[static_cast<size_t>(width_index(value_bytes))]);
}

void count_chunks(Call& call, KernelFn kernel, const Address* lengths, const Address* presence,
                  int64_t features, int64_t chunks, int64_t examples, Total* totals) noexcept {
  const std::array inputs = {memory(ElementKind::kInt, 4), memory(ElementKind::kUInt, 1),
                             addresses(lengths, features), addresses(presence, features)};
  const Operand output = numbers(&totals->sum, {{3, 1}, {chunks, 3 * features}, {features, 3}});
  call_kernel(kernel, call, inputs, Scalars(examples), std::span(&output, 1));
}

void count_numbers(Call& call, KernelFn kernel, const Address* lengths, const int32_t* n,
                   int64_t features, Total* totals) noexcept {
  const std::array inputs = {memory(ElementKind::kInt, 4), addresses(lengths, features),
                             numbers(n, {{features, 1}})};
  const Operand output = numbers(&totals->sum, {{3, 1}, {1, 3 * features}, {features, 3}});
  call_kernel(kernel, call, inputs, {}, std::span(&output, 1));
}

void make_tables(Call& call, KernelFn kernel, const Address* lengths, const Address* presence,
                 const Tables& t) noexcept {
  const std::array inputs = {memory(ElementKind::kInt, 4), memory(ElementKind::kUInt, 1),
                             addresses(lengths, t.features), addresses(presence, t.features)};
  const std::array outputs = {table(t, t.count), table(t, t.from, 1), table(t, t.to, 1),
                              table(t, t.position, 1)};
  call_kernel(kernel, call, inputs, Scalars(t.features, t.examples), outputs);
}

void make_inner_tables(Call& call, KernelFn kernel, const InnerNumbers& n, const Tables& outer,
                       const Tables& inner) noexcept {
  const std::array inputs = {memory(ElementKind::kInt, 4), addresses(n.lengths, outer.features),
                             numbers(n.n, {{outer.features, 1}}),
                             numbers(n.begin, {{outer.features, 1}}), table(outer, outer.from, 1)};
  const std::array outputs = {numbers(n.before, {{n.before_count, 1}}), table(inner, inner.count),
                              table(inner, inner.from), table(inner, inner.to, 1)};
  call_kernel(kernel, call, inputs, Scalars(outer.features, outer.examples), outputs);
}

void copy_runs(Call& call, KernelFn kernel, const Tables& t, const RunMove& move,
               const RunPlaces& places, int64_t segments) noexcept {
  const Operand all = memory(ElementKind::kUInt, 1);
  const Operand run = operand_of(places.packed, ElementKind::kUInt, 1, {{places.packed_bytes, 1}});
  const std::array inputs = {move.split ? run : all,
                             addresses(places.arrays, t.features),
                             numbers(places.room, {{t.features, 1}}),
                             table(t, t.count),
                             table(t, t.from),
                             table(t, t.to)};
  call_kernel(kernel, call, inputs,
              Scalars(t.features, segments, shift_of(move.element_bytes), places.inside),
              std::span(move.split ? &all : &run, 1));
}

void pick(Call& call, KernelFn kernel, const Tables& t, const PickMove& move, const Address* values,
          int64_t segments, int64_t count, int64_t* keys, std::byte* packed) noexcept {
  const Operand ids = numbers(move.ids, {{t.features, 1}});
  const Operand positions = table(t, t.position);
  const std::array outputs = {
      numbers(keys, {{count, 1}}),
      operand_of(packed, ElementKind::kUInt, move.value_bytes, {{count, 1}})};
  if (!move.values) {
    Operand lengths = table(t, t.count);
    lengths.kind = ElementKind::kUInt;
    call_kernel(kernel, call, std::array{lengths, ids, positions},
                Scalars(t.features, segments, count), outputs);
    return;
  }
  const std::array inputs = {memory(ElementKind::kUInt, move.value_bytes),
                             addresses(values, t.features), ids, positions};
  call_kernel(kernel, call, inputs, Scalars(t.features, segments, count, move.value_stride),
              outputs);
}

void expand(Call& call, KernelFn kernel, const Tables& t, const ExpandMove& move,
            const Address* values, const std::byte* packed, int64_t count) noexcept {
  constexpr int64_t kNothing = 0;
  const auto* from = count == 0 ? reinterpret_cast<const std::byte*>(&kNothing) : packed;
  const std::array inputs = {
      operand_of(from, ElementKind::kUInt, move.value_bytes, {{std::max<int64_t>(count, 1), 1}}),
      addresses(values, t.features), table(t, t.count), table(t, t.position)};
  const Operand output = memory(ElementKind::kUInt, move.value_bytes);
  call_kernel(kernel, call, inputs, Scalars(t.features, t.examples, move.value_stride),
              std::span(&output, 1));
}

}  // namespace sylvite::internal::features
