#include "runtime/ops/features_arguments.h"

#include <algorithm>
#include <functional>

#include "runtime/copy_tensor.h"
#include "runtime/shape.h"

namespace sylvite::internal {

bool dense_and_aligned(const Tensor& tensor) noexcept {
  const auto bytes = static_cast<uintptr_t>(element_size(tensor.dtype()));
  return reinterpret_cast<uintptr_t>(tensor.data()) % bytes == 0 && is_dense(tensor);
}

void require_any(const Parts& parts, std::string_view op) {
  require_argument(parts.count() > 0, op, ": no ", parts.name(),
                   ", want those of one input or more");
}

void require_rows(const Parts& parts, std::string_view op, Device device) {
  for (int64_t f = 0; f < parts.count(); ++f) {
    const Tensor& row = parts[f];
    require_argument(row.rank() == 1, op, ": ", PartName{parts, f}, " has shape ", row.shape(),
                     ", want one axis");
    if (row.device() == device) continue;
    fail(ErrorCode::kInvalidArgument, op, ": ", PartName{parts, f}, " is on device ",
         name(row.device().kind), " ", row.device().index, ", want ", name(device.kind), " ",
         device.index, ", where the first input is");
  }
}

void require_device(const Tensor& tensor, std::string_view op, std::string_view argument,
                    Device device) {
  require_argument(tensor.device() == device, op, ": ", argument, " is on device ",
                   name(tensor.device().kind), " ", tensor.device().index, ", want ",
                   name(device.kind), " ", device.index, ", where the first input is");
}

void require_dtype(const Parts& parts, DType dtype, std::string_view op) {
  for (int64_t f = 0; f < parts.count(); ++f) {
    if (parts[f].dtype() == dtype) continue;
    fail(ErrorCode::kInvalidArgument, op, ": ", PartName{parts, f}, " has dtype ",
         name(parts[f].dtype()), ", want ", name(dtype));
  }
}

void require_one_dtype(const Parts& parts, std::string_view op) {
  for (int64_t f = 1; f < parts.count(); ++f) {
    if (parts[f].dtype() == parts[0].dtype()) continue;
    fail(ErrorCode::kInvalidArgument, op, ": ", PartName{parts, f}, " has dtype ",
         name(parts[f].dtype()), ", want ", name(parts[0].dtype()), " as ", PartName{parts, 0},
         " has");
  }
}

void require_count(const Parts& parts, int64_t inputs, std::string_view op) {
  require_argument(parts.count() == inputs, op, ": ", parts.count(), " ", parts.name(), ", want ",
                   inputs, ", one for each input");
}

void require_examples(const Parts& parts, int64_t inputs, int64_t examples, std::string_view op) {
  require_count(parts, inputs, op);
  for (int64_t f = 0; f < parts.count(); ++f) {
    require_argument(parts[f].shape()[0] == examples, op, ": ", PartName{parts, f}, " has ",
                     parts[f].shape()[0], " examples, want ", examples, " as the first input has");
  }
}

void require_writable(const Tensor& output, DType dtype, const Shape& shape, std::string_view op,
                      std::string_view argument, Device device) {
  require_output(output, dtype, shape, device, op, argument);
  require_argument(!output.read_only(), op, ": ", argument,
                   " is read-only memory, want memory to write to");
}

void require_packed(const Tensor& packed, int64_t extent, std::string_view op,
                    std::string_view argument, Device device) {
  require_device(packed, op, argument, device);
  require_argument(packed.rank() == 1, op, ": ", argument, " has shape ", packed.shape(),
                   ", want one axis");
  require_argument(packed.shape()[0] == extent, op, ": ", argument, " has extent ",
                   packed.shape()[0], ", want ", extent, ", what the inputs add up to");
}

const Tensor& DenseTensors::dense(const Tensor& tensor) {
  if (dense_and_aligned(tensor)) return tensor;
  return copies_.emplace_back(tensor.to(Device{}, context_));
}

const void* DenseTensors::of(const Tensor& tensor) { return dense(tensor).data(); }

Texts DenseTensors::texts(const Tensor& tensor) {
  const Tensor& strings = dense(tensor);
  return {.offsets = strings.data_as<int64_t>(), .text = strings.text_data()};
}

std::byte* DenseOutputs::of(const Tensor& output) {
  if (dense_and_aligned(output)) return output.data_as<std::byte>();
  copies_.push_back(
      {.dense = new_output(output.dtype(), output.shape(), context_, Device{}, op_, "output"),
       .output = output});
  return copies_.back().dense.data_as<std::byte>();
}

void DenseOutputs::copy_back(Call& call) const {
  for (const Copy& copy : copies_) copy_tensor(call, copy.dense, copy.output);
}

void MemoryRanges::add(const Tensor& tensor, bool written) noexcept {
  if (tensor.dtype() == DType::kString && tensor.text_capacity() > 0) {
    const auto text = reinterpret_cast<uintptr_t>(tensor.text_data());
    ranges_[count_++] = {.storage = nullptr,
                         .begin = text,
                         .end = text + static_cast<uintptr_t>(tensor.text_capacity()),
                         .written = written};
  }
  const ByteRange bytes = tensor.byte_range();
  if (bytes.low == bytes.high) return;
  const bool addressed = tensor.data() != nullptr;
  const auto data = addressed ? reinterpret_cast<uintptr_t>(tensor.data())
                              : static_cast<uintptr_t>(tensor.storage_offset());
  ranges_[count_++] = {.storage = addressed ? nullptr : tensor.storage(),
                       .begin = data + static_cast<uintptr_t>(bytes.low),
                       .end = data + static_cast<uintptr_t>(bytes.high),
                       .written = written};
}

bool MemoryRanges::apart() noexcept {
  // Sorting is worth it where many ranges meet many.
  constexpr int64_t kFewWritten = 12;
  const int64_t written =
      std::count_if(ranges_, ranges_ + count_, [](const Range& range) { return range.written; });
  return written <= kFewWritten ? apart_one_by_one() : apart_in_order();
}

bool MemoryRanges::apart_one_by_one() const noexcept {
  bool apart = true;
  for (const Range* x = ranges_; x < ranges_ + count_; ++x) {
    if (!x->written) continue;
    for (const Range* y = ranges_; y < ranges_ + count_; ++y) {
      const bool meet = x->storage == y->storage && x->begin < y->end && y->begin < x->end;
      apart &= !meet || x == y;
    }
  }
  return apart;
}

bool MemoryRanges::apart_in_order() noexcept {
  std::sort(ranges_, ranges_ + count_, [](const Range& x, const Range& y) {
    return std::less<>()(x.storage, y.storage) || (x.storage == y.storage && x.begin < y.begin);
  });
  uintptr_t read_to = 0;
  uintptr_t written_to = 0;
  for (int64_t i = 0; i < count_; ++i) {
    const Range& range = ranges_[i];
    if (i > 0 && range.storage != ranges_[i - 1].storage) read_to = written_to = 0;
    if (range.begin < written_to || (range.written && range.begin < read_to)) return false;
    uintptr_t& to = range.written ? written_to : read_to;
    to = std::max(to, range.end);
  }
  return true;
}

}  // namespace sylvite::internal
