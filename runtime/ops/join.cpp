// stack, concat, unstack and split: what is allowed, and what comes out.
#include "sylvite/join.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <functional>
#include <ostream>

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/ops/join.h"
#include "runtime/shape.h"
#include "runtime/strings.h"

namespace sylvite {

using internal::Checked;
using internal::checked_add;
using internal::JoinDirection;
using internal::require_argument;

namespace {

constexpr JoinDirection kStack = {.op = "Stack", .joins = true, .new_axis = true};
constexpr JoinDirection kUnstack = {.op = "Unstack", .joins = false, .new_axis = true};
constexpr JoinDirection kConcat = {.op = "Concat", .joins = true, .new_axis = false};
constexpr JoinDirection kSplit = {.op = "Split", .joins = false, .new_axis = false};

/// "X[12]", made without an allocation.
class PartName {
 public:
  explicit PartName(size_t i) noexcept {
    char* end = std::to_chars(text_.data() + 2, text_.data() + text_.size() - 1, i).ptr;
    *end = ']';
    size_ = static_cast<size_t>(end + 1 - text_.data());
  }
  // NOLINTNEXTLINE(google-explicit-constructor): for functions that take an argument's name
  operator std::string_view() const noexcept { return {text_.data(), size_}; }
  friend std::ostream& operator<<(std::ostream& text, const PartName& name) {
    return text << std::string_view(name);
  }

