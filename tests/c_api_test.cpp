// Every C function against the C++ function it stands for.
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "support/c_tensors.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr DType kFloat32 = DType::kFloat32;

/// What the compiler of C made of the headers: tests/c_header_test.c.
extern "C" int sylvite_c_header_test(void);

TEST(CApi, IsWhatACCompilerSaysItIs) { EXPECT_EQ(sylvite_c_header_test(), 0); }

TEST(CApi, TellsItsVersionStatusesAndDTypes) {
  EXPECT_EQ(std::string(sylvite_version()), std::to_string(SYLVITE_VERSION_MAJOR) + "." +
                                                std::to_string(SYLVITE_VERSION_MINOR) + "." +
                                                std::to_string(SYLVITE_VERSION_PATCH));
  EXPECT_STREQ(sylvite_status_text(SYLVITE_OK), "ok");
  EXPECT_STREQ(sylvite_status_text(SYLVITE_INTERNAL), "internal error");
  EXPECT_STREQ(sylvite_status_text(-1), "unknown status");
  EXPECT_STREQ(sylvite_status_text(6), "unknown status");
  for (int dtype = 0; dtype < SYLVITE_STRING; ++dtype) {
    EXPECT_EQ(sylvite_dtype_name(dtype + 1), name(static_cast<DType>(dtype)));
    EXPECT_EQ(sylvite_element_size(dtype + 1), element_size(static_cast<DType>(dtype)));
  }
  for (const int dtype : {-1, 0, SYLVITE_STRING + 1}) {
    EXPECT_STREQ(sylvite_dtype_name(dtype), "");
    EXPECT_EQ(sylvite_element_size(dtype), 0);
  }
}

TEST(CApi, ListsTargetsAndOperators) {
  sylvite_texts* texts = nullptr;
  ASSERT_TRUE(is_ok(sylvite_targets(&texts)));
  ASSERT_EQ(sylvite_texts_count(texts), static_cast<int64_t>(targets().size()));
  for (size_t i = 0; i < targets().size(); ++i) {
    EXPECT_EQ(sylvite_texts_get(texts, static_cast<int64_t>(i)), targets()[i]);
  }
  EXPECT_EQ(sylvite_texts_get(texts, -1), nullptr);
  EXPECT_EQ(sylvite_texts_get(texts, sylvite_texts_count(texts)), nullptr);
  sylvite_texts_destroy(texts);
  ASSERT_TRUE(is_ok(sylvite_operators(&texts)));
  ASSERT_EQ(sylvite_texts_count(texts), static_cast<int64_t>(operators().size()));
  EXPECT_EQ(sylvite_texts_get(texts, 0), operators()[0]->name);
  sylvite_texts_destroy(texts);
  sylvite_texts_destroy(nullptr);
  EXPECT_EQ(sylvite_texts_count(nullptr), 0);
  EXPECT_EQ(sylvite_texts_get(nullptr, 0), nullptr);
}

using CApiOnTargets = CApiTest;
INSTANTIATE_TEST_SUITE_P(CpuTargets, CApiOnTargets, ::testing::ValuesIn(cpu_kernel_choices()),
                         choice_name);

TEST_P(CApiOnTargets, SpaceToBatchAndBack) {
  const SpaceToBatchArgs args{
      .block_shape = {2, 3}, .paddings = {{1, 1}, {0, 2}}, .layout = Layout::kNhwc, .pad_value = 7};
  const sylvite_space_to_batch_args c_args = {.struct_size = sizeof c_args,
                                              .axes = 2,
                                              .block_shape = {2, 3},
                                              .paddings = {{1, 1}, {0, 2}},
                                              .pad_value = 7,
                                              .layout = SYLVITE_NHWC};
  const BatchToSpaceArgs back{
      .block_shape = {2, 3}, .crops = {{1, 1}, {0, 2}}, .layout = Layout::kNhwc};
  const sylvite_batch_to_space_args c_back = {.struct_size = sizeof c_back,
                                              .axes = 2,
                                              .block_shape = {2, 3},
                                              .crops = {{1, 1}, {0, 2}},
                                              .layout = SYLVITE_NHWC};
  const Tensor x = counted(kFloat32, {2, 4, 7, 3});
  const Tensor y = space_to_batch(x, args);
  const sylvite_tensor cx = c_tensor(x), cy = c_tensor(y);
  expect_tells(y.shape(), [&](auto* to) { return sylvite_space_to_batch_shape(&cx, &c_args, to); });
  expect_computes(y, [&](auto* to) { return sylvite_space_to_batch(&cx, &c_args, to, context_); });
  expect_computes(space_to_batch_gradient(y, args), [&](auto* to) {
    return sylvite_space_to_batch_gradient(&cy, &c_args, to, context_);
  });
  expect_tells(x.shape(), [&](auto* to) { return sylvite_batch_to_space_shape(&cy, &c_back, to); });
  expect_computes(x, [&](auto* to) { return sylvite_batch_to_space(&cy, &c_back, to, context_); });
  expect_computes(batch_to_space_gradient(x, back), [&](auto* to) {
    return sylvite_batch_to_space_gradient(&cx, &c_back, to, context_);
  });
}

