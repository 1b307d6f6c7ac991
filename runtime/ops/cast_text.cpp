// Cast with strings on one side or on both.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/ops/cast.h"
#include "runtime/ops/cast_number_text.h"
#include "runtime/shape.h"
#include "runtime/strings.h"

namespace sylvite::internal {
namespace {

/// Tasks of a call; what each of them finds stands on the stack.
constexpr int64_t kMostTasks = 64;
constexpr int64_t kTaskElements = 4096;

/// The elements of a tensor in row-major order, from any of them on.
class Cursor {
 public:
  Cursor(const Tensor& tensor, int64_t start) noexcept : tensor_(tensor), index_(tensor.shape()) {
    for (int axis = tensor.rank() - 1; axis >= 0; --axis) {
      index_[axis] = start % tensor.shape()[axis];
      start /= tensor.shape()[axis];
      offset_ += index_[axis] * tensor.strides()[axis];
    }
  }

  /// In elements from element [0, …, 0].
  int64_t offset() const noexcept { return offset_; }
  const Shape& index() const noexcept { return index_; }
  std::byte* data() const noexcept {
    return tensor_.data_as<std::byte>() + offset_ * element_size(tensor_.dtype());
  }
  void step() noexcept {
    for (int axis = tensor_.rank() - 1; axis >= 0; --axis) {
      offset_ += tensor_.strides()[axis];
      if (++index_[axis] < tensor_.shape()[axis]) return;
      offset_ -= tensor_.strides()[axis] * tensor_.shape()[axis];
      index_[axis] = 0;
    }
  }

 private:
  const Tensor& tensor_;
  Shape index_;
  int64_t offset_ = 0;
};

/// A range of elements per task.
struct Tasks {
  explicit Tasks(int64_t elements) noexcept
      : count(std::clamp<int64_t>(elements / kTaskElements, 1, kMostTasks)), all(elements) {}
  int64_t begin(int64_t task) const noexcept {
    return all / count * task + all % count * task / count;
  }
  int64_t end(int64_t task) const noexcept { return begin(task + 1); }

  int64_t count;
  int64_t all;
};

NumberText text_of(const Cursor& cursor, DType dtype) noexcept {
  uint64_t bits = 0;
  std::memcpy(&bits, cursor.data(), static_cast<size_t>(element_size(dtype)));
  return {bits, dtype};
}

/// What a message shows of a text: its beginning, and what prints.
std::string shown(std::string_view text) {
  constexpr size_t kMost = 60;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string all = "\"";
  for (const char c : text.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      all += c;
    } else {
      all += "\\x";
      all += kDigits[byte >> 4];
      all += kDigits[byte & 15];
    }
  }
  return all + (text.size() > kMost ? "…\"" : "\"");
}

/// The first element whose text is no number; none: the count of them. `to`: where the numbers go.
int64_t read_all(const Call& call, const Tensor& x, DType dtype, const Tensor* to) noexcept {
  const Tasks tasks(x.element_count());
  std::atomic<int64_t> first_wrong = tasks.all;
  call.for_each_task(tasks.count, [&](int64_t task) {
    Cursor from(x, tasks.begin(task));
    Cursor into(to ? *to : x, tasks.begin(task));
    for (int64_t i = tasks.begin(task); i < tasks.end(task); ++i, from.step(), into.step()) {
      const std::optional<uint64_t> bits = read_number(x.text(from.offset()), dtype);
      if (!bits) {
        int64_t known = first_wrong.load();
        while (i < known && !first_wrong.compare_exchange_weak(known, i)) {
        }
        return;
      }
      if (to) std::memcpy(into.data(), &*bits, static_cast<size_t>(element_size(dtype)));
    }
  });
  return first_wrong;
}

void require_numbers(const Call& call, const Tensor& x, DType dtype, const Tensor* to,
                     std::string_view input) {
  const int64_t wrong = read_all(call, x, dtype, to);
  if (wrong == x.element_count()) return;
  const Cursor at(x, wrong);
  fail(ErrorCode::kInvalidArgument, call.op, ": ", input, at.index(), " is ",
       shown(x.text(at.offset())), ", want a number that ", name(dtype), " can hold");
}

/// Bytes of text of each task's elements.
using TaskBytes = std::array<int64_t, kMostTasks>;

TaskBytes measure(const Call& call, const Tensor& x) noexcept {
  const Tasks tasks(x.element_count());
  TaskBytes bytes = {};
  call.for_each_task(tasks.count, [&](int64_t task) {
    int64_t sum = 0;
    Cursor from(x, tasks.begin(task));
    for (int64_t i = tasks.begin(task); i < tasks.end(task); ++i, from.step())
      sum += static_cast<int64_t>(text_of(from, x.dtype()).view().size());
    bytes[static_cast<size_t>(task)] = sum;
  });
  return bytes;
}

void write_all(const Call& call, const Tensor& x, const Tensor& y,
               const TaskBytes& bytes) noexcept {
  const Tasks tasks(x.element_count());
  TaskBytes starts = {};
  for (size_t task = 1; task < static_cast<size_t>(tasks.count); ++task)
    starts[task] = starts[task - 1] + bytes[task - 1];
  auto* offsets = y.data_as<int64_t>();
  offsets[0] = 0;
  call.for_each_task(tasks.count, [&](int64_t task) {
    int64_t at = starts[static_cast<size_t>(task)];
    Cursor from(x, tasks.begin(task));
    for (int64_t i = tasks.begin(task); i < tasks.end(task); ++i, from.step()) {
      const NumberText text = text_of(from, x.dtype());
      std::copy(text.view().begin(), text.view().end(), y.text_data() + at);
      at += static_cast<int64_t>(text.view().size());
      offsets[i + 1] = at;
    }
  });
}

int64_t sum_of(const TaskBytes& bytes) noexcept {
  int64_t sum = 0;
  for (const int64_t task : bytes) sum += task;
  return sum;
}

struct Bytes {
  uintptr_t low;
  uintptr_t high;

