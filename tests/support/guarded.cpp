#include "support/guarded.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace sylvite::test {
namespace {

int64_t page_size() {
  static const int64_t kSize = sysconf(_SC_PAGESIZE);
  return kSize;
}

void require_success(int result, const char* what) {
  if (result != 0) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

GuardedBuffer::GuardedBuffer(int64_t size, Flush flush, int shift) : size_(size) {
  const int64_t page = page_size();
  const int64_t inner = (size + shift + page) / page * page;
  mapped_ = inner + 2 * page;
  void* mapping = mmap(nullptr, static_cast<size_t>(mapped_), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  mapping_ = static_cast<uint8_t*>(mapping);
  const auto length = static_cast<size_t>(page);
  require_success(mprotect(mapping_, length, PROT_NONE), "mprotect");
  require_success(mprotect(mapping_ + page + inner, length, PROT_NONE), "mprotect");
  data_ = flush == Flush::kStart ? mapping_ + page + shift : mapping_ + page + inner - shift - size;
}

GuardedBuffer::GuardedBuffer(GuardedBuffer&& other) noexcept
    : size_(other.size_), mapped_(other.mapped_), mapping_(other.mapping_), data_(other.data_) {
  other.mapping_ = nullptr;
}

GuardedBuffer::~GuardedBuffer() {
  if (mapping_ != nullptr) munmap(mapping_, static_cast<size_t>(mapped_));
}

std::span<uint8_t> GuardedBuffer::accessible() const noexcept {
  return {mapping_ + page_size(), static_cast<size_t>(mapped_ - 2 * page_size())};
}

void GuardedBuffer::protect_from_writes() {
  require_success(mprotect(mapping_ + page_size(), accessible().size(), PROT_READ), "mprotect");
}

}  // namespace sylvite::test
