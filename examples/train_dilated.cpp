// A dilated filter learnt from a picture: SpaceToBatch -> Conv -> BatchToSpace as a net inside a scope,
// its gradients by rule, gradient descent in the same workspace.
#include <sylvite/sylvite.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "png_image.h"

namespace {

using sylvite::Argument;
using sylvite::DType;
using sylvite::Net;
using sylvite::OperatorDef;
using sylvite::Tensor;
using sylvite::Workspace;

constexpr int64_t kSide = 48;  // pixels of the patch
constexpr int64_t kRate = 2;
constexpr int kSteps = 1000;
/// What is to be learnt: an edge detector whose taps stand kRate pixels apart.
constexpr std::array<double, 9> kTaught = {-0.5, 0.25, 0, 0.25, 1, -0.25, 0, -0.25, -0.5};

/// The middle of the picture as grey values around 0, [1, 1, kSide, kSide].
Tensor patch_of(const demo::Picture& picture) {
  const int64_t top = std::max<int64_t>((picture.height - kSide) / 2, 0);
  const int64_t left = std::max<int64_t>((picture.width - kSide) / 2, 0);
  Tensor patch = Tensor::empty(DType::kFloat64, {1, 1, kSide, kSide});
  for (int64_t i = 0; i < kSide; ++i) {
    for (int64_t j = 0; j < kSide; ++j) {
      const int64_t row = (top + i) % picture.height;
      const int64_t column = (left + j) % picture.width;
      const uint8_t* pixel = picture.rgb.data() + (row * picture.width + column) * 3;
      patch.data_as<double>()[i * kSide + j] = (pixel[0] + pixel[1] + pixel[2]) / 382.5 - 1;
    }
  }
  return patch;
}

/// x and w to y by phases: padded by kRate, so that y is as large as x.
Net dilated_conv() {
  const int64_t pad = kRate;
  const std::vector<Argument> phases = {{"block_size", kRate}};
  return Net(
      "dilated_conv",
      {{.type = "SpaceToBatch",
        .inputs = {"x"},
        .outputs = {"phases"},
        .arguments = {{"block_size", kRate}, {"pad", pad}}},
       {.type = "Conv", .inputs = {"phases", "w"}, .outputs = {"filtered"}},
       {.type = "BatchToSpace", .inputs = {"filtered"}, .outputs = {"y"}, .arguments = phases}});
}

/// The dilated convolution in a scope of its own, and how far its result is from what it should be.
Net forward_net() {
  const OperatorDef scope{.type = "CreateScope", .inputs = {}, .outputs = {"scope"}};
  const OperatorDef conv{.type = "Do",
                         .inputs = {"X", "W", "scope"},
                         .outputs = {"Y", "scope"},
                         .arguments = {{"net", std::make_shared<const Net>(dilated_conv())},
                                       {"inner_blobs", std::vector<std::string>{"x", "w", "y"}},
                                       {"outer_blobs_idx", std::vector<int64_t>{0, 1, 2}}}};
  return Net("forward", {scope,
                         conv,
                         {.type = "Add", .inputs = {"Y", "minus_T"}, .outputs = {"error"}},
                         {.type = "SquaredL2", .inputs = {"error"}, .outputs = {"loss"}}});
}

double loss_of(Workspace& workspace, const Net& forward) {
  workspace.run(forward);
  return *workspace.get("loss").data_as<double>();
}

/// The largest relative distance of the gradient of W from central differences.
double check_gradient(Workspace& workspace, const Net& forward, const Tensor& gradient) {
  constexpr double kStep = 1e-5;
  const Tensor w = workspace.fetch("W");
  double worst = 0;
  double scale = 0;
  for (int64_t i = 0; i < 9; ++i) scale = std::max(scale, std::abs(gradient.data_as<double>()[i]));
  for (int64_t i = 0; i < 9; ++i) {
    std::array<double, 2> loss = {};
    for (const int side : {0, 1}) {
      Tensor moved = w.to(sylvite::Device{});
      moved.data_as<double>()[i] += side == 0 ? -kStep : kStep;
      workspace.feed("W", moved);
      loss[static_cast<size_t>(side)] = loss_of(workspace, forward);
    }
    const double difference = (loss[1] - loss[0]) / (2 * kStep);
    worst = std::max(worst, std::abs(difference - gradient.data_as<double>()[i]) / scale);
  }
  workspace.feed("W", w);
  return worst;
}

bool run(const std::string& file) {
  const sylvite::MemoryMeter meter;
  Workspace workspace(sylvite::builtin_registry(),
                      sylvite::Context({.allocator = meter.allocator()}));
  workspace.feed("X", patch_of(demo::read_png(file)));
  const Net forward = forward_net();

  // The teacher's result, from the same net with the taught filter.
  workspace.feed("W", Tensor::wrap(kTaught.data(), DType::kFloat64, {1, 1, 3, 3}));
  workspace.feed("minus_T", sylvite::constant_fill({1, 1, kSide, kSide}, 0, DType::kFloat64));
  workspace.run(forward);
  workspace.feed("minus_T", sylvite::mul(workspace.fetch("Y"),
                                         sylvite::constant_fill({}, -1, DType::kFloat64)));
  workspace.feed("W", sylvite::constant_fill({1, 1, 3, 3}, 0, DType::kFloat64));

  Net train = forward;
  workspace.feed("loss_grad", sylvite::constant_fill({}, 1, DType::kFloat64));
  const auto gradients = train.add_gradients({{"loss", "loss_grad"}});
  const std::string& w_grad = gradients.at("W");
  workspace.run(train);
  const double distance = check_gradient(workspace, forward, workspace.fetch(w_grad));
  std::printf("gradient of the filter against central differences: %.2g apart\n", distance);

  workspace.feed("rate", sylvite::constant_fill({}, -4e-4, DType::kFloat64));
  train.append({.type = "Mul", .inputs = {w_grad, "rate"}, .outputs = {"step"}});
  train.append({.type = "Add", .inputs = {"W", "step"}, .outputs = {"W"}});
  double first = 0;
  double loss = 0;
  int64_t live = 0;
  bool flat = true;
  for (int step = 1; step <= kSteps; ++step) {
    workspace.run(train);
    loss = *workspace.get("loss").data_as<double>();
    if (step == 1) first = loss;
    if (step == 10) live = meter.use().live;
    flat = flat && (step < 10 || meter.use().live == live);
    if (step == 1 || step == 10 || step == 100 || step == kSteps) {
      std::printf("step %4d: loss %.6g, %lld B live, %lld B at most\n", step, loss,
                  static_cast<long long>(meter.use().live),
                  static_cast<long long>(meter.use().peak));
    }
  }
  double worst = 0;
  const Tensor learnt = workspace.fetch("W");
  for (size_t i = 0; i < kTaught.size(); ++i)
    worst = std::max(worst, std::abs(learnt.data_as<double>()[i] - kTaught[i]));
  std::printf("the learnt filter is within %.2g of the taught one\n", worst);
  const bool right = distance < 1e-6 && loss < 1e-3 * first && flat;
  std::printf("demo: training by nets %s\n", right ? "works" : "fails");
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : DEMO_IMAGE) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_dilated: %s\n", error.what());
    return 1;
  }
}
