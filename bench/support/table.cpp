#include "support/table.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sylvite_bench {

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (Column& column : columns_)
    column.width = std::max(column.width, static_cast<int>(column.title.size()));
}

void Table::print_header() const {
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  print(titles);
}

void Table::print(const std::vector<std::string>& cells) const {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const int width = i < columns_.size() ? columns_[i].width : 0;
    const auto room = static_cast<size_t>(width);
    const std::string gap(cells[i].size() < room ? room - cells[i].size() : 0, ' ');
    if (i > 0) line += "  ";
    line += i == 0 ? cells[i] + gap : gap + cells[i];
  }
  std::puts(line.c_str());
  std::fflush(stdout);
}

std::string number(double value, int digits) {
  if (value == 0) return "-";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

}  // namespace sylvite_bench
