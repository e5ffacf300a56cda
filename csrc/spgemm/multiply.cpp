// SPDX-License-Identifier: Apache-2.0
// C = A B in one pass. The rows are cut into pieces of equal work; threads take them in order. A
// piece whose place in C is already known writes there; otherwise it is held in a buffer that
// fits the second-level cache until the pieces before it are done. C's memory is reserved for the
// upper bound, of which only what is written costs anything, so nothing is counted beforehand.
#include <atomic>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "core/parallel.hpp"
#include "spgemm/spgemm.hpp"
#include "spgemm/structure.hpp"
#include "spgemm/workspace.hpp"

namespace wb::spgemm {
namespace {

constexpr std::int64_t kSlack = 64;         // entries a vector store may write behind an end
constexpr std::size_t kPending = 16;        // pieces a thread holds back at most
constexpr std::int64_t kNear = 512 * 1024;  // bytes of B that stay in the second-level cache

template <typename T>
inline constexpr std::int64_t kValueBytes =
    sizeof(T) > 1 ? static_cast<std::int64_t>(sizeof(T)) : 0;

/// Whether no product of an entry of A and one of B is zero: then no sum of them is -0.0 either,
/// as rounding gives +0.0 to all sums but those of two negative zeros.
template <typename T>
bool never_zero(const Matrix<T>& a, const Matrix<T>& b, int threads) {
    const auto smallest = [threads](const T* values, std::int64_t count) {
        constexpr std::int64_t kChunk = 1 << 16;
        const std::int64_t chunks = (count + kChunk - 1) / kChunk;
        std::vector<T> least(static_cast<std::size_t>(chunks));
        parallel_for(chunks, threads_for(count, 500'000, threads), [&](std::int64_t c, int) {
            const std::int64_t end = std::min(count, (c + 1) * kChunk);
            T m = std::numeric_limits<T>::max();
            for (std::int64_t i = c * kChunk; i < end; ++i) {
                const T x = std::abs(values[i]);
                m = x < m ? x : m;  // NaN is left out: its products are NaN, not zero
            }
            least[static_cast<std::size_t>(c)] = m;
        });
        T m = std::numeric_limits<T>::max();
        for (const T x : least) m = std::min(m, x);
        return m;
    };
    const T x = smallest(a.val, a.nnz());
    const T y = a.val == b.val ? x : smallest(b.val, b.nnz());
    return x * y >= std::numeric_limits<T>::min();
}

/// Where each piece starts in C, known once those before it are done.
class Tickets {
  public:
    explicit Tickets(std::size_t pieces) : sizes_(pieces, -1), starts_(pieces + 1, -1) {
        starts_[0] = 0;
    }

    /// Start of a piece, or -1 while it is unknown.
    std::int64_t start(std::size_t piece) {
        return piece <= known_.load(std::memory_order_acquire) ? starts_[piece] : -1;
    }

    void set_size(std::size_t piece, std::int64_t size) {
        const std::lock_guard<std::mutex> lock(mutex_);
        sizes_[piece] = size;
        std::size_t known = known_.load(std::memory_order_relaxed);
        while (known < sizes_.size() && sizes_[known] >= 0) {
            starts_[known + 1] = starts_[known] + sizes_[known];
            ++known;
        }
        known_.store(known, std::memory_order_release);
    }

    std::int64_t total() const { return starts_.back(); }

  private:
    std::mutex mutex_;
    std::vector<std::int64_t> sizes_, starts_;
    std::atomic<std::size_t> known_{0};
};

template <typename T>
struct Buffer {
    Raw<std::int32_t> cols;
    Raw<T> vals;
    std::int64_t capacity = 0;

    void fit(std::int64_t bound) {
        if (bound <= capacity) return;
        cols = Raw<std::int32_t>(bound + kSlack);
        if constexpr (kValueBytes<T> > 0) vals = Raw<T>(bound + kSlack);
        capacity = bound;
    }
};

template <typename T>
struct Held {
    std::size_t piece;
    std::int64_t size;
    Buffer<T> buffer;
};

template <typename T>
class Multiplication {
  public:
    Multiplication(const Matrix<T>& a, const Matrix<T>& b, const Options& options)
        : a_(a), b_(b), options_(options) {}

