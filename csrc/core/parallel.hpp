// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

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

/// Runs body(index, thread) for every index in [0, count) on up to `threads` threads, taking
/// the indices in turn as they become free. The first exception is rethrown on the calling
/// thread. Results must depend on the index alone, never on the thread: that is what makes
/// them the same bits for every number of threads.
template <typename Body>
void parallel_for(std::int64_t count, int threads, const Body& body) {
    if (threads <= 1 || count <= 1) {
        for (std::int64_t i = 0; i < count; ++i) body(i, 0);
        return;
    }
    std::exception_ptr failure;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (std::int64_t i = 0; i < count; ++i) {
        try {
            body(i, omp_get_thread_num());
        } catch (...) {
#pragma omp critical(wb_parallel_failure)
            if (!failure) failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace wb
