#include "sylvite/half_storage.h"

#include "runtime/error.h"
#include "sylvite/cast.h"

namespace sylvite {

using internal::require_argument;

namespace {

OperatorDef cast_to(DType dtype, std::string x, std::string y) {
  return {.type = "Cast",
          .inputs = {std::move(x)},
          .outputs = {std::move(y)},
          .arguments = {{"to", std::string(name(dtype))}}};
}

}  // namespace

HalfStorage::HalfStorage(DType half) : half_(half) {
  require_argument(half == DType::kFloat16 || half == DType::kBFloat16, "HalfStorage: dtype is ",
                   name(half), ", want float16 or bfloat16");
}

std::string HalfStorage::copy_of(std::string_view name) { return std::string(name) + "_float32"; }

void HalfStorage::store(Workspace& workspace, const std::string& name) const {
  const Tensor value = workspace.get(name);
  require_argument(value.dtype() >= DType::kFloat16 && value.dtype() <= DType::kFloat64,
                   "HalfStorage: blob ", name, " is ", sylvite::name(value.dtype()),
                   ", want a floating dtype");
  workspace.feed(copy_of(name), cast(value, DType::kFloat32, workspace.context()));
  workspace.feed(name, cast(value, half_, workspace.context()));
}

OperatorDef HalfStorage::widen(const std::string& name, std::string wide) const {
  return cast_to(DType::kFloat32, name, std::move(wide));
}

std::vector<OperatorDef> HalfStorage::update(const std::string& name,
                                             const std::string& step) const {
  const std::string copy = copy_of(name);
  const std::string wide_step = copy + "_step";
  return {cast_to(DType::kFloat32, step, wide_step),
          {.type = "Add", .inputs = {copy, wide_step}, .outputs = {copy}},
          cast_to(half_, copy, name)};
}

}  // namespace sylvite