  bool meets(const Bytes& other) const noexcept { return low < other.high && other.low < high; }
};

Bytes elements_of(const Tensor& tensor) noexcept {
  const auto at = reinterpret_cast<uintptr_t>(tensor.data());
  return {at + static_cast<uintptr_t>(tensor.byte_range().low),
          at + static_cast<uintptr_t>(tensor.byte_range().high)};
}

Bytes text_region(const Tensor& tensor) noexcept {
  const auto at = reinterpret_cast<uintptr_t>(tensor.text_data());
  return {at, at + static_cast<uintptr_t>(tensor.text_capacity())};
}

/// The elements are apart; neither side's text may meet the other side.
void require_text_apart(const Tensor& x, const Tensor& y, std::string_view op,
                        std::string_view output) {
  const bool apart = !text_region(x).meets(elements_of(y)) &&
                     !text_region(y).meets(elements_of(x)) && !text_region(x).meets(text_region(y));
  require_argument(apart, op, ": ", output, " overlaps the input in memory, want them apart");
}

}  // namespace

void run_text_cast(Call& call, const Tensor& x, Tensor& y, std::string_view input,
                   std::string_view output) {
  require_text_apart(x, y, call.op, output);
  if (y.dtype() != DType::kString) {
    require_numbers(call, x, y.dtype(), nullptr, input);
    read_all(call, x, y.dtype(), &y);
    return;
  }
  if (x.dtype() == DType::kString) {
    require_string_output(y, text_bytes_of(x, call.op, input), call.op, output);
    return copy_strings(x, y);
  }
  const TaskBytes bytes = measure(call, x);
  require_string_output(y, sum_of(bytes), call.op, output);
  write_all(call, x, y, bytes);
}

Tensor new_text_cast(Call& call, const Tensor& x, DType to, std::string_view input,
                     std::string_view output) {
  if (to != DType::kString) {
    Tensor y = new_output(to, x.shape(), call.context, x.device(), call.op, output);
    if (y.element_count() != 0) require_numbers(call, x, to, &y, input);
    return y;
  }
  if (x.dtype() == DType::kString) {
    Tensor y = new_string_output(x.shape(), text_bytes_of(x, call.op, input), call.context, call.op,
                                 output);
    copy_strings(x, y);
    return y;
  }
  if (x.element_count() == 0) return new_string_output(x.shape(), 0, call.context, call.op, output);
  const TaskBytes bytes = measure(call, x);
  Tensor y = new_string_output(x.shape(), sum_of(bytes), call.context, call.op, output);
  write_all(call, x, y, bytes);
  return y;
}

void explain_text_cast(Call& call, const TensorInfo& x, const TensorInfo& y) noexcept {
  const bool to_text = y.dtype == DType::kString;
  const Kernel loop = {
      .name = to_text ? (x.dtype == DType::kString ? "copy_strings" : "to_chars") : "from_chars",
      .entry = {},
      .target = -1};
  const int64_t count = *checked_count(x.shape);
  const int64_t tasks = x.dtype == y.dtype ? 1 : Tasks(count).count;
  static_cast<void>(explained(call, loop, false, count * element_size(x.dtype),
                              count * element_size(y.dtype), tasks));
}

}  // namespace sylvite::internal
