#include <sylvite/sylvite.h>

#include <cstdio>

int main() {
  using namespace sylvite;
  const Tensor x = Tensor::empty(DType::kFloat32, {1, 3, 6, 8});
  for (int64_t i = 0; i < x.element_count(); ++i) x.data_as<float>()[i] = static_cast<float>(i);

  const SpaceToBatchArgs args{.block_shape = {2, 2}, .paddings = {{0, 0}, {1, 1}}};
  const Tensor y = space_to_batch(x, args);
  const Tensor z = batch_to_space(y, {.block_shape = args.block_shape, .crops = args.paddings});
  std::printf("%s -> %s -> %s\n", to_string(x.shape()).c_str(), to_string(y.shape()).c_str(),
              to_string(z.shape()).c_str());
  std::puts(to_string(space_to_batch_plan(x.info(), y.info(), args).explanation()).c_str());
  return z.data_as<float>()[143] == 143.0F ? 0 : 1;
}
