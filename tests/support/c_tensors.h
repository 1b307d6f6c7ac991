// Tensors for the C functions.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "support/targets.h"
#include "sylvite/sylvite.h"
#include "sylvite/sylvite_c.h"

namespace sylvite::test {

/// A tensor of C over the memory and the extents of one of C++, which must live as long.
sylvite_tensor c_tensor(const Tensor& tensor);
std::vector<sylvite_tensor> c_tensors(const std::vector<Tensor>& tensors);

/// 0, 1, 2, … in a dense tensor.
Tensor counted(DType dtype, const Shape& shape);
/// These texts.
Tensor strings(const std::vector<std::string_view>& texts);

/// The elements, or the texts one behind the other with their lengths, and what kind of tensor.
std::string contents(const Tensor& tensor);

/// SYLVITE_OK, else the test fails with the last error.
testing::AssertionResult is_ok(sylvite_status status);

/// `call(y)` writes what C++ has computed.
template <typename Call>
void expect_computes(const Tensor& expected, const Call& call) {
  const bool texts = expected.dtype() == DType::kString;
  Tensor y = texts ? Tensor::empty_strings(expected.shape(), expected.text_capacity())
                   : Tensor::empty(expected.dtype(), expected.shape());
  if (!texts) std::memset(y.data(), 0xA5, static_cast<size_t>(y.byte_count()));
  const sylvite_tensor to = c_tensor(y);
  ASSERT_TRUE(is_ok(call(&to)));
  EXPECT_EQ(contents(y), contents(expected));
}

/// `call(shape)` tells this shape.
template <typename Call>
void expect_tells(const Shape& expected, const Call& call) {
  sylvite_shape shape;
  std::memset(&shape, 0xA5, sizeof shape);
  ASSERT_TRUE(is_ok(call(&shape)));
  EXPECT_EQ(Shape(std::span(shape.extents, static_cast<size_t>(shape.rank))), expected);
}

/// A context of C for each target.
class CApiTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    const std::string target(GetParam().target);
    const sylvite_context_options options = {.struct_size = sizeof options,
                                             .threads = 2,
                                             .target = target.c_str(),
                                             .stores = static_cast<int32_t>(GetParam().stores)};
    ASSERT_TRUE(is_ok(sylvite_context_create(&options, &context_)));
  }
  void TearDown() override { sylvite_context_destroy(context_); }
  sylvite_context* context_ = nullptr;
};

}  // namespace sylvite::test
