// SPDX-License-Identifier: Apache-2.0
// Rows are sorted into classes by the most entries they can have, and every class is one launch:
// up to 32 products a row lives in the registers of a quarter of a warp or of a warp; up to 8192
// entries in a hash table in shared memory sized to the class, or, where the row's columns are
// close together, in a dense array of the same size that needs no sorting; anything longer is cut
// into windows of columns, each of them a dense array of its own block, so that a hub row is shared
// by many blocks. Counting is the same with bitmaps for dense arrays. After Nagasaka, Nukada and
// Matsuoka, ICPP 2017 (binning, tables in shared memory) and Parger et al., PPoPP 2020 (dense
// rows).
//
// Determinism. A block lays the products of a row end to end in the order of A's row and takes one
// per thread at a time, whichever rows of B they come from. Which slot of the table a column gets
// depends on a race, but not what is added to it nor in which order: within a warp, lanes that meet
// in a slot take turns in lane order, and the warps of a block take turns in warp order. Where all
// products of a step come from one row of B no two meet, and all add at once. No sum is shared
// between blocks and there is no atomic addition of floats. The order of rows within a class is
// that of the matrix (a stable sort), and counts are integers.
#include <cuda_runtime.h>

#include <algorithm>
#include <climits>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>
#include <stdexcept>
#include <string>
#include <utility>

#include "spgemm/spgemm_cuda.hpp"
#include "spgemm/spgemm_cuda_kernels.cuh"

namespace wb::spgemm {
namespace {

void check(cudaError_t status, const char* what) {
    if (status != cudaSuccess) {
        throw std::runtime_error(std::string("CUDA: ") + what + ": " + cudaGetErrorString(status));
    }
}

/// Makes a device current for as long as this object lives.
class CurrentDevice {
  public:
    explicit CurrentDevice(int device) {
        check(cudaGetDevice(&previous_), "cudaGetDevice");
        check(cudaSetDevice(device), "cudaSetDevice");
    }
    ~CurrentDevice() { cudaSetDevice(previous_); }
    CurrentDevice(const CurrentDevice&) = delete;
    CurrentDevice& operator=(const CurrentDevice&) = delete;

  private:
    int previous_ = 0;
};

/// An array on the device, taken and given back in the stream's order.
template <typename V>
class Scratch {
  public:
    Scratch(std::int64_t count, cudaStream_t stream) : stream_(stream) {
        void* data = nullptr;
        check(cudaMallocAsync(
                  &data, static_cast<std::size_t>(std::max<std::int64_t>(count, 1)) * sizeof(V),
                  stream),
              "cudaMallocAsync");
        data_ = static_cast<V*>(data);
    }
    ~Scratch() { cudaFreeAsync(data_, stream_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    V* get() const { return data_; }

  private:
    V* data_ = nullptr;
    cudaStream_t stream_;
};

template <typename V>
void clear(V* data, std::int64_t count, cudaStream_t stream) {
    check(cudaMemsetAsync(data, 0, static_cast<std::size_t>(count) * sizeof(V), stream),
          "cudaMemsetAsync");
}

template <typename V>
void download(V* host, const V* device, std::size_t count, cudaStream_t stream) {
    check(cudaMemcpyAsync(host, device, count * sizeof(V), cudaMemcpyDeviceToHost, stream),
          "cudaMemcpyAsync");
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
}

/// Puts a kernel on the stream; no blocks, no launch.
template <typename... Parameters, typename... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), std::int64_t blocks, int threads,
            int shared_bytes, cudaStream_t stream, Arguments... arguments) {
    if (blocks == 0) return;
    if (shared_bytes > 0) {
        check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                   cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
              name);
    }
    kernel<<<static_cast<unsigned>(blocks), threads, shared_bytes, stream>>>(arguments...);
    check(cudaGetLastError(), name);
}

std::int64_t blocks_for(std::int64_t work, std::int64_t per_block) {
    return (work + per_block - 1) / per_block;
}

/// Exclusive sums in place.
void sum_before(std::int64_t* data, std::int64_t count, cudaStream_t stream) {
    std::size_t bytes = 0;
    check(cub::DeviceScan::ExclusiveSum(nullptr, bytes, data, data, count, stream), "scan");
    const Scratch<unsigned char> temporary(static_cast<std::int64_t>(bytes), stream);
    check(cub::DeviceScan::ExclusiveSum(temporary.get(), bytes, data, data, count, stream), "scan");
}

template <int Table, typename T>
constexpr int fill_bytes() {
    return slots_of(Table) * static_cast<int>(sizeof(T) + sizeof(std::int32_t));
}
template <int Table, typename T>
constexpr int fill_total() {
    return fill_bytes<Table, T>() + static_cast<int>(sizeof(Batch<T, warps_of(Table)>));
}
template <int Table>
constexpr int count_total() {
    return slots_of(Table) * 4 + static_cast<int>(sizeof(Batch<NoValue, warps_of(Table)>));
}
template <typename T>
constexpr int window_bytes() {
    return kFillColumns<T> * static_cast<int>(sizeof(T)) + kFillColumns<T> / 32 * 8;
}

/// Table classes whose blocks fit the device's shared memory; the others' rows become windows.
template <typename T>
int usable_tables(int device, bool fill) {
    int most = 0;
    check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
          "cudaDeviceGetAttribute");
    const int needs[kTables] = {
        fill ? fill_total<0, T>() : count_total<0>(), fill ? fill_total<1, T>() : count_total<1>(),
        fill ? fill_total<2, T>() : count_total<2>(), fill ? fill_total<3, T>() : count_total<3>()};
    int tables = 0;
    while (tables < kTables && needs[tables] <= most) ++tables;
    return tables;
}

