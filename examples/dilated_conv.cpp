// A dilated convolution of a picture, computed directly and as SpaceToBatch -> ordinary convolution
// -> BatchToSpace: the same values, to the bit.
#include <sylvite/sylvite.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "png_image.h"
#include "support/roof.h"
#include "support/timing.h"

namespace {

using demo::Picture;
using sylvite::DType;
using sylvite::Tensor;

struct Filter {
  const char* name;
  std::array<int32_t, 9> weights;
  /// How results become pixels.
  double scale;
  double offset;
};

constexpr std::array<Filter, 3> kFilters = {{
    {"laplacian", {0, 1, 0, 1, -4, 1, 0, 1, 0}, 1, 128},
    {"emboss", {-2, -1, 0, -1, 1, 1, 0, 1, 2}, 0.5, 64},
    {"blur", {1, 2, 1, 2, 4, 2, 1, 2, 1}, 1.0 / 16, 0},
}};

template <typename T>
constexpr DType kDType = std::is_same_v<T, uint8_t>   ? DType::kUInt8
                         : std::is_same_v<T, int32_t> ? DType::kInt32
                                                      : DType::kFloat32;

/// The picture's own bytes seen as [1, 3, height, width]: no copy, the channels have stride 1.
Tensor planes_of(const Picture& picture) {
  return Tensor::wrap(picture.rgb.data(), DType::kUInt8, {1, 3, picture.height, picture.width},
                      {picture.height * picture.width * 3, 1, picture.width * 3, 3});
}

/// A dense [n, c, h, w] tensor with value(n, c, i, j) in every place.
template <typename T, typename Value>
Tensor filled(const sylvite::Shape& shape, const Value& value) {
  Tensor tensor = Tensor::empty(kDType<T>, shape);
  T* next = tensor.data_as<T>();
  for (int64_t n = 0; n < shape[0]; ++n) {
    for (int64_t c = 0; c < shape[1]; ++c) {
      for (int64_t i = 0; i < shape[2]; ++i) {
        for (int64_t j = 0; j < shape[3]; ++j) *next++ = value(n, c, i, j);
      }
    }
  }
  return tensor;
}

template <typename T>
T at(const Tensor& x, int64_t n, int64_t c, int64_t i, int64_t j) {
  const sylvite::Shape& stride = x.strides();
  return x.data_as<T>()[n * stride[0] + c * stride[1] + i * stride[2] + j * stride[3]];
}

/// `sides` zeros around every plane.
template <typename T>
Tensor zero_padded(const Tensor& x, int64_t sides) {
  const int64_t height = x.shape()[2];
  const int64_t width = x.shape()[3];
  return filled<T>({x.shape()[0], x.shape()[1], height + 2 * sides, width + 2 * sides},
                   [&](int64_t n, int64_t c, int64_t i, int64_t j) {
                     const bool inside =
                         i >= sides && i < sides + height && j >= sides && j < sides + width;
                     return inside ? at<T>(x, n, c, i - sides, j - sides) : T{0};
                   });
}

/// 3x3 taps `dilation` apart on every plane of a dense x, where all of them lie inside of it.
template <typename In, typename Out>
Tensor convolve(const Tensor& x, const Filter& filter, int64_t dilation) {
  const int64_t planes = x.shape()[0] * x.shape()[1];
  const int64_t in_height = x.shape()[2];
  const int64_t in_width = x.shape()[3];
  const int64_t height = in_height - 2 * dilation;
  const int64_t width = in_width - 2 * dilation;
  Tensor y = Tensor::empty(kDType<Out>, {x.shape()[0], x.shape()[1], height, width});
  for (int64_t row = 0; row < planes * height; ++row) {
    const In* in = x.data_as<In>() + (row / height * in_height + row % height) * in_width;
    Out* out = y.data_as<Out>() + row * width;
    std::fill_n(out, width, Out{0});
    for (int64_t tap = 0; tap < 9; ++tap) {
      const auto weight = static_cast<Out>(filter.weights[static_cast<size_t>(tap)]);
      const In* from = in + (tap / 3 * in_width + tap % 3) * dilation;
      for (int64_t j = 0; j < width; ++j) out[j] += weight * static_cast<Out>(from[j]);
    }
  }
  return y;
}

/// What takes a picture of this size to phases of equal size, and back.
struct Phases {
  Phases(int64_t height, int64_t width, int64_t rate) {
    const int64_t fill_height = (rate - height % rate) % rate;
    const int64_t fill_width = (rate - width % rate) % rate;
    split.block_shape = merge.block_shape = {rate, rate};
    split.paddings = {{rate, rate + fill_height}, {rate, rate + fill_width}};
    merge.crops = {{0, fill_height}, {0, fill_width}};
  }

