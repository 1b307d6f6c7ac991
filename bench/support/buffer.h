// Memory of the bench: aligned to 64 bytes and touched, so that no timed call meets a page fault.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace sylvite_bench {

class Buffer {
 public:
  Buffer() = default;
  /// `offset` bytes after the aligned address.
  explicit Buffer(int64_t bytes, int64_t offset = 0) : bytes_(bytes) {
    const auto room = static_cast<size_t>((bytes + offset + kAlignment) & -kAlignment);
    base_ = std::aligned_alloc(kAlignment, room);
    if (!base_) throw std::bad_alloc();
    std::memset(base_, 0xA5, room);
    data_ = static_cast<char*>(base_) + offset;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&&) = delete;
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Buffer() { std::free(base_); }

  char* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

  void fill_with_noise() {
    uint64_t state = 0x9E3779B97F4A7C15;
    for (int64_t i = 0; i < bytes_; i += static_cast<int64_t>(sizeof state)) {
      state = state * 6364136223846793005 + 1442695040888963407;
      std::memcpy(data_ + i, &state, std::min(sizeof state, static_cast<size_t>(bytes_ - i)));
    }
  }

 private:
  static constexpr int64_t kAlignment = 64;
  void* base_ = nullptr;
  char* data_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace sylvite_bench
