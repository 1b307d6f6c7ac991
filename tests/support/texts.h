// Tensors of strings as lists of texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sylvite/tensor.h"

namespace sylvite::test {

using Texts = std::vector<std::string>;

inline Texts texts_of(const Tensor& strings) {
  Texts texts;
  texts.reserve(static_cast<size_t>(strings.element_count()));
  for (int64_t i = 0; i < strings.element_count(); ++i) texts.emplace_back(strings.text(i));
  return texts;
}

inline Tensor strings_of(const Texts& texts, const Shape& shape) {
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return Tensor::strings(views, shape);
}
inline Tensor strings_of(const Texts& texts) {
  return strings_of(texts, Shape{static_cast<int64_t>(texts.size())});
}

}  // namespace sylvite::test
