// What the C functions refuse: with a status and a text, and nothing written.
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "support/c_refusals.h"

namespace sylvite::test {
namespace {

constexpr DType kFloat32 = DType::kFloat32;

class CApiRejects : public ::testing::Test {
 protected:
  const Tensor x_ = counted(kFloat32, {1, 1, 2, 4});
  const Tensor y_ = counted(kFloat32, {4, 1, 1, 2});
  sylvite_tensor cx_ = c_tensor(x_), cy_ = c_tensor(y_);
  const std::vector<Tensor> all_ = {x_, y_};
  sylvite_shape told_ = {};
};

TEST_F(CApiRejects, InSpaceToBatch) {
  sylvite_space_to_batch_args args = {.struct_size = sizeof args, .axes = 2, .block_shape = {2, 2}};
  sylvite_batch_to_space_args back = {.struct_size = sizeof back, .axes = 2, .block_shape = {2, 2}};
  refusals("sylvite_space_to_batch", sylvite_space_to_batch, all_, &cx_, &args, &cy_, nullptr)
      .check();
  refusals("sylvite_space_to_batch_gradient", sylvite_space_to_batch_gradient, all_, &cy_, &args,
           &cx_, nullptr)
      .check();
  refusals("sylvite_batch_to_space", sylvite_batch_to_space, all_, &cy_, &back, &cx_, nullptr)
      .check();
  refusals("sylvite_batch_to_space_gradient", sylvite_batch_to_space_gradient, all_, &cx_, &back,
           &cy_, nullptr)
      .check();
  refusals("sylvite_space_to_batch_shape", sylvite_space_to_batch_shape, all_, &cx_, &args, &told_)
      .check({}, true);
  refusals("sylvite_batch_to_space_shape", sylvite_batch_to_space_shape, all_, &cy_, &back, &told_)
      .check({}, true);
  for (const int axes : {-1, 0, 5}) {
    args.axes = axes;
    EXPECT_TRUE(refused(sylvite_space_to_batch(&cx_, &args, &cy_, nullptr),
                        SYLVITE_INVALID_ARGUMENT, {"args.axes is"}));
  }
  args.axes = 2;
  args.layout = 2;
  EXPECT_TRUE(refused(sylvite_space_to_batch(&cx_, &args, &cy_, nullptr), SYLVITE_INVALID_ARGUMENT,
                      {"args.layout is 2"}));
  args.layout = SYLVITE_NCHW;
  args.block_shape[1] = 3;  // what C++ refuses, in its words
  EXPECT_TRUE(refused(sylvite_space_to_batch(&cx_, &args, &cy_, nullptr), SYLVITE_INVALID_ARGUMENT,
                      {"SpaceToBatch: "}));
}

TEST_F(CApiRejects, ALargerStructOnlyWithoutNewValues) {
  struct {
    sylvite_batch_to_space_args known;
    int64_t later;
  } args = {.known = {.struct_size = sizeof args, .axes = 2, .block_shape = {2, 2}}, .later = 0};
  EXPECT_TRUE(is_ok(sylvite_batch_to_space(&cy_, &args.known, &cx_, nullptr)));
  args.later = 1;
  EXPECT_TRUE(refused(sylvite_batch_to_space(&cy_, &args.known, &cx_, nullptr),
                      SYLVITE_INVALID_ARGUMENT, {"args.struct_size"}));
}

TEST_F(CApiRejects, InExpandAndReshape) {
  const std::array<int64_t, 2> shape = {2, 8}, dims = {0, 0}, extents = {2, 8};
  const Tensor row = counted(kFloat32, {8}), rows = counted(kFloat32, {2, 8});
  const Tensor wide = counted(kFloat32, {1, 8});
  sylvite_tensor crow = c_tensor(row), crows = c_tensor(rows), cwide = c_tensor(wide);
  const std::vector<Tensor> all = {row, rows, wide};
  sylvite_shape strides = {};
  int32_t expanded = 0;
  refusals("sylvite_expand", sylvite_expand, all, &crow, shape.data(), 2, &crows, nullptr).check();
  refusals("sylvite_expand_shape", sylvite_expand_shape, all, &crow, shape.data(), 2, &told_)
      .check({}, true);
  refusals("sylvite_expand_view", sylvite_expand_view, all, &crow, shape.data(), 2, &told_,
           &strides)
      .check();
  refusals("sylvite_expanded", sylvite_expanded, all, &crow, &expanded).check();
  const Tensor copy = counted(kFloat32, {8});
  sylvite_tensor ccopy = c_tensor(copy);
  refusals("sylvite_materialize", sylvite_materialize, {row, copy}, &crow, &ccopy, nullptr).check();
  refusals("sylvite_expand_gradient", sylvite_expand_gradient, all, &crows, &crow, nullptr).check();
  refusals("sylvite_expand_dims", sylvite_expand_dims, all, &crow, dims.data(), 1, &cwide, nullptr)
      .check();
  refusals("sylvite_expand_dims_shape", sylvite_expand_dims_shape, all, &crow, dims.data(), 1,
           &told_)
      .check({}, true);
  refusals("sylvite_squeeze", sylvite_squeeze, all, &cwide, dims.data(), 1, &crow, nullptr).check();
  refusals("sylvite_squeeze_shape", sylvite_squeeze_shape, all, &cwide, dims.data(), 1, &told_)
      .check({}, true);
  const Tensor y = counted(kFloat32, {2, 8});
  sylvite_tensor cy = c_tensor(y);
  refusals("sylvite_reshape", sylvite_reshape, {rows, y}, &crows, extents.data(), 2, &cy, nullptr)
      .check();
  refusals("sylvite_reshape_shape", sylvite_reshape_shape, {rows, y}, &crows, extents.data(), 2,
           &told_)
      .check({}, true);
  refusals("sylvite_reshape_like", sylvite_reshape_like, {rows, y}, &crows, &cy, nullptr).check();
  for (const int rank : {-1, 33}) {
    EXPECT_TRUE(refused(sylvite_expand(&crow, shape.data(), rank, &crows, nullptr),
                        SYLVITE_INVALID_ARGUMENT, {"sylvite_expand: shape: rank is "}));
  }
  EXPECT_TRUE(refused(sylvite_squeeze(&cwide, dims.data(), -1, &crow, nullptr),
                      SYLVITE_INVALID_ARGUMENT, {"dims: count is -1"}));
}

TEST_F(CApiRejects, InCastAndArithmetic) {
  const Tensor a = counted(kFloat32, {4}), b = counted(kFloat32, {4}), y = counted(kFloat32, {4});
  const Tensor one = constant_fill({}, 1);
  const std::vector<Tensor> all = {a, b, y, one};
  const std::vector<Tensor> both = {a, b};
  std::vector<sylvite_tensor> pair = c_tensors(both);
  sylvite_tensor ca = c_tensor(a), cb = c_tensor(b), cy = c_tensor(y), c1 = c_tensor(one);
  int64_t bytes = 0;
  refusals("sylvite_cast", sylvite_cast, all, &ca, &cy, nullptr).check();
  refusals("sylvite_cast_gradient", sylvite_cast_gradient, all, &ca, &cy, nullptr).check();
  refusals("sylvite_cast_text_bytes", sylvite_cast_text_bytes, all, &ca, &bytes, nullptr).check();
  refusals("sylvite_add", sylvite_add, all, &ca, &cb, &cy, nullptr).check();
  refusals("sylvite_mul", sylvite_mul, all, &ca, &cb, &cy, nullptr).check();
  refusals("sylvite_broadcast_shape", sylvite_broadcast_shape, all, &ca, &cb, &told_)
      .check({}, true);
  refusals("sylvite_sum", sylvite_sum, all, pair.data(), int64_t{2}, &cy, nullptr).check();
  refusals("sylvite_constant_fill", sylvite_constant_fill, all, 2.0, &cy, nullptr).check();
  refusals("sylvite_squared_l2", sylvite_squared_l2, all, &ca, &c1, nullptr).check();
  refusals("sylvite_squared_l2_gradient", sylvite_squared_l2_gradient, all, &ca, &c1, &cy, nullptr)
      .check();
  pair[1].rank = 40;
  EXPECT_TRUE(refused(sylvite_sum(pair.data(), 2, &cy, nullptr), SYLVITE_INVALID_ARGUMENT,
                      {"sylvite_sum: x[1].rank is 40"}));
  EXPECT_TRUE(refused(sylvite_sum(pair.data(), -1, &cy, nullptr), SYLVITE_INVALID_ARGUMENT,
                      {"x: count is -1"}));
  EXPECT_TRUE(refused(sylvite_sum(nullptr, 0, &cy, nullptr), SYLVITE_INVALID_ARGUMENT, {"Sum: "}));
}

TEST_F(CApiRejects, InConvAndJoins) {
  const Tensor a = counted(kFloat32, {2, 2}), b = counted(kFloat32, {2, 2}),
               y = counted(kFloat32, {2, 2});
  sylvite_tensor ca = c_tensor(a), cb = c_tensor(b), cy = c_tensor(y);
  sylvite_matmul_args product = {.struct_size = sizeof product};
  refusals("sylvite_matmul", sylvite_matmul, {a, b, y}, &ca, &cb, &product, &cy, nullptr)
      .check({2});
  refusals("sylvite_matmul_shape", sylvite_matmul_shape, {a, b, y}, &ca, &cb, &product, &told_)
      .check({2}, true);
  const Tensor image = counted(kFloat32, {1, 1, 2, 2}), w = counted(kFloat32, {1, 1, 1, 1});
  const Tensor out = counted(kFloat32, {1, 1, 2, 2}), bias = counted(kFloat32, {1});
  const std::vector<Tensor> all = {image, w, out, bias};
  sylvite_tensor ci = c_tensor(image), cw = c_tensor(w), co = c_tensor(out), cbias = c_tensor(bias);
  sylvite_conv_args args = {.struct_size = sizeof args};
  refusals("sylvite_conv", sylvite_conv, all, &ci, &cw, &cbias, &args, &co, nullptr).check({2, 3});
  refusals("sylvite_conv_shape", sylvite_conv_shape, all, &ci, &cw, &args, &told_).check({2}, true);
  refusals("sylvite_conv_gradient_input", sylvite_conv_gradient_input, all, &ci, &cw, &args, &co,
           nullptr)
      .check({2});
  refusals("sylvite_conv_gradient_filter", sylvite_conv_gradient_filter, all, &ci, &co, &args, &cw,
           nullptr)
      .check({2});
  refusals("sylvite_conv_gradient_bias", sylvite_conv_gradient_bias, all, &ci, &cbias, nullptr)
      .check();
  args.strides[0] = 1;  // and 0 for the other
  EXPECT_TRUE(refused(sylvite_conv(&ci, &cw, nullptr, &args, &co, nullptr),
                      SYLVITE_INVALID_ARGUMENT, {"Conv: "}));

  const std::vector<Tensor> both = {a, b};
  std::vector<sylvite_tensor> parts = c_tensors(both);
  const Tensor stacked = counted(kFloat32, {2, 2, 2}), joined = counted(kFloat32, {4, 2});
  sylvite_tensor cs = c_tensor(stacked), cj = c_tensor(joined);
  const std::vector<Tensor> some = {a, b, stacked, joined};
  const std::array<int64_t, 2> sizes = {2, 2};
  refusals("sylvite_stack", sylvite_stack, some, parts.data(), int64_t{2}, 0, &cs, nullptr).check();
  refusals("sylvite_stack_shape", sylvite_stack_shape, some, parts.data(), int64_t{2}, 0, &told_)
      .check({}, true);
  refusals("sylvite_unstack", sylvite_unstack, some, &cs, 0, parts.data(), int64_t{2}, nullptr)
      .check();
  refusals("sylvite_concat", sylvite_concat, some, parts.data(), int64_t{2}, 0, &cj, nullptr)
      .check();
  refusals("sylvite_concat_shape", sylvite_concat_shape, some, parts.data(), int64_t{2}, 0, &told_)
      .check({}, true);
  refusals("sylvite_split", sylvite_split, some, &cj, sizes.data(), 0, parts.data(), int64_t{2},
           nullptr)
      .check();
}

TEST_F(CApiRejects, InMerges) {
  const Tensor one = constant_fill({1}, 1, DType::kInt32),
               key = constant_fill({1}, 3, DType::kInt64);
  const Tensor there = constant_fill({1}, 1, DType::kBool), value = constant_fill({1}, 5);
  const Tensor lengths = constant_fill({1}, 1, DType::kInt32),
               keys = constant_fill({1}, 0, DType::kInt64);
  const Tensor pair_lengths = constant_fill({1}, 1, DType::kInt32);
  const Tensor map_keys = constant_fill({1}, 0, DType::kInt64), values = constant_fill({1}, 0);
  const Tensor data = constant_fill({1, 1}, 5), dense = constant_fill({1, 1}, 1, DType::kBool);
  const Tensor ddata = constant_fill({1, 1}, 0);
  const std::vector<Tensor> all = {one,  key,          there,    value,  lengths,
                                   keys, pair_lengths, map_keys, values, ddata};
  sylvite_tensor c_one = c_tensor(one), c_key = c_tensor(key), c_there = c_tensor(there);
  sylvite_tensor c_value = c_tensor(value), c_lengths = c_tensor(lengths), c_keys = c_tensor(keys);
  sylvite_tensor c_pairs = c_tensor(pair_lengths), c_map_keys = c_tensor(map_keys);
  sylvite_tensor c_values = c_tensor(values), c_data = c_tensor(data), c_dense = c_tensor(dense);
  sylvite_tensor c_ddata = c_tensor(ddata);
  sylvite_single_scalar_feature scalar = {c_value, c_there};
  sylvite_single_list_feature list = {c_one, c_value, c_there};
  sylvite_single_map_feature map = {c_one, c_key, c_value, c_there};
  sylvite_multi_scalar scalars = {c_one, c_key, c_value};
  sylvite_multi_list lists = {c_one, c_key, c_one, c_value};
  sylvite_multi_map maps = {c_one, c_key, c_one, c_key, c_value};
  sylvite_multi_scalar out_scalars = {c_lengths, c_keys, c_values};
  sylvite_multi_list out_lists = {c_lengths, c_keys, c_pairs, c_values};
  sylvite_multi_map out_maps = {c_lengths, c_keys, c_pairs, c_map_keys, c_values};
  sylvite_multi_sizes sizes = {};
  const int64_t id = 9, n = 1;
  int64_t extent = 0;
  refusals("sylvite_merge_dense", sylvite_merge_dense, all, &c_data, &c_dense, &id, n, &out_scalars,
           nullptr)
      .check();
  refusals("sylvite_merge_dense_sizes", sylvite_merge_dense_sizes, all, &c_data, &c_dense, &sizes,
           nullptr)
      .check();
  refusals("sylvite_merge_dense_gradient", sylvite_merge_dense_gradient, all, &c_dense, &c_value,
           &c_ddata, nullptr)
      .check();
  refusals("sylvite_merge_single_scalar", sylvite_merge_single_scalar, all, &scalar, n, &id,
           &out_scalars, nullptr)
      .check();
  refusals("sylvite_merge_single_list", sylvite_merge_single_list, all, &list, n, &id, &out_lists,
           nullptr)
      .check();
  refusals("sylvite_merge_single_map", sylvite_merge_single_map, all, &map, n, &id, &out_maps,
           nullptr)
      .check();
  refusals("sylvite_merge_multi_scalar", sylvite_merge_multi_scalar, all, &scalars, n, &out_scalars,
           nullptr)
      .check();
  refusals("sylvite_merge_multi_list", sylvite_merge_multi_list, all, &lists, n, &out_lists,
           nullptr)
      .check();
  refusals("sylvite_merge_multi_map", sylvite_merge_multi_map, all, &maps, n, &out_maps, nullptr)
      .check();
  refusals("sylvite_merge_single_scalar_sizes", sylvite_merge_single_scalar_sizes, all, &scalar, n,
           &sizes, nullptr)
      .check();
  refusals("sylvite_merge_single_list_sizes", sylvite_merge_single_list_sizes, all, &list, n,
           &sizes, nullptr)
      .check();
  refusals("sylvite_merge_single_map_sizes", sylvite_merge_single_map_sizes, all, &map, n, &sizes,
           nullptr)
      .check();
  refusals("sylvite_merge_multi_scalar_sizes", sylvite_merge_multi_scalar_sizes, all, &scalars, n,
           &sizes, nullptr)
      .check();
  refusals("sylvite_merge_multi_list_sizes", sylvite_merge_multi_list_sizes, all, &lists, n, &sizes,
           nullptr)
      .check();
  refusals("sylvite_merge_multi_map_sizes", sylvite_merge_multi_map_sizes, all, &maps, n, &sizes,
           nullptr)
      .check();
  refusals("sylvite_merge_single_scalar_gradient", sylvite_merge_single_scalar_gradient, all,
           &c_there, n, &c_value, &c_values, nullptr)
      .check();
  refusals("sylvite_merge_single_list_gradient", sylvite_merge_single_list_gradient, all, &c_one,
           &c_there, n, &c_value, &c_values, nullptr)
      .check();
  refusals("sylvite_merge_single_map_gradient", sylvite_merge_single_map_gradient, all, &c_one,
           &c_there, n, &c_value, &c_values, nullptr)
      .check();
  refusals("sylvite_merge_multi_scalar_gradient", sylvite_merge_multi_scalar_gradient, all, &c_one,
           n, &c_value, &c_values, nullptr)
      .check();
  refusals("sylvite_merge_multi_list_gradient", sylvite_merge_multi_list_gradient, all, &c_one,
           &c_pairs, n, &c_value, &c_values, nullptr)
      .check();
  refusals("sylvite_merge_multi_map_gradient", sylvite_merge_multi_map_gradient, all, &c_one,
           &c_pairs, n, &c_value, &c_values, nullptr)
      .check();
  refusals("sylvite_merge_single_list_gradient_sizes", sylvite_merge_single_list_gradient_sizes,
           all, &c_one, &c_there, n, &extent, nullptr)
      .check();
  refusals("sylvite_merge_single_map_gradient_sizes", sylvite_merge_single_map_gradient_sizes, all,
           &c_one, &c_there, n, &extent, nullptr)
      .check();
  refusals("sylvite_merge_multi_scalar_gradient_sizes", sylvite_merge_multi_scalar_gradient_sizes,
           all, &c_one, n, &extent, nullptr)
      .check();
  refusals("sylvite_merge_multi_list_gradient_sizes", sylvite_merge_multi_list_gradient_sizes, all,
           &c_one, &c_pairs, n, &extent, nullptr)
      .check();
  refusals("sylvite_merge_multi_map_gradient_sizes", sylvite_merge_multi_map_gradient_sizes, all,
           &c_one, &c_pairs, n, &extent, nullptr)
      .check();
  list.values.dtype = 0;
  EXPECT_TRUE(refused(sylvite_merge_single_list(&list, 1, &id, &out_lists, nullptr),
                      SYLVITE_INVALID_ARGUMENT, {"features[0].values.dtype is 0"}));
}

TEST_F(CApiRejects, StringsThatAreNone) {
  const Tensor texts = strings({"ab", "c"});
  sylvite_tensor x = c_tensor(texts), y = cx_;
  const std::array<int64_t, 1> gaps = {2};
  x.strides = gaps.data();
  EXPECT_TRUE(
      refused(sylvite_cast(&x, &y, nullptr), SYLVITE_INVALID_ARGUMENT, {"x.strides are [2]"}));
  x = c_tensor(texts);
  x.device.kind = SYLVITE_CUDA;
  EXPECT_TRUE(refused(sylvite_cast(&x, &y, nullptr), SYLVITE_INVALID_ARGUMENT,
                      {"x holds strings on cuda 0"}));
  x = c_tensor(texts);
  x.text_bytes = 2;
  EXPECT_TRUE(
      refused(sylvite_cast(&x, &y, nullptr), SYLVITE_INVALID_ARGUMENT, {"x: ", "offset 2 is 3"}));
  x.text_bytes = -1;
  EXPECT_TRUE(refused(sylvite_cast(&x, &y, nullptr), SYLVITE_INVALID_ARGUMENT, {"x: ", "-1"}));
  x = c_tensor(texts);
  x.text = nullptr;
  EXPECT_TRUE(
      refused(sylvite_cast(&x, &y, nullptr), SYLVITE_INVALID_ARGUMENT, {"x: ", "text is null"}));
}

TEST_F(CApiRejects, Contexts) {
  sylvite_context* context = nullptr;
  sylvite_context_options options = {.struct_size = sizeof options};
  EXPECT_TRUE(refused(sylvite_context_create(&options, nullptr), SYLVITE_INVALID_ARGUMENT,
                      {"context is NULL"}));
  const auto expect = [&](sylvite_status status, std::string_view fragment) {
    context = reinterpret_cast<sylvite_context*>(&options);
    EXPECT_TRUE(refused(sylvite_context_create(&options, &context), status, {fragment}));
    EXPECT_EQ(context, nullptr);
    options = {.struct_size = sizeof options};
  };
  options.struct_size = 4;
  expect(SYLVITE_INVALID_ARGUMENT, "options.struct_size is 4");
  options.target = "x86_64_avx1024";
  expect(SYLVITE_UNSUPPORTED, "x86_64_avx1024");
  options.threads = -1;
  expect(SYLVITE_INVALID_ARGUMENT, "threads is -1");
  options.stores = 3;
  expect(SYLVITE_INVALID_ARGUMENT, "stores is 3");
  options.reserved = 3;
  expect(SYLVITE_INVALID_ARGUMENT, "reserved is 3");
  const sylvite_thread_pool pool = {};
  options.pool = &pool;
  expect(SYLVITE_INVALID_ARGUMENT, "parallel_for");
  const sylvite_allocator allocator = {};
  options.allocator = &allocator;
  expect(SYLVITE_INVALID_ARGUMENT, "allocator");
  sylvite_tensor status = {};
  options.merge_status = &status;
  expect(SYLVITE_INVALID_ARGUMENT, "options.merge_status.dtype is 0");
  EXPECT_TRUE(refused(sylvite_synchronize({.kind = 7, .index = 0}, nullptr),
                      SYLVITE_INVALID_ARGUMENT, {"device.kind is 7"}));
  EXPECT_TRUE(refused(sylvite_warm_up({.kind = -1, .index = 0}, nullptr), SYLVITE_INVALID_ARGUMENT,
                      {"device.kind is -1"}));
}

TEST_F(CApiRejects, SizesNoMachineHas) {
  // A count whose tensors cannot all be noted.
  EXPECT_TRUE(refused(sylvite_sum(&cx_, std::numeric_limits<int64_t>::max(), &cy_, nullptr),
                      SYLVITE_OUT_OF_MEMORY, {"sylvite_sum: no memory"}));
}

}  // namespace
}  // namespace sylvite::test
