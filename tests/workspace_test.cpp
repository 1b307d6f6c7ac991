// Workspaces: lookup, parents, what runs leave behind, and one thread at a time.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "support/rejects.h"
#include "support/toy_operators.h"

/// A user's own type of blob.
struct Schedule {
  double rate = 0;
};
template <>
inline constexpr std::string_view sylvite::kTypeName<Schedule> = "schedule";

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;
using Names = std::vector<std::string>;

TEST(Workspaces, FeedAndFetchCopies) {
  Workspace workspace;
  Tensor x = floats({1, 2, 3});
  workspace.feed("X", x);
  x.data_as<float>()[0] = 9;
  EXPECT_EQ(floats_of(workspace.fetch("X")), (std::vector<float>{1, 2, 3}));
  const Tensor fetched = workspace.fetch("X");
  workspace.feed("X", floats({7, 7, 7}));
  EXPECT_EQ(floats_of(fetched), (std::vector<float>{1, 2, 3}));
  const std::array<std::string_view, 2> texts = {"a", "bc"};
  workspace.feed("S", Tensor::strings(texts, {2}));
  EXPECT_EQ(workspace.fetch("S").text(1), "bc");
  EXPECT_EQ(workspace.local_blobs(), (Names{"S", "X"}));
}

TEST(Workspaces, HoldKnownTypes) {
  Workspace workspace;
  workspace.set("steps", int64_t{3});
  workspace.set("name", std::string("net"));
  EXPECT_EQ(workspace.get<int64_t>("steps"), 3);
  EXPECT_EQ(workspace.get<std::string>("name"), "net");
  EXPECT_EQ(workspace.type_of("steps"), "int64");
  expect_rejected(kInvalidArgument, {"steps", "holds int64", "want tensor"},
                  [&] { workspace.fetch("steps"); });
  workspace.set("plan", Schedule{.rate = .5});
  EXPECT_EQ(workspace.get<Schedule>("plan").rate, .5);
  EXPECT_EQ(workspace.type_of("plan"), "schedule");
  expect_rejected(kInvalidArgument, {"plan", "holds schedule", "want int64"},
                  [&] { static_cast<void>(workspace.get<int64_t>("plan")); });
  workspace.create("empty");
  EXPECT_EQ(workspace.type_of("empty"), "");
  expect_rejected(kInvalidArgument, {"empty", "nothing"}, [&] { workspace.get("empty"); });
  expect_rejected(kInvalidArgument, {"no blob", "absent"}, [&] { workspace.get("absent"); });
}

TEST(Workspaces, LookUpLocalThenForwardedThenParent) {
  Workspace parent;
  parent.feed("X", floats({1}));
  parent.feed("Z", floats({3}));
  Workspace child(parent, {{"inner", "X"}});
  EXPECT_EQ(floats_of(child.fetch("inner")), (std::vector<float>{1}));
  EXPECT_EQ(floats_of(child.fetch("Z")), (std::vector<float>{3}));
  EXPECT_EQ(child.local_blobs(), Names{});
  EXPECT_EQ(child.blobs(), (Names{"X", "Z", "inner"}));
  child.feed("inner", floats({5}));
  EXPECT_EQ(floats_of(parent.fetch("X")), (std::vector<float>{5}));
  child.create_local("Z");
  child.feed("Z", floats({4}));
  EXPECT_EQ(floats_of(child.fetch("Z")), (std::vector<float>{4}));
  EXPECT_EQ(floats_of(parent.fetch("Z")), (std::vector<float>{3}));
  EXPECT_TRUE(child.remove("Z"));
  EXPECT_EQ(floats_of(child.fetch("Z")), (std::vector<float>{3}));
  EXPECT_FALSE(child.remove("Z")) << "a parent's blob is not the child's to remove";
  expect_rejected(kInvalidArgument, {"binding y to missing", "parent lacks"}, [&] {
    Workspace bad(parent, {{"y", "missing"}});
  });
}

