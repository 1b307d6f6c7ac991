// What LLVM's thread sanitizer calls in a kernel and GCC 12's does not have. The ordinary functions
// are intercepted, so the accesses are still checked.
#include <cstring>

extern "C" {

void* __tsan_memset(void* to, int value, std::size_t bytes) {
  return std::memset(to, value, bytes);
}

void* __tsan_memcpy(void* to, const void* from, std::size_t bytes) {
  return std::memcpy(to, from, bytes);
}

void* __tsan_memmove(void* to, const void* from, std::size_t bytes) {
  return std::memmove(to, from, bytes);
}
}
