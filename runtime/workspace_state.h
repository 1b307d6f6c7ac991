// What a workspace is behind its handle: blobs by name, and operators bound to them.
#pragma once

#include <any>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sylvite/workspace.h"

namespace sylvite {

struct OperatorCall::Slot {
  std::shared_ptr<internal::Blob> blob;
  std::string_view name;
  Tensor value = {};  ///< an output that waits for the operator to return
  std::any object = {};
  bool written = false;
  bool own_memory = false;  ///< made by OperatorCall::output
  bool is_input = false;    ///< an output that the operator also reads
};

namespace internal {

#ifdef __wasi__  // one thread, and a C++ library without mutexes
struct Mutex {
  void lock() const noexcept {}
  void unlock() const noexcept {}
};
#else
using Mutex = std::mutex;
#endif

/// The memory behind all blobs of a family, what several of them share counted once.
class MemoryCount {
 public:
  void add(const Tensor& tensor);
  void drop(const Tensor::Storage* storage) noexcept;
  MemoryUse use() const;

 private:
  struct Counted {
    int64_t bytes = 0;
    int64_t users = 0;  ///< at 0 the entry waits for the next storage at its place
  };
  /// A child's blobs may go on another thread than the parent is used on.
  mutable Mutex mutex_;
  std::unordered_map<const Tensor::Storage*, Counted> counted_;
  size_t live_ = 0;  ///< entries with users
  MemoryUse use_;
};

/// Bytes of the memory behind a tensor; of wrapped memory those of the elements, all that is known.
int64_t storage_bytes(const Tensor& tensor) noexcept;

struct Blob {
  explicit Blob(std::shared_ptr<MemoryCount> in) noexcept : memory(std::move(in)) {}
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;
  ~Blob();

  /// After each change of `tensor` or `spare`.
  void count();

  std::string_view type = {};  ///< empty: holds nothing
  Tensor tensor = {};
  std::any object = {};
  void* address = nullptr;  ///< of the value in `object`
  /// Whether the tensor's memory was made for this blob, so that a later run may write into it.
  bool own_memory = false;
  /// Memory of an earlier run that a view may still have needed when it was replaced.
  Tensor spare = {};
  std::shared_ptr<MemoryCount> memory;
  std::array<const Tensor::Storage*, 2> counted = {};
};

/// What a workspace and all of its children share.
struct WorkspaceFamily {
  std::atomic<const void*> owner = nullptr;  ///< the thread inside
  int depth = 0;                             ///< of that thread's calls
  uint64_t generation = 1;                   ///< counts changes of what names stand for
  std::shared_ptr<MemoryCount> memory = std::make_shared<MemoryCount>();
};

/// An operator bound to the blobs of a workspace.
struct BoundOperator {
  const OperatorDef* def = nullptr;
  const Registry::Entry* entry = nullptr;
  std::array<Runner, 3> run = {};  ///< by DeviceKind, bound when the first tensors there come
  std::vector<OperatorCall::Slot> inputs = {};
  std::vector<OperatorCall::Slot> outputs = {};
  uint64_t generation = 0;  ///< the family's when the blobs were looked up
};

struct BoundNet {
  std::vector<BoundOperator> operators;
  bool running = false;
};

/// A def run on its own, kept for the next time it comes.
struct CachedOperator {
  OperatorDef def;
  BoundOperator bound;
  bool running = false;
};

struct WorkspaceState : std::enable_shared_from_this<WorkspaceState> {
  WorkspaceState(std::shared_ptr<const Registry> with, const Context& in,
                 std::shared_ptr<WorkspaceFamily> of)
      : registry(std::move(with)), context(in), family(std::move(of)) {}

  std::shared_ptr<const Registry> registry;
  Context context;
  std::shared_ptr<WorkspaceFamily> family;
  std::map<std::string, std::shared_ptr<Blob>, std::less<>> blobs;
  std::map<std::string, std::string, std::less<>> forwarded;  ///< own name to the parent's
  bool is_child = false;
  std::weak_ptr<WorkspaceState> parent;
  std::shared_ptr<WorkspaceState> parent_kept_alive;  ///< but by the workspaces of a stack

  std::unordered_map<const Net::State*,
                     std::pair<std::shared_ptr<const Net::State>, std::shared_ptr<BoundNet>>>
      nets;
  std::unordered_multimap<size_t, std::shared_ptr<CachedOperator>> operators;

  /// Undoes attach().
  void detach(std::string_view name);
  /// Throws kInvalidArgument where the parent is gone.
  std::shared_ptr<WorkspaceState> parent_state() const;
  std::shared_ptr<Blob> new_blob() const { return std::make_shared<Blob>(family->memory); }
  /// nullptr where no name of this kind is known.
  std::shared_ptr<Blob> find(std::string_view name) const;
  /// Puts a blob where an unknown name would be created: in the parent of a forwarded name, else here.
  void attach(std::string_view name, std::shared_ptr<Blob> blob);
  void changed() noexcept { ++family->generation; }
};

/// Holds a family for the calling thread. Throws kInvalidArgument where another thread has it, or
/// calls nest too deeply.
class WorkspaceUse {
 public:
  explicit WorkspaceUse(const WorkspaceState& state);
  WorkspaceUse(const WorkspaceUse&) = delete;
  WorkspaceUse& operator=(const WorkspaceUse&) = delete;
  ~WorkspaceUse();

 private:
  WorkspaceFamily& family_;
};

/// A child of `parent`, which it keeps alive or not.
std::shared_ptr<WorkspaceState> make_child(const std::shared_ptr<WorkspaceState>& parent,
                                           bool keeps_parent);
/// Checks that the parent knows every outer name, then makes the inner names stand for them.
void forward_blobs(WorkspaceState& child, const WorkspaceState& parent, const Bindings& bindings,
                   std::string_view who);

/// Whether the memory of a tensor that an operator made may be written to once more.
bool reusable(const Tensor& tensor, DType dtype, const Shape& shape, Device device) noexcept;

void run_bound(const std::shared_ptr<WorkspaceState>& state, BoundOperator& op);
void run_net(const std::shared_ptr<WorkspaceState>& state, const Net& net);

}  // namespace internal
}  // namespace sylvite
