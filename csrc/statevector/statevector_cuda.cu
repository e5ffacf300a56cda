// SPDX-License-Identifier: Apache-2.0
// One thread block owns one sample: its whole state lies in shared memory (32 KiB at 12 wires in
// complex64) from the product state to the expectation values, and all steps of the plan run in
// one launch. The coefficients of a sample's steps are few and come from the host.
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "statevector/statevector_cuda.hpp"

namespace wb::statevector {
namespace {

void check(cudaError_t status, const char* what) {
    if (status != cudaSuccess) {
        throw std::runtime_error(std::string("CUDA: ") + what + ": " + cudaGetErrorString(status));
    }
}

/// An array on the device that lives as long as this object.
template <typename V>
class DeviceArray {
  public:
    explicit DeviceArray(std::size_t count) : count_(count) {
        if (count_ > 0) check(cudaMalloc(&data_, count_ * sizeof(V)), "cudaMalloc");
    }
    DeviceArray(const V* host, std::size_t count) : DeviceArray(count) {
        if (count_ > 0) {
            check(cudaMemcpy(data_, host, count_ * sizeof(V), cudaMemcpyHostToDevice),
                  "copy to the device");
        }
    }
    ~DeviceArray() { cudaFree(data_); }
    DeviceArray(const DeviceArray&) = delete;
    DeviceArray& operator=(const DeviceArray&) = delete;

    V* get() const { return data_; }
    void download(V* host) const {
        if (count_ > 0) {
            check(cudaMemcpy(host, data_, count_ * sizeof(V), cudaMemcpyDeviceToHost),
                  "copy from the device");
        }
    }

