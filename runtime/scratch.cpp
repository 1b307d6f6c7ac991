#include "runtime/scratch.h"

#include <new>

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/halide_call.h"

namespace sylvite::internal {
namespace {

constexpr int64_t kLine = 64;

}  // namespace

Scratch::~Scratch() {
  while (blocks_ != nullptr) {
    Block* block = blocks_;
    blocks_ = block->next;
    deallocate(context_.allocator(), block, block->bytes);
  }
}

void* Scratch::take_bytes(int64_t count, size_t element_bytes) {
  const Checked wanted = checked_add(checked_mul(count, static_cast<int64_t>(element_bytes)),
                                     2 * kLine);  // a header, a rest
  require(wanted.has_value(), ErrorCode::kOutOfMemory, op_, ": ", count,
          " elements of scratch are beyond int64");
  const int64_t bytes = (*wanted - kLine) / kLine * kLine;
  if (bytes <= static_cast<int64_t>(own_.size()) - used_) {
    used_ += bytes;
    return own_.data() + used_ - bytes;
  }
  void* memory = allocate(context_.allocator(), bytes + kLine);
  require(memory != nullptr, ErrorCode::kOutOfMemory, op_, ": no memory for ", bytes,
          " bytes of scratch");
  blocks_ = new (memory) Block{.next = blocks_, .bytes = bytes + kLine};
  return static_cast<std::byte*>(memory) + kLine;
}

}  // namespace sylvite::internal
