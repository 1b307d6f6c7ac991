// Aligned text columns, printed line by line.
#pragma once

#include <string>
#include <vector>

namespace sylvite_bench {

class Table {
 public:
  struct Column {
    std::string title;
    int width = 0;  ///< Of the cells; the title may widen it. The first column stands left.
  };
  explicit Table(std::vector<Column> columns);

  void print_header() const;
  void print(const std::vector<std::string>& cells) const;

 private:
  std::vector<Column> columns_;
};

/// printf's "%.<digits>f"; "-" for 0, which stands for "not measured".
std::string number(double value, int digits);

}  // namespace sylvite_bench
