// Memory between two pages that may not be touched.
#pragma once

#include <cstdint>
#include <span>

namespace sylvite::test {

/// `size` bytes with an inaccessible page directly before and behind their pages. Placed flush to
/// one of the two; `shift` moves them away from it by that many bytes, for odd addresses.
class GuardedBuffer {
 public:
  enum class Flush : uint8_t { kStart, kEnd };

  explicit GuardedBuffer(int64_t size, Flush flush = Flush::kEnd, int shift = 0);
  GuardedBuffer(GuardedBuffer&& other) noexcept;
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(GuardedBuffer&&) = delete;
  ~GuardedBuffer();

  uint8_t* data() const noexcept { return data_; }
  std::span<uint8_t> bytes() const noexcept { return {data_, static_cast<size_t>(size_)}; }
  /// Everything between the guards: the bytes and what rounding to pages leaves beside them.
  std::span<uint8_t> accessible() const noexcept;
  void protect_from_writes();

 private:
  int64_t size_;
  int64_t mapped_;
  uint8_t* mapping_;
  uint8_t* data_;
};

}  // namespace sylvite::test
