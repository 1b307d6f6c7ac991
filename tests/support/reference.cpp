#include "support/reference.h"

#include <cmath>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace sylvite::test {
namespace {

/// One element's place, by what its axes mean.
struct Place {
  int64_t batch = 0;
  int64_t channel = 0;
  std::array<int64_t, 4> space = {};
};

Sides sides_of(const PerAxis<Sides>& sides, int axis) {
  return sides.size() == 0 ? Sides{} : sides[axis];
}

int first_spatial_axis(Layout layout) { return layout == Layout::kNchw ? 2 : 1; }

int channel_axis(const Shape& shape, Layout layout) {
  return layout == Layout::kNchw ? 1 : shape.rank() - 1;
}

int64_t offset_of(const Place& place, const Shape& shape, Layout layout) {
  Shape index = shape;
  index[0] = place.batch;
  index[channel_axis(shape, layout)] = place.channel;
  for (int i = 0; i < shape.rank() - 2; ++i) {
    index[first_spatial_axis(layout) + i] = place.space[static_cast<size_t>(i)];
  }
  int64_t offset = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) offset = offset * shape[axis] + index[axis];
  return offset;
}

/// Every element of `shape` in memory order.
template <typename Visit>
void for_each_place(const Shape& shape, Layout layout, const Visit& visit) {
  const int64_t elements = count(shape);
  Shape index = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) index[axis] = 0;
  for (int64_t offset = 0; offset < elements; ++offset) {
    Place place{index[0], index[channel_axis(shape, layout)], {}};
    for (int i = 0; i < shape.rank() - 2; ++i) {
      place.space[static_cast<size_t>(i)] = index[first_spatial_axis(layout) + i];
    }
    visit(place, offset);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

template <typename Float>
Bytes bytes_of(Float value) {
  Bytes result(sizeof value);
  std::memcpy(result.data(), &value, sizeof value);
  return result;
}

}  // namespace

int64_t count(const Shape& shape) {
  int64_t product = 1;
  for (const int64_t extent : shape) product *= extent;
  return product;
}

Shape reference_shape(const Shape& x, const SpaceToBatchArgs& args) {
  Shape y = x;
  for (int i = 0; i < args.block_shape.size(); ++i) {
    const int axis = first_spatial_axis(args.layout) + i;
    const Sides padding = sides_of(args.paddings, i);
    y[0] *= args.block_shape[i];
    y[axis] = (padding.before + x[axis] + padding.after) / args.block_shape[i];
  }
  return y;
}

Shape reference_shape(const Shape& x, const BatchToSpaceArgs& args) {
  Shape y = x;
  for (int i = 0; i < args.block_shape.size(); ++i) {
    const int axis = first_spatial_axis(args.layout) + i;
    const Sides crop = sides_of(args.crops, i);
    y[0] /= args.block_shape[i];
    y[axis] = x[axis] * args.block_shape[i] - crop.before - crop.after;
  }
  return y;
}

Bytes reference_space_to_batch(const Bytes& x, const Shape& x_shape, const SpaceToBatchArgs& args,
                               const Bytes& pad) {
  const Shape y_shape = reference_shape(x_shape, args);
  const auto size = pad.size();
  Bytes y(static_cast<size_t>(count(y_shape)) * size);
  const int64_t batches = x_shape[0];
  for_each_place(y_shape, args.layout, [&](const Place& to, int64_t to_offset) {
    Place from{to.batch % batches, to.channel, {}};
    int64_t phase = to.batch / batches;
    bool inside = true;
    for (int i = args.block_shape.size() - 1; i >= 0; --i) {
      const auto axis = static_cast<size_t>(i);
      const int64_t block = args.block_shape[i];
      const int64_t padded = to.space[axis] * block + phase % block;
      phase /= block;
      from.space[axis] = padded - sides_of(args.paddings, i).before;
      inside = inside && from.space[axis] >= 0 &&
               from.space[axis] < x_shape[first_spatial_axis(args.layout) + i];
    }
    const uint8_t* source =
        inside ? x.data() + static_cast<size_t>(offset_of(from, x_shape, args.layout)) * size
               : pad.data();
    std::memcpy(y.data() + static_cast<size_t>(to_offset) * size, source, size);
  });
  return y;
}