  private:
    V* data_ = nullptr;
    std::size_t count_;
};

template <typename T>
struct Sweep {
    int n_wires, n_steps, n_terms, n_rows;
    const Step* steps;
    const std::int32_t* wires;
    const double* data;
    const T* coefficients;  // (batch, n_coefficients)
    std::int64_t n_coefficients;
    const T* start;  // (batch, n_wires, 4)
    const Term* terms;
    T* values;  // (batch, n_rows)
};

template <typename T>
struct Amplitude {
    T re, im;
};

template <typename T>
__device__ Amplitude<T> times(Amplitude<T> a, Amplitude<T> b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

__device__ std::uint32_t spread_over(std::uint32_t k, int bit) {
    const std::uint32_t low = (1u << bit) - 1;
    return (k & ~low) << 1 | (k & low);
}

template <typename T>
__device__ void apply_matrix(const Step& step, const T* m, std::uint32_t size, Amplitude<T>* psi) {
    const auto controls = static_cast<std::uint32_t>(step.controls);
    const bool has_unset = step.chain0_end > step.chain0_begin;
    for (std::uint32_t k = threadIdx.x; k < size / 2; k += blockDim.x) {
        const std::uint32_t i = spread_over(k, step.target);
        const bool set = (i & controls) == controls;
        if (!set && !has_unset) continue;
        const T* u = set ? m + 8 : m;
        const std::uint32_t j = i | 1u << step.target;
        const Amplitude<T> x = psi[i], y = psi[j];
        psi[i] = {u[0] * x.re - u[1] * x.im + u[2] * y.re - u[3] * y.im,
                  u[0] * x.im + u[1] * x.re + u[2] * y.im + u[3] * y.re};
        psi[j] = {u[4] * x.re - u[5] * x.im + u[6] * y.re - u[7] * y.im,
                  u[4] * x.im + u[5] * x.re + u[6] * y.im + u[7] * y.re};
    }
}

template <typename T>
__device__ void apply_diagonal(const Step& step, const std::int32_t* wires, const T* table,
                               std::uint32_t size, Amplitude<T>* psi) {
    for (std::uint32_t i = threadIdx.x; i < size; i += blockDim.x) {
        std::uint32_t entry = 0;
        for (int b = 0; b < step.n_wires; ++b) entry |= (i >> wires[b] & 1u) << b;
        psi[i] = times(Amplitude<T>{table[2 * entry], table[2 * entry + 1]}, psi[i]);
    }
}

/// (P psi)_i for P = i^n_y X^x Z^z.
template <typename T>
__device__ Amplitude<T> pauli(std::uint32_t x, std::uint32_t z, int n_y, std::uint32_t i,
                              const Amplitude<T>* psi) {
    const std::uint32_t from = i ^ x;
    Amplitude<T> a = psi[from];
    if (__popc(from & z) & 1) a = {-a.re, -a.im};
    switch (n_y & 3) {
        case 1:
            return {-a.im, a.re};
        case 2:
            return {-a.re, -a.im};
        case 3:
            return {a.im, -a.re};
        default:
            return a;
    }
}

template <typename T>
__device__ void apply_rotation(const Step& step, T c, T s, std::uint32_t size, Amplitude<T>* psi) {
    const auto x = static_cast<std::uint32_t>(step.x), z = static_cast<std::uint32_t>(step.z);
    for (std::uint32_t i = threadIdx.x; i < size; i += blockDim.x) {
        const std::uint32_t j = i ^ x;
        if (j < i) continue;  // the pair belongs to its lower member; i itself where x is 0
        const Amplitude<T> p = pauli(x, z, step.n_y, i, psi), q = pauli(x, z, step.n_y, j, psi);
        const Amplitude<T> a = psi[i], b = psi[j];
        psi[i] = {c * a.re + s * p.im, c * a.im - s * p.re};
        psi[j] = {c * b.re + s * q.im, c * b.im - s * q.re};
    }
}

template <typename T>
__device__ void apply_unitary(const Step& step, const std::int32_t* wires, const double* matrix,
                              std::uint32_t size, Amplitude<T>* psi) {
    const int k = step.n_wires;
    const int side = 1 << k;
    std::uint32_t mask = 0;
    for (int b = 0; b < k; ++b) mask |= 1u << wires[b];
    for (std::uint32_t g = threadIdx.x; g < size >> k; g += blockDim.x) {
        std::uint32_t base = g;  // spread over the bits outside the mask, from the lowest up
        for (std::uint32_t rest = mask; rest; rest &= rest - 1) {
            base = spread_over(base, __ffs(static_cast<int>(rest)) - 1);
        }
        Amplitude<T> in[1 << kMaxUnitaryWires];
        for (int i = 0; i < side; ++i) {
            std::uint32_t at = base;
            for (int b = 0; b < k; ++b) at |= (static_cast<std::uint32_t>(i) >> b & 1u) << wires[b];
            in[i] = psi[at];
        }
        for (int i = 0; i < side; ++i) {
            Amplitude<T> sum{0, 0};
            for (int j = 0; j < side; ++j) {
                const double* m = matrix + 2 * (i * side + j);
                const Amplitude<T> p =
                    times(Amplitude<T>{static_cast<T>(m[0]), static_cast<T>(m[1])}, in[j]);
                sum = {sum.re + p.re, sum.im + p.im};
            }
            std::uint32_t at = base;
            for (int b = 0; b < k; ++b) at |= (static_cast<std::uint32_t>(i) >> b & 1u) << wires[b];
            psi[at] = sum;
        }
    }
}

constexpr int kThreads = 256;

/// Sum over the block in a fixed order, on thread 0.
__device__ double block_sum(double value) {
    __shared__ double partial[kThreads / 32];
    for (int offset = 16; offset > 0; offset /= 2) {
        value += __shfl_down_sync(0xffffffffu, value, offset);
    }
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
    __syncthreads();
    double total = 0;
    if (threadIdx.x == 0) {
        for (int w = 0; w < kThreads / 32; ++w) total += partial[w];
    }
    __syncthreads();
    return total;
}

template <typename T>
__global__ void __launch_bounds__(kThreads) sweep_kernel(Sweep<T> sweep) {
    extern __shared__ unsigned char shared[];
    auto* psi = reinterpret_cast<Amplitude<T>*>(shared);
    const std::int64_t sample = blockIdx.x;
    const std::uint32_t size = 1u << sweep.n_wires;
    const T* start = sweep.start + sample * sweep.n_wires * 4;
    for (std::uint32_t i = threadIdx.x; i < size; i += blockDim.x) {
        Amplitude<T> a{1, 0};
        for (int w = 0; w < sweep.n_wires; ++w) {
            const T* q = start + 4 * w + 2 * (i >> w & 1u);
            a = times(a, Amplitude<T>{q[0], q[1]});
        }
        psi[i] = a;
    }
    for (int s = 0; s < sweep.n_steps; ++s) {
        __syncthreads();
        const Step& step = sweep.steps[s];
        const T* c = sweep.coefficients + sample * sweep.n_coefficients + step.coefficients;
        const std::int32_t* wires = sweep.wires + step.wires_begin;
        switch (step.kind) {
            case StepKind::matrix:
                apply_matrix(step, c, size, psi);
                break;
            case StepKind::diagonal:
                apply_diagonal(step, wires, c, size, psi);
                break;
            case StepKind::rotation:
                apply_rotation(step, c[0], c[1], size, psi);
                break;
            case StepKind::unitary:
                apply_unitary(step, wires, sweep.data + step.matrix, size, psi);
                break;
        }
    }
    __syncthreads();
    T* row = sweep.values + sample * sweep.n_rows;
    for (int k = threadIdx.x; k < sweep.n_rows; k += blockDim.x) row[k] = 0;
    __syncthreads();
    for (int t = 0; t < sweep.n_terms; ++t) {
        const Term& term = sweep.terms[t];
        double sum = 0;
        for (std::uint32_t i = threadIdx.x; i < size; i += blockDim.x) {
            const Amplitude<T> y = pauli(static_cast<std::uint32_t>(term.x),
                                         static_cast<std::uint32_t>(term.z), term.n_y, i, psi);
            sum += static_cast<double>(psi[i].re * y.re + psi[i].im * y.im);
        }
        sum = block_sum(sum);
        if (threadIdx.x == 0) row[term.row] += static_cast<T>(term.coefficient * sum);
    }
}

}  // namespace

template <typename T>
void expectation_cuda(const CudaPlan& compiled, const CudaBatch<T>& samples, T* values) {
    const PlanView& plan = compiled.plan;
    const std::vector<Term>& terms = compiled.terms;
    const DeviceArray<Step> steps(plan.steps, static_cast<std::size_t>(plan.n_steps));
    const DeviceArray<std::int32_t> wires(plan.wires, compiled.n_wire_entries);
    const DeviceArray<double> data(plan.data, compiled.n_data);
    const DeviceArray<T> coefficients(samples.coefficients.data(), samples.coefficients.size());
    const DeviceArray<T> start(samples.start.data(), samples.start.size());
    const DeviceArray<Term> device_terms(terms.data(), terms.size());
    const auto n_values = static_cast<std::size_t>(samples.batch * compiled.n_rows);
    const DeviceArray<T> device_values(n_values);
    Sweep<T> sweep{};
    sweep.n_wires = plan.n_wires;
    sweep.n_steps = plan.n_steps;
    sweep.n_terms = static_cast<int>(terms.size());
    sweep.n_rows = compiled.n_rows;
    sweep.steps = steps.get();
    sweep.wires = wires.get();
    sweep.data = data.get();
    sweep.coefficients = coefficients.get();
    sweep.n_coefficients = plan.n_coefficients;
    sweep.start = start.get();
    sweep.terms = device_terms.get();
    sweep.values = device_values.get();
    const int bytes = static_cast<int>((std::size_t{1} << plan.n_wires) * sizeof(Amplitude<T>));
    check(cudaFuncSetAttribute(sweep_kernel<T>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
          "shared memory");
    sweep_kernel<T><<<static_cast<unsigned>(samples.batch), kThreads, bytes>>>(sweep);
    check(cudaGetLastError(), "launch");
    check(cudaDeviceSynchronize(), "sweep");
    device_values.download(values);
}

template void expectation_cuda<float>(const CudaPlan&, const CudaBatch<float>&, float*);
template void expectation_cuda<double>(const CudaPlan&, const CudaBatch<double>&, double*);

}  // namespace wb::statevector