 private:
  std::array<char, 24> text_ = {'X', '['};
  size_t size_;
};

int checked_axis(const JoinDirection& d, int axis, int rank) {
  require_argument(rank > 0, d.op, ": ", d.joins ? "X[0]" : "Y", " has rank 0, want at least 1");
  require_argument(axis >= -rank && axis < rank, d.op, ": axis is ", axis, ", want ", -rank, " to ",
                   rank - 1, " for Y of rank ", rank);
  return axis < 0 ? axis + rank : axis;
}

// Of a tensor, or of its description.
DType dtype_of(const Tensor& x) noexcept { return x.dtype(); }
DType dtype_of(const TensorInfo& x) noexcept { return x.dtype; }
const Shape& shape_of(const Tensor& x) noexcept { return x.shape(); }
const Shape& shape_of(const TensorInfo& x) noexcept { return x.shape; }
Device device_of(const Tensor& x) noexcept { return x.device(); }
Device device_of(const TensorInfo& x) noexcept { return x.device; }

/// free_axis: where shapes may differ, -1 for nowhere.
template <typename Part>
void require_like_the_first(const JoinDirection& d, std::span<const Part> x, size_t i,
                            int free_axis) {
  const Part& first = x[0];
  const Part& part = x[i];
  require_argument(dtype_of(part) == dtype_of(first), d.op, ": ", PartName(i), " has dtype ",
                   name(dtype_of(part)), ", want ", name(dtype_of(first)), " as X[0]");
  require_argument(device_of(part) == device_of(first), d.op, ": ", PartName(i), " is on device ",
                   name(device_of(part).kind), " ", device_of(part).index, ", want ",
                   name(device_of(first).kind), " ", device_of(first).index, " as X[0]");
  bool same = shape_of(part).rank() == shape_of(first).rank();
  for (int axis = 0; same && axis < shape_of(first).rank(); ++axis)
    same = axis == free_axis || shape_of(part)[axis] == shape_of(first)[axis];
  require_argument(same, d.op, ": ", PartName(i), " has shape ", shape_of(part), ", want ",
                   shape_of(first), " as X[0]",
                   free_axis < 0 ? "" : " but for the axis they are joined at");
}

struct Joined {
  Shape shape;  ///< of y
  int axis;
};

template <typename Part>
Joined infer_joined(const JoinDirection& d, std::span<const Part> x, int axis) {
  require_argument(!x.empty(), d.op, ": no inputs, want at least one");
  const Shape& first = shape_of(x[0]);
  require_argument(!d.new_axis || first.rank() < kMaxRank, d.op, ": X[0] has rank ", first.rank(),
                   ", want at most ", kMaxRank - 1);
  const int rank = first.rank() + (d.new_axis ? 1 : 0);
  axis = checked_axis(d, axis, rank);
  Checked extent = d.new_axis ? static_cast<int64_t>(x.size()) : first[axis];
  for (size_t i = 1; i < x.size(); ++i) {
    require_like_the_first(d, x, i, d.new_axis ? -1 : axis);
    if (!d.new_axis) extent = checked_add(extent, shape_of(x[i])[axis]);
  }
  require_argument(extent.has_value(), d.op, ": the extents at axis ", axis,
                   " add up to more than int64 can count");
  Shape y;
  for (int a = 0; a < rank; ++a)
    y.push_back(a == axis ? *extent : first[a - (d.new_axis && a > axis ? 1 : 0)]);
  const Checked bytes =
      internal::checked_mul(internal::checked_count(y), element_size(dtype_of(x[0])));
  require_argument(bytes.has_value(), d.op, ": Y of shape ", y,
                   " has more bytes than int64 can count");
  return {.shape = y, .axis = axis};
}

/// Of descriptions that nobody has checked.
Shape infer_checked(const JoinDirection& d, std::span<const TensorInfo> x, int axis) {
  for (size_t i = 0; i < x.size(); ++i) internal::require_tensor(x[i], d.op, PartName(i));
  return infer_joined(d, x, axis).shape;
}

int64_t text_bytes_of(const JoinDirection& d, std::span<const Tensor> x) {
  Checked bytes = 0;
  for (size_t i = 0; i < x.size(); ++i)
    bytes = checked_add(bytes, internal::text_bytes_of(x[i], d.op, PartName(i)));
  require_argument(bytes.has_value(), d.op, ": Y has more bytes of text than int64 can count");
  return *bytes;
}

void run_joined(const JoinDirection& d, std::span<const Tensor> x, const Tensor& y, int axis,
                const Context& context) {
  const internal::Join join = {.direction = d, .parts = x, .whole = y, .axis = axis};
  if (y.dtype() == DType::kString) return internal::join_strings(join);
  internal::run_join(join, context);
}

void join_into(const JoinDirection& d, std::span<const Tensor> x, int axis, Tensor& y,
               const Context& context) {
  const Joined joined = infer_joined(d, x, axis);
  internal::require_output(y, x[0].dtype(), joined.shape, x[0].device(), d.op, "Y");
  for (const Tensor& part : x) internal::require_apart(part, y, d.op, "Y");
  if (y.dtype() == DType::kString)
    internal::require_string_output(y, text_bytes_of(d, x), d.op, "Y");
  run_joined(d, x, y, joined.axis, context);
}

Tensor join_new(const JoinDirection& d, std::span<const Tensor> x, int axis,
                const Context& context) {
  const Joined joined = infer_joined(d, x, axis);
  const DType dtype = x[0].dtype();
  Tensor y =
      dtype == DType::kString
          ? internal::new_string_output(joined.shape, text_bytes_of(d, x), context, d.op, "Y")
          : internal::new_output(dtype, joined.shape, context, x[0].device(), d.op, "Y");
  run_joined(d, x, y, joined.axis, context);
  return y;
}

/// What comes out of a whole taken apart.
struct Parts {
  int axis;
  int64_t count;
  std::span<const int64_t> sizes;  ///< none: 1 each

