#include "support/c_tensors.h"

namespace sylvite::test {

sylvite_tensor c_tensor(const Tensor& tensor) {
  return {.data = tensor.data(),
          .shape = tensor.shape().begin(),
          .strides = tensor.strides().begin(),
          .dtype = static_cast<sylvite_dtype>(tensor.dtype()) + 1,
          .rank = tensor.rank(),
          .device = {.kind = SYLVITE_CPU, .index = 0},
          .text = tensor.text_data(),
          .text_bytes = tensor.text_capacity()};
}

std::vector<sylvite_tensor> c_tensors(const std::vector<Tensor>& tensors) {
  std::vector<sylvite_tensor> all;
  all.reserve(tensors.size());
  for (const Tensor& tensor : tensors) all.push_back(c_tensor(tensor));
  return all;
}

Tensor counted(DType dtype, const Shape& shape) {
  Tensor x = Tensor::empty(DType::kInt64, shape);
  for (int64_t i = 0; i < x.element_count(); ++i) x.data_as<int64_t>()[i] = i;
  return cast(x, dtype);
}

Tensor strings(const std::vector<std::string_view>& texts) {
  return Tensor::strings(texts, {static_cast<int64_t>(texts.size())});
}

std::string contents(const Tensor& tensor) {
  std::string all(name(tensor.dtype()));
  all.append(to_string(tensor.shape()));
  const Tensor dense = tensor.to(Device{});
  for (int64_t i = 0; i < dense.element_count(); ++i) {
    if (dense.dtype() == DType::kString) {
      const std::string_view text = dense.text(i);
      all.append(std::to_string(text.size())).append(":").append(text);
    } else {
      const auto bytes = static_cast<size_t>(element_size(dense.dtype()));
      all.append(dense.data_as<char>() + static_cast<size_t>(i) * bytes, bytes);
    }
  }
  return all;
}

testing::AssertionResult is_ok(sylvite_status status) {
  if (status == SYLVITE_OK) return testing::AssertionSuccess();
  return testing::AssertionFailure() << sylvite_status_text(status) << ": " << sylvite_last_error();
}

}  // namespace sylvite::test
