#include "runner/job.h"
#include "runner/switch.h"
#include "support/cases.h"

namespace sylvite_runner {

Job space_batch(std::string_view text) {
  const sylvite_bench::Case row = sylvite_bench::parse_case(text);
  const sylvite::TensorInfo x{.dtype = row.dtype, .shape = row.shape};
  Job job{.name = row.name,
          .weight = row.weight,
          .x_dtype = row.dtype,
          .x_shape = row.shape,
          .x_strides = {},
          .y_dtype = row.dtype,
          .y_shape = {},
          .call = {}};
  if (row.op == sylvite_bench::Op::kSpaceToBatch) {
    const sylvite::SpaceToBatchArgs args{
        .block_shape = row.block, .paddings = row.pads, .layout = row.layout};
    job.y_shape = space_to_batch_shape(x, args);
    job.call = [args](const sylvite::Tensor& from, sylvite::Tensor& to,
                      const sylvite::Context& context) { space_to_batch(from, args, to, context); };
  } else {
    const sylvite::BatchToSpaceArgs args{
        .block_shape = row.block, .crops = row.pads, .layout = row.layout};
    job.y_shape = batch_to_space_shape(x, args);
    job.call = [args](const sylvite::Tensor& from, sylvite::Tensor& to,
                      const sylvite::Context& context) { batch_to_space(from, args, to, context); };
  }
  return job;
}

}  // namespace sylvite_runner
