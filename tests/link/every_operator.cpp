// Reaches every operator with nothing linked but the archive, -lpthread and -ldl.
#include <sylvite/sylvite.h>

#include <cstdio>
#include <vector>

int main() {
  using namespace sylvite;
  for (const OperatorSchema* schema : operators()) {
    const std::vector<TensorInfo> inputs(static_cast<size_t>(schema->inputs),
                                         {.shape = {4, 1, 4, 4}});
    try {
      std::puts(to_string(explain(schema->name, inputs)).c_str());
    } catch (const Error& error) {
      std::puts(error.what());
      return 1;
    }
  }
  const Tensor x = Tensor::empty(DType::kFloat32, {1, 1, 4, 4});
  for (int i = 0; i < 16; ++i) x.data_as<float>()[i] = static_cast<float>(i);
  const Tensor y = space_to_batch(x, {{2, 2}});
  return !operators().empty() && y.data_as<float>()[15] == 15 ? 0 : 1;
}
