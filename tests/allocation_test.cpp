// What a call allocates, and what happens where there is no memory. A program of its own: it counts
// every allocation of the process.
#include <gtest/gtest.h>
#include <malloc.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <new>
#include <utility>

#include "support/c_tensors.h"
#include "support/rejects.h"
#include "support/targets.h"

namespace {

std::atomic<bool> counting = false;
std::atomic<int64_t> allocations = 0;
/// Which one fails, counted from 0; none where negative.
std::atomic<int64_t> failing = -1;

/// Whether there is memory.
bool note_allocation() {
  return !counting.load(std::memory_order_relaxed) || allocations++ != failing;
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming,readability-inconsistent-declaration-parameter-name)
// glibc's own names for what we replace; operator new calls malloc.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* pointer, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  if (!note_allocation()) return nullptr;
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  if (!note_allocation()) return nullptr;
  return __libc_calloc(count, size);
}
void* realloc(void* pointer, size_t size) {
  if (!note_allocation()) return nullptr;
  return __libc_realloc(pointer, size);
}
void* memalign(size_t alignment, size_t size) {
  if (!note_allocation()) return nullptr;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  if (!note_allocation()) return nullptr;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** pointer, size_t alignment, size_t size) {
  if (!note_allocation()) return ENOMEM;
  *pointer = __libc_memalign(alignment, size);
  return *pointer == nullptr ? ENOMEM : 0;
}
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming,readability-inconsistent-declaration-parameter-name)

namespace sylvite::test {
namespace {

/// Allocations of the whole process during `call`.
template <typename Call>
int64_t allocations_of(const Call& call) {
  allocations = 0;
  counting = true;
  call();
  counting = false;
  return allocations;
}

/// Gives memory until `left` allocations are made.
struct LimitedMemory {
  int left;
  int asked = 0;
  int64_t bytes_in_use = 0;
  int64_t most_bytes = 0;
  Allocator allocator = {this, allocate, deallocate};

  explicit LimitedMemory(int allowed) : left(allowed) {}

