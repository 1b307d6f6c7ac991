// MatMul and Conv as products of blocks: parts of both factors are laid out densely on the stack, where
// one kernel multiplies them.
#include <algorithm>
#include <cstring>
#include <limits>

#include "conv_kernels.h"
#include "runtime/checked.h"
#include "runtime/ops/conv.h"

namespace sylvite::internal {
namespace {

constexpr int64_t kRows = 64;          ///< of a block of the product
constexpr int64_t kColumnBytes = 256;  ///< of one of its rows
constexpr int64_t kDepth = 128;        ///< products added at a time; part of the order of additions
constexpr int64_t kRowGranule = 8;     ///< what the kernel takes rows in
/// Multiplications below which waking threads costs more than they save.
constexpr double kParallelWork = 1 << 19;

consteval int row_of(std::string_view kernel) { return find_kernel(conv::kKernelNames, kernel); }

/// The memory of one task: a [row][k], b [k][column], c [row][column], as far as each is used.
struct Block {
  Block() {}  // NOLINT(modernize-use-equals-default): leaves the bytes unwritten
  alignas(kLineBytes) std::array<std::byte, kRows * kDepth * sizeof(double)> a;
  alignas(kLineBytes) std::array<std::byte, kDepth * kColumnBytes> b;
  alignas(kLineBytes) std::array<std::byte, kRows * kColumnBytes> c;
};

Operand panel(std::byte* data, int bytes, int64_t extent, int64_t outer, int64_t stride) noexcept {
  Operand operand;
  operand.data = data;
  operand.kind = ElementKind::kFloat;
  operand.element_bytes = bytes;
  operand.rank = 2;
  operand.extent[0] = static_cast<int32_t>(extent);
  operand.extent[1] = static_cast<int32_t>(outer);
  operand.stride[0] = 1;
  operand.stride[1] = static_cast<int32_t>(stride);
  return operand;
}

constexpr int64_t round_up(int64_t value, int64_t to) noexcept { return ceil_div(value, to) * to; }

/// An axis in chunks of one size, but the last; as equal as the granule allows.
struct Chunks {
  Chunks(int64_t of, int64_t most, int64_t granule = 1) noexcept
      : extent(of),
        chunk(std::min(most, round_up(ceil_div(of, ceil_div(of, most)), granule))),
        count(ceil_div(of, chunk)) {}
  int64_t start(int64_t i) const noexcept { return i * chunk; }
  int64_t size(int64_t i) const noexcept { return std::min(chunk, extent - start(i)); }

  int64_t extent, chunk, count;
};

/// What all tasks of a call share: kernels, and the sizes that follow from the dtype.
class Products {
 public:
  Products(Call& call, DType dtype)
      : call_(call),
        bytes_(element_size(dtype)),
        product_(kernel(dtype == DType::kFloat32 ? row_of("product_f32") : row_of("product_f64"))),
        patches_(kernel(dtype == DType::kFloat32 ? row_of("patches_u32") : row_of("patches_u64"))) {
    static_cast<void>(copy_kernel(call, bytes_));  // tasks cannot throw
  }

  int64_t columns() const noexcept { return kColumnBytes / bytes_; }

  /// c = 0, and zeros where the kernel takes more rows and columns than there are.
  void begin(Block& block, int64_t rows, int64_t columns) const noexcept {
    const int64_t taken = round_up(rows, kRowGranule);
    std::memset(block.c.data(), 0, static_cast<size_t>(taken * kColumnBytes));
    std::memset(block.a.data() + rows * kDepth * bytes_, 0,
                static_cast<size_t>((taken - rows) * kDepth * bytes_));
    if (columns * bytes_ % kLineBytes != 0) std::memset(block.b.data(), 0, block.b.size());
  }

  /// c += a * b.
  void accumulate(Block& block, int64_t rows, int64_t columns, int64_t depth) const noexcept {
    const int64_t taken = round_up(rows, kRowGranule);
    const int64_t wide = round_up(columns, kLineBytes / bytes_);
    const std::array inputs = {panel(block.a.data(), bytes_, depth, taken, kDepth),
                               panel(block.b.data(), bytes_, wide, depth, this->columns())};
    const Operand c = panel(block.c.data(), bytes_, wide, taken, this->columns());
    call_kernel(product_, call_, inputs, {}, std::span(&c, 1));
  }

  void copy(const Place& from, std::byte* to, const Box& box) const {
    copy_box(call_, from, {.data = to}, bytes_, box, 0, Threads::kThis);
  }
  void store(std::byte* from, const Place& to, const Box& box) const {
    copy_box(call_, {.data = from}, to, bytes_, box, 0, Threads::kThis);
  }
  Place at(const Place& place, int64_t elements) const noexcept {
    return advanced(place, elements, bytes_);
  }

