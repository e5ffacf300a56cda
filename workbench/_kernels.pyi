"""
Compiled kernels of Workbench. Private: call them through workbench.ops.
"""
from __future__ import annotations
import numpy
import numpy.typing
import typing
__all__: list[str] = ['build_info', 'noise_pull_back', 'noisy_expectation', 'noisy_expectation_backward', 'noisy_probabilities', 'noisy_probabilities_backward', 'sparch_merge', 'sparch_outerspace', 'sparch_prefetch', 'sparch_schedule', 'sparch_symbolic', 'statevector_amplitudes_backward_f32', 'statevector_amplitudes_backward_f64', 'statevector_amplitudes_f32', 'statevector_amplitudes_f64', 'statevector_expectation_backward_f32', 'statevector_expectation_backward_f64', 'statevector_expectation_cuda_f32', 'statevector_expectation_cuda_f64', 'statevector_expectation_f32', 'statevector_expectation_f64', 'statevector_lanes', 'statevector_steps']
def build_info() -> dict:
    """
    How the kernels were built and what they run on.
    """
def noise_pull_back(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_qubits: typing.SupportsInt | typing.SupportsIndex, observables: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    """
    Observables (rows, 4**n) carried back through a channel program.
    """
def noisy_expectation(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_qubits: typing.SupportsInt | typing.SupportsIndex, observables: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    """
    Expectations (batch, rows) of a channel program.
    """
def noisy_expectation_backward(grad: numpy.typing.NDArray[numpy.float64], code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_qubits: typing.SupportsInt | typing.SupportsIndex, observables: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64]) -> tuple:
    """
    Gradients to the weights and to the inputs.
    """
def noisy_probabilities(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_qubits: typing.SupportsInt | typing.SupportsIndex, measured: numpy.typing.NDArray[numpy.int64], confusion: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    """
    Outcome probabilities (batch, 2**m) of a channel program.
    """
def noisy_probabilities_backward(grad: numpy.typing.NDArray[numpy.float64], code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_qubits: typing.SupportsInt | typing.SupportsIndex, measured: numpy.typing.NDArray[numpy.int64], confusion: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64]) -> tuple:
    """
    Gradients to the weights and to the inputs.
    """
def sparch_merge(a_keys: numpy.typing.NDArray[numpy.int64], a_values: numpy.typing.NDArray[numpy.float64], b_keys: numpy.typing.NDArray[numpy.int64], b_values: numpy.typing.NDArray[numpy.float64], width: typing.SupportsInt | typing.SupportsIndex, chunk: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    Two streams through a comparator array: keys, values, cycles, comparators.
    """
def sparch_outerspace(a_indptr: numpy.typing.NDArray[numpy.int64], a_indices: numpy.typing.NDArray[numpy.int32], a_cols: typing.SupportsInt | typing.SupportsIndex, b_indptr: numpy.typing.NDArray[numpy.int64], b_indices: numpy.typing.NDArray[numpy.int32], b_cols: typing.SupportsInt | typing.SupportsIndex, element_bytes: typing.SupportsInt | typing.SupportsIndex, align: typing.SupportsInt | typing.SupportsIndex, units: typing.SupportsInt | typing.SupportsIndex, bytes_per_cycle: typing.SupportsFloat | typing.SupportsIndex) -> dict:
    """
    Bytes and cycles of OuterSPACE.
    """
def sparch_prefetch(a_indptr: numpy.typing.NDArray[numpy.int64], a_indices: numpy.typing.NDArray[numpy.int32], a_cols: typing.SupportsInt | typing.SupportsIndex, b_indptr: numpy.typing.NDArray[numpy.int64], b_indices: numpy.typing.NDArray[numpy.int32], b_cols: typing.SupportsInt | typing.SupportsIndex, leaf_round: numpy.typing.NDArray[numpy.int64], n_rounds: typing.SupportsInt | typing.SupportsIndex, condense: bool, lines: typing.SupportsInt | typing.SupportsIndex, line_elements: typing.SupportsInt | typing.SupportsIndex, window: typing.SupportsInt | typing.SupportsIndex) -> dict:
    """
    Hits and misses of the buffer of rows of B, round by round.
    """
def sparch_schedule(a_indptr: numpy.typing.NDArray[numpy.int64], a_indices: numpy.typing.NDArray[numpy.int32], a_cols: typing.SupportsInt | typing.SupportsIndex, b_indptr: numpy.typing.NDArray[numpy.int64], b_indices: numpy.typing.NDArray[numpy.int32], b_cols: typing.SupportsInt | typing.SupportsIndex, condense: bool, order: typing.SupportsInt | typing.SupportsIndex, weights: typing.SupportsInt | typing.SupportsIndex, ways: typing.SupportsInt | typing.SupportsIndex) -> dict:
    """
    The merge tree, round by round, with exact sizes.
    """
def sparch_symbolic(a_indptr: numpy.typing.NDArray[numpy.int64], a_indices: numpy.typing.NDArray[numpy.int32], a_cols: typing.SupportsInt | typing.SupportsIndex, b_indptr: numpy.typing.NDArray[numpy.int64], b_indices: numpy.typing.NDArray[numpy.int32], b_cols: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    Products and stored elements of each row of C.
    """
def statevector_amplitudes_backward_f32(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32], state: numpy.typing.NDArray[numpy.float32], gradient: numpy.typing.NDArray[numpy.complex64], weight_gradient: numpy.typing.NDArray[numpy.float32] | None, input_gradient: numpy.typing.NDArray[numpy.float32] | None) -> None:
    """
    Gradients from those of the amplitudes, where not None.
    """
def statevector_amplitudes_backward_f64(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64], state: numpy.typing.NDArray[numpy.float64], gradient: numpy.typing.NDArray[numpy.complex128], weight_gradient: numpy.typing.NDArray[numpy.float64] | None, input_gradient: numpy.typing.NDArray[numpy.float64] | None) -> None:
    """
    Gradients from those of the amplitudes, where not None.
    """
