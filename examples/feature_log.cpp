// A batch of a recommender's log through all merges of features, and back through their gradients:
// every value at its place.
#include "feature_log.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "support/roof.h"
#include "support/timing.h"

namespace {

using demo::Column;
using demo::Columns;
using sylvite::DType;
using sylvite::MultiList;
using sylvite::MultiMap;
using sylvite::MultiScalar;
using sylvite::Tensor;
using Tensors = std::vector<Tensor>;

template <typename T>
constexpr DType kDType = std::is_same_v<T, uint8_t>   ? DType::kBool
                         : std::is_same_v<T, int32_t> ? DType::kInt32
                         : std::is_same_v<T, int64_t> ? DType::kInt64
                                                      : DType::kFloat32;

/// The column's own memory: no copy.
template <typename T>
Tensor tensor_of(const std::vector<T>& numbers) {
  return Tensor::wrap(numbers.data(), kDType<T>, {static_cast<int64_t>(numbers.size())});
}
Tensor tensor_of(const std::vector<std::string>& texts) {
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return Tensor::strings(views, {static_cast<int64_t>(views.size())});
}

Tensors tensors_of(const MultiScalar& x) { return {x.lengths, x.keys, x.values}; }
Tensors tensors_of(const MultiList& x) {
  return {x.lengths, x.keys, x.values_lengths, x.values_values};
}
Tensors tensors_of(const MultiMap& x) {
  return {x.lengths, x.keys, x.values_lengths, x.values_keys, x.values_values};
}
Tensors operator+(Tensors a, const Tensors& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

int64_t bytes_of(const Tensors& tensors) {
  int64_t bytes = 0;
  for (const Tensor& x : tensors) {
    bytes += x.byte_count();
    if (x.dtype() == DType::kString) bytes += x.data_as<int64_t>()[x.element_count()];
  }
  return bytes;
}

/// A table of what was run, each call timed in turn with copies of as many bytes.
class Report {
 public:
  Report() : roof_(sylvite::Context().threads()) {
    std::printf("\n%-26s %-34s %10s %9s %9s %7s %8s\n", "operator", "of", "values out", "MB moved",
                "ms", "GB/s", "of roof");
  }

  void add(const char* op, const char* of, const Tensors& read, const Tensor& values,
           const Tensors& written, const std::function<void()>& call) {
    const int64_t moved = bytes_of(read) + bytes_of(written);
    std::vector<sylvite_bench::Contestant> contestants = roof_.copies(moved / 2);
    contestants.push_back(
        {.name = op, .role = sylvite_bench::Contestant::Role::kRow, .call = call});
    sylvite_bench::time_in_turn(contestants, 0.1);
    const double seconds = sylvite_bench::timing(contestants.back()).min;
    contestants.pop_back();
    double roof = std::numeric_limits<double>::max();
    for (const auto& copy : contestants) roof = std::min(roof, sylvite_bench::timing(copy).min);
    std::printf("%-26s %-34s %10lld %9.2f %9.3f %7.1f %8.2f\n", op, of,
                static_cast<long long>(values.element_count()), static_cast<double>(moved) * 1e-6,
                seconds * 1e3, static_cast<double>(moved) / seconds * 1e-9, roof / seconds);
    std::fflush(stdout);
  }

 private:
  sylvite_bench::Roof roof_;
};

struct Count {
  int64_t right = 0;
  int64_t all = 0;

  void add(bool is_right) {
    right += is_right ? 1 : 0;
    ++all;
  }
};

template <typename Value>
bool equal(const Tensor& x, int64_t i, const Value& want) {
  if constexpr (std::is_same_v<Value, std::string>) {
    return x.text(i) == want;
  } else {
    return x.data_as<Value>()[i] == want;
  }
}

/// A merged batch, of whatever kind.
struct Merged {
  const Tensor& lengths;
  const Tensor& keys;
  const Tensor* values_lengths;
  const Tensor* values_keys;
  const Tensor& values;
};
Merged view(const MultiScalar& x) { return {x.lengths, x.keys, nullptr, nullptr, x.values}; }
Merged view(const MultiList& x) {
  return {x.lengths, x.keys, &x.values_lengths, nullptr, x.values_values};
}
Merged view(const MultiMap& x) {
  return {x.lengths, x.keys, &x.values_lengths, &x.values_keys, x.values_values};
}

/// Walks the log example by example, feature by feature, and counts the merged values that stand where
/// this order puts them.
template <typename Value>
Count compare(const Merged& merged, const std::vector<const Columns<Value>*>& groups) {
  Count count;
  std::vector<const Column<Value>*> columns;
  for (const Columns<Value>* group : groups) {
    for (const Column<Value>& column : *group) columns.push_back(&column);
  }
  std::vector<size_t> next(columns.size(), 0);
  int64_t pair = 0;
  int64_t value = 0;
  for (int64_t b = 0; b < merged.lengths.element_count(); ++b) {
    const auto example = static_cast<size_t>(b);
    int32_t features = 0;
    for (size_t f = 0; f < columns.size(); ++f) {
      const Column<Value>& x = *columns[f];
      if (x.presence[example] == 0) continue;
      ++features;
      const int32_t length = merged.values_lengths ? x.lengths[example] : 1;
      count.add(merged.keys.data_as<int64_t>()[pair] == x.id);
      if (merged.values_lengths)
        count.add(merged.values_lengths->data_as<int32_t>()[pair] == length);
      ++pair;
      for (int32_t i = 0; i < length; ++i, ++value) {
        const size_t at = merged.values_lengths ? next[f]++ : example;
        if (merged.values_keys) count.add(equal(*merged.values_keys, value, x.keys[at]));
        count.add(equal(merged.values, value, x.values[at]));
      }
    }
    count.add(merged.lengths.data_as<int32_t>()[b] == features);
  }
  return count;
}

/// Gradients against the values they come from.
template <typename Value>
Count compare(const Tensors& dvalues, const Columns<Value>& columns) {
  Count count;
  for (size_t f = 0; f < columns.size(); ++f) {
    for (size_t i = 0; i < columns[f].values.size(); ++i)
      count.add(equal(dvalues[f], static_cast<int64_t>(i), columns[f].values[i]));
  }
  return count;
}

template <typename Value>
std::vector<int64_t> ids_of(const Columns<Value>& columns) {
  std::vector<int64_t> ids;
  for (const Column<Value>& column : columns) ids.push_back(column.id);
  return ids;
}

/// A tensor of every column, for gradients.
template <typename Value, typename Field>
Tensors field_of(const Columns<Value>& columns, Field Column<Value>::*field) {
  Tensors tensors;
  for (const Column<Value>& column : columns) tensors.push_back(tensor_of(column.*field));
  return tensors;
}

/// The step of training that this is for, on one log.
class Batch {
 public:
  explicit Batch(const demo::FeatureLog& log) : log_(log) {}

  void numbers() {
    const Tensor data = stack(field_of(log_.context, &Column<float>::values), 1);
    const Tensor presence = stack(field_of(log_.context, &Column<float>::presence), 1);
    const std::vector<int64_t> context_ids = ids_of(log_.context);
    MultiScalar context = merge_dense(data, presence, context_ids);
    report_.add("MergeDense", "numbers of the impression", {data, presence}, context.values,
                tensors_of(context), [&] { merge_dense(data, presence, context_ids, context); });

    std::vector<sylvite::SingleScalarFeature> of_user;
    for (const Column<float>& x : log_.user)
      of_user.push_back({tensor_of(x.values), tensor_of(x.presence)});
    const Tensors user_presence = field_of(log_.user, &Column<float>::presence);
    const Tensors user_values = field_of(log_.user, &Column<float>::values);
    const std::vector<int64_t> user_ids = ids_of(log_.user);
    MultiScalar user = merge_single_scalar(of_user, user_ids);
    report_.add("MergeSingleScalar", "numbers of the user", user_values + user_presence,
                user.values, tensors_of(user),
                [&] { merge_single_scalar(of_user, user_ids, user); });

    const std::vector<MultiScalar> both = {context, user};
    MultiScalar all = merge_multi_scalar(both);
    report_.add("MergeMultiScalar", "both", tensors_of(context) + tensors_of(user), all.values,
                tensors_of(all), [&] { merge_multi_scalar(both, all); });
    note("numbers", compare<float>(view(all), {&log_.context, &log_.user}));

    const Tensors lengths = {context.lengths, user.lengths};
    Tensors apart = merge_multi_scalar_gradient(lengths, all.values);
    report_.add("MergeMultiScalarGradient", "both", lengths + Tensors{all.values}, all.values,
                apart, [&] { merge_multi_scalar_gradient(lengths, all.values, apart); });
    Tensors dusers = merge_single_scalar_gradient(user_presence, apart[1]);
    report_.add("MergeSingleScalarGradient", "numbers of the user",
                user_presence + Tensors{apart[1]}, apart[1], dusers,
                [&] { merge_single_scalar_gradient(user_presence, apart[1], dusers); });
    Tensor ddata = merge_dense_gradient(presence, apart[0]);
    report_.add("MergeDenseGradient", "numbers of the impression", {presence, apart[0]}, apart[0],
                {ddata}, [&] { merge_dense_gradient(presence, apart[0], ddata); });
    note("numbers, back", compare(dusers, log_.user));
    note("numbers, back", compare(unstack(ddata, 1), log_.context));
  }

  void lists() {
    MultiList of_user = merge_lists("lists of the user", log_.of_user);
    MultiList of_item = merge_lists("lists of the item", log_.of_item);
    const std::vector<MultiList> both = {of_user, of_item};
    MultiList all = merge_multi_list(both);
    report_.add("MergeMultiList", "both", tensors_of(of_user) + tensors_of(of_item),
                all.values_values, tensors_of(all), [&] { merge_multi_list(both, all); });
    note("lists", compare<int64_t>(view(all), {&log_.of_user, &log_.of_item}));

    const Tensors lengths = {of_user.lengths, of_item.lengths};
    const Tensors values_lengths = {of_user.values_lengths, of_item.values_lengths};
    Tensors apart = merge_multi_list_gradient(lengths, values_lengths, all.values_values);
    report_.add(
        "MergeMultiListGradient", "both", lengths + values_lengths + Tensors{all.values_values},
        all.values_values, apart,
        [&] { merge_multi_list_gradient(lengths, values_lengths, all.values_values, apart); });
    split_lists("lists of the user", log_.of_user, apart[0]);
    split_lists("lists of the item", log_.of_item, apart[1]);
  }

  void maps() {
    MultiMap of_user = merge_maps("maps of the user", log_.user_maps);
    MultiMap of_item = merge_maps("maps of the item", log_.item_maps);
    const std::vector<MultiMap> both = {of_user, of_item};
    MultiMap all = merge_multi_map(both);
    report_.add("MergeMultiMap", "both", tensors_of(of_user) + tensors_of(of_item),
                all.values_values, tensors_of(all), [&] { merge_multi_map(both, all); });
    note("maps", compare<float>(view(all), {&log_.user_maps, &log_.item_maps}));

    const Tensors lengths = {of_user.lengths, of_item.lengths};
    const Tensors values_lengths = {of_user.values_lengths, of_item.values_lengths};
    Tensors apart = merge_multi_map_gradient(lengths, values_lengths, all.values_values);
    report_.add(
        "MergeMultiMapGradient", "both", lengths + values_lengths + Tensors{all.values_values},
        all.values_values, apart,
        [&] { merge_multi_map_gradient(lengths, values_lengths, all.values_values, apart); });
    split_maps("maps of the user", log_.user_maps, apart[0]);
    split_maps("maps of the item", log_.item_maps, apart[1]);
  }

  void texts() {
    const MultiList all = merge_lists("words of query and title", log_.texts);
    note("texts", compare<std::string>(view(all), {&log_.texts}));
    split_lists("words of query and title", log_.texts, all.values_values);
  }

  const Count& count() const { return count_; }

 private:
  template <typename Value>
  MultiList merge_lists(const char* of, const Columns<Value>& columns) {
    std::vector<sylvite::SingleListFeature> features;
    Tensors read;
    for (const Column<Value>& x : columns) {
      features.push_back({tensor_of(x.lengths), tensor_of(x.values), tensor_of(x.presence)});
      read =
          read + Tensors{features.back().lengths, features.back().values, features.back().presence};
    }
    const std::vector<int64_t> ids = ids_of(columns);
    MultiList out = merge_single_list(features, ids);
    report_.add("MergeSingleList", of, read, out.values_values, tensors_of(out),
                [&] { merge_single_list(features, ids, out); });
    return out;
  }

  template <typename Value>
  void split_lists(const char* of, const Columns<Value>& columns, const Tensor& merged) {
    const Tensors lengths = field_of(columns, &Column<Value>::lengths);
    const Tensors presence = field_of(columns, &Column<Value>::presence);
    Tensors out = merge_single_list_gradient(lengths, presence, merged);
    report_.add("MergeSingleListGradient", of, lengths + presence + Tensors{merged}, merged, out,
                [&] { merge_single_list_gradient(lengths, presence, merged, out); });
    note("lists, back", compare(out, columns));
  }

  MultiMap merge_maps(const char* of, const Columns<float>& columns) {
    std::vector<sylvite::SingleMapFeature> features;
    Tensors read;
    for (const Column<float>& x : columns) {
      features.push_back(
          {tensor_of(x.lengths), tensor_of(x.keys), tensor_of(x.values), tensor_of(x.presence)});
      read = read + Tensors{features.back().lengths, features.back().keys, features.back().values,
                            features.back().presence};
    }
    const std::vector<int64_t> ids = ids_of(columns);
    MultiMap out = merge_single_map(features, ids);
    report_.add("MergeSingleMap", of, read, out.values_values, tensors_of(out),
                [&] { merge_single_map(features, ids, out); });
    return out;
  }

  void split_maps(const char* of, const Columns<float>& columns, const Tensor& merged) {
    const Tensors lengths = field_of(columns, &Column<float>::lengths);
    const Tensors presence = field_of(columns, &Column<float>::presence);
    Tensors out = merge_single_map_gradient(lengths, presence, merged);
    report_.add("MergeSingleMapGradient", of, lengths + presence + Tensors{merged}, merged, out,
                [&] { merge_single_map_gradient(lengths, presence, merged, out); });
    note("maps, back", compare(out, columns));
  }

  void note(const char* what, const Count& count) {
    if (count.right != count.all)
      std::printf("%s: %lld of %lld are wrong\n", what,
                  static_cast<long long>(count.all - count.right),
                  static_cast<long long>(count.all));
    count_.right += count.right;
    count_.all += count.all;
  }

  const demo::FeatureLog& log_;
  Report report_;
  Count count_;
};

bool run(const std::string& file, int64_t copies) {
  const demo::FeatureLog log = demo::read_feature_log(file, copies);
  std::printf("log: %s, %lld impressions, %lld times\n", file.c_str(),
              static_cast<long long>(log.examples / copies), static_cast<long long>(copies));
  Batch batch(log);
  batch.numbers();
  batch.lists();
  batch.maps();
  batch.texts();
  std::printf(
      "roof: the fastest of memcpy and a non-temporal copy of as many bytes, on 1 and %d threads\n",
      sylvite::Context().threads());
  const Count& count = batch.count();
  const bool right = count.right == count.all;
  std::printf("demo: %lld impressions through 7 merges and back, %lld of %lld numbers in place\n",
              static_cast<long long>(log.examples), static_cast<long long>(count.right),
              static_cast<long long>(count.all));
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A batch of a recommender's log through all merges of features, and back.");
  std::string file = DEMO_LOG;
  int64_t copies = 128;
  app.add_option("LOG", file, "JSON lines")->capture_default_str();
  app.add_option("--copies", copies, "How often the log stands in the batch")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return run(file, copies) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "feature_log: %s\n", error.what());
    return 1;
  }
}
