// C: operators by name, their gradients, and nets.
#include "runtime/c_api_net.h"

#include <algorithm>
#include <array>

namespace sylvite::internal::c_api {
namespace {

/// One alternative of ArgumentValue.
ArgumentValue value_of(const sylvite_argument& given, const Place& place) {
  const auto& value = given.value;
  switch (given.kind) {
    case SYLVITE_ARGUMENT_INT:
      return value.i;
    case SYLVITE_ARGUMENT_FLOAT:
      return value.f;
    case SYLVITE_ARGUMENT_TEXT:
      return text_of(value.text, place);
    case SYLVITE_ARGUMENT_INTS: {
      const std::span all = array(value.ints, given.count, "an argument's value.ints");
      return std::vector(all.begin(), all.end());
    }
    case SYLVITE_ARGUMENT_FLOATS: {
      const std::span all = array(value.floats, given.count, "an argument's value.floats");
      return std::vector(all.begin(), all.end());
    }
    case SYLVITE_ARGUMENT_TEXTS:
      return texts_of(value.texts, given.count, "an argument's value.texts");
    case SYLVITE_ARGUMENT_NET:
      return std::make_shared<const Net>(required(value.net, place).net);
    default:
      break;
  }
  require_call(false, "argument \"", given.name, "\": kind is ", given.kind,
               ", want 1 (SYLVITE_ARGUMENT_INT) to ", SYLVITE_ARGUMENT_NET,
               " (SYLVITE_ARGUMENT_NET)");
  return {};
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> all;
  all.reserve(texts.size());
  for (const std::string& text : texts) all.push_back(text.c_str());
  return all;
}

}  // namespace

OperatorDef def_of(const sylvite_operator_def* def, const char* argument) {
  const sylvite_operator_def given = versioned(def, argument);
  OperatorDef made{.type = text_of(given.type, {argument, -1, "type"}),
                   .inputs = texts_of(given.inputs, given.input_count, "inputs"),
                   .outputs = texts_of(given.outputs, given.output_count, "outputs"),
                   .device = device_of({.kind = given.device, .index = 0}, argument).kind};
  int64_t i = 0;
  for (const sylvite_argument& each : array(given.arguments, given.argument_count, "arguments")) {
    std::string name = text_of(each.name, {"arguments", i, "name"});
    require_call(each.reserved == 0, "argument \"", name, "\": reserved is ", each.reserved,
                 ", want 0");
    made.arguments.push_back({std::move(name), value_of(each, {"arguments", i, "value"})});
    ++i;
  }
  return made;
}

Bindings bindings_of(const sylvite_binding* bindings, int64_t count, const char* argument) {
  Bindings made;
  int64_t i = 0;
  for (const sylvite_binding& each : array(bindings, count, argument)) {
    const std::string name = text_of(each.name, {argument, i, "name"});
    const bool is_new = made.emplace(name, text_of(each.target, {argument, i, "target"})).second;
    require_call(is_new, argument, " has \"", name, "\" twice, want it once");
    ++i;
  }
  return made;
}

struct DefView {
  explicit DefView(const OperatorDef& def)
      : inputs(pointers(def.inputs)), outputs(pointers(def.outputs)) {
    for (const Argument& argument : def.arguments) {
      arguments.push_back(
          {.name = argument.name.c_str(), .kind = 0, .reserved = 0, .count = 0, .value = {}});
      std::visit([&](const auto& value) { set(arguments.back(), value); }, argument.value);
    }
    view = {.struct_size = sizeof(sylvite_operator_def),
            .device = static_cast<sylvite_device_kind>(def.device),
            .type = def.type.c_str(),
            .inputs = inputs.data(),
            .input_count = static_cast<int64_t>(inputs.size()),
            .outputs = outputs.data(),
            .output_count = static_cast<int64_t>(outputs.size()),
            .arguments = arguments.data(),
            .argument_count = static_cast<int64_t>(arguments.size())};
  }

