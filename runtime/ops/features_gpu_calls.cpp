#include "runtime/ops/features_gpu_calls.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "features_gpu_kernels.h"
#include "runtime/checked.h"

namespace sylvite::internal::features_gpu {
namespace {

constexpr int64_t kScanChunk = 1024;  // schedules/features_gpu.h

constexpr int row(std::string_view name) {
  for (size_t i = 0; i < kKernelNames.size(); ++i) {
    if (kKernelNames[i] == name) return static_cast<int>(i);
  }
  return -1;
}

constexpr std::array<int, 3> kCodes = {row("codes_gpu_presence_u8"), row("codes_gpu_present_u8"),
                                       row("codes_gpu_lengths_u8")};
constexpr std::array<int, 4> kScanSums = {
    row("scan_sums_gpu_elements_u8"), row("scan_sums_gpu_present_u8"),
    row("scan_sums_gpu_spans_u8"), row("scan_sums_gpu_sums_u8")};
constexpr std::array<int, 4> kScan = {row("scan_gpu_elements_u8"), row("scan_gpu_present_u8"),
                                      row("scan_gpu_spans_u8"), row("scan_gpu_sums_u8")};
constexpr std::array<int, 4> kMergeRuns = find_widths(kKernelNames, "merge_runs_gpu_u");
constexpr std::array<int, 4> kSplitRuns = find_widths(kKernelNames, "split_runs_gpu_u");
constexpr std::array<int, 4> kPick = find_widths(kKernelNames, "pick_gpu_u");
constexpr std::array<int, 4> kExpand = find_widths(kKernelNames, "expand_present_gpu_u");

int of_width(const std::array<int, 4>& rows, int bytes) noexcept {
  return rows[static_cast<size_t>(width_index(bytes))];
}

struct Extent {
  int64_t extent;
  int64_t stride = 1;
};

Operand operand_of(const Call& call, const Array& array, std::initializer_list<Extent> dims) {
  call.require_reachable(array.place);
  Operand operand;
  operand.data = array.place.data;
  operand.storage = array.place.storage;
  operand.offset = array.place.offset;
  operand.device = array.place.device;
  operand.kind = array.kind;
  operand.element_bytes = array.bytes;
  operand.rank = 0;
  for (const Extent& dim : dims) {
    const auto i = static_cast<size_t>(operand.rank++);
    operand.extent[i] = static_cast<int32_t>(dim.extent);
    operand.stride[i] = static_cast<int32_t>(dim.stride);
  }
  return operand;
}

void launch(Call& call, int row, std::span<const Operand> inputs,
            std::span<const void* const> scalars, std::span<const Operand> outputs) {
  const Kernel kernel = pick_kernel(kKernelNames, kKernels, row, call.targets, call.op);
  call_kernel(kernel.entry.plain, call, inputs, scalars, outputs);
}

/// int32 scalars by their addresses.
template <size_t Count>
class Ints {
 public:
  template <typename... Values>
  explicit Ints(Values... values) noexcept : values_{static_cast<int32_t>(values)...} {}
  const void* operator[](size_t i) const noexcept { return &values_[i]; }

