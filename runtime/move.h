// The engine of every operator that moves data: boxes of elements, cut into tasks, run by kernels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/halide_call.h"
#include "sylvite/plan.h"

namespace sylvite::internal {

inline constexpr int64_t kLineBytes = 64;  ///< a cache line, what a streaming kernel writes at once
inline constexpr int kMaxBoxRank = kMaxRank + 2;
inline constexpr int kKernelBoxRank = 6;  ///< dimensions that the box kernels loop over

/// Memory seen from one element: an address, or for OpenCL a place in a storage.
struct Place {
  std::byte* data = nullptr;
  const Tensor::Storage* storage = nullptr;
  int64_t offset = 0;  ///< OpenCL: elements from the beginning of the storage
  Device device = {};
};

/// Element [0, …, 0] of a tensor whose elements are counted in `element_bytes`.
Place place_of(const Tensor& tensor, int element_bytes) noexcept;
Place advanced(const Place& place, int64_t elements, int element_bytes) noexcept;

/// One dimension of a box: its extent, and the strides in elements on both sides.
struct BoxDim {
  int64_t extent;
  int64_t from;
  int64_t to;
};

/// Dimensions innermost first; the order is the order of the loops.
struct Box {
  std::array<BoxDim, kMaxBoxRank> dims;
  int rank = 0;

  void add(const BoxDim& dim) noexcept { dims[static_cast<size_t>(rank++)] = dim; }
  BoxDim& operator[](int i) noexcept { return dims[static_cast<size_t>(i)]; }
  const BoxDim& operator[](int i) const noexcept { return dims[static_cast<size_t>(i)]; }
  int64_t count() const noexcept;
  /// Drops dimensions of extent 1 and merges neighbours whose strides compose on both sides.
  void canonicalize() noexcept;
};

/// Whether a box is shared out among all threads or runs on the calling one.
enum class Threads : uint8_t { kAll, kThis };

/// A call on its way: what it may use, and, for explain(), where to note what it would do instead of
/// doing it.
struct Call : CallState {
  Call(const Context& of, Device on, std::string_view name, Explanation* note = nullptr);

  bool on_cpu() const noexcept { return device.kind == DeviceKind::kCpu; }
  /// Bytes moved per task, in and out: on a CPU large enough to hide the hand-over and small enough
  /// to share out; on a GPU one launch takes all.
  int64_t task_bytes() const noexcept { return on_cpu() ? int64_t{1} << 20 : INT64_MAX; }
  /// Throws kUnsupported where OpenCL memory begins beyond what its kernels can reach.
  void require_reachable(const Place& place) const;
  /// Runs task(i) for every i in [0, tasks): on all threads, on a GPU one launch after the other.
  template <typename Task>
  void for_each_task(int64_t tasks, const Task& task,
                     Threads threads = Threads::kAll) const noexcept {
    if (on_cpu() && threads == Threads::kAll) return parallel_tasks(context, tasks, task);
    for (int64_t i = 0; i < tasks; ++i) task(i);
  }

  uint32_t targets;          ///< usable rows of the targets table
  Explanation* explanation;  ///< nullptr: run
  int64_t largest_box = 0;   ///< bytes written by the box whose kernel the explanation names
};

/// Memory on the call's GPU for the length of the call. Throws kOutOfMemory, kDeviceError.
Tensor device_scratch(const Call& call, DType dtype, const Shape& shape);

/// Dimensions cut into tasks: each task takes a chunk of every dimension.
class TaskGrid {
 public:
  static constexpr int kMaxRank = kMaxBoxRank;

  /// Tasks of about `task_bytes`, whole dimensions from the innermost outwards. unit_bytes: what one
  /// step of every dimension moves. Dimensions from kernel_rank on are not a kernel's to loop over:
  /// their chunk is 1.
  /// granule: the innermost chunk is a multiple of it.
  TaskGrid(std::span<const int64_t> extents, int kernel_rank, int64_t unit_bytes,
           int64_t task_bytes, int64_t granule = 1) noexcept;

  /// Halves chunks, of the dimension that reaches farthest first, until no offset inside a task leaves
  /// int32.
  void keep_within_int32(std::span<const int64_t> strides, int64_t inner_reach) noexcept;

  int rank() const noexcept { return rank_; }
  int64_t chunk(int i) const noexcept { return chunk_[static_cast<size_t>(i)]; }
  int64_t tasks() const noexcept { return tasks_; }

  struct Slice {
    std::array<int64_t, kMaxRank> start;
    std::array<int64_t, kMaxRank> count;
  };
  Slice slice(int64_t task) const noexcept;

 private:
  void count_tasks() noexcept;

  int rank_;
  int64_t tasks_ = 1;
  std::array<int64_t, kMaxRank> extent_;
  std::array<int64_t, kMaxRank> chunk_;
};

/// Bytes of the largest cache of a core, or of an ordinary share of it; read once.
int64_t last_level_cache() noexcept;

/// Whether a call that moves so many bytes streams them past the caches.
bool wants_stream(const Context& context, int64_t bytes_moved) noexcept;

/// Whether rows and strides are whole cache lines on line boundaries: what a streaming kernel is
/// promised of its output.
bool whole_lines(const Place& to, int element_bytes, int64_t row,
                 std::span<const int64_t> strides) noexcept;

/// The same for the output of a box.
bool has_whole_lines(const Box& box, const Place& to, int element_bytes) noexcept;

/// Notes in call.explanation what a box would take; true where the call only explains.
bool explained(Call& call, const Kernel& kernel, bool stream, int64_t bytes_read,
               int64_t bytes_written, int64_t tasks) noexcept;

/// One side of a box's slice as a kernel sees it.
Operand operand_of(const Place& place, int element_bytes, const Box& box,
                   const TaskGrid::Slice& slice, int64_t BoxDim::*stride) noexcept;

/// A box cut into tasks for kernels that loop over kernel_rank dimensions.
TaskGrid grid_of(const Call& call, const Box& box, int kernel_rank, int element_bytes,
                 int64_t granule) noexcept;

/// Copies a box that is dense along one dimension of the output and along another of the input;
/// false where it is not, or nothing is gained.
bool transpose_box(Call& call, const Place& from, const Place& to, int element_bytes,
                   const Box& box, Threads threads);

/// Copies a box; bytes_moved is that of the whole call, which decides on streaming.
void copy_box(Call& call, const Place& from, const Place& to, int element_bytes, Box box,
              int64_t bytes_moved, Threads threads = Threads::kAll);

/// Writes `value` (its low element_bytes) all over a box.
void fill_box(Call& call, uint64_t value, const Place& to, int element_bytes, Box box,
              int64_t bytes_moved, Threads threads = Threads::kAll);

/// The kernels behind copy_box, fill_box and transpose_box, for tiles of a larger call.
Kernel copy_kernel(const Call& call, int element_bytes);
Kernel fill_kernel(const Call& call, int element_bytes);
Kernel transpose_kernel(const Call& call, int element_bytes);

}  // namespace sylvite::internal
