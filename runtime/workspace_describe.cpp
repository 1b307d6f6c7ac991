// A workspace as text and as a graph: blobs, sizes, who shares what.
#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "runtime/error.h"
#include "runtime/net_state.h"
#include "runtime/storage.h"
#include "runtime/workspace_state.h"

namespace sylvite {

using internal::Blob;
using internal::dot_quoted;
using internal::storage_bytes;
using internal::WorkspaceUse;

namespace internal {

int64_t storage_bytes(const Tensor& tensor) noexcept {
  const Tensor::Storage* storage = tensor.storage();
  if (storage == nullptr) return 0;
  return storage->owned ? std::max(storage->allocated, storage->bytes) : tensor.byte_count();
}

void MemoryCount::add(const Tensor& tensor) {
  const std::lock_guard lock(mutex_);
  // Entries that nobody uses are few where the same net runs again and again.
  if (counted_.size() > 64 && counted_.size() > 4 * live_)
    std::erase_if(counted_, [](const auto& entry) { return entry.second.users == 0; });
  Counted& entry = counted_[tensor.storage()];
  if (entry.users++ > 0) return;
  entry.bytes = storage_bytes(tensor);
  ++live_;
  use_.live += entry.bytes;
  use_.peak = std::max(use_.peak, use_.live);
}

void MemoryCount::drop(const Tensor::Storage* storage) noexcept {
  const std::lock_guard lock(mutex_);
  Counted& entry = counted_.find(storage)->second;
  if (--entry.users > 0) return;
  --live_;
  use_.live -= entry.bytes;
}

MemoryUse MemoryCount::use() const {
  const std::lock_guard lock(mutex_);
  return use_;
}

Blob::~Blob() {
  for (const Tensor::Storage* storage : counted)
    if (storage != nullptr) memory->drop(storage);
}

void Blob::count() {
  const std::array<const Tensor*, 2> now = {&tensor, &spare};
  for (size_t i = 0; i < counted.size(); ++i) {
    if (now[i]->storage() == counted[i]) continue;
    if (now[i]->storage() != nullptr) memory->add(*now[i]);
    if (counted[i] != nullptr) memory->drop(counted[i]);
    counted[i] = now[i]->storage();
  }
}

}  // namespace internal

namespace {

using Blobs = std::map<std::string, std::shared_ptr<Blob>, std::less<>>;

/// The names of the local blobs on each storage.
std::map<const Tensor::Storage*, std::vector<std::string_view>> sharers_of(const Blobs& blobs) {
  std::map<const Tensor::Storage*, std::vector<std::string_view>> sharers;
  for (const auto& [name, blob] : blobs)
    if (blob->tensor.storage() != nullptr) sharers[blob->tensor.storage()].push_back(name);
  return sharers;
}

/// Name, dtype, shape and bytes, quoted for Graphviz.
std::string label_of(std::string_view name, const Blob& blob) {
  std::ostringstream label;
  label << name << '\n';
  if (blob.type == kTypeName<Tensor>) {
    label << sylvite::name(blob.tensor.dtype()) << ' ' << blob.tensor.shape() << '\n'
          << blob.tensor.byte_count() << " B";
  } else {
    label << (blob.type.empty() ? "nothing" : blob.type);
  }
  return dot_quoted(label.str());
}

}  // namespace

int64_t Workspace::peak_bytes() const {
  const WorkspaceUse use(*state_);
  return state_->family->memory->use().peak;
}

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
  text << "in all: " << state_->blobs.size() << " blobs, " << bytes() << " B; at most "
       << peak_bytes() << " B with parents and children";
  if (const std::optional<MemoryUse> memory = state_->context.memory_use())
    text << "; through the meter live " << memory->live << " B, peak " << memory->peak << " B";
  text << '\n';
  return text.str();
}

std::string Workspace::to_dot() const {
  const WorkspaceUse use(*state_);
  std::ostringstream dot;
  dot << "digraph workspace {\n  label=\"" << bytes() << " B, at most " << peak_bytes()
      << " B with parents and children\";\n  node [shape=box];\n";
  for (const auto& [name, blob] : state_->blobs)
    dot << "  " << dot_quoted(name) << " [label=" << label_of(name, *blob) << "];\n";
  for (const auto& [inner, outer] : state_->forwarded) {
    const std::string parents = dot_quoted("parent " + outer);
    dot << "  " << parents << " [label=" << dot_quoted(outer) << ", style=dashed];\n  "
        << dot_quoted(inner) << " -> " << parents << ";\n";
  }
  int group = 0;
  for (const auto& [storage, names] : sharers_of(state_->blobs)) {
    if (names.size() < 2) continue;
    const std::string memory = dot_quoted("memory " + std::to_string(group++));
    dot << "  " << memory << " [shape=ellipse];\n";
    for (const std::string_view name : names)
      dot << "  " << dot_quoted(name) << " -> " << memory << " [style=dashed];\n";
  }
  dot << "}\n";
  return dot.str();
}

std::string Net::to_dot(const Workspace& workspace) const {
  const WorkspaceUse use(*workspace.state());
  std::map<const Tensor::Storage*, std::string> first_on;
  std::ostringstream shared;
  std::set<std::string_view> names;
  for (const OperatorDef& def : operators()) {
    names.insert(def.inputs.begin(), def.inputs.end());
    names.insert(def.outputs.begin(), def.outputs.end());
  }
  for (const std::string_view name : names) {
    const std::shared_ptr<Blob> blob = workspace.state()->find(name);
    if (blob == nullptr || blob->tensor.storage() == nullptr) continue;
    const std::string node = dot_quoted("blob " + std::string(name));
    const auto [first, is_new] = first_on.emplace(blob->tensor.storage(), node);
    if (!is_new)
      shared << "  " << first->second << " -> " << node << " [style=dashed, dir=none];\n";
  }
  return internal::net_as_dot(
      *this,
      [&](std::string_view name) {
        const std::shared_ptr<Blob> blob = workspace.state()->find(name);
        return blob == nullptr ? dot_quoted(name) : label_of(name, *blob);
      },
      shared.str());
}

}  // namespace sylvite