  /// Pads by one tap on every side of every phase, which the convolution then uses up.
  sylvite::SpaceToBatchArgs split;
  sylvite::BatchToSpaceArgs merge;
};

struct Convolved {
  Tensor phases = {};
  Tensor filtered_phases = {};
  Tensor by_phases = {};
  Tensor direct = {};
};

template <typename In, typename Out>
Convolved convolve_both_ways(const Tensor& x, const Filter& filter, int64_t rate) {
  const Phases args(x.shape()[2], x.shape()[3], rate);
  Convolved result;
  result.phases = space_to_batch(x, args.split);
  result.filtered_phases = convolve<In, Out>(result.phases, filter, 1);
  result.by_phases = batch_to_space(result.filtered_phases, args.merge);
  result.direct = convolve<In, Out>(zero_padded<In>(x, rate), filter, rate);
  return result;
}

struct Count {
  int64_t equal = 0;
  int64_t all = 0;
};

/// Values with equal bits in two dense tensors of one dtype.
void compare(const Tensor& a, const Tensor& b, Count& count) {
  count.all += a.element_count();
  if (a.shape() != b.shape()) return;
  const auto bytes = static_cast<size_t>(sylvite::element_size(a.dtype()));
  for (int64_t i = 0; i < a.element_count(); ++i) {
    const size_t offset = static_cast<size_t>(i) * bytes;
    count.equal += std::memcmp(a.data_as<char>() + offset, b.data_as<char>() + offset, bytes) == 0;
  }
}

Picture white(int64_t width, int64_t height) {
  return {width, height, std::vector<uint8_t>(static_cast<size_t>(3 * width * height), 255)};
}

/// Puts image n of the [n, 3, h, w] tensor x at column `left` and row `top`.
template <typename T>
void paste(Picture& picture, const Tensor& x, int64_t n, int64_t left, int64_t top, double scale,
           double offset) {
  for (int64_t i = 0; i < x.shape()[2]; ++i) {
    for (int64_t j = 0; j < x.shape()[3]; ++j) {
      for (int64_t c = 0; c < 3; ++c) {
        const double value = std::round(scale * static_cast<double>(at<T>(x, n, c, i, j)) + offset);
        picture.rgb[static_cast<size_t>(((top + i) * picture.width + left + j) * 3 + c)] =
            static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  }
}

constexpr int64_t kGap = 4;

/// The phases side by side as they lie in the block.
Picture tiled(const Tensor& phases, int64_t rate) {
  const int64_t down = phases.shape()[2] + kGap;
  const int64_t right = phases.shape()[3] + kGap;
  Picture picture = white(rate * right - kGap, rate * down - kGap);
  for (int64_t n = 0; n < rate * rate; ++n) {
    paste<uint8_t>(picture, phases, n, n % rate * right, n / rate * down, 1, 0);
  }
  return picture;
}

class Report {
 public:
  Report() : roof_(sylvite::Context().threads()) {
    std::printf("\n%-13s %-28s %-24s %-18s %-7s %9s %9s %7s %8s\n", "operator", "of", "kernel",
                "target", "stores", "MB moved", "ms", "GB/s", "of roof");
  }

  void space_to_batch(const char* what, const Tensor& x, const sylvite::SpaceToBatchArgs& args) {
    Tensor y = sylvite::space_to_batch(x, args);
    add(what, sylvite::space_to_batch_plan(x.info(), y.info(), args), x, y);
  }

  void batch_to_space(const char* what, const Tensor& x, const sylvite::BatchToSpaceArgs& args) {
    Tensor y = sylvite::batch_to_space(x, args);
    add(what, sylvite::batch_to_space_plan(x.info(), y.info(), args), x, y);
  }

 private:
  void add(const char* what, const sylvite::Plan& plan, const Tensor& x, Tensor& y) {
    const sylvite::Explanation& done = plan.explanation();
    const int64_t moved = done.bytes_read + done.bytes_written;
    std::vector<sylvite_bench::Contestant> contestants = roof_.copies(moved / 2);
    contestants.push_back({.name = done.op.data(),
                           .role = sylvite_bench::Contestant::Role::kRow,
                           .call = [&] { plan.run(x, y); }});
    sylvite_bench::time_in_turn(contestants, 0.25);
    const double seconds = sylvite_bench::timing(contestants.back()).min;
    contestants.pop_back();
    double roof = std::numeric_limits<double>::max();
    for (const auto& copy : contestants) roof = std::min(roof, sylvite_bench::timing(copy).min);
    std::printf("%-13s %-28s %-24s %-18s %-7s %9.2f %9.4f %7.1f %8.2f\n",
                std::string(done.op).c_str(), what, std::string(done.kernel).c_str(),
                std::string(done.target).c_str(), std::string(done.variant).c_str(),
                static_cast<double>(moved) * 1e-6, seconds * 1e3,
                static_cast<double>(moved) / seconds * 1e-9, roof / seconds);
    std::fflush(stdout);
  }

  sylvite_bench::Roof roof_;
};

/// As many copies of the picture as leave the caches behind.
int64_t batch_size(const Tensor& photo) {
  constexpr int64_t kElements = 13'000'000;
  return std::clamp<int64_t>(kElements / photo.element_count(), 1, 32);
}

template <typename T>
Tensor batch_of(const Tensor& photo, int64_t copies) {
  return filled<T>({copies, 3, photo.shape()[2], photo.shape()[3]},
                   [&](int64_t, int64_t c, int64_t i, int64_t j) {
                     return static_cast<T>(at<uint8_t>(photo, 0, c, i, j));
                   });
}

/// True where splitting and merging give the batch back.
template <typename T>
bool report_batch(Report& report, const char* name, const Tensor& photo, int64_t rate) {
  const Tensor batch = batch_of<T>(photo, batch_size(photo));
  Phases args(photo.shape()[2], photo.shape()[3], rate);
  for (int axis = 0; axis < 2; ++axis)
    args.split.paddings[axis] = {0, args.merge.crops[axis].after};
  const std::string what = std::to_string(batch.shape()[0]) + " photos, " + name;
  report.space_to_batch(what.c_str(), batch, args.split);
  const Tensor phases = space_to_batch(batch, args.split);
  report.batch_to_space(what.c_str(), phases, args.merge);
  const Tensor back = batch_to_space(phases, args.merge);
  return back.shape() == batch.shape() &&
         std::memcmp(back.data(), batch.data(), static_cast<size_t>(batch.byte_count())) == 0;
}

bool run(const std::string& image, const std::string& directory, int64_t rate) {
  const Picture picture = demo::read_png(image);
  const Tensor photo = planes_of(picture);
  const Tensor photo_float =
      filled<float>(photo.shape(), [&](int64_t n, int64_t c, int64_t i, int64_t j) {
        return static_cast<float>(at<uint8_t>(photo, n, c, i, j)) / 255;
      });
  const auto in_directory = [&](const char* file) {
    return (std::filesystem::path(directory) / file).string();
  };
  std::filesystem::create_directories(directory);

  std::printf("picture: %s, %lld x %lld\n", image.c_str(), static_cast<long long>(picture.width),
              static_cast<long long>(picture.height));
  std::printf("targets of this machine, best first:");
  for (const std::string_view target : sylvite::targets()) {
    std::printf(" %s", std::string(target).c_str());
  }
  std::printf("\n");

  const int64_t right = picture.width + kGap;
  const auto columns = static_cast<int64_t>(kFilters.size());
  Picture direct = white(columns * right - kGap, picture.height);
  Picture by_phases = direct;
  Count count;
  Convolved bytes;
  Convolved floats;
  for (int64_t column = 0; column < columns; ++column) {
    const Filter& filter = kFilters[static_cast<size_t>(column)];
    bytes = convolve_both_ways<uint8_t, int32_t>(photo, filter, rate);
    floats = convolve_both_ways<float, float>(photo_float, filter, rate);
    Count of_filter;
    compare(bytes.by_phases, bytes.direct, of_filter);
    compare(floats.by_phases, floats.direct, of_filter);
    std::printf("%s: %s, rate %lld, uint8 to int32 and float32: %lld of %lld values equal\n",
                filter.name, sylvite::to_string(bytes.phases.shape()).c_str(),
                static_cast<long long>(rate), static_cast<long long>(of_filter.equal),
                static_cast<long long>(of_filter.all));
    count.equal += of_filter.equal;
    count.all += of_filter.all;
    paste<int32_t>(direct, bytes.direct, 0, column * right, 0, filter.scale, filter.offset);
    paste<int32_t>(by_phases, bytes.by_phases, 0, column * right, 0, filter.scale, filter.offset);
  }
  demo::write_png(in_directory("phases.png"), tiled(bytes.phases, rate));
  demo::write_png(in_directory("direct.png"), direct);
  demo::write_png(in_directory("by_phases.png"), by_phases);
  std::printf("wrote phases.png, direct.png and by_phases.png into %s\n", directory.c_str());

  Report report;
  const Phases args(picture.height, picture.width, rate);
  report.space_to_batch("the photo, uint8", photo, args.split);
  report.batch_to_space("its result, int32", bytes.filtered_phases, args.merge);
  report.space_to_batch("the photo, float32", photo_float, args.split);
  report.batch_to_space("its result, float32", floats.filtered_phases, args.merge);
  const bool batches_equal = report_batch<uint8_t>(report, "uint8", photo, rate) &
                             report_batch<float>(report, "float32", photo, rate);
  std::printf(
      "roof: the fastest of memcpy and a non-temporal copy of as many bytes, on 1 and %d threads\n",
      sylvite::Context().threads());
  if (!batches_equal) std::printf("BatchToSpace does not give the batch of photos back\n");

  const bool equal = count.equal == count.all;
  std::printf("demo: dilated convolution by phases %s the direct one, %lld of %lld values\n",
              equal ? "equals" : "differs from", static_cast<long long>(count.equal),
              static_cast<long long>(count.all));
  return equal && batches_equal;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A dilated convolution of a picture by way of SpaceToBatch and BatchToSpace.");
  std::string image = DEMO_IMAGE;
  std::string directory = DEMO_OUT;
  int64_t rate = 2;
  app.add_option("IMAGE", image, "PNG file")->capture_default_str();
  app.add_option("--out", directory, "Folder for the results")->capture_default_str();
  app.add_option("--rate", rate, "Distance of the filter's taps")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return run(image, directory, rate) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dilated_conv: %s\n", error.what());
    return 1;
  }
}
