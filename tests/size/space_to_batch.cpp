// A program that uses one operator: what it links is that operator's size.
#include <sylvite/space_batch.h>

int main() {
  using namespace sylvite;
  const Tensor x = Tensor::empty(DType::kFloat32, {1, 1, 2, 2});
  for (int i = 0; i < 4; ++i) x.data_as<float>()[i] = static_cast<float>(i);
  return space_to_batch(x, {}).data_as<float>()[3] == 3 ? 0 : 1;
}
