// A caller's own thread pools.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "sylvite/context.h"

namespace sylvite::test {

/// One thread per task, all at once.
class SpawningPool {
 public:
  const ThreadPool* pool() const { return &pool_; }
  int tasks() const { return tasks_; }

 private:
  static void run(void* pool, int tasks, void (*task)(void*, int), void* state) {
    static_cast<SpawningPool*>(pool)->tasks_ += tasks;
    std::vector<std::thread> threads;
    threads.reserve(static_cast<size_t>(tasks));
    for (int i = 0; i < tasks; ++i) threads.emplace_back(task, state, i);
    for (std::thread& thread : threads) thread.join();
  }

  std::atomic<int> tasks_ = 0;
  ThreadPool pool_ = {this, run};
};

/// The calling thread alone, the last task first.
class BackwardsPool {
 public:
  const ThreadPool* pool() const { return &pool_; }
  int tasks() const { return tasks_; }

 private:
  static void run(void* pool, int tasks, void (*task)(void*, int), void* state) {
    static_cast<BackwardsPool*>(pool)->tasks_ += tasks;
    for (int i = tasks - 1; i >= 0; --i) task(state, i);
  }

  std::atomic<int> tasks_ = 0;
  ThreadPool pool_ = {this, run};
};

}  // namespace sylvite::test
