#include "support/roof.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sylvite_bench {
namespace {

constexpr size_t kLine = 64;

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

void plain_copy(char* target, const char* source, size_t bytes) {
  std::memcpy(target, source, bytes);
}

void plain_fill(char* target, const char* /*source*/, size_t bytes) {
  std::memset(target, 0x5A, bytes);
}

// What is read must be used: what all words give together goes to the target.
void plain_read(char* target, const char* source, size_t bytes) {
  uint64_t sum = 0;
  for (size_t i = 0; i + sizeof sum <= bytes; i += sizeof sum) {
    uint64_t word = 0;
    std::memcpy(&word, source + i, sizeof word);
    sum += word;
  }
  std::memcpy(target, &sum, std::min(bytes, sizeof sum));
}

void grow(Buffer& buffer, int64_t bytes) {
  if (buffer.bytes() < bytes) buffer = Buffer(bytes);
}

#if defined(__x86_64__)
// The streams want a target aligned to a line: `lines` handles that part, memcpy the ends.
template <typename Lines>
void copy_around(char* target, const char* source, size_t bytes, Lines lines) {
  const size_t head = std::min(bytes, -reinterpret_cast<uintptr_t>(target) % kLine);
  const size_t body = (bytes - head) / kLine * kLine;
  std::memcpy(target, source, head);
  lines(target + head, source + head, body);
  std::memcpy(target + head + body, source + head + body, bytes - head - body);
  _mm_sfence();
}

__attribute__((target("avx512f"))) void lines_avx512(char* target, const char* source,
                                                     size_t bytes) {
  size_t i = 0;
  for (; i + 4 * kLine <= bytes; i += 4 * kLine) {
    const __m512i a = _mm512_loadu_si512(source + i);
    const __m512i b = _mm512_loadu_si512(source + i + kLine);
    const __m512i c = _mm512_loadu_si512(source + i + 2 * kLine);
    const __m512i d = _mm512_loadu_si512(source + i + 3 * kLine);
    _mm512_stream_si512(reinterpret_cast<__m512i*>(target + i), a);
    _mm512_stream_si512(reinterpret_cast<__m512i*>(target + i + kLine), b);
    _mm512_stream_si512(reinterpret_cast<__m512i*>(target + i + 2 * kLine), c);
    _mm512_stream_si512(reinterpret_cast<__m512i*>(target + i + 3 * kLine), d);
  }
  for (; i < bytes; i += kLine)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(target + i), _mm512_loadu_si512(source + i));
}

__attribute__((target("avx2"))) void lines_avx2(char* target, const char* source, size_t bytes) {
  constexpr size_t kVector = sizeof(__m256i);
  for (size_t i = 0; i < bytes; i += 2 * kVector) {
    const auto* from = reinterpret_cast<const __m256i*>(source + i);
    auto* to = reinterpret_cast<__m256i*>(target + i);
    const __m256i a = _mm256_loadu_si256(from);
    const __m256i b = _mm256_loadu_si256(from + 1);
    _mm256_stream_si256(to, a);
    _mm256_stream_si256(to + 1, b);
  }
}

void lines_sse2(char* target, const char* source, size_t bytes) {
  for (size_t i = 0; i < bytes; i += sizeof(__m128i))
    _mm_stream_si128(reinterpret_cast<__m128i*>(target + i),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(source + i)));
}

// memset ends that are no whole lines.
template <typename Lines>
void fill_around(char* target, size_t bytes, Lines lines) {
  const size_t head = std::min(bytes, -reinterpret_cast<uintptr_t>(target) % kLine);
  const size_t body = (bytes - head) / kLine * kLine;
  std::memset(target, 0x5A, head);
  lines(target + head, body);
  std::memset(target + head + body, 0x5A, bytes - head - body);
  _mm_sfence();
}

__attribute__((target("avx512f"))) void fill_lines_avx512(char* target, size_t bytes) {
  const __m512i value = _mm512_set1_epi32(0x5A5A5A5A);
  for (size_t i = 0; i < bytes; i += kLine)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(target + i), value);
}

void fill_lines_sse2(char* target, size_t bytes) {
  const __m128i value = _mm_set1_epi32(0x5A5A5A5A);
  for (size_t i = 0; i < bytes; i += sizeof value)
    _mm_stream_si128(reinterpret_cast<__m128i*>(target + i), value);
}

void fill_avx512(char* target, const char* /*source*/, size_t bytes) {
  fill_around(target, bytes, fill_lines_avx512);
}

void fill_sse2(char* target, const char* /*source*/, size_t bytes) {
  fill_around(target, bytes, fill_lines_sse2);
}

__attribute__((target("avx512f"))) void read_avx512(char* target, const char* source,
                                                    size_t bytes) {
  constexpr size_t kStep = 8 * kLine;
  __m512i sums[8] = {};
  size_t i = 0;
  for (; i + kStep <= bytes; i += kStep)
    for (size_t j = 0; j < 8; ++j)
      sums[j] = _mm512_xor_si512(sums[j], _mm512_loadu_si512(source + i + j * kLine));
  plain_read(target, source + i, bytes - i);
  for (size_t j = 1; j < 8; ++j) sums[0] = _mm512_xor_si512(sums[0], sums[j]);
  if (bytes >= kLine) _mm512_storeu_si512(target, sums[0]);
}

