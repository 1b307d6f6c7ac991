#include "runner/job.h"
#include "runner/switch.h"

namespace sylvite_runner {

Job expand(std::string_view text) {
  const sylvite_bench::ExpandRow row = sylvite_bench::parse_expand_row(text);
  return {.name = row.name,
          .weight = row.weight,
          .x_dtype = row.dtype,
          .x_shape = row.x,
          .x_strides = {},
          .y_dtype = row.dtype,
          .y_shape = row.y,
          .roof = Job::Roof::kFill,
          .call = [shape = row.y](const sylvite::Tensor& x, sylvite::Tensor& y,
                                  const sylvite::Context& context) {
            sylvite::expand(x, shape, y, context);
          }};
}

}  // namespace sylvite_runner
