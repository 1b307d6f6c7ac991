#include "support/cuda_driver.h"

#include <dlfcn.h>

#include <stdexcept>
#include <string>

#include "runtime/cuda_driver.h"

namespace sylvite_bench {
namespace {

void require_success(int result, const char* what) {
  if (result != 0) {
    throw std::runtime_error(std::string("CUDA: ") + what + " failed with " +
                             std::to_string(result));
  }
}

template <typename Function>
void find(void* library, const char* name, Function*& function) {
  void* symbol = dlsym(library, name);
  if (symbol == nullptr) throw std::runtime_error(std::string("libcuda.so.1 lacks ") + name);
  function = reinterpret_cast<Function*>(symbol);
}

/// The driver, with the primary context of device 0 the calling thread's.
void* driver_of_this_thread() {
  void* library = dlopen("libcuda.so.1", RTLD_NOW);
  if (library == nullptr) throw std::runtime_error("libcuda.so.1 cannot be opened");
  int (*set_current)(void*);
  find(library, "cuCtxSetCurrent", set_current);
  void* context = sylvite::internal::cuda::primary_context(0);
  if (context == nullptr) throw std::runtime_error("CUDA: no context on device 0");
  require_success(set_current(context), "cuCtxSetCurrent");
  return library;
}

}  // namespace

CudaDriver::CudaDriver() { find(driver_of_this_thread(), "cuMemcpyDtoDAsync_v2", copy_); }

void CudaDriver::copy(void* target, const void* source, size_t bytes) const {
  require_success(copy_(reinterpret_cast<uintptr_t>(target), reinterpret_cast<uintptr_t>(source),
                        bytes, nullptr),
                  "cuMemcpyDtoDAsync");
}

CudaTimer::CudaTimer() {
  void* library = driver_of_this_thread();
  int (*create)(void**, unsigned);
  find(library, "cuEventCreate", create);
  find(library, "cuEventRecord", record_);
  find(library, "cuEventSynchronize", synchronize_);
  find(library, "cuEventElapsedTime", elapsed_);
  require_success(create(&begin_, 0), "cuEventCreate");
  require_success(create(&end_, 0), "cuEventCreate");
}

void CudaTimer::begin() const { require_success(record_(begin_, nullptr), "cuEventRecord"); }

double CudaTimer::end() const {
  require_success(record_(end_, nullptr), "cuEventRecord");
  require_success(synchronize_(end_), "cuEventSynchronize");
  float milliseconds = 0;
  require_success(elapsed_(&milliseconds, begin_, end_), "cuEventElapsedTime");
  return static_cast<double>(milliseconds) * 1e-3;
}

}  // namespace sylvite_bench
