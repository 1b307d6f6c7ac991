// A bias per channel added to a picture through an expanded view, the bias's gradient as the sum over
// all that the view repeats, and what a round trip through half precision costs the picture.
#include <sylvite/sylvite.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>

#include "png_image.h"

namespace {

using demo::Picture;
using sylvite::DType;
using sylvite::Shape;
using sylvite::Tensor;

constexpr std::array<float, 3> kBias = {12.5F, -7.25F, 30.0F};

double milliseconds(const std::chrono::steady_clock::time_point& since) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since)
      .count();
}

/// The largest |a - b| of two dense float32 tensors.
double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (int64_t i = 0; i < a.element_count(); ++i) {
    const double difference = std::abs(double{a.data_as<float>()[i]} - b.data_as<float>()[i]);
    largest = std::max(largest, difference);
  }
  return largest;
}

bool run(const std::string& file) {
  const Picture picture = demo::read_png(file);
  const Shape shape = {3, picture.height, picture.width};
  // The picture's own bytes seen as planes; Cast takes the strides as they are.
  const Tensor bytes =
      Tensor::wrap(picture.rgb.data(), DType::kUInt8, shape, {1, picture.width * 3, 3});
  const Tensor photo = sylvite::cast(bytes, DType::kFloat32);

  const Tensor bias = Tensor::wrap(kBias.data(), DType::kFloat32, {3, 1, 1});
  const Tensor view = sylvite::expand_view(bias, shape);
  auto begin = std::chrono::steady_clock::now();
  const Tensor brighter = sylvite::add(photo, view);
  std::printf("bias: %s seen as %s by strides %s, %lld bytes of it; added in %.2f ms\n",
              to_string(bias.shape()).c_str(), to_string(view.shape()).c_str(),
              to_string(view.strides()).c_str(), static_cast<long long>(bias.byte_count()),
              milliseconds(begin));
  bool right = sylvite::expanded(view) && !sylvite::expanded(brighter);
  for (int64_t c = 0; c < 3; ++c) {
    const int64_t plane = picture.height * picture.width;
    for (int64_t i = c * plane; i < (c + 1) * plane; ++i) {
      right = right && brighter.data_as<float>()[i] ==
                           photo.data_as<float>()[i] + kBias[static_cast<size_t>(c)];
    }
  }

  // With the sum of all values as the loss, the gradient of the bias counts the pixels; with the photo
  // as dY it sums each plane.
  begin = std::chrono::steady_clock::now();
  const Tensor gradient = sylvite::expand_gradient(photo, bias.shape());
  const double took = milliseconds(begin);
  std::printf("gradient of the bias for dY = the photo:");
  for (int64_t c = 0; c < 3; ++c) {
    double exact = 0;  // sums of integers below 2^53
    const int64_t plane = picture.height * picture.width;
    for (int64_t i = c * plane; i < (c + 1) * plane; ++i) exact += photo.data_as<float>()[i];
    const double value = gradient.data_as<float>()[c];
    right = right && std::abs(value - exact) <= exact * 0x1p-23;
    std::printf(" %.0f (exact %.0f)", value, exact);
  }
  std::printf(", %.2f ms\n", took);

  for (const DType half : {DType::kFloat16, DType::kBFloat16}) {
    const Tensor scaled = sylvite::mul(brighter, sylvite::constant_fill({}, 1 / 255.0));
    const Tensor back = sylvite::cast(sylvite::cast(scaled, half), DType::kFloat32);
    const double error = largest_difference(scaled, back);
    // Half an ulp below 2: the values reach (255 + 30) / 255.
    const double bound = half == DType::kFloat16 ? 0x1p-11 : 0x1p-8;
    right = right && error > 0 && error <= bound;
    std::printf("round trip through %s: largest error %.3g of at most %.3g\n",
                std::string(name(half)).c_str(), error, bound);
  }
  std::printf("demo: expanded bias and its gradient are %s\n", right ? "right" : "wrong");
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : DEMO_IMAGE) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "expanded_bias: %s\n", error.what());
    return 1;
  }
}