__attribute__((target("avx2"))) void read_avx2(char* target, const char* source, size_t bytes) {
  constexpr size_t kVector = sizeof(__m256i);
  constexpr size_t kStep = 8 * kVector;
  __m256i sums[8] = {};
  size_t i = 0;
  for (; i + kStep <= bytes; i += kStep)
    for (size_t j = 0; j < 8; ++j)
      sums[j] = _mm256_xor_si256(
          sums[j], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(source + i + j * kVector)));
  plain_read(target, source + i, bytes - i);
  for (size_t j = 1; j < 8; ++j) sums[0] = _mm256_xor_si256(sums[0], sums[j]);
  if (bytes >= kVector) _mm256_storeu_si256(reinterpret_cast<__m256i*>(target), sums[0]);
}

void copy_avx512(char* target, const char* source, size_t bytes) {
  copy_around(target, source, bytes, lines_avx512);
}

void copy_avx2(char* target, const char* source, size_t bytes) {
  copy_around(target, source, bytes, lines_avx2);
}

void copy_sse2(char* target, const char* source, size_t bytes) {
  copy_around(target, source, bytes, lines_sse2);
}
#endif

Copy non_temporal_fill() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") ? fill_avx512 : fill_sse2;
#else
  return plain_fill;
#endif
}

Copy fastest_read() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return read_avx512;
  if (__builtin_cpu_supports("avx2")) return read_avx2;
#endif
  return plain_read;
}

}  // namespace

Copy non_temporal_copy() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return copy_avx512;
  if (__builtin_cpu_supports("avx2")) return copy_avx2;
  return copy_sse2;
#else
  return plain_copy;
#endif
}

CopyPool::CopyPool(int threads) : threads_(threads) {
  for (int index = 1; index < threads; ++index)
    workers_.emplace_back([this, index] { work(index); });
}

CopyPool::~CopyPool() {
  stopped_ = true;
  wake();
  for (std::thread& worker : workers_) worker.join();
}

void CopyPool::wake() {
  awake_ = true;
  awake_.notify_all();
}

void CopyPool::rest() { awake_ = false; }

void CopyPool::run(Copy copy, char* target, const char* source, size_t bytes) {
  job_ = {.copy = copy, .target = target, .source = source, .bytes = bytes};
  pending_.store(threads_ - 1, std::memory_order_relaxed);
  ticket_.fetch_add(1, std::memory_order_release);
  copy_part(0);
  while (pending_.load(std::memory_order_acquire) != 0) relax();
}

void CopyPool::work(int index) {
  uint64_t done = 0;
  while (!stopped_) {
    awake_.wait(false);
    while (awake_.load(std::memory_order_relaxed) && !stopped_.load(std::memory_order_relaxed)) {
      const uint64_t ticket = ticket_.load(std::memory_order_acquire);
      if (ticket == done) {
        relax();
        continue;
      }
      copy_part(index);
      done = ticket;
      pending_.fetch_sub(1, std::memory_order_release);
    }
  }
}

void CopyPool::copy_part(int index) const {
  const size_t lines = (job_.bytes + kLine - 1) / kLine;
  const auto edge = [&](int part) {
    return std::min(job_.bytes,
                    lines * static_cast<size_t>(part) / static_cast<size_t>(threads_) * kLine);
  };
  const size_t begin = edge(index);
  job_.copy(job_.target + begin, job_.source + begin, edge(index + 1) - begin);
}

Contestant Roof::shared(const char* name, Copy copy, int64_t bytes) {
  return {.name = name,
          .role = Contestant::Role::kRoof,
          .call =
              [this, copy, bytes] {
                pool_.run(copy, target_.data(), source_.data(), static_cast<size_t>(bytes));
              },
          .before = [this] { pool_.wake(); },
          .after = [this] { pool_.rest(); }};
}

Contestant Roof::alone(const char* name, Copy copy, int64_t bytes) {
  return {.name = name, .role = Contestant::Role::kRoof, .call = [this, copy, bytes] {
            copy(target_.data(), source_.data(), static_cast<size_t>(bytes));
          }};
}

std::vector<Contestant> Roof::copies(int64_t bytes) {
  grow(source_, bytes);
  grow(target_, bytes);
  std::vector<Contestant> all = {alone("memcpy_1_thread", plain_copy, bytes)};
  if (threads_ > 1) all.push_back(shared("memcpy_all_threads", plain_copy, bytes));
  all.push_back(shared("non_temporal_all_threads", non_temporal_copy(), bytes));
  return all;
}

std::vector<Contestant> Roof::fills(int64_t bytes) {
  grow(target_, bytes);
  std::vector<Contestant> all = {alone("memset_1_thread", plain_fill, bytes)};
  if (threads_ > 1) all.push_back(shared("memset_all_threads", plain_fill, bytes));
  all.push_back(shared("non_temporal_fill_all_threads", non_temporal_fill(), bytes));
  return all;
}

std::vector<Contestant> Roof::reads(int64_t bytes) {
  grow(source_, bytes);
  grow(target_, bytes);
  std::vector<Contestant> all = {alone("read_1_thread", fastest_read(), bytes)};
  if (threads_ > 1) all.push_back(shared("read_all_threads", fastest_read(), bytes));
  return all;
}

}  // namespace sylvite_bench
