#include "runtime/ops/expand_steps.h"

#include <algorithm>
#include <cstring>

#include "expand_kernels.h"

namespace sylvite::internal {
namespace {

/// From here on a run is copied by doubling.
constexpr int64_t kDoublingBytes = 512;
/// Shorter blocks are repeated plane by plane: overlapping vectors write a block of 3 bytes at a
/// fourteenth of a fill's speed.
constexpr int64_t kPlanesBelowBytes = 8;

using Widths = std::array<int, 4>;
constexpr Widths kRows = find_widths(expand::kKernelNames, "expand_rows_u");
constexpr int kRuns = find_kernel(expand::kKernelNames, "runs_u8");
constexpr int64_t kMostRepeats = 8;
constexpr std::array<Widths, kMostRepeats + 1> kRepeat = {
    Widths{-1, -1, -1, -1},
    Widths{-1, -1, -1, -1},
    find_widths(expand::kKernelNames, "repeat_b2_u"),
    find_widths(expand::kKernelNames, "repeat_b3_u"),
    find_widths(expand::kKernelNames, "repeat_b4_u"),
    find_widths(expand::kKernelNames, "repeat_b5_u"),
    find_widths(expand::kKernelNames, "repeat_b6_u"),
    find_widths(expand::kKernelNames, "repeat_b7_u"),
    find_widths(expand::kKernelNames, "repeat_b8_u")};
constexpr std::array<Widths, kPlanesBelowBytes> kTakeApart = {
    Widths{-1, -1, -1, -1}, Widths{-1, -1, -1, -1},
    Widths{-1, -1, -1, -1}, find_widths(expand::kKernelNames, "take_apart_b3_u"),
    Widths{-1, -1, -1, -1}, find_widths(expand::kKernelNames, "take_apart_b5_u"),
    Widths{-1, -1, -1, -1}, find_widths(expand::kKernelNames, "take_apart_b7_u")};
constexpr std::array<Widths, kPlanesBelowBytes> kPutTogether = {
    Widths{-1, -1, -1, -1}, Widths{-1, -1, -1, -1},
    Widths{-1, -1, -1, -1}, find_widths(expand::kKernelNames, "put_together_b3_u"),
    Widths{-1, -1, -1, -1}, find_widths(expand::kKernelNames, "put_together_b5_u"),
    Widths{-1, -1, -1, -1}, find_widths(expand::kKernelNames, "put_together_b7_u")};

constexpr int64_t kMostPixelRepeats = 5;
constexpr std::array<int, kMostPixelRepeats + 1> kPixels = {
    -1,
    -1,
    find_kernel(expand::kKernelNames, "repeat2_pixels_b3_u8"),
    find_kernel(expand::kKernelNames, "repeat3_pixels_b3_u8"),
    find_kernel(expand::kKernelNames, "repeat4_pixels_b3_u8"),
    find_kernel(expand::kKernelNames, "repeat5_pixels_b3_u8")};

int64_t vector_of(int64_t bytes) noexcept {
  int64_t vector = 4;
  while (vector < bytes) vector *= 2;
  return vector;
}

/// -1: the one of copies of boxes.
int row_of(Step::Kind kind, int64_t block, int64_t repeats, int element_bytes) noexcept {
  const auto width = static_cast<size_t>(width_index(element_bytes));
  switch (kind) {
    case Step::Kind::kRepeat:
      return kRepeat[static_cast<size_t>(repeats)][width];
    case Step::Kind::kElements:
      return kRows[width];
    case Step::Kind::kRuns:
      return kRuns;
    case Step::Kind::kPixels:
      return kPixels[static_cast<size_t>(repeats)];
    case Step::Kind::kTakeApart:
      return kTakeApart[static_cast<size_t>(block)][width];
    case Step::Kind::kPutTogether:
      return kPutTogether[static_cast<size_t>(block)][width];
    case Step::Kind::kRows:
      break;
  }
  return -1;
}

}  // namespace

Operand operand_on(const std::byte* data, int element_bytes, int rank,
                   std::initializer_list<OperandDim> dims) noexcept {
  Operand result;
  result.data = const_cast<std::byte*>(data);
  result.element_bytes = element_bytes;
  result.rank = rank;
  for (size_t i = 0; i < static_cast<size_t>(rank); ++i) {
    const OperandDim dim = i < dims.size() ? dims.begin()[i] : OperandDim{.extent = 1, .stride = 0};
    result.extent[i] = static_cast<int32_t>(dim.extent);
    result.stride[i] = static_cast<int32_t>(dim.stride);
  }
  return result;
}

void write_period(std::byte* to, const std::byte* from, int64_t period, int64_t bytes) noexcept {
  int64_t have = std::min(period, bytes);
  std::memcpy(to, from, static_cast<size_t>(have));
  while (have < bytes) {
    const int64_t more = std::min(have, bytes - have);
    std::memcpy(to + have, to, static_cast<size_t>(more));
    have += more;
  }
}

Step::Step(const Call& call, Kind kind, int64_t block, int64_t repeats, int64_t blocks,
           int element_bytes)
    : kind_(kind), block_(block), repeats_(repeats), blocks_(blocks), bytes_(element_bytes) {
  const int row = row_of(kind, block, repeats, element_bytes);
  kernel_ = row < 0
                ? copy_kernel(call, bytes_)
                : pick_kernel(expand::kKernelNames, expand::kKernels, row, call.targets, call.op);
}

void Step::run(Call& call, const std::byte* from, std::byte* to, int64_t count, bool stream) const {
  const int64_t blocks = blocks_ * count;
  switch (kind_) {
    case Kind::kRepeat:
      return elements_a_few_times(call, from, to, blocks, stream);
    case Kind::kElements:
      return elements_often(call, from, to, blocks);
    case Kind::kRuns:
      return runs(call, from, to, blocks);
    case Kind::kRows:
      return rows(call, from, to, blocks);
    case Kind::kPixels:
      return pixels(call, from, to, blocks);
    case Kind::kTakeApart:
    case Kind::kPutTogether:
      break;
  }
  const bool apart = kind_ == Kind::kTakeApart;
  const Operand blocked = operand_on(apart ? from : to, bytes_, 1, {{blocks * block_, 1}});
  const Operand planes = operand_on(apart ? to : from, bytes_, 2, {{blocks, 1}, {block_, blocks}});
  call_kernel(kernel_.entry.plain, call, apart ? &blocked : &planes, {}, apart ? planes : blocked);
}

void Step::elements_a_few_times(Call& call, const std::byte* from, std::byte* to, int64_t blocks,
                                bool stream) const {
  const int64_t step = repeats_ * bytes_;
  const auto write = [&](int64_t first, int64_t count, KernelFn entry) {
    const Operand x = operand_on(from + first * bytes_, bytes_, 1, {{count, 1}});
    const Operand y = operand_on(to + first * step, bytes_, 1, {{count * repeats_, 1}});
    if (count > 0) call_kernel(entry, call, &x, {}, y);
  };
  if (!stream) return write(0, blocks, kernel_.entry.plain);
  const LineParts parts = line_parts(to, blocks, step, bytes_);
  write(0, parts.head, kernel_.entry.plain);
  write(parts.head, parts.body, kernel_.entry.stream);
  write(parts.head + parts.body, parts.tail, kernel_.entry.plain);
}

void Step::elements_often(Call& call, const std::byte* from, std::byte* to, int64_t blocks) const {
  // Vectors that reach into the next element's run; the last run is written exactly.
  const int64_t run = repeats_ * bytes_;
  const int64_t vector = run < kLineBytes ? vector_of(run) / bytes_ : repeats_;
  const auto write = [&](int64_t first, int64_t count, int64_t lanes) {
    const Operand x =
        operand_on(from + first * bytes_, bytes_, kKernelBoxRank, {{1, 1}, {count, 1}});
    const Operand y =
        operand_on(to + first * run, bytes_, kKernelBoxRank, {{lanes, 1}, {count, repeats_}});
    if (count > 0) call_kernel(kernel_.entry.plain, call, &x, {}, y);
  };
  write(0, blocks - 1, vector);
  write(blocks - 1, 1, repeats_);
}

void Step::pixels(Call& call, const std::byte* from, std::byte* to, int64_t blocks) const {
  const Operand x = operand_on(from, bytes_, 1, {{blocks * block_, 1}});
  const Operand y = operand_on(to, bytes_, 1, {{blocks * block_ * repeats_, 1}});
  call_kernel(kernel_.entry.plain, call, &x, {}, y);
}

void Step::runs(Call& call, const std::byte* from, std::byte* to, int64_t blocks) const {
  const int64_t run = block_ * bytes_;
  const int64_t out = run * repeats_;
  if (out >= kDoublingBytes) {
    for (int64_t i = 0; i < blocks; ++i) write_period(to + i * out, from + i * run, run, out);
    return;
  }
  // The same: the last block reads and writes nothing beyond it.
  const int64_t last = blocks - 1;
  if (last > 0) {
    const int64_t vector = vector_of(run);
    const Operand x = operand_on(from, 1, 2, {{vector, 1}, {last, run}});
    const Operand y = operand_on(to, 1, 3, {{vector, 1}, {repeats_, run}, {last, out}});
    call_kernel(kernel_.entry.plain, call, &x, {}, y);
  }
  write_period(to + last * out, from + last * run, run, out);
}

void Step::rows(Call& call, const std::byte* from, std::byte* to, int64_t blocks) const {
  const Operand x =
      operand_on(from, bytes_, kKernelBoxRank, {{block_, 1}, {repeats_, 0}, {blocks, block_}});
  const Operand y = operand_on(to, bytes_, kKernelBoxRank,
                               {{block_, 1}, {repeats_, block_}, {blocks, block_ * repeats_}});
  call_kernel(kernel_.entry.plain, call, &x, {}, y);
}

void Steps::repeat(const Call& call, int64_t block, int64_t repeats, int64_t blocks,
                   int element_bytes) {
  const auto add = [&](Step::Kind kind, int64_t of, int64_t number) {
    steps_[count_++] = Step(call, kind, of, repeats, number, element_bytes);
  };
  const int64_t run = block * element_bytes;
  if (run == 2 || run == 4 || run == 8) {  // one element
    element_bytes = static_cast<int>(run);
    block = 1;
  } else if (run == 6) {  // three
    element_bytes = 2;
    block = 3;
  }
  const auto of_elements = repeats <= kMostRepeats ? Step::Kind::kRepeat : Step::Kind::kElements;
  if (block == 1) {
    add(of_elements, 1, blocks);
  } else if (run == 3 && repeats <= kMostPixelRepeats) {
    add(Step::Kind::kPixels, block, blocks);
  } else if (run < kPlanesBelowBytes && run * repeats < kDoublingBytes) {
    add(Step::Kind::kTakeApart, block, blocks);
    add(of_elements, 1, blocks * block);
    add(Step::Kind::kPutTogether, block, blocks * repeats);
  } else {
    add(run <= kLineBytes ? Step::Kind::kRuns : Step::Kind::kRows, block, blocks);
  }
}

}  // namespace sylvite::internal