def statevector_amplitudes_f32(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32], amplitudes: numpy.typing.NDArray[numpy.complex64], state: numpy.typing.NDArray[numpy.float32] | None) -> None:
    """
    Amplitudes into `amplitudes`; the final states into `state` unless it is None.
    """
def statevector_amplitudes_f64(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64], amplitudes: numpy.typing.NDArray[numpy.complex128], state: numpy.typing.NDArray[numpy.float64] | None) -> None:
    """
    Amplitudes into `amplitudes`; the final states into `state` unless it is None.
    """
def statevector_expectation_backward_f32(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32], state: numpy.typing.NDArray[numpy.float32], gradient: numpy.typing.NDArray[numpy.float32], weight_gradient: numpy.typing.NDArray[numpy.float32] | None, input_gradient: numpy.typing.NDArray[numpy.float32] | None) -> None:
    """
    Gradients from those of the expectation values, where not None.
    """
def statevector_expectation_backward_f64(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64], state: numpy.typing.NDArray[numpy.float64], gradient: numpy.typing.NDArray[numpy.float64], weight_gradient: numpy.typing.NDArray[numpy.float64] | None, input_gradient: numpy.typing.NDArray[numpy.float64] | None) -> None:
    """
    Gradients from those of the expectation values, where not None.
    """
def statevector_expectation_cuda_f32(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], n_rows: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32]) -> numpy.typing.NDArray[numpy.float32]:
    """
    Expectation values (batch, n_rows) computed on the current CUDA device.
    """
def statevector_expectation_cuda_f64(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], n_rows: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    """
    Expectation values (batch, n_rows) computed on the current CUDA device.
    """
def statevector_expectation_f32(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32], values: numpy.typing.NDArray[numpy.float32], state: numpy.typing.NDArray[numpy.float32] | None) -> None:
    """
    Expectation values into `values`; the final states into `state` unless it is None.
    """
def statevector_expectation_f64(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64], values: numpy.typing.NDArray[numpy.float64], state: numpy.typing.NDArray[numpy.float64] | None) -> None:
    """
    Expectation values into `values`; the final states into `state` unless it is None.
    """
def statevector_lanes(is_double: bool) -> int:
    """
    Samples a tile holds.
    """
def statevector_steps(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, n_weights: typing.SupportsInt | typing.SupportsIndex, n_inputs: typing.SupportsInt | typing.SupportsIndex) -> int:
    """
    Passes over the state that the program takes after fusion.
    """
