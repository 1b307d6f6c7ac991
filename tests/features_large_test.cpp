// Merges of more than 2^31 values, and their gradients: zeros with marks among them, each looked for at
// its place.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <system_error>

#include "support/random_shapes.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

/// Zero pages that take memory where they are written to.
class Zeros {
 public:
  explicit Zeros(int64_t bytes) : bytes_(static_cast<size_t>(bytes)) {
    void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    data_ = static_cast<uint8_t*>(memory);
  }
  Zeros(const Zeros&) = delete;
  Zeros(Zeros&&) = delete;
  Zeros& operator=(const Zeros&) = delete;
  Zeros& operator=(Zeros&&) = delete;
  ~Zeros() { munmap(data_, bytes_); }
  uint8_t* data() const { return data_; }
  Tensor tensor() const {
    return Tensor::wrap(data_, DType::kUInt8, {static_cast<int64_t>(bytes_)});
  }

 private:
  size_t bytes_;
  uint8_t* data_;
};

using Marks = std::map<int64_t, uint8_t>;

Marks marks_in(const uint8_t* memory, int64_t bytes) {
  Marks marks;
  const uint8_t* end = memory + bytes;
  const auto marked = [](uint8_t byte) { return byte != 0; };
  for (const uint8_t* at = std::find_if(memory, end, marked); at != end;
       at = std::find_if(at + 1, end, marked)) {
    marks[at - memory] = *at;
  }
  return marks;
}

TEST(FeaturesLarge, ListsOfMoreThan2To31Values) {
  Random random(first_seed());
  const std::vector<std::vector<int32_t>> lengths = {{900'000'003, 0, 500'000'001, 77},
                                                     {1, 800'000'007, 3, 100'000'000}};
  const std::vector<uint8_t> presence = {1, 1, 1, 1};
  std::vector<SingleListFeature> features;
  std::vector<Tensor> all_lengths;
  std::vector<Tensor> all_presence;
  std::vector<std::unique_ptr<Zeros>> memory;
  std::vector<Marks> marks(2);
  std::vector<int64_t> extents;
  for (size_t f = 0; f < 2; ++f) {
    int64_t total = 0;
    for (const int32_t length : lengths[f]) total += length;
    extents.push_back(total);
    memory.push_back(std::make_unique<Zeros>(total));
    all_lengths.push_back(Tensor::wrap(lengths[f].data(), DType::kInt32, {4}));
    all_presence.push_back(Tensor::wrap(presence.data(), DType::kBool, {4}));
    features.push_back({all_lengths[f], memory[f]->tensor(), all_presence[f]});
  }
  // Marks at both ends of every list and anywhere inside; where the merge puts them.
  Marks expected;
  std::vector<int64_t> next(2, 0);
  int64_t merged = 0;
  for (size_t b = 0; b < 4; ++b) {
    for (size_t f = 0; f < 2; ++f) {
      const int64_t length = lengths[f][b];
      for (int i = 0; i < 50 && length > 0; ++i) {
        const int64_t at = i == 0 ? 0 : i == 1 ? length - 1 : random.between(0, length - 1);
        const auto mark = static_cast<uint8_t>(random.between(1, 255));
        memory[f]->data()[next[f] + at] = mark;
        marks[f][next[f] + at] = mark;
        expected[merged + at] = mark;
      }
      next[f] += length;
      merged += length;
    }
  }
  ASSERT_GT(merged, int64_t{1} << 31);
  const Zeros values(merged);
  MultiList out = {.lengths = Tensor::empty(DType::kInt32, {4}),
                   .keys = Tensor::empty(DType::kInt64, {8}),
                   .values_lengths = Tensor::empty(DType::kInt32, {8}),
                   .values_values = values.tensor()};
  EXPECT_EQ(merge_single_list_sizes(features).values, merged);
  merge_single_list(features, {5, 6}, out);
  EXPECT_EQ(marks_in(values.data(), merged), expected);
  EXPECT_EQ(out.values_lengths.data_as<int32_t>()[3], lengths[1][1]);

  memory.clear();
  std::vector<Tensor> dinputs;
  for (const int64_t extent : extents) {
    memory.push_back(std::make_unique<Zeros>(extent));
    dinputs.push_back(memory.back()->tensor());
  }
  merge_single_list_gradient(all_lengths, all_presence, values.tensor(), dinputs);
  for (size_t f = 0; f < 2; ++f) EXPECT_EQ(marks_in(memory[f]->data(), extents[f]), marks[f]);
}

// On a GPU arrays are cut into pieces and windows of 2^30 elements.
TEST(FeaturesLarge, ListsOfMoreThan2To30ValuesOnGpus) {
  bool found = false;
  for (const std::string_view target : targets()) {
    const Device device = device_of(target);
    if (device == Device{}) continue;
    found = true;
    note_exercised(target);
    const uint8_t present = 1;
    const Tensor presence = Tensor::wrap(&present, DType::kBool, {2}, {0}).to(device);
    constexpr int32_t kMost = 1 << 30;
    const std::vector<std::vector<int32_t>> lengths = {{9, kMost}, {100, 7}};
    std::vector<SingleListFeature> features;
    for (size_t f = 0; f < 2; ++f) {
      const int64_t count = int64_t{lengths[f][0]} + lengths[f][1];
      const Zeros memory(count);
      memory.data()[0] = static_cast<uint8_t>(10 + f);
      memory.data()[8 - 4 * f] = static_cast<uint8_t>(20 + f);
      memory.data()[count - 9] = static_cast<uint8_t>(30 + f);
      memory.data()[count - 1] = static_cast<uint8_t>(40 + f);
      features.push_back({Tensor::wrap(lengths[f].data(), DType::kInt32, {2}).to(device),
                          memory.tensor().to(device), presence});
    }
    const Tensor merged =
        merge_single_list(features, {5, 6}, {{.target = target}}).values_values.to(Device{});
    const int64_t end = 9 + 100 + int64_t{kMost};
    const Marks expected = {{0, 10},   {8, 20},       {9, 11},       {13, 21},
                            {107, 31}, {end - 9, 30}, {end - 1, 40}, {end + 6, 41}};
    EXPECT_EQ(marks_in(merged.data_as<uint8_t>(), merged.element_count()), expected);
  }
  if (!found) GTEST_SKIP() << "no GPU here";
}

}  // namespace
}  // namespace sylvite::test
