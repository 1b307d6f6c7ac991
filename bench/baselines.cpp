#include "baselines.h"

#if __has_include("bench_baselines.h")
#include <HalideRuntime.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "bench_baselines.h"
#endif

namespace sylvite_bench {

#if __has_include("bench_baselines.h")
namespace {

// A dense buffer, innermost dimension first.
template <size_t kRank>
class HalideBuffer {
 public:
  HalideBuffer(void* data, int bits, const std::array<std::array<int, 2>, kRank>& extent_stride) {
    for (size_t i = 0; i < kRank; ++i) dim_[i] = {0, extent_stride[i][0], extent_stride[i][1], 0};
    buffer_.host = static_cast<uint8_t*>(data);
    buffer_.type = {halide_type_uint, static_cast<uint8_t>(bits), 1};
    buffer_.dimensions = static_cast<int32_t>(kRank);
    buffer_.dim = dim_.data();
  }
  HalideBuffer(const HalideBuffer&) = delete;
  HalideBuffer& operator=(const HalideBuffer&) = delete;
  halide_buffer_t* get() { return &buffer_; }

 private:
  std::array<halide_dimension_t, kRank> dim_;
  halide_buffer_t buffer_ = {};
};

// x(column, row, n, m) -> y(w, h, n, m, oy, ox), n over images and channels together.
struct Operands {
  HalideBuffer<4> x;
  HalideBuffer<6> y;
  int32_t block_h;
};

bool fits(const Baseline& baseline, const Problem& problem) {
  const Geometry& g = problem.geometry();
  return problem.row().op == Op::kSpaceToBatch && !g.channels_last && g.pad_t == 0 &&
         g.pad_l == 0 && g.width == g.phase_w * g.block_w && g.height == g.phase_h * g.block_h &&
         g.block_w == baseline.block_w && element_size(problem.row().dtype) * 8 == baseline.bits;
}

std::shared_ptr<Operands> operands(const Baseline& baseline, Problem& problem) {
  const Geometry& g = problem.geometry();
  const int n = g.images * g.channels;
  const int plane = g.phase_h * g.phase_w;
  // make_shared would have to move what cannot be moved.
  return std::shared_ptr<Operands>(  // NOLINT(modernize-make-shared)
      new Operands{.x = {problem.x().data(),
                         baseline.bits,
                         {{{g.width, 1}, {g.height, g.width}, {n, g.width * g.height}, {1, 0}}}},
                   .y = {problem.y().data(),
                         baseline.bits,
                         {{{g.phase_w, 1},
                           {g.phase_h, g.phase_w},
                           {n, plane},
                           {1, 0},
                           {g.block_h, plane * n * g.block_w},
                           {g.block_w, plane * n}}}},
                   .block_h = g.block_h});
}

}  // namespace

std::vector<std::string> baseline_names() {
  std::vector<std::string> names;
  for (const Baseline& baseline : baselines())
    if (std::find(names.begin(), names.end(), baseline.scheduler) == names.end())
      names.emplace_back(baseline.scheduler);
  return names;
}

std::vector<Contestant> baseline_contestants(Problem& problem) {
  std::vector<Contestant> contestants;
  for (const Baseline& baseline : baselines()) {
    if (!fits(baseline, problem)) continue;
    const auto call = [argv = baseline.argv, both = operands(baseline, problem)] {
      std::array<void*, 3> arguments = {both->x.get(), &both->block_h, both->y.get()};
      return argv(arguments.data());
    };
    // Such a build refuses extents below its vectors.
    if (call() != 0) continue;
    contestants.push_back({.name = baseline.scheduler, .call = call});
  }
  return contestants;
}

#else

std::vector<std::string> baseline_names() { return {}; }

std::vector<Contestant> baseline_contestants(Problem& /*problem*/) { return {}; }

#endif

}  // namespace sylvite_bench
