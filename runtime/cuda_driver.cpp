#include "runtime/cuda_driver.h"

#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cstddef>

namespace sylvite::internal::cuda {
namespace {

constexpr int kMaxDevices = 64;
constexpr int kMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
constexpr int kMinor = 76;

template <typename Function>
Function symbol(const char* name) noexcept {
  void* library = dlopen("libcuda.so.1", RTLD_LAZY);
  return library ? reinterpret_cast<Function>(dlsym(library, name)) : nullptr;
}

/// Device ordinal to the driver's handle; -1 where there is none.
int handle(int device) noexcept {
  const auto init = symbol<int (*)(unsigned)>("cuInit");
  const auto get = symbol<int (*)(int*, int)>("cuDeviceGet");
  int found = -1;
  if (device < 0 || device >= kMaxDevices || !init || !get || init(0) != 0 ||
      get(&found, device) != 0) {
    return -1;
  }
  return found;
}

}  // namespace

int capability(int device) noexcept {
  static constinit std::array<std::atomic<int>, kMaxDevices> known = {};  // capability + 1
  if (device < 0 || device >= kMaxDevices) return 0;
  std::atomic<int>& slot = known[static_cast<size_t>(device)];
  int answer = slot.load(std::memory_order_relaxed);
  if (answer == 0) {
    const int of = handle(device);
    const auto attribute = symbol<int (*)(int*, int, int)>("cuDeviceGetAttribute");
    int major = 0;
    int minor = 0;
    if (of >= 0 && attribute && attribute(&major, kMajor, of) == 0) attribute(&minor, kMinor, of);
    answer = major * 10 + minor + 1;
    slot.store(answer, std::memory_order_relaxed);
  }
  return answer - 1;
}

void* primary_context(int device) noexcept {
  static constinit std::array<std::atomic<void*>, kMaxDevices> known = {};
  if (device < 0 || device >= kMaxDevices) return nullptr;
  std::atomic<void*>& slot = known[static_cast<size_t>(device)];
  void* context = slot.load(std::memory_order_acquire);
  if (context == nullptr) {
    const int of = handle(device);
    const auto retain = symbol<int (*)(void**, int)>("cuDevicePrimaryCtxRetain");
    if (of < 0 || !retain || retain(&context, of) != 0) return nullptr;
    slot.store(context, std::memory_order_release);
  }
  return context;
}

}  // namespace sylvite::internal::cuda
