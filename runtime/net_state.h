// What a net is behind its handle.
#pragma once

#include <functional>
#include <string>
#include <string_view>
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

namespace internal {

/// Text in quotes, as Graphviz reads it.
std::string dot_quoted(std::string_view text);

/// The net as a graph whose blobs are labelled by `label_of`, which gives text that is quoted already;
/// `more` are further lines.
std::string net_as_dot(const Net& net,
                       const std::function<std::string(std::string_view blob)>& label_of,
                       const std::string& more);

}  // namespace internal
}  // namespace sylvite
