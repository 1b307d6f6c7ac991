#include "runner/job.h"
#include "runner/switch.h"

namespace sylvite_runner {

Job expand_gradient(std::string_view text) {
  const sylvite_bench::SumRow row = sylvite_bench::parse_sum_row(text);
  return {.name = row.name,
          .weight = row.weight,
          .x_dtype = row.dtype,
          .x_shape = row.dy,
          .x_strides = {},
          .y_dtype = row.dtype,
          .y_shape = row.x,
          .roof = Job::Roof::kRead,
          .call = [shape = row.x](const sylvite::Tensor& x, sylvite::Tensor& y,
                                  const sylvite::Context& context) {
            sylvite::expand_gradient(x, shape, y, context);
          }};
}

}  // namespace sylvite_runner
