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
  int depth = 1;  ///< 1 more than the deepest net among the arguments of its operators
};

namespace internal {

/// Nets are run, derived and destroyed on the machine's stack: 1.5 KiB a level to run them (GCC 12,
/// x86-64), in the 128 KiB that musl gives a thread.
constexpr int kMaxNetDepth = 64;

/// Text in quotes, as Graphviz reads it.
std::string dot_quoted(std::string_view text);

/// The net as a graph whose blobs are labelled by `label_of`, which gives text that is quoted already;
/// `more` are further lines.
std::string net_as_dot(const Net& net,
                       const std::function<std::string(std::string_view blob)>& label_of,
                       const std::string& more);

}  // namespace internal
}  // namespace sylvite
