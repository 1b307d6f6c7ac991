#include "support/rows.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace sylvite_bench {

void fail(std::string_view column, std::string_view got, std::string_view want) {
  std::ostringstream message;
  message << column << " is '" << got << "', want " << want;
  throw std::runtime_error(message.str());
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  while (true) {
    const size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

int64_t parse_integer(std::string_view column, std::string_view text, int64_t least) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least)
    fail(column, text, "an integer of at least " + std::to_string(least));
  return value;
}

sylvite::DType parse_dtype(std::string_view text) {
  for (int code = 0; code <= static_cast<int>(sylvite::DType::kString); ++code)
    if (name(static_cast<sylvite::DType>(code)) == text) return static_cast<sylvite::DType>(code);
  fail("dtype", text, "a dtype's name, e.g. float32");
}

sylvite::Shape parse_shape(std::string_view text) {
  sylvite::Shape shape;
  for (const std::string_view part : split(text, 'x'))
    shape.push_back(parse_integer("shape", part, 1));
  return shape;
}

double parse_number(std::string_view column, const std::string& text) {
  size_t used = 0;
  double value = -1;
  try {
    value = std::stod(text, &used);
  } catch (const std::logic_error&) {
    used = 0;
  }
  if (used != text.size() || !(value >= 0)) fail(column, text, "a number of at least 0");
  return value;
}

double parse_weight(const std::string& text) {
  const double weight = parse_number("weight", text);
  if (weight == 0) fail("weight", text, "a number above 0");
  return weight;
}

std::vector<std::string> words_of(std::string_view line) {
  std::istringstream stream{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(std::move(word));
  return words;
}

std::vector<Line> read_lines(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(file + ": cannot be read");
  std::vector<Line> lines;
  std::string text;
  for (int number = 1; std::getline(stream, text); ++number) {
    text.resize(std::min(text.find('#'), text.size()));
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    lines.push_back({.place = file + ":" + std::to_string(number) + ": ", .text = text});
  }
  return lines;
}

std::string shapes_file(const std::string& family, const std::string& given) {
  if (!given.empty()) return given;
  const std::string file = "/shapes/" + family + ".txt";
  const std::string built = SYLVITE_BENCH_DIR + file;
  return std::filesystem::exists(built) ? built : "bench" + file;
}

}  // namespace sylvite_bench
