// The steps by which Expand makes a tile of y from x: each repeats blocks of contiguous elements.
#pragma once

#include <array>
#include <initializer_list>

#include "runtime/ops/expand.h"

namespace sylvite::internal {

/// One dimension of an operand, in elements.
struct OperandDim {
  int64_t extent;
  int64_t stride;
};

/// Dimensions beyond those given have extent 1.
Operand operand_on(const std::byte* data, int element_bytes, int rank,
                   std::initializer_list<OperandDim> dims) noexcept;

/// `bytes` of a period of `period` bytes, which is at `from` as a whole.
void write_period(std::byte* to, const std::byte* from, int64_t period, int64_t bytes) noexcept;

/// One kernel over contiguous memory.
class Step {
 public:
  enum class Kind : uint8_t {
    kRepeat,       ///< elements, as often as there is a kernel for
    kElements,     ///< elements, more often
    kRuns,         ///< blocks of up to a line
    kRows,         ///< longer ones
    kPixels,       ///< blocks of three bytes, as often as there is a kernel for
    kTakeApart,    ///< blocks of a few elements to a plane for each of these,
    kPutTogether,  ///< and planes to blocks
  };

  Step() = default;
  Step(const Call& call, Kind kind, int64_t block, int64_t repeats, int64_t blocks,
       int element_bytes);

  const Kernel& kernel() const noexcept { return kernel_; }
  bool can_stream() const noexcept {
    return kind_ == Kind::kRepeat && kernel_.entry.stream != nullptr;
  }

  /// `count` times the blocks.
  void run(Call& call, const std::byte* from, std::byte* to, int64_t count, bool stream) const;

 private:
  void elements_a_few_times(Call& call, const std::byte* from, std::byte* to, int64_t blocks,
                            bool stream) const;
  void elements_often(Call& call, const std::byte* from, std::byte* to, int64_t blocks) const;
  void pixels(Call& call, const std::byte* from, std::byte* to, int64_t blocks) const;
  void runs(Call& call, const std::byte* from, std::byte* to, int64_t blocks) const;
  void rows(Call& call, const std::byte* from, std::byte* to, int64_t blocks) const;

  Kind kind_ = Kind::kRepeat;
  int64_t block_ = 1;
  int64_t repeats_ = 1;
  int64_t blocks_ = 1;
  int bytes_ = 1;
  Kernel kernel_ = {};
};

class Steps {
 public:
  /// Each of `blocks` blocks of `block` elements `repeats` times.
  void repeat(const Call& call, int64_t block, int64_t repeats, int64_t blocks, int element_bytes);

  bool empty() const noexcept { return count_ == 0; }
  size_t count() const noexcept { return count_; }
  const Step& operator[](size_t i) const noexcept { return steps_[i]; }
  const Step& last() const noexcept { return steps_[count_ - 1]; }

 private:
  // Every repetition at least doubles what a tile of 2^14 bytes holds; one in three steps is at most
  // the first and has elements of less than 8 bytes.
  static constexpr size_t kMost = 24;
  std::array<Step, kMost> steps_;
  size_t count_ = 0;
};

}  // namespace sylvite::internal