  int64_t size(int64_t i) const noexcept {
    return sizes.empty() ? 1 : sizes[static_cast<size_t>(i)];
  }
};

Parts parts_of_unstack(const Tensor& y, int axis) {
  axis = checked_axis(kUnstack, axis, y.rank());
  return {.axis = axis, .count = y.shape()[axis], .sizes = {}};
}

Parts parts_of_split(const Tensor& y, std::span<const int64_t> sizes, int axis) {
  axis = checked_axis(kSplit, axis, y.rank());
  require_argument(!sizes.empty(), kSplit.op, ": no sizes, want at least one");
  Checked sum = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    require_argument(sizes[i] >= 0, kSplit.op, ": sizes[", i, "] is ", sizes[i],
                     ", want at least 0");
    sum = checked_add(sum, sizes[i]);
  }
  require_argument(sum.has_value(), kSplit.op, ": sizes add up to more than int64 can count");
  require_argument(*sum == y.shape()[axis], kSplit.op, ": sizes add up to ", *sum, ", want ",
                   y.shape()[axis], ", the extent of Y at axis ", axis);
  return {.axis = axis, .count = static_cast<int64_t>(sizes.size()), .sizes = sizes};
}

/// Part i, `start` entries along the axis of y, under the shape it has by itself.
Shape shape_of_part(const JoinDirection& d, const Tensor& y, const Parts& parts, int64_t i) {
  Shape shape;
  for (int a = 0; a < y.rank(); ++a) {
    if (a != parts.axis) shape.push_back(y.shape()[a]);
    if (a == parts.axis && !d.new_axis) shape.push_back(parts.size(i));
  }
  return shape;
}

/// The part where it lies in y.
Tensor view_of_part(const JoinDirection& d, const Tensor& y, const Parts& parts, int64_t i,
                    int64_t start) {
  Shape strides;
  for (int a = 0; a < y.rank(); ++a) {
    if (a != parts.axis || !d.new_axis) strides.push_back(y.strides()[a]);
  }
  const Shape shape = shape_of_part(d, y, parts, i);
  const bool none = std::find(shape.begin(), shape.end(), 0) != shape.end();
  return y.view(shape, strides, none ? 0 : start * y.strides()[parts.axis]);
}

/// Throws kInvalidArgument where two of the outputs share bytes.
void require_apart_from_each_other(const JoinDirection& d, std::span<const Tensor> x) {
  struct Bytes {
    const void* storage;  ///< OpenCL memory has no address: bytes count from the storage's first
    int64_t low, high;
    size_t part;
  };
  const auto for_each_range = [&](const auto& visit) {
    for (size_t i = 0; i < x.size(); ++i) {
      if (x[i].element_count() == 0) continue;
      const bool addressed = x[i].data() != nullptr;
      const int64_t base =
          addressed ? reinterpret_cast<int64_t>(x[i].data()) : x[i].storage_offset();
      visit(Bytes{.storage = addressed ? nullptr : x[i].storage(),
                  .low = base + x[i].byte_range().low,
                  .high = base + x[i].byte_range().high,
                  .part = i});
      const auto text = reinterpret_cast<int64_t>(x[i].text_data());
      if (x[i].text_capacity() > 0)
        visit(
            Bytes{.storage = nullptr, .low = text, .high = text + x[i].text_capacity(), .part = i});
    }
  };
  const auto before = [](const Bytes& a, const Bytes& b) {
    return std::less<>()(a.storage, b.storage) || (a.storage == b.storage && a.low < b.low);
  };
  const auto require_two = [&](const Bytes& a, const Bytes& b) {
    require_argument(a.storage != b.storage || a.high <= b.low, d.op, ": ",
                     PartName(std::max(a.part, b.part)), " overlaps ",
                     PartName(std::min(a.part, b.part)), " in memory, want them apart");
  };
  // Parts that lie in order, as those of one allocation do, need no sorting.
  size_t count = 0;
  bool sorted = true;
  Bytes last{};
  for_each_range([&](const Bytes& bytes) {
    if (count++ > 0 && sorted) {
      sorted = before(last, bytes);
      if (sorted) require_two(last, bytes);
    }
    last = bytes;
  });
  if (sorted) return;
  constexpr size_t kInline = 64;
  std::array<Bytes, kInline> few;
  std::vector<Bytes> many(count > kInline ? count : 0);
  const std::span<Bytes> all = count > kInline ? std::span(many) : std::span(few.data(), count);
  count = 0;
  for_each_range([&](const Bytes& bytes) { all[count++] = bytes; });
  std::sort(all.begin(), all.end(), before);
  for (size_t i = 1; i < count; ++i) require_two(all[i - 1], all[i]);
}

void run_parts(const JoinDirection& d, const Tensor& y, const Parts& parts, std::span<Tensor> x,
               const Context& context) {
  if (y.dtype() != DType::kString) {
    return internal::run_join({.direction = d, .parts = x, .whole = y, .axis = parts.axis},
                              context);
  }
  int64_t start = 0;
  for (int64_t i = 0; i < parts.count; ++i) {
    internal::copy_strings(view_of_part(d, y, parts, i, start), x[static_cast<size_t>(i)]);
    start += parts.size(i);
  }
}

void part_into(const JoinDirection& d, const Tensor& y, const Parts& parts, std::span<Tensor> x,
               const Context& context) {
  require_argument(static_cast<int64_t>(x.size()) == parts.count, d.op, ": ", x.size(),
                   " outputs, want ", parts.count);
  int64_t start = 0;
  for (int64_t i = 0; i < parts.count; ++i) {
    const auto index = static_cast<size_t>(i);
    const PartName name(index);
    internal::require_output(x[index].info(), y.dtype(), shape_of_part(d, y, parts, i), y.device(),
                             d.op, name);
    internal::require_apart(y, x[index], d.op, name);
    if (y.dtype() == DType::kString) {
      const Tensor part = view_of_part(d, y, parts, i, start);
      internal::require_string_output(x[index], internal::text_bytes_of(part, d.op, "Y"), d.op,
                                      name);
    }
    start += parts.size(i);
  }
  require_apart_from_each_other(d, x);
  run_parts(d, y, parts, x, context);
}

std::vector<Tensor> part_new(const JoinDirection& d, const Tensor& y, const Parts& parts,
                             const Context& context) {
  std::vector<Tensor> x;
  try {
    x.reserve(static_cast<size_t>(parts.count));
  } catch (const std::exception&) {
    internal::fail(ErrorCode::kOutOfMemory, d.op, ": no memory for ", parts.count, " outputs");
  }
  int64_t start = 0;
  for (int64_t i = 0; i < parts.count; ++i) {
    const PartName name(static_cast<size_t>(i));
    const Shape shape = shape_of_part(d, y, parts, i);
    if (y.dtype() == DType::kString) {
      const int64_t bytes = internal::text_bytes_of(view_of_part(d, y, parts, i, start), d.op, "Y");
      x.push_back(internal::new_string_output(shape, bytes, context, d.op, name));
    } else {
      x.push_back(internal::new_output(y.dtype(), shape, context, y.device(), d.op, name));
    }
    start += parts.size(i);
  }
  run_parts(d, y, parts, x, context);
  return x;
}

}  // namespace