  void set(sylvite_argument& to, int64_t value) {
    to.kind = SYLVITE_ARGUMENT_INT;
    to.value.i = value;
  }
  void set(sylvite_argument& to, double value) {
    to.kind = SYLVITE_ARGUMENT_FLOAT;
    to.value.f = value;
  }
  void set(sylvite_argument& to, const std::string& value) {
    to.kind = SYLVITE_ARGUMENT_TEXT;
    to.value.text = value.c_str();
  }
  void set(sylvite_argument& to, const std::vector<int64_t>& values) {
    to.kind = SYLVITE_ARGUMENT_INTS;
    to.count = static_cast<int64_t>(values.size());
    to.value.ints = values.data();
  }
  void set(sylvite_argument& to, const std::vector<double>& values) {
    to.kind = SYLVITE_ARGUMENT_FLOATS;
    to.count = static_cast<int64_t>(values.size());
    to.value.floats = values.data();
  }
  void set(sylvite_argument& to, const std::vector<std::string>& values) {
    to.kind = SYLVITE_ARGUMENT_TEXTS;
    to.count = static_cast<int64_t>(values.size());
    to.value.texts =
        texts.emplace_back(std::make_unique<std::vector<const char*>>(pointers(values)))->data();
  }
  void set(sylvite_argument& to, const std::shared_ptr<const Net>& value) {
    to.kind = SYLVITE_ARGUMENT_NET;
    to.value.net = nets.emplace_back(std::make_unique<sylvite_net>(*value)).get();
  }

  std::vector<const char*> inputs, outputs;
  std::vector<sylvite_argument> arguments;
  std::vector<std::unique_ptr<std::vector<const char*>>> texts;
  std::vector<std::unique_ptr<sylvite_net>> nets;
  sylvite_operator_def view;
};

namespace {

/// As much of a text as there is room for.
template <size_t Room>
void give(std::string_view text, char (&to)[Room]) noexcept {
  const size_t length = std::min(text.size(), Room - 1);
  std::copy_n(text.data(), length, to);
  to[length] = '\0';
}

}  // namespace
}  // namespace sylvite::internal::c_api

using namespace sylvite;
using namespace sylvite::internal::c_api;

sylvite_net::sylvite_net(Net net) : net(std::move(net)) {}
sylvite_net::~sylvite_net() = default;

sylvite_status sylvite_explain(const sylvite_operator_def* def, const sylvite_tensor* inputs,
                               int64_t input_count, const sylvite_context* context,
                               sylvite_explanation* explanation) {
  return guarded(__func__, [&] {
    sylvite_explanation& to = required(explanation, "explanation");
    check_version(to, "explanation");
    const OperatorDef op = def_of(def, "def");
    const Explanation told = explain(op.type, infos_of(inputs, input_count, "inputs"), op.arguments,
                                     context_of(context));
    to.reserved = 0;
    give(told.kernel, to.kernel);
    give(told.target, to.target);
    give(told.variant, to.variant);
    to.bytes_read = told.bytes_read;
    to.bytes_written = told.bytes_written;
    to.kernel_calls = told.kernel_calls;
    to.tasks = told.tasks;
    sylvite::internal::c_api::give(told.output_shape, to.output_shape);
  });
}

sylvite_status sylvite_gradient_defs(const sylvite_operator_def* def,
                                     const char* const* output_gradients, sylvite_net** operators,
                                     sylvite_texts** input_gradients) {
  return guarded(__func__, [&] {
    sylvite_net*& net = handle(operators, "operators");
    sylvite_texts*& names = handle(input_gradients, "input_gradients");
    const OperatorDef op = def_of(def, "def");
    std::vector<std::optional<std::string>> outputs;
    for (const char* name :
         array(output_gradients, static_cast<int64_t>(op.outputs.size()), "output_gradients")) {
      outputs.push_back(name != nullptr ? std::optional<std::string>(name) : std::nullopt);
    }
    GradientDefs made = gradient_defs(*builtin_registry(), op, outputs);
    auto gradient =
        std::make_unique<sylvite_net>(Net(op.type + "_gradient", std::move(made.operators)));
    names = new_texts(made.inputs);
    net = gradient.release();
  });
}

