// Reaches every operator with nothing linked but the archive, -lpthread and -ldl.
#include <sylvite/sylvite.h>

#include <cstdio>
#include <vector>

using namespace sylvite;

/// What an operator cannot do without.
static std::vector<Argument> arguments_of(std::string_view op) {
  if (op == "Cast") return {{"to", "float16"}};
  if (op == "Reshape") return {{"shape", std::vector<int64_t>{16, 4}}};
  if (op == "Expand") return {{"shape", std::vector<int64_t>{3, 4, 5, 4, 4}}};
  return {};
}

int main() {
  for (const OperatorSchema* schema : operators()) {
    if (schema->plan == nullptr) continue;
    const std::vector<TensorInfo> inputs(static_cast<size_t>(schema->inputs.least),
                                         {.shape = {4, 1, 4, 4}});
    try {
      std::puts(to_string(explain(schema->name, inputs, arguments_of(schema->name))).c_str());
    } catch (const Error& error) {
      std::puts(error.what());
      return 1;
    }
  }
  const Tensor x = Tensor::empty(DType::kFloat32, {1, 1, 4, 4});
  for (int i = 0; i < 16; ++i) x.data_as<float>()[i] = static_cast<float>(i);
  const Tensor y = space_to_batch(x, {{2, 2}});
  const Tensor z = expand(x, Shape{2, 1, 4, 4});
  const Tensor dx = expand_gradient(z, x.shape());
  const std::vector<Tensor> twice = {x, x};
  const std::vector<int64_t> halves = {1, 1};
  const Tensor w = split(concat(unstack(stack(twice))), halves)[1];
  bool right = !operators().empty();
  right = right && y.data_as<float>()[15] == 15;
  right = right && z.data_as<float>()[31] == 15 && dx.data_as<float>()[15] == 30;
  right = right && w.data_as<float>()[15] == 15;
  return right ? 0 : 1;
}