 private:
  std::array<int32_t, Count> values_;
};

/// A segment's neighbours in an input's array.
Operand matrix(const Call& call, const Array& array, const Segments& segments) {
  return operand_of(
      call, array,
      {{segments.examples, segments.example_stride}, {segments.features, segments.feature_stride}});
}

}  // namespace

Array bits_of(const Tensor& tensor) noexcept {
  const int bytes = element_size(tensor.dtype());
  return {.place = place_of(tensor, bytes), .bytes = bytes, .kind = ElementKind::kUInt};
}

Array array_of(const Tensor& tensor) noexcept {
  Array array = bits_of(tensor);
  const DType dtype = tensor.dtype();
  if (dtype == DType::kInt32 || dtype == DType::kInt64) array.kind = ElementKind::kInt;
  return array;
}

void code_segments(Call& call, Counts counts, const Array& lengths, const Array& presence,
                   const Segments& segments, int64_t code_pitch, const Array& codes) {
  const std::array inputs = {matrix(call, lengths, segments), matrix(call, presence, segments)};
  const Operand output =
      operand_of(call, codes, {{segments.examples}, {segments.features, code_pitch}});
  const Ints<2> ints(segments.examples, segments.features);
  const std::array scalars = {ints[0], ints[1]};
  launch(call, kCodes[static_cast<size_t>(counts)], inputs, scalars, std::span(&output, 1));
}

void scan(Call& call, Numbers numbers, const Array& x, int64_t features, int64_t examples,
          const Array& y) {
  const int64_t count = features * examples;
  const int64_t chunks = ceil_div(count + 1, kScanChunk);
  const auto kind = static_cast<size_t>(numbers);
  const Ints<4> ints(count, features, examples, chunks);
  const std::array scalars = {ints[0], ints[1], ints[2], ints[3]};
  const Operand in = operand_of(call, x, {{count + (numbers == Numbers::kSpans ? 1 : 0)}});
  // What lies before each chunk: nothing before a single one.
  const Tensor before = device_scratch(call, DType::kInt64, {chunks + 1});
  if (chunks == 1) {
    Box box;
    box.add({.extent = 1, .from = 0, .to = 1});
    fill_box(call, 0, place_of(before, 8), 8, box, 0);
  } else {
    const Tensor sums = device_scratch(call, DType::kInt64, {chunks});
    const Operand out = operand_of(call, array_of(sums), {{chunks}});
    launch(call, kScanSums[kind], std::span(&in, 1), scalars, std::span(&out, 1));
    scan(call, Numbers::kSums, array_of(sums), 1, chunks, array_of(before));
  }
  const std::array inputs = {in, operand_of(call, array_of(before), {{chunks}})};
  const Operand out = operand_of(call, y, {{count + 1}});
  launch(call, kScan[kind], inputs, scalars, std::span(&out, 1));
}

void look_up(Call& call, const Array& table, int64_t last, const Array& at, int64_t count,
             const Array& y) {
  const std::array inputs = {operand_of(call, table, {{last + 1}}),
                             operand_of(call, at, {{count}})};
  const Operand out = operand_of(call, y, {{count}});
  const Ints<2> ints(last, count);
  const std::array scalars = {ints[0], ints[1]};
  launch(call, row("look_up_gpu_u8"), inputs, scalars, std::span(&out, 1));
}

void check_codes(Call& call, const Array& codes, int64_t count, int64_t mark, const Array& word) {
  const Operand in = operand_of(call, codes, {{count}});
  const Operand out = operand_of(call, word, {{1}});
  const Ints<1> ints(count);
  const std::array<const void*, 2> scalars = {ints[0], &mark};
  launch(call, row("check_codes_gpu_u8"), std::span(&in, 1), scalars, std::span(&out, 1));
}

void check_spans(Call& call, const Spans& spans, int64_t mark, const Array& word) {
  const Operand in = operand_of(call, spans.table, {{spans.count * spans.step + 1}});
  const Operand out = operand_of(call, word, {{1}});
  const Ints<2> ints(spans.count, spans.step);
  const std::array<const void*, 5> scalars = {ints[0], ints[1], &spans.least, &spans.most, &mark};
  launch(call, row("check_spans_gpu_u8"), std::span(&in, 1), scalars, std::span(&out, 1));
}

void write_lengths(Call& call, const Array& table, int64_t features, int64_t examples,
                   const Array& lengths) {
  const Operand in = operand_of(call, table, {{examples * features + 1}});
  const Operand out = operand_of(call, lengths, {{examples}});
  const Ints<2> ints(examples, features);
  const std::array scalars = {ints[0], ints[1]};
  launch(call, row("lengths_gpu_u8"), std::span(&in, 1), scalars, std::span(&out, 1));
}

void move_runs(Call& call, const RunsMove& move) {
  const int kernel = of_width(move.split ? kSplitRuns : kMergeRuns, move.array.bytes);
  const auto steps = std::bit_width(static_cast<uint64_t>(move.examples - 1));
  const Operand begins = operand_of(call, move.begins, {{move.examples}});
  const Operand places = operand_of(call, move.places, {{(move.examples - 1) * move.features + 1}});
  for (int64_t window = 0; window < move.room; window += kPiece) {
    const int64_t room = std::min(kPiece, move.room - window);
    const Operand packed = operand_of(call, move.packed.from(window), {{room}});
    for (int64_t start = 0; start < move.count; start += kPiece) {
      const int64_t count = std::min(kPiece, move.count - start);
      const int64_t first = move.first + start;
      const Operand array = operand_of(call, move.array.from(start), {{count}});
      const std::array inputs = {move.split ? packed : array, begins, places};
      const Ints<5> ints(move.examples, move.features, steps, room, count);
      const std::array<const void*, 7> scalars = {ints[0], ints[1], ints[2], &first,
                                                  &window, ints[3], ints[4]};
      launch(call, kernel, inputs, scalars, std::span(move.split ? &array : &packed, 1));
    }
  }
}

void pick(Call& call, const PickMoveGpu& move) {
  const Segments& segments = move.segments;
  const std::array inputs = {
      matrix(call, move.values, segments),
      operand_of(call, move.positions,
                 {{(segments.examples - 1) * move.pitch + segments.features + 1}})};
  const Operand out = operand_of(call, move.packed, {{move.room}});
  const Ints<4> ints(segments.examples, segments.features, move.pitch, move.room);
  const std::array scalars = {ints[0], ints[1], ints[2], ints[3]};
  launch(call, of_width(kPick, move.values.bytes), inputs, scalars, std::span(&out, 1));
}

void expand(Call& call, const ExpandMoveGpu& move) {
  const Segments& segments = move.segments;
  const std::array inputs = {
      operand_of(call, move.packed, {{move.room}}),
      operand_of(call, move.positions,
                 {{(segments.examples - 1) * move.pitch + segments.features + 1}})};
  const Operand out = matrix(call, move.values, segments);
  const Ints<4> ints(segments.examples, segments.features, move.pitch, move.room);
  const std::array scalars = {ints[0], ints[1], ints[2], ints[3]};
  launch(call, of_width(kExpand, move.packed.bytes), inputs, scalars, std::span(&out, 1));
}

}  // namespace sylvite::internal::features_gpu