/// The rows of each class, one class after the other.
class Classes {
  public:
    Classes(std::int64_t rows, const std::int32_t* a_ptr, const CudaRowWork& work,
            const std::int64_t* c_ptr, int tables, cudaStream_t stream)
        : list_(rows, stream) {
        const Scratch<unsigned char> classes(rows, stream), sorted(rows, stream);
        const Scratch<std::int32_t> identity(rows, stream);
        const Scratch<int> sizes(kClasses, stream);
        clear(sizes.get(), kClasses, stream);
        launch("classify_rows", classify_rows, blocks_for(rows, kPlainThreads), kPlainThreads, 0,
               stream, rows, a_ptr, work, c_ptr, tables, classes.get(), identity.get(),
               sizes.get());
        std::size_t bytes = 0;
        check(cub::DeviceRadixSort::SortPairs(nullptr, bytes, classes.get(), sorted.get(),
                                              identity.get(), list_.get(), rows, 0, kClassBits,
                                              stream),
              "sort by class");
        const Scratch<unsigned char> temporary(static_cast<std::int64_t>(bytes), stream);
        check(cub::DeviceRadixSort::SortPairs(temporary.get(), bytes, classes.get(), sorted.get(),
                                              identity.get(), list_.get(), rows, 0, kClassBits,
                                              stream),
              "sort by class");
        download(size_, sizes.get(), kClasses, stream);
    }

    std::int64_t size(int c) const { return size_[c]; }
    const std::int32_t* list(int c) const {
        std::int64_t begin = 0;
        for (int before = 0; before < c; ++before) begin += size_[before];
        return list_.get() + begin;
    }

  private:
    Scratch<std::int32_t> list_;
    int size_[kClasses] = {};
};

/// The windows of the rows that are cut into them.
class WindowList {
  public:
    WindowList(const Classes& classes, const CudaRowWork& work, int columns, cudaStream_t stream)
        : items_(classes.size(kWindows) + 1, stream) {
        const std::int64_t rows = classes.size(kWindows);
        view_ = {classes.list(kWindows), rows, items_.get(), 0};
        if (rows == 0) return;
        launch("count_windows", count_windows, blocks_for(rows + 1, kPlainThreads), kPlainThreads,
               0, stream, work, view_.list, rows, columns, items_.get());
        sum_before(items_.get(), rows + 1, stream);
        download(&view_.n_items, items_.get() + rows, 1, stream);
    }
    const Windows& view() const { return view_; }
    std::int64_t blocks() const { return std::min<std::int64_t>(view_.n_items, INT_MAX); }

  private:
    Scratch<std::int64_t> items_;
    Windows view_{};
};

template <int... Tables>
void count_tables(const CudaOperands<float>& m, const CudaRowWork& work, const Classes& classes,
                  std::int64_t* nnz, cudaStream_t stream,
                  std::integer_sequence<int, Tables...> /*tables*/) {
    (launch("count_rows", count_rows<Tables>, classes.size(kFirstTable + Tables),
            warps_of(Tables) * 32, slots_of(Tables) * 4, stream, m, work,
            classes.list(kFirstTable + Tables), nnz),
     ...);
}

