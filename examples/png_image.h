// Pictures as 8-bit RGB in memory, PNG on disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace demo {

struct Picture {
  int64_t width = 0;
  int64_t height = 0;
  /// width * height pixels, row by row, red, green and blue of a pixel side by side.
  std::vector<uint8_t> rgb = {};
};

/// Any PNG: grey, palette and 16-bit pictures become 8-bit RGB, transparency becomes white.
/// Throws std::runtime_error that names the file.
Picture read_png(const std::string& path);

/// Throws std::runtime_error that names the file.
void write_png(const std::string& path, const Picture& picture);

}  // namespace demo
