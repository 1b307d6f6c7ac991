#include "runtime/ops/features_gpu_calls.h"
#include "runtime/shape.h"

namespace sylvite::internal {

using namespace features_gpu;  // NOLINT(google-build-using-namespace): all of it is called

/// Every kernel once, on zeros.
void warm_up_merges(Device device, const Context& context) {
  Call call(context, device, "Context::warm_up");
  constexpr int64_t kCount = 1024;  // numbers of a chunk, and one entry more in another
  const auto zeros = [&](DType dtype) {
    Tensor x = device_scratch(call, dtype, {kCount + 1});
    Box box;
    box.add({.extent = kCount + 1, .from = 0, .to = 1});
    const int bytes = element_size(dtype);
    fill_box(call, 0, place_of(x, bytes), bytes, box, 0);
    return x;
  };
  const Tensor longs = zeros(DType::kInt64);
  const Tensor ints = zeros(DType::kInt32);
  const Tensor bytes = zeros(DType::kUInt8);
  const Tensor scanned = zeros(DType::kInt64);
  const Tensor other_ints = zeros(DType::kInt32);
  const Array table = array_of(longs);
  const Array written = array_of(scanned);

  const Segments one = {.examples = 1, .features = 1};
  for (const Counts counts : {Counts::kPresence, Counts::kPresent, Counts::kLengths})
    code_segments(call, counts, array_of(ints), bits_of(bytes), one, 1, array_of(other_ints));
  for (const Numbers numbers :
       {Numbers::kElements, Numbers::kPresent, Numbers::kSpans, Numbers::kSums}) {
    const bool codes = numbers == Numbers::kElements || numbers == Numbers::kPresent;
    scan(call, numbers, codes ? array_of(ints) : table, 1, kCount, written);
  }
  look_up(call, table, kCount, table, 1, written);
  check_codes(call, array_of(ints), 1, 0, written);
  check_spans(call, {.table = table, .count = 1, .step = 1, .least = 0, .most = 0}, 0, written);
  write_lengths(call, table, 1, 1, array_of(other_ints));
  for (const DType dtype : {DType::kUInt8, DType::kUInt16, DType::kUInt32, DType::kUInt64}) {
    const Tensor array = zeros(dtype);
    const Tensor packed = zeros(dtype);
    for (const bool split : {false, true}) {
      move_runs(call, {.split = split,
                       .array = bits_of(array),
                       .count = 1,
                       .packed = bits_of(packed),
                       .room = 1,
                       .begins = table,
                       .places = table,
                       .first = 0,
                       .examples = 1,
                       .features = 1});
    }
    pick(call, {.values = bits_of(array),
                .segments = one,
                .positions = table,
                .pitch = 1,
                .room = 1,
                .packed = bits_of(packed)});
    expand(call, {.packed = bits_of(packed),
                  .room = 1,
                  .segments = one,
                  .positions = table,
                  .pitch = 1,
                  .values = bits_of(array)});
  }
  throw_if_failed(call);
}

}  // namespace sylvite::internal