sylvite_status sylvite_net_create(const char* name, const sylvite_operator_def* operators,
                                  int64_t operator_count, const char* const* outputs,
                                  int64_t output_count, sylvite_net** net) {
  return guarded(__func__, [&] {
    sylvite_net*& made = handle(net, "net");
    const std::string named = text_of(name, "name");
    std::vector<OperatorDef> defs;
    for (const sylvite_operator_def& def : array(operators, operator_count, "operators")) {
      require_call(def.struct_size == sizeof(def), "operators[", defs.size(), "].struct_size is ",
                   def.struct_size, ", want ", sizeof(def));
      defs.push_back(def_of(&def, "operators"));
    }
    made = new sylvite_net(Net(named, std::move(defs), texts_of(outputs, output_count, "outputs")));
  });
}

void sylvite_net_destroy(sylvite_net* net) { delete net; }

sylvite_status sylvite_net_append(sylvite_net* net, const sylvite_operator_def* def) {
  return guarded(__func__, [&] {
    sylvite_net& to = required(net, "net");
    to.net.append(def_of(def, "def"));
    to.views.clear();
  });
}

sylvite_status sylvite_net_operator_count(const sylvite_net* net, int64_t* count) {
  return guarded(__func__, [&] {
    int64_t& to = required(count, "count");
    to = static_cast<int64_t>(required(net, "net").net.operators().size());
  });
}

sylvite_status sylvite_net_operator(const sylvite_net* net, int64_t i, sylvite_operator_def* def) {
  return guarded(__func__, [&] {
    const sylvite_net& of = required(net, "net");
    sylvite_operator_def& to = required(def, "def");
    check_version(to, "def");
    const std::vector<OperatorDef>& all = of.net.operators();
    require_call(i >= 0 && i < static_cast<int64_t>(all.size()), "i is ", i, ", want 0 to ",
                 static_cast<int64_t>(all.size()) - 1);
    std::unique_ptr<DefView>& view = of.views[i];
    if (!view) view = std::make_unique<DefView>(all[static_cast<size_t>(i)]);
    const uint32_t size = to.struct_size;
    to = view->view;
    to.struct_size = size;
  });
}

sylvite_status sylvite_net_external_inputs(const sylvite_net* net, sylvite_texts** names) {
  return guarded(__func__, [&] {
    make(names, "names", [&] { return new_texts(required(net, "net").net.external_inputs()); });
  });
}

sylvite_status sylvite_net_external_outputs(const sylvite_net* net, sylvite_texts** names) {
  return guarded(__func__, [&] {
    make(names, "names", [&] { return new_texts(required(net, "net").net.external_outputs()); });
  });
}

sylvite_status sylvite_net_add_gradients(sylvite_net* net, const sylvite_binding* outputs,
                                         int64_t output_count, sylvite_texts** gradients) {
  return guarded(__func__, [&] {
    sylvite_texts*& made = handle(gradients, "gradients");
    sylvite_net& to = required(net, "net");
    Net longer = to.net;
    std::vector<std::string> pairs;
    for (const auto& [blob, gradient] :
         longer.add_gradients(bindings_of(outputs, output_count, "outputs"))) {
      pairs.insert(pairs.end(), {blob, gradient});
    }
    made = new_texts(pairs);
    to.net = std::move(longer);
    to.views.clear();
  });
}

sylvite_status sylvite_net_to_dot(const sylvite_net* net, sylvite_texts** dot) {
  return guarded(__func__, [&] {
    make(dot, "dot", [&] { return new_texts(std::array{required(net, "net").net.to_dot()}); });
  });
}