TEST_P(CApiOnTargets, ExpandAndItsGradient) {
  const Tensor x = counted(DType::kInt16, {3, 1, 5});
  const Shape shape{4, 1, 6, -1};
  const Tensor y = expand(x, shape);
  const sylvite_tensor cx = c_tensor(x), cy = c_tensor(y);
  expect_tells(y.shape(),
               [&](auto* to) { return sylvite_expand_shape(&cx, shape.begin(), 4, to); });
  expect_computes(y, [&](auto* to) { return sylvite_expand(&cx, shape.begin(), 4, to, context_); });
  sylvite_shape extents, strides;
  ASSERT_TRUE(is_ok(sylvite_expand_view(&cx, shape.begin(), 4, &extents, &strides)));
  sylvite_tensor view = cx;
  view.rank = extents.rank;
  view.shape = extents.extents;
  view.strides = strides.extents;
  int32_t expanded = -1;
  ASSERT_TRUE(is_ok(sylvite_expanded(&view, &expanded)));
  EXPECT_EQ(expanded, 1);
  ASSERT_TRUE(is_ok(sylvite_expanded(&cx, &expanded)));
  EXPECT_EQ(expanded, 0);
  expect_computes(y, [&](auto* to) { return sylvite_materialize(&view, to, context_); });
  expect_computes(expand_gradient(y, x.shape()),
                  [&](auto* to) { return sylvite_expand_gradient(&cy, to, context_); });
}

TEST_P(CApiOnTargets, CastNumbersAndTexts) {
  const Tensor x = counted(kFloat32, {3, 5});
  const Tensor texts = cast(x, DType::kString);
  const sylvite_tensor cx = c_tensor(x), ctexts = c_tensor(texts);
  expect_computes(cast(x, DType::kFloat16),
                  [&](auto* to) { return sylvite_cast(&cx, to, context_); });
  int64_t bytes = -1;
  ASSERT_TRUE(is_ok(sylvite_cast_text_bytes(&cx, &bytes, context_)));
  EXPECT_EQ(bytes, 10 + 5 * 2);
  expect_computes(texts, [&](auto* to) { return sylvite_cast(&cx, to, context_); });
  expect_computes(x, [&](auto* to) { return sylvite_cast(&ctexts, to, context_); });
  expect_computes(cast_gradient(x, DType::kInt8),
                  [&](auto* to) { return sylvite_cast_gradient(&cx, to, context_); });
}

TEST_P(CApiOnTargets, ShapesOfAllKinds) {
  const Tensor x = strings({"a", "bc", "", "d", "e", "f"});
  const sylvite_tensor cx = c_tensor(x);
  const std::array<int64_t, 2> dims = {0, -1};
  const std::array<int64_t, 2> shape = {-1, 2};
  const Tensor wide = expand_dims(x, dims);
  const sylvite_tensor cwide = c_tensor(wide);
  expect_tells(wide.shape(),
               [&](auto* to) { return sylvite_expand_dims_shape(&cx, dims.data(), 2, to); });
  expect_computes(wide,
                  [&](auto* to) { return sylvite_expand_dims(&cx, dims.data(), 2, to, context_); });
  expect_tells(x.shape(), [&](auto* to) { return sylvite_squeeze_shape(&cwide, nullptr, 0, to); });
  expect_computes(x,
                  [&](auto* to) { return sylvite_squeeze(&cwide, dims.data(), 2, to, context_); });
  expect_tells({3, 2}, [&](auto* to) { return sylvite_reshape_shape(&cx, shape.data(), 2, to); });
  expect_computes(reshape(x, Shape{3, 2}),
                  [&](auto* to) { return sylvite_reshape(&cx, shape.data(), 2, to, context_); });
  expect_computes(reshape(x, Shape{2, 3}),
                  [&](auto* to) { return sylvite_reshape_like(&cx, to, context_); });
}