TEST(Workspaces, RenameAndReset) {
  Workspace workspace;
  workspace.feed("X", floats({1}));
  workspace.feed("Y", floats({2}));
  expect_rejected(kInvalidArgument, {"X to Y", "in use"}, [&] { workspace.rename("X", "Y"); });
  expect_rejected(kInvalidArgument, {"absent"}, [&] { workspace.rename("absent", "Z"); });
  expect_rejected(kInvalidArgument, {"empty"}, [&] { workspace.rename("X", ""); });
  workspace.rename("X", "Z");
  EXPECT_EQ(floats_of(workspace.fetch("Z")), (std::vector<float>{1}));
  EXPECT_FALSE(workspace.has("X"));
  workspace.reset();
  EXPECT_EQ(workspace.blobs(), Names{});
}

TEST(Workspaces, KeepTheirParentAlive) {
  std::optional<Workspace> child;
  {
    Workspace parent;
    parent.feed("X", floats({1}));
    child.emplace(parent, Bindings{});
  }
  EXPECT_EQ(floats_of(child->fetch("X")), (std::vector<float>{1}));
}

TEST(Workspaces, RunOperatorsByName) {
  Workspace workspace(toy_registry());
  workspace.feed("X", floats({1, 2, 3, 4}));
  const OperatorDef scale{.type = "Scale", .inputs = {"X"}, .outputs = {"Y"}};
  workspace.run(scale);
  EXPECT_EQ(floats_of(workspace.fetch("Y")), (std::vector<float>{2, 4, 6, 8}));
  workspace.feed("X", floats({1, 1, 1}));
  workspace.run(scale);
  EXPECT_EQ(floats_of(workspace.fetch("Y")), (std::vector<float>{2, 2, 2}));
  workspace.run({.type = "Scale", .inputs = {"X"}, .outputs = {"X"}});
  workspace.run({.type = "Scale", .inputs = {"X"}, .outputs = {"X"}});
  EXPECT_EQ(floats_of(workspace.fetch("X")), (std::vector<float>{4, 4, 4}));
}

TEST(Workspaces, NeverChangeAViewWhenABlobIsWrittenAnew) {
  Workspace workspace(toy_registry());
  const Net net("views", {{.type = "Scale", .inputs = {"X"}, .outputs = {"Y"}},
                          {.type = "ExpandDims",
                           .inputs = {"Y"},
                           .outputs = {"V"},
                           .arguments = {{"dims", std::vector<int64_t>{0}}}}});
  workspace.feed("X", floats({1, 2}));
  workspace.run(net);
  const Tensor view = workspace.get("V");
  workspace.feed("X", floats({5, 6}));
  workspace.run(net);
  EXPECT_EQ(floats_of(view), (std::vector<float>{2, 4}));
  EXPECT_EQ(floats_of(workspace.fetch("V")), (std::vector<float>{10, 12}));
}

TEST(Workspaces, ReuseMemoryFromTheThirdRunOn) {
  const MemoryMeter meter;
  Workspace workspace(toy_registry(), Context({.allocator = meter.allocator()}));
  const Net net("reuse", {{.type = "Scale", .inputs = {"X"}, .outputs = {"Y"}},
                          {.type = "ExpandDims",
                           .inputs = {"Y"},
                           .outputs = {"V"},
                           .arguments = {{"dims", std::vector<int64_t>{0}}}},
                          {.type = "SpaceToBatch", .inputs = {"I"}, .outputs = {"P"}},
                          {.type = "BatchToSpace", .inputs = {"P"}, .outputs = {"J"}}});
  workspace.feed("X", floats({1, 2, 3}));
  workspace.feed("I", Tensor::empty(DType::kInt16, {1, 1, 4, 4}));
  for (int i = 0; i < 3; ++i) workspace.run(net);
  const MemoryUse after_three = meter.use();
  const void* data = workspace.get("P").data();
  for (int i = 0; i < 10; ++i) workspace.run(net);
  EXPECT_EQ(meter.use().live, after_three.live);
  EXPECT_EQ(meter.use().peak, after_three.peak);
  EXPECT_EQ(workspace.get("P").data(), data);
  EXPECT_EQ(workspace.context().memory_use()->live, after_three.live);
}