  /// Runs task(i) for every i, of `work` multiplications in all.
  template <typename Task>
  void for_each_task(int64_t tasks, double work, const Task& task) const noexcept {
    call_.for_each_task(tasks, task, work < kParallelWork ? Threads::kThis : Threads::kAll);
  }

  Call& call() const noexcept { return call_; }
  int bytes() const noexcept { return bytes_; }
  KernelFn patches() const noexcept { return patches_; }

 private:
  KernelFn kernel(int row) const {
    return pick_kernel(conv::kKernelNames, conv::kKernels, row, call_.targets, call_.op)
        .entry.plain;
  }

  Call& call_;
  int bytes_;
  KernelFn product_;
  KernelFn patches_;
};

/// Taps of a filter, kw, kh and c, of one block, and a rectangle of places, w and h.
struct Taps {
  std::array<int64_t, 3> start;
  std::array<int64_t, 3> count;
  int64_t total() const noexcept { return count[0] * count[1] * count[2]; }
};
struct Places {
  std::array<int64_t, 2> start;
  std::array<int64_t, 2> count;
  int64_t total() const noexcept { return count[0] * count[1]; }
};

/// Blocks of taps, whole rows of the filter first, then whole planes.
TaskGrid taps_grid(const Image& filter, const Image& x, int64_t most) noexcept {
  const std::array<int64_t, 3> extents = {filter.extent[3], filter.extent[2], filter.extent[1]};
  TaskGrid grid(extents, 3, 1, most);
  // The channels of a block of patches are one operand.
  const std::array<int64_t, 3> strides = {0, 0, x.stride[1]};
  grid.keep_within_int32(strides, std::numeric_limits<int32_t>::max() / 2);
  return grid;
}

Taps taps_of(const TaskGrid& grid, int64_t i) noexcept {
  const TaskGrid::Slice slice = grid.slice(i);
  return {.start = {slice.start[0], slice.start[1], slice.start[2]},
          .count = {slice.count[0], slice.count[1], slice.count[2]}};
}

/// Multiplications of a convolution between places of `y` and taps of `filter`.
double work(const Image& y, const Image& filter) noexcept {
  double product = 1;
  for (const int64_t extent : y.extent) product *= static_cast<double>(extent);
  for (size_t axis = 1; axis < 4; ++axis) product *= static_cast<double>(filter.extent[axis]);
  return product;
}

/// The part of an image axis that a patch touches, and the walk through it.
struct Window {
  Window(const Walk& walk, int64_t extent, int64_t place, int64_t places, int64_t tap,
         int64_t taps) noexcept {
    const int64_t origin = walk.first + place * walk.step + tap * walk.tap_step;
    const int64_t reach = (taps - 1) * walk.tap_step;
    const int64_t low = origin + std::min<int64_t>(reach, 0);
    const int64_t high = origin + (places - 1) * walk.step + std::max<int64_t>(reach, 0);
    start = low <= 0 ? 0 : low / walk.zoom;
    const int64_t end = high < 0 ? 0 : std::min(high / walk.zoom + 1, extent);
    count = std::max<int64_t>(end - start, 0);
    first = origin - start * walk.zoom;
  }
  int64_t start, count;
  int64_t first;  ///< of the walk, from the window's own beginning
};

/// patch[c][kh][kw][place] of image n, a row of taps after the other, `stride` elements apart.
void lay_out_patches(const Products& products, const Image& x, int64_t n,
                     const std::array<Walk, 2>& walks, const Places& places, const Taps& taps,
                     std::byte* patch, int64_t stride) noexcept {
  const Window w(walks[1], x.extent[3], places.start[0], places.count[0], taps.start[0],
                 taps.count[0]);
  const Window h(walks[0], x.extent[2], places.start[1], places.count[1], taps.start[1],
                 taps.count[1]);
  if (w.count == 0 || h.count == 0) {
    for (int64_t k = 0; k < taps.total(); ++k)
      std::memset(patch + k * stride * products.bytes(), 0,
                  static_cast<size_t>(places.total() * products.bytes()));
    return;
  }
  const auto narrow = [](int64_t value) { return static_cast<int32_t>(value); };
  Operand in;
  in.data = products
                .at(x.place, n * x.stride[0] + taps.start[2] * x.stride[1] + h.start * x.stride[2] +
                                 w.start * x.stride[3])
                .data;
  in.element_bytes = products.bytes();
  in.rank = 3;
  in.extent = {narrow(w.count), narrow(h.count), narrow(taps.count[2])};
  // A dimension of one step may have a stride beyond int32; nothing multiplies it.
  for (size_t i = 0; i < 3; ++i) in.stride[i] = in.extent[i] > 1 ? narrow(x.stride[3 - i]) : 1;
  Operand out;
  out.data = patch;
  out.element_bytes = products.bytes();
  out.rank = 5;
  out.extent = {narrow(places.count[0]), narrow(places.count[1]), narrow(taps.count[0]),
                narrow(taps.count[1]), narrow(taps.count[2])};
  out.stride = {1, out.extent[0], narrow(stride), narrow(stride * taps.count[0]),
                narrow(stride * taps.count[0] * taps.count[1])};
  const std::array<int32_t, 8> values = {
      narrow(walks[1].step), narrow(walks[1].tap_step), narrow(w.first), narrow(walks[1].zoom),
      narrow(walks[0].step), narrow(walks[0].tap_step), narrow(h.first), narrow(walks[0].zoom)};
  std::array<const void*, 8> scalars;
  for (size_t i = 0; i < values.size(); ++i) scalars[i] = &values[i];
  call_kernel(products.patches(), products.call(), &in, scalars, out);
}

}  // namespace

void run_matmul(Call& call, DType dtype, const Matrix& a, const Matrix& b, const Matrix& y) {
  const Products products(call, dtype);
  const Chunks down(y.rows, kRows, kRowGranule);
  const Chunks across(y.columns, products.columns(), kLineBytes / products.bytes());
  products.for_each_task(
      down.count * across.count,
      static_cast<double>(y.rows) * static_cast<double>(y.columns) * static_cast<double>(a.columns),
      [&](int64_t task) {
        const int64_t m = task % down.count;
        const int64_t n = task / down.count;
        const int64_t rows = down.size(m);
        const int64_t columns = across.size(n);
        const Place a_rows = products.at(a.place, down.start(m) * a.row_stride);
        const Place b_columns = products.at(b.place, across.start(n) * b.column_stride);
        Block block;
        products.begin(block, rows, columns);
        for (int64_t k = 0; k < a.columns; k += kDepth) {
          const int64_t depth = std::min(kDepth, a.columns - k);
          Box of_a;
          of_a.add({.extent = depth, .from = a.column_stride, .to = 1});
          of_a.add({.extent = rows, .from = a.row_stride, .to = kDepth});
          products.copy(products.at(a_rows, k * a.column_stride), block.a.data(), of_a);
          Box of_b;
          of_b.add({.extent = columns, .from = b.column_stride, .to = 1});
          of_b.add({.extent = depth, .from = b.row_stride, .to = products.columns()});
          products.copy(products.at(b_columns, k * b.row_stride), block.b.data(), of_b);
          products.accumulate(block, rows, columns, depth);
        }
        Box of_y;
        of_y.add({.extent = columns, .from = 1, .to = y.column_stride});
        of_y.add({.extent = rows, .from = products.columns(), .to = y.row_stride});
        products.store(
            block.c.data(),
            products.at(y.place, down.start(m) * y.row_stride + across.start(n) * y.column_stride),
            of_y);
      });
  throw_if_failed(call);
}

void run_conv(Call& call, DType dtype, const Image& x, const Image& filter, const Place& bias,
              int64_t bias_stride, const std::array<Walk, 2>& walks, const Image& y) {
  const Products products(call, dtype);
  const int64_t stride = products.columns();
  const Chunks down(y.extent[1], kRows, kRowGranule);
  const Chunks w(y.extent[3], stride);
  const Chunks h(y.extent[2], stride / w.chunk);
  const bool nothing = x.extent[1] == 0 || x.extent[2] == 0 || x.extent[3] == 0;
  const TaskGrid taps = taps_grid(filter, x, kDepth);
  products.for_each_task(
      down.count * w.count * h.count * y.extent[0], work(y, filter), [&](int64_t task) {
        const int64_t m = task % down.count;
        int64_t rest = task / down.count;
        const int64_t i = rest % w.count;
        rest /= w.count;
        const int64_t j = rest % h.count;
        const int64_t n = rest / h.count;
        const Places places = {.start = {w.start(i), h.start(j)}, .count = {w.size(i), h.size(j)}};
        const int64_t rows = down.size(m);
        Block block;
        products.begin(block, rows, places.total());
        if (bias.data != nullptr) {
          Box of_bias;
          of_bias.add({.extent = places.total(), .from = 0, .to = 1});
          of_bias.add({.extent = rows, .from = bias_stride, .to = stride});
          products.copy(products.at(bias, down.start(m) * bias_stride), block.c.data(), of_bias);
        }
        for (int64_t t = 0; t < (nothing ? 0 : taps.tasks()); ++t) {
          const Taps part = taps_of(taps, t);
          Box of_filter;
          int64_t k = 1;
          for (size_t axis = 0; axis < 3; ++axis) {
            of_filter.add({.extent = part.count[axis], .from = filter.stride[3 - axis], .to = k});
            k *= part.count[axis];
          }
          of_filter.add({.extent = rows, .from = filter.stride[0], .to = kDepth});
          const int64_t at = down.start(m) * filter.stride[0] + part.start[2] * filter.stride[1] +
                             part.start[1] * filter.stride[2] + part.start[0] * filter.stride[3];
          products.copy(products.at(filter.place, at), block.a.data(), of_filter);
          lay_out_patches(products, x, n, walks, places, part, block.b.data(), stride);
          products.accumulate(block, rows, places.total(), k);
        }
        Box of_y;
        of_y.add({.extent = places.count[0], .from = 1, .to = y.stride[3]});
        of_y.add({.extent = places.count[1], .from = places.count[0], .to = y.stride[2]});
        of_y.add({.extent = rows, .from = stride, .to = y.stride[1]});
        const int64_t at = n * y.stride[0] + down.start(m) * y.stride[1] +
                           places.start[1] * y.stride[2] + places.start[0] * y.stride[3];
        products.store(block.c.data(), products.at(y.place, at), of_y);
      });
  throw_if_failed(call);
}

void run_conv_gradient_filter(Call& call, DType dtype, const Image& x, const Image& dy,
                              const std::array<Walk, 2>& walks, const Image& dw) {
  const Products products(call, dtype);
  const Chunks across(dw.extent[0], products.columns(), kLineBytes / products.bytes());
  const TaskGrid down = taps_grid(dw, x, kRows);
  const bool nothing = x.extent[0] == 0 || x.extent[2] == 0 || x.extent[3] == 0;
  // The places are what is added up: their blocks are part of the order of additions.
  const Chunks w(dy.extent[3], kDepth);
  const Chunks h(dy.extent[2], kDepth / w.chunk);
  products.for_each_task(across.count * down.tasks(), work(dy, dw), [&](int64_t task) {
    const int64_t m = task % across.count;
    const Taps taps = taps_of(down, task / across.count);
    const int64_t rows = taps.total();
    const int64_t columns = across.size(m);
    Block block;
    products.begin(block, rows, columns);
    for (int64_t p = 0; p < (nothing ? 0 : x.extent[0] * h.count * w.count); ++p) {
      const int64_t i = p % w.count;
      const int64_t j = p / w.count % h.count;
      const int64_t n = p / w.count / h.count;
      const Places places = {.start = {w.start(i), h.start(j)}, .count = {w.size(i), h.size(j)}};
      lay_out_patches(products, x, n, walks, places, taps, block.a.data(), kDepth);
      Box of_dy;
      of_dy.add({.extent = columns, .from = dy.stride[1], .to = 1});
      of_dy.add({.extent = places.count[0], .from = dy.stride[3], .to = products.columns()});
      of_dy.add({.extent = places.count[1],
                 .from = dy.stride[2],
                 .to = products.columns() * places.count[0]});
      const int64_t at = n * dy.stride[0] + across.start(m) * dy.stride[1] +
                         places.start[1] * dy.stride[2] + places.start[0] * dy.stride[3];
      products.copy(products.at(dy.place, at), block.b.data(), of_dy);
      products.accumulate(block, rows, columns, places.total());
    }
    Box of_dw;
    of_dw.add({.extent = columns, .from = 1, .to = dw.stride[0]});
    int64_t k = products.columns();
    for (size_t axis = 0; axis < 3; ++axis) {
      of_dw.add({.extent = taps.count[axis], .from = k, .to = dw.stride[3 - axis]});
      k *= taps.count[axis];
    }
    const int64_t at = across.start(m) * dw.stride[0] + taps.start[2] * dw.stride[1] +
                       taps.start[1] * dw.stride[2] + taps.start[0] * dw.stride[3];
    products.store(block.c.data(), products.at(dw.place, at), of_dw);
  });
  throw_if_failed(call);
}

bool patches_fit(const Image& x, const std::array<Walk, 2>& walks,
                 const std::array<int64_t, 2>& taps) noexcept {
  // A block has at most kDepth places and kDepth taps in a row; channels may take the other half.
  Checked reach = 0;
  for (size_t axis = 0; axis < 2; ++axis) {
    const Walk& walk = walks[axis];
    const int64_t most = (kDepth * walk.step + std::min(taps[axis], kDepth)) / walk.zoom + 2;
    const int64_t steps = std::max<int64_t>(std::min(x.extent[axis + 2], most) - 1, 0);
    const int64_t stride = x.stride[axis + 2];
    if (steps == 0) continue;
    if (stride == std::numeric_limits<int64_t>::min()) return false;
    reach = checked_add(reach, checked_mul(steps, std::abs(stride)));
  }
  return reach && *reach <= std::numeric_limits<int32_t>::max() / 2;
}

}  // namespace sylvite::internal
