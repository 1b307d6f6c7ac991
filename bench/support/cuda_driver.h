// The few calls of the CUDA driver that timing takes, in the primary context of device 0, which the library
// uses too. libcuda.so.1 is opened when one of these is made.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sylvite_bench {

// Errors are std::runtime_error.
class CudaDriver {
 public:
  CudaDriver();

  /// The driver's own copy from device to device, on the default stream.
  void copy(void* target, const void* source, size_t bytes) const;

 private:
  int (*copy_)(uintptr_t target, uintptr_t source, size_t bytes, void* stream);
};

/// Two events on the default stream: what lies between them, by the device's clock.
class CudaTimer {
 public:
  CudaTimer();

  void begin() const;
  /// Waits for all that was launched since begin(); its seconds.
  double end() const;

 private:
  int (*record_)(void* event, void* stream);
  int (*synchronize_)(void* event);
  int (*elapsed_)(float* milliseconds, void* begin, void* end);
  void* begin_ = nullptr;  // of the process: the driver takes both back with the context
  void* end_ = nullptr;
};

}  // namespace sylvite_bench
