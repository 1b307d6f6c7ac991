#include "runtime/plan.h"

#include <sstream>

#include "runtime/error.h"
#include "runtime/shape.h"

namespace sylvite {
namespace {

void require_planned(const Tensor& tensor, const TensorInfo& planned, std::string_view op,
                     std::string_view argument) {
  const bool same = tensor.dtype() == planned.dtype && tensor.shape() == planned.shape &&
                    tensor.strides() == planned.strides && tensor.device() == planned.device;
  internal::require_argument(same, op, ": ", argument, " is ", name(tensor.dtype()), tensor.shape(),
                             " with strides ", tensor.strides(), " on ", name(tensor.device().kind),
                             ", want the plan's ", name(planned.dtype), planned.shape,
                             " with strides ", planned.strides, " on ", name(planned.device.kind));
}

}  // namespace

void Plan::run(const Tensor& x, Tensor& y) const {
  require_planned(x, state_->x, state_->op, "X");
  require_planned(y, state_->y, state_->op, "Y");
  internal::require_apart(x, y, state_->op, "Y");
  state_->run(x, y);
}

const Explanation& Plan::explanation() const noexcept { return state_->explanation; }

std::string to_string(const Explanation& explanation) {
  std::ostringstream text;
  text << explanation.op << ": " << explanation.kernel << " on " << explanation.target << " ("
       << explanation.variant << "), " << explanation.bytes_read << " B read, "
       << explanation.bytes_written << " B written, " << explanation.kernel_calls << " boxes in "
       << explanation.tasks << " tasks, output " << explanation.output_shape;
  return text.str();
}

}  // namespace sylvite
