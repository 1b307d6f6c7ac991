// Operators by name and nets, between C and C++.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "runtime/c_api.h"
#include "sylvite/net.h"
#include "sylvite/workspace.h"

namespace sylvite::internal::c_api {

OperatorDef def_of(const sylvite_operator_def* def, const char* argument);
Bindings bindings_of(const sylvite_binding* bindings, int64_t count, const char* argument);

/// An operator of a net as C sees it, and the arrays that its fields point to.
struct DefView;

}  // namespace sylvite::internal::c_api

// NOLINTBEGIN(readability-identifier-naming): C's names
struct sylvite_net {
  explicit sylvite_net(sylvite::Net net);
  ~sylvite_net();

  sylvite::Net net;
  /// Of the operators that have been asked for.
  mutable std::map<int64_t, std::unique_ptr<sylvite::internal::c_api::DefView>> views;
};
// NOLINTEND(readability-identifier-naming)