template <typename T, int... Tables>
void fill_tables(const CudaOperands<T>& m, const CudaRowWork& work, const Classes& classes,
                 const std::int64_t* c_ptr, std::int32_t* c_idx, T* c_val, cudaStream_t stream,
                 std::integer_sequence<int, Tables...> /*tables*/) {
    (launch("fill_rows", fill_rows<Tables, T>, classes.size(kFirstTable + Tables),
            warps_of(Tables) * 32, fill_bytes<Tables, T>(), stream, m, work,
            classes.list(kFirstTable + Tables), c_ptr, c_idx, c_val),
     ...);
}

template <int Lanes, bool Fill, typename T>
void launch_tiny(const CudaOperands<T>& m, const Classes& classes, std::int64_t* nnz,
                 const std::int64_t* c_ptr, std::int32_t* c_idx, T* c_val, cudaStream_t stream) {
    constexpr int kClass = Lanes == 8 ? kQuarterWarp : kWholeWarp;
    launch("tiny_rows", tiny_rows<Lanes, Fill, T>,
           blocks_for(classes.size(kClass), kPlainThreads / Lanes), kPlainThreads, 0, stream, m,
           classes.list(kClass), classes.size(kClass), nnz, c_ptr, c_idx, c_val);
}

using AllTables = std::make_integer_sequence<int, kTables>;

}  // namespace

std::int64_t count_cuda(const CudaOperands<float>& m, const CudaRowWork& work, std::int64_t* c_ptr,
                        const CudaQueue& queue) {
    const CurrentDevice current(queue.device);
    auto* const stream = static_cast<cudaStream_t>(queue.stream);
    clear(c_ptr, m.rows + 1, stream);
    if (m.rows == 0) return 0;
    launch("measure_rows", measure_rows, blocks_for(m.rows, kPlainThreads / 32), kPlainThreads, 0,
           stream, m, work);
    const Classes classes(m.rows, m.a_ptr, work, nullptr, usable_tables<float>(queue.device, false),
                          stream);
    launch_tiny<8, false, float>(m, classes, c_ptr, nullptr, nullptr, nullptr, stream);
    launch_tiny<32, false, float>(m, classes, c_ptr, nullptr, nullptr, nullptr, stream);
    count_tables(m, work, classes, c_ptr, stream, AllTables{});
    const WindowList windows(classes, work, kCountColumns, stream);
    launch("count_in_windows", count_in_windows<float>, windows.blocks(), kWindowWarps * 32,
           kCountColumns / 8, stream, m, work, windows.view(), kCountColumns, true, c_ptr);
    sum_before(c_ptr, m.rows + 1, stream);
    std::int64_t nnz = 0;
    download(&nnz, c_ptr + m.rows, 1, stream);
    return nnz;
}

template <typename T>
void fill_cuda(const CudaOperands<T>& m, const CudaRowWork& work, const std::int64_t* c_ptr,
               std::int32_t* c_idx, T* c_val, const CudaQueue& queue) {
    if (m.rows == 0) return;
    const CurrentDevice current(queue.device);
    auto* const stream = static_cast<cudaStream_t>(queue.stream);
    const Classes classes(m.rows, m.a_ptr, work, c_ptr, usable_tables<T>(queue.device, true),
                          stream);
    launch_tiny<8, true, T>(m, classes, nullptr, c_ptr, c_idx, c_val, stream);
    launch_tiny<32, true, T>(m, classes, nullptr, c_ptr, c_idx, c_val, stream);
    fill_tables<T>(m, work, classes, c_ptr, c_idx, c_val, stream, AllTables{});
    const WindowList windows(classes, work, kFillColumns<T>, stream);
    const std::int64_t n_items = windows.view().n_items;
    if (n_items == 0) return;
    const Scratch<std::int64_t> before(n_items + 1, stream);
    clear(before.get(), n_items + 1, stream);
    launch("count_in_windows", count_in_windows<T>, windows.blocks(), kWindowWarps * 32,
           kFillColumns<T> / 8, stream, m, work, windows.view(), kFillColumns<T>, false,
           before.get());
    sum_before(before.get(), n_items + 1, stream);
    launch("fill_windows", fill_windows<T>, windows.blocks(), kWindowWarps * 32, window_bytes<T>(),
           stream, m, work, windows.view(), before.get(), c_ptr, c_idx, c_val);
}

template void fill_cuda<float>(const CudaOperands<float>&, const CudaRowWork&, const std::int64_t*,
                               std::int32_t*, float*, const CudaQueue&);
template void fill_cuda<double>(const CudaOperands<double>&, const CudaRowWork&,
                                const std::int64_t*, std::int32_t*, double*, const CudaQueue&);

}  // namespace wb::spgemm
