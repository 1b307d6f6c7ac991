// A workspace as text and as a graph: blobs, sizes, who shares what.
#include <algorithm>
#include <map>
#include <sstream>

#include "runtime/error.h"
#include "runtime/storage.h"
#include "runtime/workspace_state.h"

namespace sylvite {

using internal::Blob;
using internal::WorkspaceUse;

namespace {

using Blobs = std::map<std::string, std::shared_ptr<Blob>, std::less<>>;

int64_t storage_bytes(const Tensor& tensor) noexcept {
  const Tensor::Storage* storage = tensor.storage();
  if (storage == nullptr) return 0;
  // The size of wrapped memory is known by the elements in it alone.
  return storage->owned ? std::max(storage->allocated, storage->bytes) : tensor.byte_count();
}

/// The names of the local blobs on each storage.
std::map<const Tensor::Storage*, std::vector<std::string_view>> sharers_of(const Blobs& blobs) {
  std::map<const Tensor::Storage*, std::vector<std::string_view>> sharers;
  for (const auto& [name, blob] : blobs)
    if (blob->tensor.storage() != nullptr) sharers[blob->tensor.storage()].push_back(name);
  return sharers;
}

std::string quoted(std::string_view text) {
  std::ostringstream out;
  out << '"';
  for (const char c : text) out << (c == '"' || c == '\\' ? "\\" : "") << c;
  out << '"';
  return out.str();
}

}  // namespace

int64_t Workspace::bytes() const {
  const WorkspaceUse use(*state_);
  std::map<const Tensor::Storage*, int64_t> sizes;
  for (const auto& [name, blob] : state_->blobs) {
    for (const Tensor* tensor : {&blob->tensor, &blob->spare})
      if (tensor->storage() != nullptr) sizes[tensor->storage()] = storage_bytes(*tensor);
  }
  int64_t sum = 0;
  for (const auto& [storage, bytes] : sizes) sum += bytes;
  return sum;
}

std::string Workspace::describe() const {
  const WorkspaceUse use(*state_);
  const auto sharers = sharers_of(state_->blobs);
  std::ostringstream text;
  for (const auto& [name, blob] : state_->blobs) {
    text << name << ": ";
    if (blob->type != kTypeName<Tensor>) {
      text << (blob->type.empty() ? "nothing" : blob->type) << '\n';
      continue;
    }
    const Tensor& tensor = blob->tensor;
    text << sylvite::name(tensor.dtype()) << ' ' << tensor.shape() << ", " << tensor.byte_count()
         << " B on " << sylvite::name(tensor.device().kind);
    const auto shared = sharers.find(tensor.storage());
    if (shared != sharers.end() && shared->second.size() > 1) {
      text << ", shares its memory with";
      for (const std::string_view other : shared->second)
        if (other != name) text << ' ' << other;
    }
    text << '\n';
  }
  for (const auto& [inner, outer] : state_->forwarded)
    text << inner << ": the parent's " << outer << '\n';
  text << "in all: " << state_->blobs.size() << " blobs, " << bytes() << " B";
  if (const std::optional<MemoryUse> memory = state_->context.memory_use())
    text << "; live " << memory->live << " B, peak " << memory->peak << " B";
  text << '\n';
  return text.str();
}

std::string Workspace::to_dot() const {
  const WorkspaceUse use(*state_);
  std::ostringstream dot;
  dot << "digraph workspace {\n  node [shape=box];\n";
  for (const auto& [name, blob] : state_->blobs) {
    std::ostringstream label;
    label << name;
    if (blob->type == kTypeName<Tensor>) {
      label << "\\n"
            << sylvite::name(blob->tensor.dtype()) << ' ' << blob->tensor.shape() << "\\n"
            << blob->tensor.byte_count() << " B";
    } else {
      label << "\\n" << (blob->type.empty() ? "nothing" : blob->type);
    }
    dot << "  " << quoted(name) << " [label=\"" << label.str() << "\"];\n";
  }
  int group = 0;
  for (const auto& [storage, names] : sharers_of(state_->blobs)) {
    if (names.size() < 2) continue;
    const std::string memory = quoted("memory " + std::to_string(group++));
    dot << "  " << memory << " [shape=ellipse];\n";
    for (const std::string_view name : names)
      dot << "  " << quoted(name) << " -> " << memory << " [style=dashed];\n";
  }
  dot << "}\n";
  return dot.str();
}

}  // namespace sylvite
