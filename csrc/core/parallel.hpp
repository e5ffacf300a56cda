// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>

#include "core/interrupt.hpp"

namespace wb {

/// Threads worth starting for `work` units when one thread should have at least `grain` of
/// them, at most `most` (by default OpenMP's number): forking costs some microseconds, which tiny
/// problems must not pay.
inline int threads_for(std::int64_t work, std::int64_t grain, int most) {
    const std::int64_t wanted = std::max<std::int64_t>(1, work / std::max<std::int64_t>(1, grain));
    return static_cast<int>(std::min<std::int64_t>(wanted, std::max(1, most)));
}

inline int threads_for(std::int64_t work, std::int64_t grain) {
    return threads_for(work, grain, omp_get_max_threads());
}

/// What the threads of one parallel_for share: the next index, the first failure, who is done.
class Team {
  public:
    explicit Team(std::int64_t count) : count_(count) {}

    /// One thread's part: body(index) for indices as they become free, until one fails anywhere.
    template <typename Body>
    void work(bool calling, int others, const Body& body) noexcept {
        const StopFlagHere flag(&stop_);
        try {
            for (;;) {
                if (stop_.load(std::memory_order_relaxed)) break;
                const std::int64_t i = next_.fetch_add(1, std::memory_order_relaxed);
                if (i >= count_) break;
                if (calling) check_interrupt();
                body(i);
            }
            if (calling && interruptible()) wait_for(others);
        } catch (const Stopped&) {
            // Another thread failed, which is told already.
        } catch (...) {
            fail(std::current_exception(), calling);
        }
        if (!calling) leave();
    }

    void rethrow() const {
        if (failure_) std::rethrow_exception(failure_);
    }

  private:
    void fail(std::exception_ptr failure, bool calling) noexcept {
        stop_.store(true);
        const std::lock_guard<std::mutex> lock(mutex_);
        // Of two that fail at once the calling thread's counts: it may be a Ctrl-C, which is told
        // once only.
        if (!failure_ || calling) failure_ = std::move(failure);
    }

    void leave() noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        left_.fetch_add(1);
        done_.notify_one();
    }

    /// Waits where Ctrl-C is answered, which OpenMP's own barrier is not. Spins first, as long as
    /// that does: waking from sleep would cost short kernels more than they take.
    void wait_for(int others) {
        for (int i = 0; left_.load(std::memory_order_acquire) < others; ++i) {
            if (i == kSpins || (i == kFewSpins && others >= omp_get_num_procs())) {
                sleep_until_left(others);
                return;
            }
#if defined(__x86_64__) || defined(_M_X64)
            __builtin_ia32_pause();
#endif
        }
    }

    void sleep_until_left(int others) {
        std::unique_lock<std::mutex> lock(mutex_);
        while (left_ < others) {
            done_.wait_for(lock, std::chrono::milliseconds(50));
            if (left_ >= others) break;
            lock.unlock();
            check_interrupt();
            lock.lock();
        }
    }

    // Some 10 ms, and, where there are fewer processors than threads, some 0.1 ms.
    static constexpr int kSpins = 300'000, kFewSpins = 1'000;

    const std::int64_t count_;
    std::atomic<std::int64_t> next_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::condition_variable done_;
    std::exception_ptr failure_;
    std::atomic<int> left_{0};
};

/// Runs body(index, thread) for every index in [0, count) on up to `threads` threads, taking
/// the indices in turn as they become free. After the first exception, or an interrupt on the
/// calling thread (see check_interrupt), no further body begins; it is rethrown on the calling
/// thread. Results must depend on the index alone, never on the thread: that is what makes
/// them the same bits for every number of threads.
template <typename Body>
void parallel_for(std::int64_t count, int threads, const Body& body) {
    if (threads <= 1 || count <= 1) {
        for (std::int64_t i = 0; i < count; ++i) {
            check_interrupt();
            body(i, 0);
        }
        return;
    }
    Team team(count);
#pragma omp parallel num_threads(threads)
    {
        const int thread = omp_get_thread_num();
        team.work(thread == 0, omp_get_num_threads() - 1, [&](std::int64_t i) { body(i, thread); });
    }
    team.rethrow();
}

}  // namespace wb
