// Reading bench/shapes/<family>.txt: a row per line, its columns separated by blanks.
#pragma once

#include <array>
#include <cstdint>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "families.h"
#include "sylvite/tensor.h"

namespace sylvite_bench {

/// Throws std::runtime_error: "<column> is '<got>', want <want>".
[[noreturn]] void fail(std::string_view column, std::string_view got, std::string_view want);

std::vector<std::string_view> split(std::string_view text, char separator);
int64_t parse_integer(std::string_view column, std::string_view text, int64_t least);
sylvite::DType parse_dtype(std::string_view text);
/// "1x64x65x65"
sylvite::Shape parse_shape(std::string_view text);
/// At least 0.
double parse_number(std::string_view column, const std::string& text);
double parse_weight(const std::string& text);

std::vector<std::string> words_of(std::string_view line);

/// The Count words of a line; `names` says what they are.
template <size_t Count>
std::array<std::string, Count> columns_of(std::string_view line, const std::string& names) {
  std::vector<std::string> words = words_of(line);
  if (words.size() != Count) throw std::runtime_error("want " + names);
  std::array<std::string, Count> columns;
  std::move(words.begin(), words.end(), columns.begin());
  return columns;
}

struct Line {
  std::string place;  ///< "file:12: "
  std::string text;
};

/// Lines without comments and without empty ones.
std::vector<Line> read_lines(const std::string& file);
/// The file given, or bench/shapes/<family>.txt.
std::string shapes_file(const std::string& family, const std::string& given);

/// The family's rows whose name matches the filter; `parse` makes a row with a name of a line.
/// Throws std::runtime_error with file, line and what is wrong there.
template <typename Parse>
auto read_rows(const std::string& family, const Options& options, const Parse& parse) {
  const std::string file = shapes_file(family, options.shapes);
  const std::regex filter(options.filter);
  std::vector<decltype(parse(std::string_view()))> rows;
  std::set<std::string> names;
  for (const Line& line : read_lines(file)) {
    try {
      auto row = parse(std::string_view(line.text));
      if (!names.insert(row.name).second) throw std::runtime_error("this name came before");
      if (std::regex_search(row.name, filter)) rows.push_back(std::move(row));
    } catch (const std::exception& error) {
      throw std::runtime_error(line.place + error.what());
    }
  }
  if (rows.empty()) throw std::runtime_error(file + ": no row matches '" + options.filter + "'");
  return rows;
}

template <typename Row>
std::vector<std::string> names_of(const std::vector<Row>& rows) {
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (const Row& row : rows) names.push_back(row.name);
  return names;
}

}  // namespace sylvite_bench
