// A user's own operators on float32, with gradients, for tests of what runs them.
#pragma once

#include <string>
#include <vector>

#include "sylvite/sylvite.h"

namespace sylvite::test {

inline std::vector<float> floats_of(const Tensor& tensor) {
  const Tensor dense = tensor.to(Device{});
  return {dense.data_as<float>(), dense.data_as<float>() + dense.element_count()};
}

inline Tensor floats(std::vector<float> values) {
  Tensor tensor = Tensor::empty(DType::kFloat32, {static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.data_as<float>());
  return tensor;
}

/// "x3"
inline std::string numbered(std::string stem, int64_t i) { return stem += std::to_string(i); }

/// y = factor * x, and its gradient; "Throw" fails when its argument `fail` is set.
inline Runner bind_scale(const OperatorDef& def) {
  double factor = 2;
  for (const Argument& argument : def.arguments) factor = std::get<double>(argument.value);
  return [factor](OperatorCall& call) {
    const Tensor& x = call.input(0);
    Tensor& y = call.output(0, DType::kFloat32, x.shape());
    for (int64_t i = 0; i < x.element_count(); ++i)
      y.data_as<float>()[i] = static_cast<float>(factor) * x.data_as<float>()[i * x.strides()[0]];
  };
}

/// y = a * b, element by element.
inline Runner bind_product(const OperatorDef& /*def*/) {
  return [](OperatorCall& call) {
    const Tensor& a = call.input(0);
    const Tensor& b = call.input(1);
    if (a.shape() != b.shape()) throw Error(ErrorCode::kInvalidArgument, "Product: shapes differ");
    Tensor& y = call.output(0, DType::kFloat32, a.shape());
    for (int64_t i = 0; i < a.element_count(); ++i)
      y.data_as<float>()[i] = a.data_as<float>()[i] * b.data_as<float>()[i];
  };
}

/// Scale, Product, and what no gradient can be asked of: Opaque (not written) and Constant (none).
inline std::shared_ptr<Registry> toy_registry() {
  std::shared_ptr<Registry> registry = builtin_registry();
  register_cpu_operator(*registry,
                        {.name = "Scale", .inputs = 1, .outputs = 1, .bind = bind_scale});
  register_cpu_operator(*registry,
                        {.name = "Product", .inputs = 2, .outputs = 1, .bind = bind_product});
  register_cpu_operator(*registry,
                        {.name = "Opaque", .inputs = 1, .outputs = 1, .bind = bind_scale});
  register_cpu_operator(*registry,
                        {.name = "Constant", .inputs = 1, .outputs = 1, .bind = bind_scale});
  register_gradient(*registry, "Constant", GradientKind::kNone);
  register_gradient(*registry, "Scale", [](const GradientRequest& request) {
    return GradientDefs{.operators = {{.type = "Scale",
                                       .inputs = {request.output(0)},
                                       .outputs = {request.input(0)},
                                       .arguments = request.def.arguments}},
                        .inputs = {request.input(0)}};
  });
  register_gradient(*registry, "Product", [](const GradientRequest& request) {
    GradientDefs made;
    for (const size_t i : {0U, 1U}) {
      made.operators.push_back({.type = "Product",
                                .inputs = {request.output(0), request.def.inputs[1 - i]},
                                .outputs = {request.input(i)}});
      made.inputs.emplace_back(request.input(i));
    }
    return made;
  });
  return registry;
}

}  // namespace sylvite::test