Bytes reference_batch_to_space(const Bytes& x, const Shape& x_shape, const BatchToSpaceArgs& args,
                               int element_size) {
  const Shape y_shape = reference_shape(x_shape, args);
  const auto size = static_cast<size_t>(element_size);
  Bytes y(static_cast<size_t>(count(y_shape)) * size);
  for_each_place(y_shape, args.layout, [&](const Place& to, int64_t to_offset) {
    Place from{0, to.channel, {}};
    int64_t phase = 0;
    for (int i = 0; i < args.block_shape.size(); ++i) {
      const auto axis = static_cast<size_t>(i);
      const int64_t block = args.block_shape[i];
      const int64_t uncropped = to.space[axis] + sides_of(args.crops, i).before;
      from.space[axis] = uncropped / block;
      phase = phase * block + uncropped % block;
    }
    from.batch = phase * y_shape[0] + to.batch;
    std::memcpy(y.data() + static_cast<size_t>(to_offset) * size,
                x.data() + static_cast<size_t>(offset_of(from, x_shape, args.layout)) * size, size);
  });
  return y;
}

double decode_half(uint16_t bits, DType dtype) {
  if (dtype == DType::kBFloat16) {
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value = 0;
    std::memcpy(&value, &wide, sizeof value);
    return value;
  }
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  if (exponent == 31) return mantissa == 0 ? sign * INFINITY : NAN;
  return exponent == 0 ? sign * std::ldexp(mantissa, -24)
                       : sign * std::ldexp(1024 + mantissa, exponent - 25);
}

Bytes encode(double value, DType dtype) {
  switch (dtype) {
    case DType::kBool:
    case DType::kUInt8:
      return bytes_of(static_cast<uint8_t>(value));
    case DType::kInt8:
      return bytes_of(static_cast<int8_t>(value));
    case DType::kInt16:
      return bytes_of(static_cast<int16_t>(value));
    case DType::kUInt16:
      return bytes_of(static_cast<uint16_t>(value));
    case DType::kInt32:
      return bytes_of(static_cast<int32_t>(value));
    case DType::kUInt32:
      return bytes_of(static_cast<uint32_t>(value));
    case DType::kInt64:
      return bytes_of(static_cast<int64_t>(value));
    case DType::kUInt64:
      return bytes_of(static_cast<uint64_t>(value));
    case DType::kFloat32:
      return bytes_of(static_cast<float>(value));
    case DType::kFloat64:
      return bytes_of(value);
    case DType::kFloat16:
    case DType::kBFloat16:
      for (uint32_t bits = 0; bits < 65536; ++bits) {
        const double decoded = decode_half(static_cast<uint16_t>(bits), dtype);
        if (decoded == value && std::signbit(decoded) == std::signbit(value)) {
          return bytes_of(static_cast<uint16_t>(bits));
        }
      }
      break;
    case DType::kString:
      break;
  }
  throw std::invalid_argument("encode: no such value");
}

BatchToSpaceArgs inverse(const SpaceToBatchArgs& args) {
  return {args.block_shape, args.paddings, args.layout};
}

SpaceToBatchArgs inverse(const BatchToSpaceArgs& args) {
  return {args.block_shape, args.crops, args.layout, 0};
}

std::string describe(const SpaceToBatchArgs& args) {
  std::ostringstream text;
  text << "block_shape [";
  for (int i = 0; i < args.block_shape.size(); ++i) text << (i ? ", " : "") << args.block_shape[i];
  text << "], sides [";
  for (int i = 0; i < args.paddings.size(); ++i) {
    text << (i ? ", " : "") << args.paddings[i].before << "+" << args.paddings[i].after;
  }
  text << "], " << (args.layout == Layout::kNchw ? "NCHW" : "NHWC") << ", pad_value "
       << args.pad_value;
  return text.str();
}

}  // namespace sylvite::test
