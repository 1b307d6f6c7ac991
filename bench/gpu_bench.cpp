#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "families.h"
#include "support/cuda_driver.h"
#include "support/problem.h"
#include "support/report.h"
#include "support/rows.h"

namespace sylvite_bench {
namespace {

using sylvite::Context;
using sylvite::Device;
using sylvite::DeviceKind;
using sylvite::DType;
using sylvite::Shape;
using sylvite::Tensor;

const Group kGpu = {.name = "gpu"};

struct Gpu {
  std::string target;
  Device device;
};

// The first CUDA or OpenCL target, or the one that was asked for.
std::optional<Gpu> find_gpu(const std::string& wanted) {
  for (const std::string_view target : sylvite::targets()) {
    if (!wanted.empty() && target != wanted) continue;
    if (target.starts_with("cuda")) return Gpu{std::string(target), {DeviceKind::kCuda, 0}};
    if (target.starts_with("opencl")) return Gpu{std::string(target), {DeviceKind::kOpenCl, 0}};
  }
  return std::nullopt;
}

// A copy of the row's bytes on the device: the driver's for CUDA; for OpenCL, whose buffers have no
// address here, the library's own, which SpaceToBatch with blocks of 1 is.
class DeviceRoof {
 public:
  explicit DeviceRoof(const Gpu& gpu) : gpu_(gpu) {
    if (gpu.device.kind == DeviceKind::kCuda) cuda_ = std::make_unique<CudaDriver>();
  }

  Contestant contestant(int64_t bytes, const Context& context) {
    const Shape shape = {1, 1, 1, (bytes + 7) / 8};
    source_ = Tensor::empty(DType::kUInt64, shape, gpu_.device);
    target_ = Tensor::empty(DType::kUInt64, shape, gpu_.device);
    return {.name = cuda_ ? "device_memcpy" : "device_copy_by_block_1",
            .role = Contestant::Role::kRoof,
            .call = [this, bytes, context] { copy(bytes, context); },
            .complete = [this, context] { context.synchronize(gpu_.device); }};
  }

 private:
  void copy(int64_t bytes, const Context& context) {
    if (cuda_)
      cuda_->copy(target_.data(), source_.data(), static_cast<size_t>(bytes));
    else
      space_to_batch(source_, {.block_shape = {1, 1}}, target_, context);
  }

  Gpu gpu_;
  std::unique_ptr<CudaDriver> cuda_;
  Tensor source_;
  Tensor target_;
};

// Empty, or where the bytes that the device wrote differ from the naive loop's.
std::string check(Problem& problem, const Tensor& y) {
  return problem.check([&] {
    const Tensor host = y.to({DeviceKind::kCpu, 0});
    std::memcpy(problem.y().data(), host.data(), static_cast<size_t>(host.byte_count()));
  });
}

RowResult measure(const Case& row, const Gpu& gpu, double min_time, DeviceRoof& roof) {
  Problem problem(row);
  const Context context({.target = gpu.target});
  const Tensor x = problem.x().to(gpu.device);
  Tensor y = Tensor::empty(row.dtype, problem.y().shape(), gpu.device);
  const sylvite::Plan plan = problem.plan(x.info(), y.info(), context);

  RowResult result{.name = row.name,
                   .weight = row.weight,
                   .details = details_of(row),
                   .bytes = problem.bytes_moved(),
                   .group = kGpu.name};
  take_explanation(plan.explanation(), result);
  problem.call(x, y, context);
  context.synchronize(gpu.device);
  result.error = check(problem, y);
  if (!result.error.empty()) return result;

  std::vector<Contestant> contestants;
  contestants.push_back({.name = row.name,
                         .role = Contestant::Role::kRow,
                         .call = [&] { problem.call(x, y, context); },
                         .complete = [&] { context.synchronize(gpu.device); }});
  contestants.push_back(roof.contestant(problem.bytes_moved() / 2, context));
  time_in_turn(contestants, min_time);
  take_times(contestants, result);
  return result;
}

}  // namespace

bool run_gpu(const Options& options, nlohmann::json& json) {
  const std::optional<Gpu> gpu = find_gpu(options.target);
  if (!gpu) {
    std::puts("gpu: neither a CUDA nor an OpenCL target can run on this machine: nothing measured");
    json["skipped"] = "no device";
    return true;
  }
  const std::vector<Case> cases = read_rows("space_batch", options, parse_case);
  Context({.target = gpu->target}).warm_up(gpu->device);
  DeviceRoof roof(*gpu);
  json["target"] = gpu->target;
  return run_family(
      {.name = "gpu",
       .title = "gpu: " + gpu->target + ", ratios to a copy of the same bytes on the device",
       .rows = names_of(cases),
       .columns = {},
       .groups = {kGpu},
       .measure = [&](size_t i) { return measure(cases[i], *gpu, options.min_time, roof); }},
      json);
}

}  // namespace sylvite_bench
