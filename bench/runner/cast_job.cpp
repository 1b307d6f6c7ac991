#include "runner/job.h"
#include "runner/switch.h"

namespace sylvite_runner {

Job cast(std::string_view text) {
  const sylvite_bench::CastRow row = sylvite_bench::parse_cast_row(text);
  return {
      .name = row.name,
      .weight = row.weight,
      .x_dtype = row.from,
      .x_shape = row.shape,
      .x_strides = row.x_strides(),
      .y_dtype = row.to,
      .y_shape = row.shape,
      .call = [to = row.to](const sylvite::Tensor& x, sylvite::Tensor& y,
                            const sylvite::Context& context) { sylvite::cast(x, to, y, context); }};
}

}  // namespace sylvite_runner