TEST(CApi, ReshapesInPlace) {
  std::array<int16_t, 6> memory = {1, 2, 3, 4, 5, 6};
  const std::array<int64_t, 2> from = {2, 3};
  const std::array<int64_t, 1> to = {6};
  const sylvite_tensor x = {
      .data = memory.data(), .shape = from.data(), .dtype = SYLVITE_INT16, .rank = 2};
  const sylvite_tensor y = {
      .data = memory.data(), .shape = to.data(), .dtype = SYLVITE_INT16, .rank = 1};
  EXPECT_TRUE(is_ok(sylvite_reshape(&x, to.data(), 1, &y, nullptr)));
  EXPECT_EQ(memory[5], 6);
}

TEST_P(CApiOnTargets, Arithmetic) {
  const Tensor a = counted(kFloat32, {4, 3}), b = counted(kFloat32, {3});
  const Tensor dloss = constant_fill({}, 2);
  const sylvite_tensor ca = c_tensor(a), cb = c_tensor(b), cd = c_tensor(dloss);
  expect_tells({4, 3}, [&](auto* to) { return sylvite_broadcast_shape(&ca, &cb, to); });
  expect_computes(add(a, b), [&](auto* to) { return sylvite_add(&ca, &cb, to, context_); });
  expect_computes(mul(a, b), [&](auto* to) { return sylvite_mul(&ca, &cb, to, context_); });
  const std::vector<Tensor> parts = {a, a, a};
  const std::vector<sylvite_tensor> c_parts = c_tensors(parts);
  expect_computes(sum(parts),
                  [&](auto* to) { return sylvite_sum(c_parts.data(), 3, to, context_); });
  expect_computes(constant_fill({2, 2}, 3, DType::kUInt8),
                  [&](auto* to) { return sylvite_constant_fill(3, to, context_); });
  expect_computes(squared_l2(a), [&](auto* to) { return sylvite_squared_l2(&ca, to, context_); });
  expect_computes(squared_l2_gradient(a, dloss),
                  [&](auto* to) { return sylvite_squared_l2_gradient(&ca, &cd, to, context_); });
}

TEST_P(CApiOnTargets, ProductsAndConvolutions) {
  const Tensor a = counted(kFloat32, {4, 3}), b = counted(kFloat32, {5, 3});
  const sylvite_tensor ca = c_tensor(a), cb = c_tensor(b);
  const sylvite_matmul_args product = {
      .struct_size = sizeof product, .transpose_a = 0, .transpose_b = 1};
  expect_tells({4, 5}, [&](auto* to) { return sylvite_matmul_shape(&ca, &cb, &product, to); });
  expect_computes(matmul(a, b, {.transpose_b = true}),
                  [&](auto* to) { return sylvite_matmul(&ca, &cb, &product, to, context_); });

  const Tensor x = counted(kFloat32, {2, 3, 6, 7}), w = counted(kFloat32, {4, 3, 3, 2});
  const Tensor bias = counted(kFloat32, {4});
  const ConvArgs args{.strides = {2, 1}, .paddings = {{1, 0}, {0, 2}}};
  const sylvite_conv_args c_args = {
      .struct_size = sizeof c_args, .strides = {2, 1}, .paddings = {{1, 0}, {0, 2}}};
  const Tensor y = conv(x, w, bias, args);
  const sylvite_tensor cx = c_tensor(x), cw = c_tensor(w), cbias = c_tensor(bias);
  const sylvite_tensor cy = c_tensor(y);
  expect_tells(y.shape(), [&](auto* to) { return sylvite_conv_shape(&cx, &cw, &c_args, to); });
  expect_computes(y,
                  [&](auto* to) { return sylvite_conv(&cx, &cw, &cbias, &c_args, to, context_); });
  expect_computes(conv(x, w),
                  [&](auto* to) { return sylvite_conv(&cx, &cw, nullptr, nullptr, to, context_); });
  expect_computes(conv_gradient_input(y, w, x.shape(), args), [&](auto* to) {
    return sylvite_conv_gradient_input(&cy, &cw, &c_args, to, context_);
  });
  expect_computes(conv_gradient_filter(x, y, w.shape(), args), [&](auto* to) {
    return sylvite_conv_gradient_filter(&cx, &cy, &c_args, to, context_);
  });
  expect_computes(conv_gradient_bias(y),
                  [&](auto* to) { return sylvite_conv_gradient_bias(&cy, to, context_); });
}