    Product run() {
        const PatternView pa{a_.rows, a_.ptr, a_.idx}, pb{b_.rows, b_.ptr, b_.idx};
        const bool same = a_.ptr == b_.ptr && a_.idx == b_.idx;
        const Raw<std::uint8_t> b_shifted = shifted_rows(pb, options_.threads);
        Raw<std::uint8_t> a_own;
        if (b_shifted && !same) a_own = shifted_rows(pa, options_.threads);
        const std::uint8_t* a_shifted = same ? b_shifted.data() : a_own.data();
        const Work work = count_work(pa, b_.ptr, a_shifted, b_shifted.data(), options_.threads);
        RunTable runs;
        Raw<T> lanes;
        if (work.repeats) {
            runs = run_table(b_.rows, b_shifted.data());
            if constexpr (kValueBytes<T> > 0) {
                lanes = Raw<T>(b_.nnz() + kSlack);
                transpose_runs(pb, runs, b_.val, lanes.data(), options_.threads);
            }
        }
        pieces_ = cut(a_.rows, b_.cols, work);
        std::int64_t bound = 0;
        for (const Piece& p : pieces_) bound += p.bound;
        wide_ = options_.wide_indices;

        Product c;
        c.rows = a_.rows;
        c.ptr = reserve(a_.rows + 1, 8);
        c.idx = reserve(bound + kSlack, wide_ ? 8 : 4);
        if constexpr (kValueBytes<T> > 0) c.val = reserve(bound + kSlack, kValueBytes<T>);
        ptr_ = static_cast<std::int64_t*>(c.ptr->data());
        ptr_[0] = 0;
        idx_ = c.idx->data();
        val_ = c.val ? static_cast<T*>(c.val->data()) : nullptr;

        template_.a = {a_.ptr, a_.idx, a_.val};
        template_.b = {b_.ptr, b_.idx, b_.val};
        template_.runs = {runs.first.data(), runs.length.data(), lanes.data()};
        template_.repeats = work.repeats.data();
        template_.products = work.products.data();
        template_.n = static_cast<std::int32_t>(b_.cols);
        if constexpr (kValueBytes<T> > 0) {
            template_.plain = active_isa() == Isa::avx512 && 4 * work.scattered > work.total &&
                              work.scattered > 2 * (a_.nnz() + b_.nnz()) &&
                              never_zero(a_, b_, options_.threads);
        }
        template_.far = !work.repeats && b_.nnz() * (4 + kValueBytes<T>) > kNear;

        Tickets tickets(pieces_.size());
        const int threads = threads_for(work.total, 50'000, options_.threads);
        parallel_for(std::max(1, threads), threads,
                     [&](std::int64_t, int) { work_through(tickets); });
        c.nnz = tickets.total();
        finish(c);
        return c;
    }

  private:
    static std::shared_ptr<Pooled> reserve(std::int64_t count, std::size_t size) {
        return std::make_shared<Pooled>(bytes_of(count, size));
    }

    void work_through(Tickets& tickets) {
        try {
            take_pieces(tickets);
        } catch (...) {
            failed_.store(true);  // or the others would wait for this thread's piece forever
            throw;
        }
    }

    void take_pieces(Tickets& tickets) {
        Workspace<T>& workspace = thread_workspace<T>(b_.cols);
        const auto multiply_block = WB_SELECT_ISA(multiply_rows<T>);
        std::deque<Held<T>> held;
        std::vector<Buffer<T>> spare;
        Raw<std::int64_t> row_nnz;
        std::int64_t row_capacity = 0;
        const auto flush = [&](std::size_t most) {
            while (!held.empty()) {
                const std::int64_t start = tickets.start(held.front().piece);
                if (start < 0) {
                    if (held.size() <= most || failed_.load()) return;
                    check_interrupt();
                    std::this_thread::yield();
                    continue;
                }
                Held<T>& h = held.front();
                place(h, start);
                spare.push_back(std::move(h.buffer));
                held.pop_front();
            }
        };
        for (;;) {
            const std::size_t piece = next_.fetch_add(1);
            if (piece >= pieces_.size() || failed_.load()) break;
            check_interrupt();
            const Piece& p = pieces_[piece];
            if (p.row_end - p.row_begin > row_capacity) {
                row_capacity = p.row_end - p.row_begin;
                row_nnz = Raw<std::int64_t>(row_capacity);
            }
            Block<T> block = template_;
            block.row_begin = p.row_begin;
            block.row_end = p.row_end;
            block.col_begin = p.col_begin;
            block.col_end = p.col_end;
            block.work = &workspace;
            block.row_nnz = row_nnz.data();
            const std::int64_t start = wide_ ? -1 : tickets.start(piece);
            Held<T> h{piece, 0, {}};
            if (start >= 0) {
                block.cols = static_cast<std::int32_t*>(idx_) + start;
                block.vals = val_ ? val_ + start : nullptr;
            } else {
                if (!spare.empty()) {
                    h.buffer = std::move(spare.back());
                    spare.pop_back();
                }
                h.buffer.fit(p.bound);
                block.cols = h.buffer.cols.data();
                block.vals = h.buffer.vals.data();
            }
            h.size = multiply_block(block);
            // Entries per row for now; finish() sums them. A row's pieces add up in finish too.
            if (p.row_end - p.row_begin > 1 || (p.col_begin == 0 && p.last)) {
                std::memcpy(ptr_ + p.row_begin + 1, row_nnz.data(),
                            static_cast<std::size_t>(p.row_end - p.row_begin) * 8);
            } else {
                const std::lock_guard<std::mutex> lock(split_);
                split_rows_.push_back({p.row_begin, h.size});
            }
            tickets.set_size(piece, h.size);
            if (start < 0) held.push_back(std::move(h));
            flush(kPending);
        }
        flush(0);
    }

    void place(const Held<T>& h, std::int64_t start) {
        if (h.size == 0) return;  // its buffer may be none at all
        const std::int32_t* cols = h.buffer.cols.data();
        const auto size = static_cast<std::size_t>(h.size);
        if (!wide_) {
            std::memcpy(static_cast<std::int32_t*>(idx_) + start, cols, size * 4);
        } else {
            std::int64_t* out = static_cast<std::int64_t*>(idx_) + start;
            for (std::size_t e = 0; e < size; ++e) out[e] = cols[e];
        }
        if constexpr (kValueBytes<T> > 0) {
            std::memcpy(val_ + start, h.buffer.vals.data(), size * sizeof(T));
        }
    }

    void finish(Product& c) {
        for (const auto& [row, size] : split_rows_) ptr_[row + 1] = 0;
        for (const auto& [row, size] : split_rows_) ptr_[row + 1] += size;
        if (!wide_ && c.nnz > INT32_MAX) widen(c);
        c.wide = wide_;
        if (c.wide) {
            for (std::int64_t r = 0; r < c.rows; ++r) ptr_[r + 1] += ptr_[r];
        } else {
            // Narrowed in place: entry r + 1 is read before anything overlaps it.
            auto* narrow = reinterpret_cast<std::int32_t*>(ptr_);
            std::int64_t sum = 0;
            narrow[0] = 0;
            for (std::int64_t r = 0; r < c.rows; ++r) {
                std::int64_t count;
                std::memcpy(&count, reinterpret_cast<const char*>(ptr_) + 8 * (r + 1), 8);
                sum += count;
                const auto value = static_cast<std::int32_t>(sum);
                std::memcpy(reinterpret_cast<char*>(narrow) + 4 * (r + 1), &value, 4);
            }
        }
        c.ptr->set_written(static_cast<std::size_t>((c.rows + 1) * 8));
        c.idx->set_written(static_cast<std::size_t>((c.nnz + kSlack) * (c.wide ? 8 : 4)));
        if (c.val) c.val->set_written(static_cast<std::size_t>((c.nnz + kSlack) * kValueBytes<T>));
    }

    /// More entries than 32 bits can count: row pointers need 64, and columns follow suit.
    void widen(Product& c) {
        auto wide = reserve(c.nnz, 8);
        auto* out = static_cast<std::int64_t*>(wide->data());
        const auto* in = static_cast<const std::int32_t*>(idx_);
        constexpr std::int64_t kChunk = 1 << 20;
        parallel_for((c.nnz + kChunk - 1) / kChunk, options_.threads, [&](std::int64_t i, int) {
            const std::int64_t end = std::min(c.nnz, (i + 1) * kChunk);
            for (std::int64_t e = i * kChunk; e < end; ++e) out[e] = in[e];
        });
        c.idx = wide;
        wide_ = true;
    }

    const Matrix<T> a_, b_;
    const Options options_;
    std::vector<Piece> pieces_;
    Block<T> template_{};
    bool wide_ = false;
    std::int64_t* ptr_ = nullptr;
    void* idx_ = nullptr;
    T* val_ = nullptr;
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> failed_{false};
    std::mutex split_;
    std::vector<std::pair<std::int64_t, std::int64_t>> split_rows_;
};

}  // namespace

template <typename T>
Product multiply(const Matrix<T>& a, const Matrix<T>& b, const Options& options) {
    if (a.cols != b.rows) {
        throw std::invalid_argument("A has " + std::to_string(a.cols) + " columns but B has " +
                                    std::to_string(b.rows) + " rows");
    }
    return Multiplication<T>(a, b, options).run();
}

template Product multiply(const Matrix<float>&, const Matrix<float>&, const Options&);
template Product multiply(const Matrix<double>&, const Matrix<double>&, const Options&);
template Product multiply(const Matrix<NoValue>&, const Matrix<NoValue>&, const Options&);

std::int64_t count_products(std::int64_t rows, const std::int32_t* a_ptr, const std::int32_t* a_idx,
                            const std::int32_t* b_ptr, int threads) {
    return count_work({rows, a_ptr, a_idx}, b_ptr, nullptr, nullptr, threads).total;
}

}  // namespace wb::spgemm
