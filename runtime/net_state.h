// What a net is behind its handle.
#pragma once

#include <string>
#include <vector>

#include "sylvite/net.h"

namespace sylvite {

struct Net::State {
  std::string name;
  std::vector<OperatorDef> operators;
  std::vector<std::string> external_inputs;
  std::vector<std::string> external_outputs;
  bool outputs_given = false;
};

}  // namespace sylvite
