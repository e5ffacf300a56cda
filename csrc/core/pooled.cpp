// SPDX-License-Identifier: Apache-2.0
#include "core/pooled.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <new>
#include <vector>

#include "core/poison.hpp"

namespace wb {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
// A piece kept is not handed to a request so small that most of its written pages would idle.
constexpr std::size_t kWorstFit = 8;
constexpr std::size_t kMostKept = 64;

struct Kept {
    void* data;
    std::size_t capacity, written;
};

struct Pool {
    Pool() { kept.reserve(kMostKept); }  // so that giving memory back allocates none

    std::mutex mutex;
    std::vector<Kept> kept;
    std::size_t written = 0;
};

// Never destroyed: results may outlive the interpreter's own clean-up.
Pool& pool() {
    static Pool* const instance = new Pool;
    return *instance;
}

}  // namespace

std::size_t pool_limit() {
    static const std::size_t limit = [] {
        const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
        return pages > 0 && size > 0
                   ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(size) / 16
                   : std::size_t{256} << 20;
    }();
    return limit;
}

Pooled::Pooled(std::size_t bytes) {
    const bool poisoned = poison_byte() != 0;  // throws, if at all, before there is memory to lose
    obtain(bytes);
    if (!poisoned) return;
    poison(data_, bytes);
    set_written(bytes);
}

void Pooled::obtain(std::size_t bytes) {
    const std::size_t wanted = std::max(kHugePage, (bytes + kHugePage - 1) & ~(kHugePage - 1));
    if (wanted < bytes) throw std::bad_alloc();
    {
        Pool& p = pool();
        const std::lock_guard<std::mutex> lock(p.mutex);
        std::size_t best = p.kept.size();
        for (std::size_t i = 0; i < p.kept.size(); ++i) {
            const Kept& k = p.kept[i];
            if (k.capacity < wanted || k.written > kWorstFit * wanted) continue;
            // The smallest that fits leaves the large ones to those who need them; of equal ones
            // the most written spares the most page faults.
            const bool better =
                best == p.kept.size() || k.capacity < p.kept[best].capacity ||
                (k.capacity == p.kept[best].capacity && k.written > p.kept[best].written);
            if (better) best = i;
        }
        if (best != p.kept.size()) {
            data_ = p.kept[best].data;
            capacity_ = p.kept[best].capacity;
            written_ = p.kept[best].written;
            p.written -= written_;
            p.kept.erase(p.kept.begin() + static_cast<std::ptrdiff_t>(best));
            return;
        }
    }
    // Aligned by hand to huge pages: one fault then serves 512 small pages.
    const std::size_t padded = wanted + kHugePage;
    if (padded < wanted) throw std::bad_alloc();
    void* raw = mmap(nullptr, padded, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (raw == MAP_FAILED) throw std::bad_alloc();
    const auto start = reinterpret_cast<std::uintptr_t>(raw);
    const std::uintptr_t aligned = (start + kHugePage - 1) & ~std::uintptr_t{kHugePage - 1};
    if (aligned > start) munmap(raw, aligned - start);
    const std::size_t tail = start + padded - (aligned + wanted);
    if (tail > 0) munmap(reinterpret_cast<void*>(aligned + wanted), tail);
    data_ = reinterpret_cast<void*>(aligned);
    capacity_ = wanted;
#ifdef MADV_HUGEPAGE
    madvise(data_, capacity_, MADV_HUGEPAGE);
#endif
}

void Pooled::set_written(std::size_t bytes) {
    written_ = std::min(capacity_, std::max(written_, bytes));
}

Pooled::~Pooled() {
    Pool& p = pool();
    {
        const std::lock_guard<std::mutex> lock(p.mutex);
        if (p.written + written_ <= pool_limit() && p.kept.size() < kMostKept) {
            p.kept.push_back({data_, capacity_, written_});
            p.written += written_;
            return;
        }
    }
    munmap(data_, capacity_);
}

void release_pool() {
    Pool& p = pool();
    const std::lock_guard<std::mutex> lock(p.mutex);
    for (const Kept& k : p.kept) munmap(k.data, k.capacity);
    p.kept.clear();  // keeps the room for the next ones
    p.written = 0;
}

}  // namespace wb