TEST(Workspaces, AreUnchangedByAnOperatorThatFails) {
  Workspace workspace(toy_registry());
  workspace.feed("A", floats({1, 2}));
  workspace.feed("B", floats({1, 2, 3}));
  workspace.feed("Y", floats({7}));
  const OperatorDef product{.type = "Product", .inputs = {"A", "B"}, .outputs = {"New"}};
  expect_rejected(kInvalidArgument, {"Product", "shapes differ"}, [&] { workspace.run(product); });
  EXPECT_FALSE(workspace.has("New"));
  OperatorDef into = product;
  into.outputs = {"Y"};
  expect_rejected(kInvalidArgument, {"Product"}, [&] { workspace.run(into); });
  EXPECT_EQ(floats_of(workspace.fetch("Y")), (std::vector<float>{7}));
  const Net net("half", {{.type = "Scale", .inputs = {"A"}, .outputs = {"C"}}, into});
  expect_rejected(kInvalidArgument, {"Net half", "operator 1", "Product"},
                  [&] { workspace.run(net); });
  EXPECT_EQ(floats_of(workspace.fetch("C")), (std::vector<float>{2, 4}))
      << "what earlier operators wrote stays";
}

TEST(Workspaces, RefuseWhatCannotRun) {
  Workspace workspace(toy_registry());
  workspace.feed("X", floats({1}));
  const auto refused = [&](std::initializer_list<std::string_view> fragments,
                           const OperatorDef& def, ErrorCode code = kInvalidArgument) {
    expect_rejected(code, fragments, [&] { workspace.run(def); });
  };
  refused({"unknown operator", "Nonsense", "Scale"}, {.type = "Nonsense"});
  refused({"Scale", "2 inputs", "want 1"},
          {.type = "Scale", .inputs = {"X", "X"}, .outputs = {"Y"}});
  refused({"Scale", "0 outputs", "want 1"}, {.type = "Scale", .inputs = {"X"}});
  refused({"Scale", "no blob", "Z"}, {.type = "Scale", .inputs = {"Z"}, .outputs = {"Y"}});
  refused({"Scale", "empty"}, {.type = "Scale", .inputs = {""}, .outputs = {"Y"}});
  refused({"Scale", "cuda"},
          {.type = "Scale", .inputs = {"X"}, .outputs = {"Y"}, .device = DeviceKind::kCuda},
          ErrorCode::kUnsupported);
  refused({"SpaceToBatch", "unknown argument", "blocks", "block_size"},
          {.type = "SpaceToBatch",
           .inputs = {"X"},
           .outputs = {"Y"},
           .arguments = {{"blocks", int64_t{2}}}});
  refused({"SpaceToBatch", "block_size", "twice"},
          {.type = "SpaceToBatch",
           .inputs = {"X"},
           .outputs = {"Y"},
           .arguments = {{"block_size", int64_t{2}}, {"block_size", int64_t{2}}}});
  refused({"SpaceToBatch", "block_size", "a text", "an integer"},
          {.type = "SpaceToBatch",
           .inputs = {"X"},
           .outputs = {"Y"},
           .arguments = {{"block_size", std::string("2")}}});
  EXPECT_FALSE(workspace.has("Y"));
  workspace.set("N", int64_t{1});
  refused({"Scale", "N", "int64", "want a tensor"},
          {.type = "Scale", .inputs = {"N"}, .outputs = {"Y"}});
}

TEST(Workspaces, ServeOneThreadAtATime) {
  std::atomic<bool> inside = false;
  std::atomic<bool> leave = false;
  std::shared_ptr<Registry> registry = toy_registry();
  register_cpu_operator(
      *registry, {.name = "Wait", .inputs = 0, .outputs = 0, .bind = [&](const OperatorDef&) {
                    return [&](OperatorCall& call) {
                      EXPECT_FALSE(call.workspace().has("Y")) << "the thread inside may use it";
                      inside = true;
                      while (!leave) std::this_thread::yield();
                    };
                  }});
  Workspace workspace(registry);
  std::thread worker([&] { workspace.run({.type = "Wait"}); });
  while (!inside) std::this_thread::yield();
  expect_rejected(kInvalidArgument, {"another thread"},
                  [&] { static_cast<void>(workspace.has("X")); });
  leave = true;
  worker.join();
  EXPECT_FALSE(workspace.has("X"));
}

TEST(Workspaces, RunInParallelWhereTheyAreUnrelated) {
  const std::shared_ptr<const Registry> registry = toy_registry();
  std::vector<std::thread> threads;
  threads.reserve(8);
  std::atomic<int> right = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      Workspace workspace(registry);
      workspace.feed("X", floats({static_cast<float>(t)}));
      const OperatorDef scale{.type = "Scale", .inputs = {"X"}, .outputs = {"X"}};
      for (int i = 0; i < 10; ++i) workspace.run(scale);
      right += floats_of(workspace.fetch("X"))[0] == static_cast<float>(t * 1024) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8);
}

