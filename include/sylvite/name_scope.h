// Name scopes: "encoder/layer1" in front of the names of blobs.
#pragma once

#include <string>
#include <string_view>

#include "sylvite/net.h"
#include "sylvite/workspace.h"

namespace sylvite {

/// A prefix of blob names. A value: nothing is entered or left, whoever holds it may use it.
///
///   const NameScope layer = NameScope("encoder").scope("layer1");
///   layer("w");                            // "encoder/layer1/w"
///   workspace.run(layer(OperatorDef{…}));  // the same operator on the layer's blobs
class NameScope {
 public:
  /// The root: names stay as they are.
  NameScope() = default;
  /// One part or several with '/' between them. Throws kInvalidArgument where a part is empty.
  explicit NameScope(std::string_view name);

  NameScope scope(std::string_view name) const;
  /// "encoder/layer1"; empty for the root.
  const std::string& name() const noexcept { return name_; }

  /// A blob's name in the scope; one that begins with '/' is taken from the root instead: "/step" is
  /// "step". Throws kInvalidArgument where the name is empty, or a part of it.
  std::string operator()(std::string_view blob) const;
  /// The operator on the scope's blobs; names inside a subnet are its own and stay.
  OperatorDef operator()(OperatorDef def) const;
  /// The net on the scope's blobs, and under the scope's name.
  Net operator()(const Net& net) const;

  /// The blob's name in the scope or, where the workspace has it, the first of "<name>_1", "<name>_2", …
  /// that it has not: for names made while a program runs.
  std::string unused(const Workspace& workspace, std::string_view blob) const;

 private:
  std::string name_;
};

}  // namespace sylvite
