// A call that the runner makes: operands to be, and the operator.
#pragma once

#include <functional>
#include <string>

#include "support/operand.h"
#include "support/operator_rows.h"
#include "sylvite/sylvite.h"

namespace sylvite_runner {

struct Job {
  enum class Roof : uint8_t { kCopy, kFill, kRead };

  std::string name;
  double weight = 1;
  sylvite::DType x_dtype = sylvite::DType::kUInt8;
  sylvite::Shape x_shape;
  sylvite::Shape x_strides;  // empty: dense
  sylvite::DType y_dtype = sylvite::DType::kUInt8;
  sylvite::Shape y_shape;
  Roof roof = Roof::kCopy;
  /// The operator on any operands of these shapes.
  std::function<void(const sylvite::Tensor& x, sylvite::Tensor& y, const sylvite::Context&)> call;

  int64_t x_bytes() const { return sylvite_bench::byte_count(x_dtype, x_shape); }
  int64_t y_bytes() const { return sylvite_bench::byte_count(y_dtype, y_shape); }
};

/// Memory that begins `offset` bytes after a line's start and ends where no page is, but for the rest of
/// its last line: a call that reads or writes behind that dies.
class Guarded {
 public:
  Guarded(int64_t bytes, int64_t offset);
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  Guarded(Guarded&&) = delete;
  Guarded& operator=(Guarded&&) = delete;
  ~Guarded();

  char* data() const { return data_; }

 private:
  void* base_;
  size_t mapped_;
  char* data_;
};

/// The operands of a job on the CPU or a GPU.
class Operands {
 public:
  Operands(const Job& job, sylvite::Device device, bool special_values);

  void call(const sylvite::Context& context) { job_.call(x_, y_, context); }
  /// Overwrites y; then one call. The bytes it wrote.
  std::string written(const sylvite::Context& context);

 private:
  const Job& job_;
  sylvite::Device device_;
  Guarded x_memory_;
  Guarded y_memory_;
  sylvite::Tensor x_;
  sylvite::Tensor y_;
};

}  // namespace sylvite_runner