TEST_P(CApiOnTargets, Joins) {
  const std::vector<Tensor> x = {counted(kFloat32, {2, 3}), counted(kFloat32, {2, 3})};
  const std::vector<sylvite_tensor> cx = c_tensors(x);
  const Tensor stacked = stack(x, 1), joined = concat(x, -1);
  const sylvite_tensor cs = c_tensor(stacked), cj = c_tensor(joined);
  expect_tells(stacked.shape(), [&](auto* to) { return sylvite_stack_shape(cx.data(), 2, 1, to); });
  expect_computes(stacked, [&](auto* to) { return sylvite_stack(cx.data(), 2, 1, to, context_); });
  expect_tells(joined.shape(),
               [&](auto* to) { return sylvite_concat_shape(cx.data(), 2, -1, to); });
  expect_computes(joined, [&](auto* to) { return sylvite_concat(cx.data(), 2, -1, to, context_); });
  const std::array<int64_t, 2> sizes = {3, 3};
  for (const bool split : {false, true}) {
    const std::vector<Tensor> back = {Tensor::empty(kFloat32, {2, 3}),
                                      Tensor::empty(kFloat32, {2, 3})};
    const std::vector<sylvite_tensor> to = c_tensors(back);
    EXPECT_TRUE(is_ok(split ? sylvite_split(&cj, sizes.data(), -1, to.data(), 2, context_)
                            : sylvite_unstack(&cs, 1, to.data(), 2, context_)));
    for (size_t i = 0; i < 2; ++i) EXPECT_EQ(contents(back[i]), contents(x[i]));
  }
}

TEST(CApi, KeepsALastErrorPerThread) {
  EXPECT_EQ(sylvite_add(nullptr, nullptr, nullptr, nullptr), SYLVITE_INVALID_ARGUMENT);
  const std::string here = sylvite_last_error();
  EXPECT_EQ(here, "sylvite_add: y is NULL, want its address");
  std::thread([] {
    EXPECT_STREQ(sylvite_last_error(), "");
    EXPECT_EQ(sylvite_cast(nullptr, nullptr, nullptr), SYLVITE_INVALID_ARGUMENT);
    EXPECT_STREQ(sylvite_last_error(), "sylvite_cast: y is NULL, want its address");
  }).join();
  EXPECT_EQ(sylvite_last_error(), here);
  sylvite_texts* names = nullptr;
  EXPECT_TRUE(is_ok(sylvite_targets(&names)));
  sylvite_texts_destroy(names);
  EXPECT_EQ(sylvite_last_error(), here) << "a call that works leaves it alone";
}

TEST(CApi, ComputesOnTheCallersPoolAndMemory) {
  struct Counts {
    int tasks = 0;
    int allocations = 0;
  } counts;
  const sylvite_thread_pool pool = {
      .pool = &counts,
      .parallel_for = [](void* counts, int tasks, void (*task)(void*, int), void* state) {
        static_cast<Counts*>(counts)->tasks += tasks;
        for (int i = 0; i < tasks; ++i) task(state, i);
      }};
  const sylvite_allocator allocator = {
      .state = &counts,
      .allocate =
          [](void* counts, size_t bytes, size_t alignment) {
            ++static_cast<Counts*>(counts)->allocations;
            return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
          },
      .deallocate =
          [](void* counts, void* pointer, size_t) {
            --static_cast<Counts*>(counts)->allocations;
            std::free(pointer);
          }};
  const sylvite_context_options options = {.struct_size = sizeof options,
                                           .threads = 2,
                                           .pool = &pool,
                                           .allocator = &allocator,
                                           .stores = SYLVITE_STORES_PLAIN};
  sylvite_context* context = nullptr;
  ASSERT_TRUE(is_ok(sylvite_context_create(&options, &context)));
  EXPECT_TRUE(is_ok(sylvite_warm_up({.kind = SYLVITE_CPU, .index = 0}, context)));
  EXPECT_TRUE(is_ok(sylvite_synchronize({.kind = SYLVITE_CPU, .index = 0}, context)));
  const Tensor x = counted(kFloat32, {1, 1, 512, 2048});
  const sylvite_tensor cx = c_tensor(x);
  const sylvite_space_to_batch_args args = {
      .struct_size = sizeof args, .axes = 2, .block_shape = {2, 2}};
  expect_computes(space_to_batch(x, {}),
                  [&](auto* to) { return sylvite_space_to_batch(&cx, &args, to, context); });
  EXPECT_GT(counts.tasks, 1);
  sylvite_workspace* workspace = nullptr;
  ASSERT_TRUE(is_ok(sylvite_workspace_create(context, &workspace)));
  sylvite_context_destroy(context);  // the workspace keeps what it needs
  ASSERT_TRUE(is_ok(sylvite_workspace_feed(workspace, "X", &cx)));
  EXPECT_EQ(counts.allocations, 1);
  sylvite_workspace_destroy(workspace);
  EXPECT_EQ(counts.allocations, 0);
  sylvite_shutdown();
}

}  // namespace
}  // namespace sylvite::test