Tensor stack(std::span<const Tensor> x, int axis, const Context& context) {
  return join_new(kStack, x, axis, context);
}
void stack(std::span<const Tensor> x, int axis, Tensor& y, const Context& context) {
  join_into(kStack, x, axis, y, context);
}
Shape stack_shape(std::span<const TensorInfo> x, int axis) {
  return infer_checked(kStack, x, axis);
}

std::vector<Tensor> unstack(const Tensor& y, int axis, const Context& context) {
  return part_new(kUnstack, y, parts_of_unstack(y, axis), context);
}
void unstack(const Tensor& y, int axis, std::span<Tensor> x, const Context& context) {
  part_into(kUnstack, y, parts_of_unstack(y, axis), x, context);
}

Tensor concat(std::span<const Tensor> x, int axis, const Context& context) {
  return join_new(kConcat, x, axis, context);
}
void concat(std::span<const Tensor> x, int axis, Tensor& y, const Context& context) {
  join_into(kConcat, x, axis, y, context);
}
Shape concat_shape(std::span<const TensorInfo> x, int axis) {
  return infer_checked(kConcat, x, axis);
}

std::vector<Tensor> split(const Tensor& y, std::span<const int64_t> sizes, int axis,
                          const Context& context) {
  return part_new(kSplit, y, parts_of_split(y, sizes, axis), context);
}
void split(const Tensor& y, std::span<const int64_t> sizes, int axis, std::span<Tensor> x,
           const Context& context) {
  part_into(kSplit, y, parts_of_split(y, sizes, axis), x, context);
}

}  // namespace sylvite