  static void* allocate(void* state, size_t bytes, size_t alignment) {
    auto& self = *static_cast<LimitedMemory*>(state);
    ++self.asked;
    EXPECT_TRUE(alignment != 0 && (alignment & (alignment - 1)) == 0) << alignment;
    if (self.left-- <= 0) return nullptr;
    self.bytes_in_use += static_cast<int64_t>(bytes);
    self.most_bytes = std::max(self.most_bytes, self.bytes_in_use);
    return ::operator new(bytes, std::align_val_t(std::max<size_t>(alignment, 64)));
  }
  static void deallocate(void* state, void* pointer, size_t bytes) {
    auto& self = *static_cast<LimitedMemory*>(state);
    self.bytes_in_use -= static_cast<int64_t>(bytes);
    ::operator delete(pointer, std::align_val_t(64));
  }
};

constexpr SpaceToBatchArgs kBlock23 = {{2, 3}, {{1, 1}, {0, 0}}};
constexpr BatchToSpaceArgs kUnblock23 = {{2, 3}, {{1, 1}, {0, 0}}};

class Allocations : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(CpuTargets, Allocations, ::testing::ValuesIn(cpu_kernel_choices()),
                         choice_name);

TEST_P(Allocations, AreNoneInACallWithTheCallersOutput) {
  for (const int threads : {1, 2}) {
    const Context context = GetParam().context(threads);
    for (const Shape& image : {Shape{1, 2, 4, 6}, Shape{2, 3, 256, 510}, Shape{0, 1, 2, 3}}) {
      const Tensor x = Tensor::empty(DType::kFloat32, image);
      std::memset(x.data(), 0, static_cast<size_t>(x.byte_count()));
      Tensor phases = space_to_batch(x, kBlock23, context);
      Tensor back = batch_to_space(phases, kUnblock23, context);
      const auto all = [&] {
        space_to_batch(x, kBlock23, phases, context);
        batch_to_space(phases, kUnblock23, back, context);
        space_to_batch_gradient(phases, kBlock23, back, context);
        batch_to_space_gradient(back, kUnblock23, phases, context);
      };
      all();
      EXPECT_EQ(allocations_of(all), 0) << to_string(image) << ", " << threads << " threads";
    }
  }
}

TEST_P(Allocations, AreNoneInAJoinWithTheCallersOutput) {
  const Context context = GetParam().context(2);
  const std::vector<Tensor> x(40, Tensor::empty(DType::kFloat32, {300, 50}));
  for (const int axis : {0, 1}) {
    Tensor joined = concat(x, axis, context);
    Tensor stacked = stack(x, axis, context);
    std::vector<Tensor> back = unstack(stacked, axis, context);
    const std::vector<int64_t> sizes(40, x[0].shape()[axis]);
    const auto all = [&] {
      concat(x, axis, joined, context);
      stack(x, axis, stacked, context);
      unstack(stacked, axis, back, context);
      split(joined, sizes, axis, back, context);
    };
    all();
    EXPECT_EQ(allocations_of(all), 0) << "axis " << axis;
  }
}

TEST_P(Allocations, AreNoneInACastWithTheCallersOutput) {
  for (const Shape& strides : {Shape{1000, 1}, Shape{1, 700}}) {
    const Tensor memory = Tensor::empty(DType::kBool, {700000});
    std::memset(memory.data(), 0, static_cast<size_t>(memory.byte_count()));
    const Tensor x = memory.view({700, 1000}, strides);
    Tensor f16 = Tensor::empty(DType::kFloat16, x.shape());
    Tensor back = Tensor::empty(DType::kBool, x.shape());
    const Context context = GetParam().context(2);
    const auto all = [&] {
      cast(x, DType::kFloat16, f16, context);
      cast_gradient(f16, DType::kBool, back, context);
    };
    all();
    EXPECT_EQ(allocations_of(all), 0) << to_string(strides);
  }
}

TEST_P(Allocations, AreNoneInAnExpandIntoTheCallersOutput) {
  struct Row {
    Shape x;
    Shape y;
  };
  for (const Row& row :
       {Row{{300, 1}, {300, 1000}}, Row{{3000, 1}, {3000, 3}}, Row{{1, 7}, {3000, 7}},
        Row{{3000, 1, 3}, {3000, 5, 3}}, Row{{1, 1000}, {300, 1000}}, Row{{1}, {0}}}) {
    const Tensor x = Tensor::empty(DType::kInt16, row.x);
    std::memset(x.data(), 0, static_cast<size_t>(x.byte_count()));
    for (const int threads : {1, 2}) {
      const Context context = GetParam().context(threads);
      Tensor y = expand(x, row.y, context);
      const Tensor view = expand_view(x, row.y);
      EXPECT_EQ(allocations_of([&] {
                  expand(x, row.y, y, context);
                  materialize(view, y, context);
                }),
                0)
          << to_string(row.y) << ", " << threads << " threads";
    }
  }
}

TEST_P(Allocations, AreNoneInArithmeticWithTheCallersOutput) {
  const Context context = GetParam().context(2);
  const Tensor x = constant_fill({2, 5, 90, 70}, 1, DType::kFloat32, context);
  const Tensor half = constant_fill({300, 50}, 1, DType::kBFloat16, context);
  const std::array halves = {half, half, half};
  const Tensor w = constant_fill({70, 5, 3, 3}, 1, DType::kFloat32, context);
  const Tensor bias = constant_fill({70}, 1, DType::kFloat32, context);
  const Tensor scalar = constant_fill({}, 2, DType::kFloat32, context);
  const Tensor matrix = x.view({900, 70}, {70, 1});
  Tensor y = conv(x, w, bias, {}, context);
  const Tensor dy = constant_fill(y.shape(), 1, DType::kFloat32, context);
  Tensor dx = Tensor::empty(DType::kFloat32, x.shape());
  Tensor dw = Tensor::empty(DType::kFloat32, w.shape());
  Tensor db = Tensor::empty(DType::kFloat32, bias.shape());
  Tensor total = sum(halves, context);
  Tensor product = matmul(matrix, matrix, {.transpose_b = true}, context);
  Tensor loss = squared_l2(x, context);
  const auto all = [&] {
    add(x, x, dx, context);
    mul(x, scalar, dx, context);
    sum(halves, total, context);
    constant_fill(3, dx, context);
    squared_l2(x, loss, context);
    squared_l2_gradient(x, scalar, dx, context);
    matmul(matrix, matrix, {.transpose_b = true}, product, context);
    conv(x, w, bias, {}, y, context);
    conv_gradient_input(dy, w, x.shape(), {}, dx, context);
    conv_gradient_filter(x, dy, w.shape(), {}, dw, context);
  };
  all();
  EXPECT_EQ(allocations_of(all), 0);
}

// Up to a few hundred examples times features; beyond, tables come from the allocator.
TEST_P(Allocations, AreNoneInASmallMergeIntoTheCallersOutput) {
  const Context context = GetParam().context(2);
  const std::vector<int64_t> ids(8, 7);
  const Tensor lengths = constant_fill({64}, 2, DType::kInt32, context);
  const Tensor presence = constant_fill({64}, 1, DType::kBool, context);
  const Tensor keys = constant_fill({128}, 3, DType::kInt64, context);
  const Tensor pair_lengths = constant_fill({128}, 1, DType::kInt32, context);
  const Tensor values = constant_fill({128}, 1, DType::kFloat32, context);
  const std::vector<SingleScalarFeature> scalars(8, {lengths, presence});
  const std::vector<SingleListFeature> lists(8, {lengths, values, presence});
  const std::vector<MultiList> multi_lists(4, {lengths, keys, pair_lengths, values});
  const std::vector<Tensor> all_lengths(8, lengths);
  const std::vector<Tensor> all_presence(8, presence);
  MultiScalar merged_scalars = merge_single_scalar(scalars, ids, context);
  MultiList merged_lists = merge_single_list(lists, ids, context);
  MultiList merged = merge_multi_list(multi_lists, context);
  std::vector<Tensor> dscalars =
      merge_single_scalar_gradient(all_presence, merged_scalars.values, context);
  std::vector<Tensor> dlists =
      merge_single_list_gradient(all_lengths, all_presence, merged_lists.values_values, context);
  const auto all = [&] {
    merge_single_scalar(scalars, ids, merged_scalars, context);
    merge_single_list(lists, ids, merged_lists, context);
    merge_multi_list(multi_lists, merged, context);
    merge_single_scalar_gradient(all_presence, merged_scalars.values, dscalars, context);
    merge_single_list_gradient(all_lengths, all_presence, merged_lists.values_values, dlists,
                               context);
  };
  all();
  EXPECT_EQ(allocations_of(all), 0);
}

TEST_P(Allocations, AreNoneInAPlannedCall) {
  const Tensor x = Tensor::empty(DType::kUInt8, {1, 2, 256, 510});
  std::memset(x.data(), 0, static_cast<size_t>(x.byte_count()));
  Tensor y = space_to_batch(x, kBlock23);
  const Plan plan = space_to_batch_plan(x.info(), y.info(), kBlock23, GetParam().context(2));
  plan.run(x, y);
  EXPECT_EQ(allocations_of([&] { plan.run(x, y); }), 0);
}

TEST_P(Allocations, OfTheOutputMayFail) {
  LimitedMemory memory(0);
  const Context context(
      {.target = GetParam().target, .allocator = &memory.allocator, .stores = GetParam().stores});
  const Tensor x = Tensor::empty(DType::kFloat32, {1, 2, 4, 6});
  std::memset(x.data(), 0, static_cast<size_t>(x.byte_count()));
  expect_rejected(ErrorCode::kOutOfMemory, {"SpaceToBatch", "288"},
                  [&] { space_to_batch(x, kBlock23, context); });
  EXPECT_EQ(memory.asked, 1);
  memory.left = 1;
  {
    const Tensor y = space_to_batch(x, kBlock23, context);
    EXPECT_EQ(memory.asked, 2);
    EXPECT_GE(memory.bytes_in_use, y.byte_count());
    expect_rejected(ErrorCode::kOutOfMemory, {"BatchToSpace"},
                    [&] { batch_to_space(y, kUnblock23, context); });
    EXPECT_EQ(memory.asked, 3);
  }
  EXPECT_EQ(memory.bytes_in_use, 0);
}

TEST(OutOfMemory, IsAnErrorOfItsOwnForSizesNoMachineHas) {
  expect_rejected(ErrorCode::kOutOfMemory, {"4611686018427387904"},
                  [] { Tensor::empty(DType::kUInt8, {int64_t{1} << 62}); });
  uint8_t element = 0;
  const int64_t block = 0x7FFFFFFF;
  const Tensor x = Tensor::wrap(&element, DType::kUInt8, {block * block, 1, 1, 1}, {0, 0, 0, 0});
  expect_rejected(ErrorCode::kOutOfMemory, {"BatchToSpace"}, [&] {
    batch_to_space(x, {{block, block}});
  });
}

// Each allocation of a call fails in turn: a status and a text, and no memory lost (asan counts).
TEST(OutOfMemory, IsAStatusInC) {
  const Tensor x = constant_fill({2, 3}, 1);
  const Tensor y = constant_fill({2, 3}, 0);
  const sylvite_tensor cx = test::c_tensor(x), cy = test::c_tensor(y);
  const std::array<sylvite_tensor, 2> parts = {cx, cx};
  sylvite_workspace* workspace = nullptr;
  sylvite_texts* names = nullptr;
  const char* input = "X";
  const char* output = "Y";
  const sylvite_operator_def def = {.struct_size = sizeof def,
                                    .type = "SpaceToBatch",
                                    .inputs = &input,
                                    .input_count = 1,
                                    .outputs = &output,
                                    .output_count = 1};
  const std::array<std::function<sylvite_status()>, 6> calls = {
      [&] { return sylvite_sum(parts.data(), 2, &cy, nullptr); },
      [&] { return sylvite_targets(&names); },
      [&] { return sylvite_workspace_create(nullptr, &workspace); },
      [&] { return sylvite_workspace_feed(workspace, "a name beyond the short ones", &cx); },
      [&] { return sylvite_workspace_blobs(workspace, &names); },
      [&] {  // an error for which there is no text
        return sylvite_workspace_run(workspace, &def);
      }};
  for (size_t i = 0; i < calls.size(); ++i) {
    sylvite_status status = SYLVITE_OUT_OF_MEMORY;
    int64_t failed = 0;
    for (int64_t at = 0; status == SYLVITE_OUT_OF_MEMORY; ++at) {
      sylvite_texts_destroy(std::exchange(names, nullptr));
      failing = at;
      allocations_of([&] { status = calls[i](); });
      failing = -1;
      if (status != SYLVITE_OUT_OF_MEMORY) break;
      ++failed;
      EXPECT_STRNE(sylvite_last_error(), "");
    }
    EXPECT_GT(failed, 0) << "call " << i;
    EXPECT_EQ(status, i == 5 ? SYLVITE_INVALID_ARGUMENT : SYLVITE_OK) << sylvite_last_error();
  }
  sylvite_texts_destroy(names);
  sylvite_workspace_destroy(workspace);
}

OperatorDef phases(const std::string& x, const std::string& y) {
  return {.type = "SpaceToBatch", .inputs = {x}, .outputs = {y}};
}

// Scope, subnet and a view among its thousand operators.
TEST(Nets, AllocateNothingFromTheThirdRunOn) {
  const Net inner("inner", {phases("x", "y")});
  std::vector<OperatorDef> operators = {
      {.type = "CreateScope", .inputs = {}, .outputs = {"scope"}},
      {.type = "Do",
       .inputs = {"X", "scope"},
       .outputs = {"Z", "scope"},
       .arguments = {{"net", std::make_shared<const Net>(inner)},
                     {"inner_blobs", std::vector<std::string>{"x", "y"}},
                     {"outer_blobs_idx", std::vector<int64_t>{0, 1}}}},
      {.type = "Reshape",
       .inputs = {"Z"},
       .outputs = {"V"},
       .arguments = {{"shape", std::vector<int64_t>{-1}}}}};
  for (int i = 0; i < 1000; ++i) operators.push_back(phases("X", "Y" + std::to_string(i)));
  const Net net("thousand", std::move(operators));
  Workspace workspace;
  workspace.feed("X", Tensor::empty(DType::kFloat32, {1, 1, 4, 4}));
  for (int i = 0; i < 3; ++i) workspace.run(net);
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 3; ++i) workspace.run(net);
            }),
            0);
  const OperatorDef def = phases("X", "Y");
  workspace.run(def);
  EXPECT_EQ(allocations_of([&] { workspace.run(def); }), 0);
}

}  // namespace
}  // namespace sylvite::test