TEST(Workspaces, DescribeTheirBlobs) {
  Workspace workspace(toy_registry());
  workspace.feed("X", floats({1, 2, 3, 4}));
  workspace.run({.type = "Reshape",
                 .inputs = {"X"},
                 .outputs = {"V"},
                 .arguments = {{"shape", std::vector<int64_t>{2, 2}}}});
  workspace.set("steps", int64_t{1});
  const std::string text = workspace.describe();
  EXPECT_NE(text.find("V: float32 [2, 2], 16 B on cpu, shares its memory with X"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("steps: int64"), std::string::npos) << text;
  EXPECT_NE(text.find("in all: 3 blobs, 16 B"), std::string::npos) << text;
  EXPECT_EQ(workspace.bytes(), 16);
  EXPECT_NE(workspace.to_dot().find("\"V\" -> \"memory 0\""), std::string::npos);
  EXPECT_NE(workspace.to_dot().find(R"("V" [label="V\nfloat32 [2, 2]\n16 B"])"), std::string::npos)
      << workspace.to_dot();
  Workspace child(workspace, {{"inner", "X"}});
  EXPECT_NE(child.describe().find("inner: the parent's X"), std::string::npos);
  EXPECT_NE(child.to_dot().find(R"("inner" -> "parent X")"), std::string::npos) << child.to_dot();
}

TEST(Workspaces, CountTheirMemoryAtMost) {
  Workspace workspace(toy_registry());
  EXPECT_EQ(workspace.peak_bytes(), 0);
  workspace.feed("X", floats(std::vector<float>(64, 1)));
  const Net net("views", {{.type = "Scale", .inputs = {"X"}, .outputs = {"Y"}},
                          {.type = "Reshape",
                           .inputs = {"Y"},
                           .outputs = {"V"},
                           .arguments = {{"shape", std::vector<int64_t>{8, 8}}}}});
  workspace.run(net);
  EXPECT_EQ(workspace.peak_bytes(), 2 * 256) << "a view takes no memory";
  for (int i = 0; i < 10; ++i) workspace.run(net);
  EXPECT_EQ(workspace.peak_bytes(), 3 * 256) << "the next Y beside the one that V still sees";
  EXPECT_EQ(workspace.bytes(), 3 * 256);
  {
    Workspace child(workspace, {});
    child.create_local("L");
    child.feed("L", floats(std::vector<float>(256, 1)));
  }
  EXPECT_EQ(workspace.peak_bytes(), 7 * 256) << "children count";
  workspace.remove("Y");
  workspace.feed("Z", floats(std::vector<float>(64, 1)));
  EXPECT_EQ(workspace.peak_bytes(), 7 * 256);
  EXPECT_NE(workspace.describe().find("at most 1792 B"), std::string::npos) << workspace.describe();
  workspace.reset();
  EXPECT_EQ(workspace.bytes(), 0);
  for (int i = 0; i < 1000; ++i) workspace.feed("X", floats(std::vector<float>(65 + i % 300, 1)));
  EXPECT_LE(workspace.peak_bytes(), 7 * 256 + 2 * 1536) << "what is gone is not counted";
}

TEST(Workspaces, ShowTheirNets) {
  Workspace workspace(toy_registry());
  workspace.feed("X", floats({1, 2, 3, 4}));
  const Net net("views", {{.type = "Reshape",
                           .inputs = {"X"},
                           .outputs = {"V"},
                           .arguments = {{"shape", std::vector<int64_t>{2, 2}}}},
                          {.type = "Scale", .inputs = {"X"}, .outputs = {"later"}}});
  workspace.run(net.operators()[0]);
  const std::string dot = net.to_dot(workspace);
  for (const char* line :
       {R"("blob V" [label="V\nfloat32 [2, 2]\n16 B"];)", R"("blob later" [label="later"];)",
        R"("blob V" -> "blob X" [style=dashed, dir=none];)", R"("blob X" -> "op 1";)"})
    EXPECT_NE(dot.find(line), std::string::npos) << line << " in\n" << dot;
}

}  // namespace
}  // namespace sylvite::test
