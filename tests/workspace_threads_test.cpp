// Workspaces from many threads: unrelated ones in parallel, one of them one thread at a time.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/rejects.h"
#include "support/toy_operators.h"

namespace sylvite::test {
namespace {

constexpr int kThreads = 8;

/// Calls work(0) … work(7) on a thread each, all released together.
template <typename Work>
void on_threads(const Work& work) {
  std::atomic<int> ready = 0;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// y = (x w)² in a scope, by phases and back, and its gradients.
Net training_net(const Registry& registry) {
  const Net inner("inner", {{.type = "Product", .inputs = {"x", "w"}, .outputs = {"p"}},
                            {.type = "Product", .inputs = {"p", "p"}, .outputs = {"y"}}});
  Net net("train", {{.type = "CreateScope", .outputs = {"scope"}},
                    {.type = "Do",
                     .inputs = {"X", "W", "scope"},
                     .outputs = {"Y", "scope"},
                     .arguments = {{"net", std::make_shared<const Net>(inner)},
                                   {"inner_blobs", std::vector<std::string>{"x", "w", "y"}},
                                   {"outer_blobs_idx", std::vector<int64_t>{0, 1, 2}}}},
                    {.type = "Reshape",
                     .inputs = {"Y"},
                     .outputs = {"I"},
                     .arguments = {{"shape", std::vector<int64_t>{1, 1, 2, 2}}}},
                    {.type = "SpaceToBatch", .inputs = {"I"}, .outputs = {"P"}},
                    {.type = "BatchToSpace", .inputs = {"P"}, .outputs = {"Z"}}});
  net.add_gradients({{"Z", "dZ"}}, registry);
  return net;
}

TEST(WorkspaceThreads, TrainUnrelatedWorkspacesInParallel) {
  const std::shared_ptr<const Registry> registry = toy_registry();
  const Net net = training_net(*registry);
  std::atomic<int> right = 0;
  on_threads([&](int thread) {
    const auto w = static_cast<float>(thread + 1);
    Workspace workspace(registry, Context({.threads = 1 + thread % 3}));
    workspace.feed("W", floats({w, w, w, w}));
    workspace.feed("dZ", floats({1, 1, 1, 1}));
    workspace.run({.type = "Reshape",
                   .inputs = {"dZ"},
                   .outputs = {"dZ"},
                   .arguments = {{"shape", std::vector<int64_t>{1, 1, 2, 2}}}});
    bool all = true;
    for (int i = 1; i <= 50; ++i) {
      const auto x = static_cast<float>(i);
      workspace.feed("X", floats({x, -x, x, -x}));
      workspace.run(net);
      all = all && floats_of(workspace.fetch("Z"))[1] == x * x * w * w;
      all = all && floats_of(workspace.fetch("W_grad"))[3] == 2 * x * x * w;
      all = all && floats_of(workspace.fetch("X_grad"))[3] == -2 * x * w * w;
    }
    all = all && !workspace.describe().empty() && !net.to_dot(workspace).empty();
    right += all ? 1 : 0;
  });
  EXPECT_EQ(right, kThreads);
}

TEST(WorkspaceThreads, ShareTensorsBetweenWorkspaces) {
  const std::shared_ptr<const Registry> registry = toy_registry();
  const Tensor weights = floats({2, 3});
  std::atomic<int> right = 0;
  on_threads([&](int) {
    Workspace workspace(registry);
    workspace.set("W", weights);
    for (int i = 0; i < 50; ++i)
      workspace.run({.type = "Product", .inputs = {"W", "W"}, .outputs = {"Y"}});
    right += floats_of(workspace.fetch("Y")) == std::vector<float>{4, 9} ? 1 : 0;
  });
  EXPECT_EQ(right, kThreads);
}

TEST(WorkspaceThreads, RefuseASecondThreadAndStayWhole) {
  const std::shared_ptr<const Registry> registry = toy_registry();
  Workspace workspace(registry);
  workspace.feed("X", floats({1, 2}));
  std::atomic<int> done = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> wrong = 0;
  on_threads([&](int thread) {
    const std::string mine = numbered("Y", thread);
    for (int i = 0; i < 200; ++i) {
      try {
        workspace.run({.type = "Scale", .inputs = {"X"}, .outputs = {mine}});
        const Tensor y = workspace.fetch(mine);
        wrong += y.data_as<float>()[1] == 4 ? 0 : 1;
        workspace.rename(mine, mine + "_old");
        wrong += workspace.remove(mine + "_old") ? 0 : 1;
        ++done;
      } catch (const Error& error) {
        const std::string_view message = error.what();
        const bool expected = error.code() == ErrorCode::kInvalidArgument &&
                              (message.find("another thread") != std::string_view::npos ||
                               message.find("a name in use") != std::string_view::npos);
        wrong += expected ? 0 : 1;
        ++refused;
      }
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(done + refused, kThreads * 200);
  workspace.run({.type = "Scale", .inputs = {"X"}, .outputs = {"X2"}});
  EXPECT_EQ(floats_of(workspace.fetch("X2")), (std::vector<float>{2, 4}));
  EXPECT_EQ(floats_of(workspace.fetch("X")), (std::vector<float>{1, 2}));
  for (const std::string& blob : workspace.local_blobs()) {
    EXPECT_TRUE(blob.starts_with('X') || blob.starts_with('Y')) << blob;
  }
}

TEST(WorkspaceThreads, LetAChildGoOnAnotherThread) {
  Workspace parent(toy_registry());
  parent.feed("X", floats({1}));
  for (int i = 0; i < 100; ++i) {
    Workspace child(parent, {{"x", "X"}});
    child.create_local("local");
    child.feed("local", floats({2}));
    std::thread last(
        [child = std::move(child)]() mutable { const Workspace gone = std::move(child); });
    parent.feed("X", floats(std::vector<float>(static_cast<size_t>(1 + i % 7), 1)));
    last.join();
  }
  EXPECT_EQ(parent.bytes(), 8);
}

}  // namespace
}  // namespace sylvite::test
