"""
Compiled kernels of Workbench. Private: call them through workbench.ops.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
__all__: list[str] = ['DigraphF32', 'DigraphF64', 'DigraphI32', 'DigraphI64', 'IncrementalPathsF32', 'IncrementalPathsF64', 'IncrementalPathsI32', 'IncrementalPathsI64', 'SpGEMMPlan', 'SpannerProblem', 'alt_search', 'build_info', 'circuit_device_state', 'circuit_find_frequencies', 'circuit_n_sources', 'circuit_operating_point', 'circuit_operating_point_backward', 'circuit_small_signal', 'circuit_small_signal_backward', 'circuit_transient', 'circuit_transient_backward', 'csr_check_i32', 'csr_check_i64', 'csr_transpose', 'noise_pull_back', 'noisy_expectation', 'noisy_expectation_backward', 'noisy_probabilities', 'noisy_probabilities_backward', 'poison_byte', 'pooled_empty', 'release_pool', 'scratch_leases', 'scratch_parts', 'sddmm_f32', 'sddmm_f64', 'sparch_merge', 'sparch_outerspace', 'sparch_prefetch', 'sparch_schedule', 'sparch_symbolic', 'spgemm_cuda_count', 'spgemm_cuda_fill_f32', 'spgemm_cuda_fill_f64', 'spgemm_gradients_c128', 'spgemm_gradients_c64', 'spgemm_gradients_f32', 'spgemm_gradients_f64', 'spgemm_masked_bool', 'spgemm_masked_c128', 'spgemm_masked_c64', 'spgemm_masked_f32', 'spgemm_masked_f64', 'spgemm_masked_i32', 'spgemm_masked_i64', 'spgemm_multiply_f32', 'spgemm_multiply_f64', 'spgemm_multiply_pattern', 'spgemm_products', 'spgemm_values_bool', 'spgemm_values_c128', 'spgemm_values_c64', 'spgemm_values_f32', 'spgemm_values_f64', 'spgemm_values_i32', 'spgemm_values_i64', 'spmm_f32', 'spmm_f64', 'statevector_amplitudes_backward_f32', 'statevector_amplitudes_backward_f64', 'statevector_amplitudes_f32', 'statevector_amplitudes_f64', 'statevector_amplitudes_tangent_f32', 'statevector_amplitudes_tangent_f64', 'statevector_expectation_backward_f32', 'statevector_expectation_backward_f64', 'statevector_expectation_cuda_f32', 'statevector_expectation_cuda_f64', 'statevector_expectation_f32', 'statevector_expectation_f64', 'statevector_expectation_tangent_f32', 'statevector_expectation_tangent_f64', 'statevector_lanes', 'statevector_steps']
class SpGEMMPlan:
    """
    What repeated products on one pattern share.
    """
    def __init__(self, a: tuple, b: tuple, c: tuple, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @typing.overload
    def refill(self, a: tuple, a_val: numpy.typing.NDArray[numpy.float32], b: tuple, b_val: numpy.typing.NDArray[numpy.float32], c: tuple, out: numpy.typing.NDArray[numpy.float32], threads: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @typing.overload
    def refill(self, a: tuple, a_val: numpy.typing.NDArray[numpy.float64], b: tuple, b_val: numpy.typing.NDArray[numpy.float64], c: tuple, out: numpy.typing.NDArray[numpy.float64], threads: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def nbytes(self) -> int:
        ...
class DigraphI32:
    def __init__(self, n: typing.SupportsInt | typing.SupportsIndex, tails: numpy.typing.NDArray[numpy.int64], heads: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.int32]) -> None:
        ...
    def ball(self, vertex: typing.SupportsInt | typing.SupportsIndex, radius: typing.SupportsFloat | typing.SupportsIndex, reverse: bool) -> tuple:
        ...
    def ball_sizes(self, of: numpy.typing.NDArray[numpy.int64], radius: typing.SupportsFloat | typing.SupportsIndex, reverse: bool, k: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def nearest_two(self, centres: numpy.typing.NDArray[numpy.int64], offsets: numpy.typing.NDArray[numpy.float64], limit: typing.SupportsFloat | typing.SupportsIndex, reverse: bool) -> tuple:
        ...
    def round_trips(self, sources: numpy.typing.NDArray[numpy.int64], limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def round_trips_near(self, sources: numpy.typing.NDArray[numpy.int64], limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def roundtrip_ball(self, vertex: typing.SupportsInt | typing.SupportsIndex, radius: typing.SupportsFloat | typing.SupportsIndex) -> tuple:
        ...
    def shortest_paths(self, sources: numpy.typing.NDArray[numpy.int64], reverse: bool, limit: typing.SupportsFloat | typing.SupportsIndex, targets: numpy.typing.NDArray[numpy.uint8] | None, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, parents: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def shortest_paths_near(self, sources: numpy.typing.NDArray[numpy.int64], reverse: bool, limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, parents: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def strong_components(self) -> tuple[int, numpy.typing.NDArray[numpy.int32]]:
        ...
class DigraphI64:
    def __init__(self, n: typing.SupportsInt | typing.SupportsIndex, tails: numpy.typing.NDArray[numpy.int64], heads: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.int64]) -> None:
        ...
    def ball(self, vertex: typing.SupportsInt | typing.SupportsIndex, radius: typing.SupportsFloat | typing.SupportsIndex, reverse: bool) -> tuple:
        ...
    def ball_sizes(self, of: numpy.typing.NDArray[numpy.int64], radius: typing.SupportsFloat | typing.SupportsIndex, reverse: bool, k: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def nearest_two(self, centres: numpy.typing.NDArray[numpy.int64], offsets: numpy.typing.NDArray[numpy.float64], limit: typing.SupportsFloat | typing.SupportsIndex, reverse: bool) -> tuple:
        ...
    def round_trips(self, sources: numpy.typing.NDArray[numpy.int64], limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def round_trips_near(self, sources: numpy.typing.NDArray[numpy.int64], limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def roundtrip_ball(self, vertex: typing.SupportsInt | typing.SupportsIndex, radius: typing.SupportsFloat | typing.SupportsIndex) -> tuple:
        ...
    def shortest_paths(self, sources: numpy.typing.NDArray[numpy.int64], reverse: bool, limit: typing.SupportsFloat | typing.SupportsIndex, targets: numpy.typing.NDArray[numpy.uint8] | None, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, parents: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def shortest_paths_near(self, sources: numpy.typing.NDArray[numpy.int64], reverse: bool, limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, parents: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def strong_components(self) -> tuple[int, numpy.typing.NDArray[numpy.int32]]:
        ...
class DigraphF32:
    def __init__(self, n: typing.SupportsInt | typing.SupportsIndex, tails: numpy.typing.NDArray[numpy.int64], heads: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.float32]) -> None:
        ...
    def ball(self, vertex: typing.SupportsInt | typing.SupportsIndex, radius: typing.SupportsFloat | typing.SupportsIndex, reverse: bool) -> tuple:
        ...
    def ball_sizes(self, of: numpy.typing.NDArray[numpy.int64], radius: typing.SupportsFloat | typing.SupportsIndex, reverse: bool, k: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def nearest_two(self, centres: numpy.typing.NDArray[numpy.int64], offsets: numpy.typing.NDArray[numpy.float64], limit: typing.SupportsFloat | typing.SupportsIndex, reverse: bool) -> tuple:
        ...
    def round_trips(self, sources: numpy.typing.NDArray[numpy.int64], limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def round_trips_near(self, sources: numpy.typing.NDArray[numpy.int64], limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def roundtrip_ball(self, vertex: typing.SupportsInt | typing.SupportsIndex, radius: typing.SupportsFloat | typing.SupportsIndex) -> tuple:
        ...
    def shortest_paths(self, sources: numpy.typing.NDArray[numpy.int64], reverse: bool, limit: typing.SupportsFloat | typing.SupportsIndex, targets: numpy.typing.NDArray[numpy.uint8] | None, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, parents: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def shortest_paths_near(self, sources: numpy.typing.NDArray[numpy.int64], reverse: bool, limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, parents: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def strong_components(self) -> tuple[int, numpy.typing.NDArray[numpy.int32]]:
        ...
class DigraphF64:
    def __init__(self, n: typing.SupportsInt | typing.SupportsIndex, tails: numpy.typing.NDArray[numpy.int64], heads: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.float64]) -> None:
        ...
    def ball(self, vertex: typing.SupportsInt | typing.SupportsIndex, radius: typing.SupportsFloat | typing.SupportsIndex, reverse: bool) -> tuple:
        ...
    def ball_sizes(self, of: numpy.typing.NDArray[numpy.int64], radius: typing.SupportsFloat | typing.SupportsIndex, reverse: bool, k: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def nearest_two(self, centres: numpy.typing.NDArray[numpy.int64], offsets: numpy.typing.NDArray[numpy.float64], limit: typing.SupportsFloat | typing.SupportsIndex, reverse: bool) -> tuple:
        ...
    def round_trips(self, sources: numpy.typing.NDArray[numpy.int64], limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def round_trips_near(self, sources: numpy.typing.NDArray[numpy.int64], limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def roundtrip_ball(self, vertex: typing.SupportsInt | typing.SupportsIndex, radius: typing.SupportsFloat | typing.SupportsIndex) -> tuple:
        ...
    def shortest_paths(self, sources: numpy.typing.NDArray[numpy.int64], reverse: bool, limit: typing.SupportsFloat | typing.SupportsIndex, targets: numpy.typing.NDArray[numpy.uint8] | None, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, parents: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def shortest_paths_near(self, sources: numpy.typing.NDArray[numpy.int64], reverse: bool, limit: typing.SupportsFloat | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, parents: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def strong_components(self) -> tuple[int, numpy.typing.NDArray[numpy.int32]]:
        ...
class IncrementalPathsI32:
    def __init__(self, n: typing.SupportsInt | typing.SupportsIndex, tails: numpy.typing.NDArray[numpy.int64], heads: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.int32], source: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def distances(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def insert(self, edges: numpy.typing.NDArray[numpy.int64]) -> numpy.typing.NDArray[numpy.int64]:
        ...
    def parents(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    def used(self) -> numpy.typing.NDArray[numpy.uint8]:
        ...
class IncrementalPathsI64:
    def __init__(self, n: typing.SupportsInt | typing.SupportsIndex, tails: numpy.typing.NDArray[numpy.int64], heads: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.int64], source: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def distances(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def insert(self, edges: numpy.typing.NDArray[numpy.int64]) -> numpy.typing.NDArray[numpy.int64]:
        ...
    def parents(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    def used(self) -> numpy.typing.NDArray[numpy.uint8]:
        ...
class IncrementalPathsF32:
    def __init__(self, n: typing.SupportsInt | typing.SupportsIndex, tails: numpy.typing.NDArray[numpy.int64], heads: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.float32], source: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def distances(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def insert(self, edges: numpy.typing.NDArray[numpy.int64]) -> numpy.typing.NDArray[numpy.int64]:
        ...
    def parents(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    def used(self) -> numpy.typing.NDArray[numpy.uint8]:
        ...
class IncrementalPathsF64:
    def __init__(self, n: typing.SupportsInt | typing.SupportsIndex, tails: numpy.typing.NDArray[numpy.int64], heads: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.float64], source: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def distances(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def insert(self, edges: numpy.typing.NDArray[numpy.int64]) -> numpy.typing.NDArray[numpy.int64]:
        ...
    def parents(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    def used(self) -> numpy.typing.NDArray[numpy.uint8]:
        ...
class SpannerProblem:
    @typing.overload
    def __init__(self, n: typing.SupportsInt | typing.SupportsIndex, tails: numpy.typing.NDArray[numpy.int64], heads: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.int64], component: numpy.typing.NDArray[numpy.int32], count: typing.SupportsInt | typing.SupportsIndex, sources: numpy.typing.NDArray[numpy.int64]) -> None:
        ...
    @typing.overload
    def __init__(self, n: typing.SupportsInt | typing.SupportsIndex, tails: numpy.typing.NDArray[numpy.int64], heads: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.float64], component: numpy.typing.NDArray[numpy.int32], count: typing.SupportsInt | typing.SupportsIndex, sources: numpy.typing.NDArray[numpy.int64]) -> None:
        ...
    def cores(self) -> list:
        ...
    def cover(self, mask: numpy.typing.NDArray[numpy.uint8], stretch: typing.SupportsFloat | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex, repetitions: typing.SupportsInt | typing.SupportsIndex, samples: typing.SupportsInt | typing.SupportsIndex, share: typing.SupportsInt | typing.SupportsIndex, shares: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex, progress: collections.abc.Callable[[int, int], None] | None) -> list:
        ...
    def exact(self, mask: numpy.typing.NDArray[numpy.uint8], begin: typing.SupportsInt | typing.SupportsIndex, end: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex, progress: collections.abc.Callable[[int, int], None] | None) -> None:
        ...
    def greedy(self, mask: numpy.typing.NDArray[numpy.uint8], stretch: typing.SupportsFloat | typing.SupportsIndex, hub: bool, seed: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex, progress: collections.abc.Callable[[int, int], None] | None, trees: collections.abc.Callable[[int, int, int], tuple] | None) -> list:
        ...
    def prune(self, mask: numpy.typing.NDArray[numpy.uint8], stretch: typing.SupportsFloat | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex, progress: collections.abc.Callable[[int, int], None] | None) -> dict:
        ...
    def sampled_balls(self, mask: numpy.typing.NDArray[numpy.uint8], k: typing.SupportsInt | typing.SupportsIndex, epsilon: typing.SupportsFloat | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex, share: typing.SupportsInt | typing.SupportsIndex, shares: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex, progress: collections.abc.Callable[[int, int], None] | None) -> int:
        ...
    def search_trees(self, core: typing.SupportsInt | typing.SupportsIndex, begin: typing.SupportsInt | typing.SupportsIndex, end: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
@typing.overload
def alt_search(graph: DigraphI32, sources: numpy.typing.NDArray[numpy.int64], targets: numpy.typing.NDArray[numpy.int64], to: numpy.typing.NDArray[numpy.float64], from_: numpy.typing.NDArray[numpy.float64], active: typing.SupportsInt | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    (distances, vertices settled, starts, edges) of the shortest paths of some pairs.
    """
@typing.overload
def alt_search(graph: DigraphI64, sources: numpy.typing.NDArray[numpy.int64], targets: numpy.typing.NDArray[numpy.int64], to: numpy.typing.NDArray[numpy.float64], from_: numpy.typing.NDArray[numpy.float64], active: typing.SupportsInt | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    (distances, vertices settled, starts, edges) of the shortest paths of some pairs.
    """
@typing.overload
def alt_search(graph: DigraphF32, sources: numpy.typing.NDArray[numpy.int64], targets: numpy.typing.NDArray[numpy.int64], to: numpy.typing.NDArray[numpy.float64], from_: numpy.typing.NDArray[numpy.float64], active: typing.SupportsInt | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    (distances, vertices settled, starts, edges) of the shortest paths of some pairs.
    """
@typing.overload
def alt_search(graph: DigraphF64, sources: numpy.typing.NDArray[numpy.int64], targets: numpy.typing.NDArray[numpy.int64], to: numpy.typing.NDArray[numpy.float64], from_: numpy.typing.NDArray[numpy.float64], active: typing.SupportsInt | typing.SupportsIndex, edge_mask: numpy.typing.NDArray[numpy.uint8] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    (distances, vertices settled, starts, edges) of the shortest paths of some pairs.
    """
def build_info() -> dict:
    """
    How the kernels were built and what they run on.
    """
def circuit_device_state(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_nodes: typing.SupportsInt | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.float64], voltages: numpy.typing.NDArray[numpy.float64], temperature: typing.SupportsFloat | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
    """
    Operating state of every transistor.
    """
def circuit_find_frequencies(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_nodes: typing.SupportsInt | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.float64], voltages: numpy.typing.NDArray[numpy.float64], drives: numpy.typing.NDArray[numpy.float64], outputs: numpy.typing.NDArray[numpy.int64], requests: numpy.typing.NDArray[numpy.int64], low: typing.SupportsFloat | typing.SupportsIndex, high: typing.SupportsFloat | typing.SupportsIndex, points: typing.SupportsInt | typing.SupportsIndex, temperature: typing.SupportsFloat | typing.SupportsIndex) -> tuple:
    """
    Crossings and peaks of transfers, their slopes and phases.
    """
def circuit_n_sources(code: numpy.typing.NDArray[numpy.int64]) -> int:
    """
    Voltage and current sources of a program.
    """
def circuit_operating_point(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_nodes: typing.SupportsInt | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.float64], start: numpy.typing.NDArray[numpy.float64], temperature: typing.SupportsFloat | typing.SupportsIndex) -> tuple:
    """
    Node potentials, source currents and status of every candidate.
    """
def circuit_operating_point_backward(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_nodes: typing.SupportsInt | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.float64], voltages: numpy.typing.NDArray[numpy.float64], temperature: typing.SupportsFloat | typing.SupportsIndex, grad_voltages: numpy.typing.NDArray[numpy.float64], grad_currents: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    """
    Gradient to the rows.
    """
def circuit_small_signal(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_nodes: typing.SupportsInt | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.float64], voltages: numpy.typing.NDArray[numpy.float64], frequencies: numpy.typing.NDArray[numpy.float64], drives: numpy.typing.NDArray[numpy.float64], outputs: numpy.typing.NDArray[numpy.int64], noise: numpy.typing.NDArray[numpy.int64], temperature: typing.SupportsFloat | typing.SupportsIndex) -> tuple:
    """
    Transfers and noise densities.
    """
def circuit_small_signal_backward(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_nodes: typing.SupportsInt | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.float64], voltages: numpy.typing.NDArray[numpy.float64], frequencies: numpy.typing.NDArray[numpy.float64], drives: numpy.typing.NDArray[numpy.float64], outputs: numpy.typing.NDArray[numpy.int64], noise: numpy.typing.NDArray[numpy.int64], temperature: typing.SupportsFloat | typing.SupportsIndex, grad_transfer: numpy.typing.NDArray[numpy.complex128], grad_density: numpy.typing.NDArray[numpy.float64]) -> tuple:
    """
    Gradients to rows and potentials.
    """
def circuit_transient(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_nodes: typing.SupportsInt | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.float64], voltages: numpy.typing.NDArray[numpy.float64], wave_times: numpy.typing.NDArray[numpy.float64], waves: numpy.typing.NDArray[numpy.float64], times: numpy.typing.NDArray[numpy.float64], outputs: numpy.typing.NDArray[numpy.int64], tolerance: typing.SupportsFloat | typing.SupportsIndex, max_steps: typing.SupportsInt | typing.SupportsIndex, temperature: typing.SupportsFloat | typing.SupportsIndex) -> tuple:
    """
    Waveforms at given times, status and number of steps of every candidate.
    """
def circuit_transient_backward(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_nodes: typing.SupportsInt | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.float64], voltages: numpy.typing.NDArray[numpy.float64], wave_times: numpy.typing.NDArray[numpy.float64], waves: numpy.typing.NDArray[numpy.float64], times: numpy.typing.NDArray[numpy.float64], outputs: numpy.typing.NDArray[numpy.int64], tolerance: typing.SupportsFloat | typing.SupportsIndex, max_steps: typing.SupportsInt | typing.SupportsIndex, temperature: typing.SupportsFloat | typing.SupportsIndex, grad_out: numpy.typing.NDArray[numpy.float64]) -> tuple:
    """
    Gradients to rows and potentials.
    """
def csr_check_i32(matrix: str, cols: typing.SupportsInt | typing.SupportsIndex, indptr: numpy.typing.NDArray[numpy.int32], indices: numpy.typing.NDArray[numpy.int32], threads: typing.SupportsInt | typing.SupportsIndex) -> int:
    """
    0: rows strictly sorted; 1: sorted, with repetitions; 2: not sorted.
    """
def csr_check_i64(matrix: str, cols: typing.SupportsInt | typing.SupportsIndex, indptr: numpy.typing.NDArray[numpy.int64], indices: numpy.typing.NDArray[numpy.int64], threads: typing.SupportsInt | typing.SupportsIndex) -> int:
    """
    0: rows strictly sorted; 1: sorted, with repetitions; 2: not sorted.
    """
def csr_transpose(a: tuple) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int32]]:
    """
    (indptr, indices, entry of A that each comes from) of the transpose.
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
def poison_byte() -> int:
    """
    What fresh memory is filled with (WB_POISON), 0: nothing.
    """
def pooled_empty(count: typing.SupportsInt | typing.SupportsIndex, dtype: numpy.dtype[typing.Any]) -> numpy.ndarray:
    """
    A vector without initial values from the pool.
    """
def release_pool() -> None:
    """
    Gives memory kept for the next results back.
    """
def scratch_leases(arg0: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> list[int]:
    """
    Where a thread's scratch lies that is leased for so many bytes each, all at once.
    """
def scratch_parts(arg0: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], arg1: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> int:
    """
    Bytes counted for some parts of doubles; taking more of them than was counted throws.
    """
def sddmm_f32(pattern: tuple, x: numpy.typing.NDArray[numpy.float32], y: numpy.typing.NDArray[numpy.float32], out: numpy.typing.NDArray[numpy.float32], threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def sddmm_f64(pattern: tuple, x: numpy.typing.NDArray[numpy.float64], y: numpy.typing.NDArray[numpy.float64], out: numpy.typing.NDArray[numpy.float64], threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
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
def spgemm_cuda_count(rows: typing.SupportsInt | typing.SupportsIndex, a_ptr: typing.SupportsInt | typing.SupportsIndex, a_idx: typing.SupportsInt | typing.SupportsIndex, b_ptr: typing.SupportsInt | typing.SupportsIndex, b_idx: typing.SupportsInt | typing.SupportsIndex, work: typing.SupportsInt | typing.SupportsIndex, c_ptr: typing.SupportsInt | typing.SupportsIndex, device: typing.SupportsInt | typing.SupportsIndex, stream: typing.SupportsInt | typing.SupportsIndex) -> int:
    """
    Writes row pointers (rows + 1, int64) and row work (3 rows, int32) of a product, and returns its number of entries; arguments are addresses.
    """
def spgemm_cuda_fill_f32(rows: typing.SupportsInt | typing.SupportsIndex, a_ptr: typing.SupportsInt | typing.SupportsIndex, a_idx: typing.SupportsInt | typing.SupportsIndex, a_val: typing.SupportsInt | typing.SupportsIndex, b_ptr: typing.SupportsInt | typing.SupportsIndex, b_idx: typing.SupportsInt | typing.SupportsIndex, b_val: typing.SupportsInt | typing.SupportsIndex, work: typing.SupportsInt | typing.SupportsIndex, c_ptr: typing.SupportsInt | typing.SupportsIndex, c_idx: typing.SupportsInt | typing.SupportsIndex, c_val: typing.SupportsInt | typing.SupportsIndex, device: typing.SupportsInt | typing.SupportsIndex, stream: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Writes columns and values of a product counted before; arguments are addresses.
    """
def spgemm_cuda_fill_f64(rows: typing.SupportsInt | typing.SupportsIndex, a_ptr: typing.SupportsInt | typing.SupportsIndex, a_idx: typing.SupportsInt | typing.SupportsIndex, a_val: typing.SupportsInt | typing.SupportsIndex, b_ptr: typing.SupportsInt | typing.SupportsIndex, b_idx: typing.SupportsInt | typing.SupportsIndex, b_val: typing.SupportsInt | typing.SupportsIndex, work: typing.SupportsInt | typing.SupportsIndex, c_ptr: typing.SupportsInt | typing.SupportsIndex, c_idx: typing.SupportsInt | typing.SupportsIndex, c_val: typing.SupportsInt | typing.SupportsIndex, device: typing.SupportsInt | typing.SupportsIndex, stream: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Writes columns and values of a product counted before; arguments are addresses.
    """
def spgemm_gradients_c128(a: tuple, a_val: numpy.typing.NDArray[numpy.complex128], b: tuple, b_val: numpy.typing.NDArray[numpy.complex128], c: tuple, g: numpy.typing.NDArray[numpy.complex128], grad_a: numpy.typing.NDArray[numpy.complex128] | None, grad_b: numpy.typing.NDArray[numpy.complex128] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spgemm_gradients_c64(a: tuple, a_val: numpy.typing.NDArray[numpy.complex64], b: tuple, b_val: numpy.typing.NDArray[numpy.complex64], c: tuple, g: numpy.typing.NDArray[numpy.complex64], grad_a: numpy.typing.NDArray[numpy.complex64] | None, grad_b: numpy.typing.NDArray[numpy.complex64] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spgemm_gradients_f32(a: tuple, a_val: numpy.typing.NDArray[numpy.float32], b: tuple, b_val: numpy.typing.NDArray[numpy.float32], c: tuple, g: numpy.typing.NDArray[numpy.float32], grad_a: numpy.typing.NDArray[numpy.float32] | None, grad_b: numpy.typing.NDArray[numpy.float32] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spgemm_gradients_f64(a: tuple, a_val: numpy.typing.NDArray[numpy.float64], b: tuple, b_val: numpy.typing.NDArray[numpy.float64], c: tuple, g: numpy.typing.NDArray[numpy.float64], grad_a: numpy.typing.NDArray[numpy.float64] | None, grad_b: numpy.typing.NDArray[numpy.float64] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spgemm_masked_bool(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.bool], b: tuple, b_val: numpy.typing.NDArray[numpy.bool], mask: tuple, wide: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    ...
def spgemm_masked_c128(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.complex128], b: tuple, b_val: numpy.typing.NDArray[numpy.complex128], mask: tuple, wide: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    ...
def spgemm_masked_c64(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.complex64], b: tuple, b_val: numpy.typing.NDArray[numpy.complex64], mask: tuple, wide: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    ...
def spgemm_masked_f32(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.float32], b: tuple, b_val: numpy.typing.NDArray[numpy.float32], mask: tuple, wide: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    ...
def spgemm_masked_f64(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.float64], b: tuple, b_val: numpy.typing.NDArray[numpy.float64], mask: tuple, wide: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    ...
def spgemm_masked_i32(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.int32], b: tuple, b_val: numpy.typing.NDArray[numpy.int32], mask: tuple, wide: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    ...
def spgemm_masked_i64(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.int64], b: tuple, b_val: numpy.typing.NDArray[numpy.int64], mask: tuple, wide: bool, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    ...
def spgemm_multiply_f32(a: tuple, a_val: numpy.typing.NDArray[numpy.float32], b: tuple, b_val: numpy.typing.NDArray[numpy.float32], threads: typing.SupportsInt | typing.SupportsIndex, wide: bool) -> tuple:
    ...
def spgemm_multiply_f64(a: tuple, a_val: numpy.typing.NDArray[numpy.float64], b: tuple, b_val: numpy.typing.NDArray[numpy.float64], threads: typing.SupportsInt | typing.SupportsIndex, wide: bool) -> tuple:
    ...
def spgemm_multiply_pattern(a: tuple, b: tuple, threads: typing.SupportsInt | typing.SupportsIndex, wide: bool) -> tuple:
    ...
def spgemm_products(a: tuple, b: tuple, threads: typing.SupportsInt | typing.SupportsIndex) -> int:
    ...
def spgemm_values_bool(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.bool], b: tuple, b_val: numpy.typing.NDArray[numpy.bool], c: tuple, out: numpy.typing.NDArray[numpy.bool], won_a: numpy.typing.NDArray[numpy.int32] | None, won_b: numpy.typing.NDArray[numpy.int32] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spgemm_values_c128(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.complex128], b: tuple, b_val: numpy.typing.NDArray[numpy.complex128], c: tuple, out: numpy.typing.NDArray[numpy.complex128], won_a: numpy.typing.NDArray[numpy.int32] | None, won_b: numpy.typing.NDArray[numpy.int32] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spgemm_values_c64(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.complex64], b: tuple, b_val: numpy.typing.NDArray[numpy.complex64], c: tuple, out: numpy.typing.NDArray[numpy.complex64], won_a: numpy.typing.NDArray[numpy.int32] | None, won_b: numpy.typing.NDArray[numpy.int32] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spgemm_values_f32(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.float32], b: tuple, b_val: numpy.typing.NDArray[numpy.float32], c: tuple, out: numpy.typing.NDArray[numpy.float32], won_a: numpy.typing.NDArray[numpy.int32] | None, won_b: numpy.typing.NDArray[numpy.int32] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spgemm_values_f64(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.float64], b: tuple, b_val: numpy.typing.NDArray[numpy.float64], c: tuple, out: numpy.typing.NDArray[numpy.float64], won_a: numpy.typing.NDArray[numpy.int32] | None, won_b: numpy.typing.NDArray[numpy.int32] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spgemm_values_i32(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.int32], b: tuple, b_val: numpy.typing.NDArray[numpy.int32], c: tuple, out: numpy.typing.NDArray[numpy.int32], won_a: numpy.typing.NDArray[numpy.int32] | None, won_b: numpy.typing.NDArray[numpy.int32] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spgemm_values_i64(semiring: typing.SupportsInt | typing.SupportsIndex, a: tuple, a_val: numpy.typing.NDArray[numpy.int64], b: tuple, b_val: numpy.typing.NDArray[numpy.int64], c: tuple, out: numpy.typing.NDArray[numpy.int64], won_a: numpy.typing.NDArray[numpy.int32] | None, won_b: numpy.typing.NDArray[numpy.int32] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spmm_f32(a: tuple, a_val: numpy.typing.NDArray[numpy.float32], x: numpy.typing.NDArray[numpy.float32], out: numpy.typing.NDArray[numpy.float32], threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def spmm_f64(a: tuple, a_val: numpy.typing.NDArray[numpy.float64], x: numpy.typing.NDArray[numpy.float64], out: numpy.typing.NDArray[numpy.float64], threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def statevector_amplitudes_backward_f32(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32], state: numpy.typing.NDArray[numpy.float32], gradient: numpy.typing.NDArray[numpy.complex64], weight_gradient: numpy.typing.NDArray[numpy.float32] | None, input_gradient: numpy.typing.NDArray[numpy.float32] | None, given_start: bool = False, start_gradient: numpy.typing.NDArray[numpy.complex64] | None = None) -> None:
    """
    Gradients from those of the amplitudes, where not None.
    """
def statevector_amplitudes_backward_f64(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64], state: numpy.typing.NDArray[numpy.float64], gradient: numpy.typing.NDArray[numpy.complex128], weight_gradient: numpy.typing.NDArray[numpy.float64] | None, input_gradient: numpy.typing.NDArray[numpy.float64] | None, given_start: bool = False, start_gradient: numpy.typing.NDArray[numpy.complex128] | None = None) -> None:
    """
    Gradients from those of the amplitudes, where not None.
    """
def statevector_amplitudes_f32(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32], amplitudes: numpy.typing.NDArray[numpy.complex64], state: numpy.typing.NDArray[numpy.float32] | None, start: numpy.typing.NDArray[numpy.complex64] | None = None) -> None:
    """
    Amplitudes into `amplitudes`; the final states into `state` unless it is None.
    """
def statevector_amplitudes_f64(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64], amplitudes: numpy.typing.NDArray[numpy.complex128], state: numpy.typing.NDArray[numpy.float64] | None, start: numpy.typing.NDArray[numpy.complex128] | None = None) -> None:
    """
    Amplitudes into `amplitudes`; the final states into `state` unless it is None.
    """
def statevector_amplitudes_tangent_f32(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32], weight_tangents: numpy.typing.NDArray[numpy.float32], input_tangents: numpy.typing.NDArray[numpy.float32], amplitudes: numpy.typing.NDArray[numpy.complex64]) -> None:
    """
    Changes of the amplitudes along directions into `amplitudes`.
    """
def statevector_amplitudes_tangent_f64(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64], weight_tangents: numpy.typing.NDArray[numpy.float64], input_tangents: numpy.typing.NDArray[numpy.float64], amplitudes: numpy.typing.NDArray[numpy.complex128]) -> None:
    """
    Changes of the amplitudes along directions into `amplitudes`.
    """
def statevector_expectation_backward_f32(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32], state: numpy.typing.NDArray[numpy.float32], gradient: numpy.typing.NDArray[numpy.float32], weight_gradient: numpy.typing.NDArray[numpy.float32] | None, input_gradient: numpy.typing.NDArray[numpy.float32] | None, given_start: bool = False, start_gradient: numpy.typing.NDArray[numpy.complex64] | None = None) -> None:
    """
    Gradients from those of the expectation values, where not None.
    """
def statevector_expectation_backward_f64(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64], state: numpy.typing.NDArray[numpy.float64], gradient: numpy.typing.NDArray[numpy.float64], weight_gradient: numpy.typing.NDArray[numpy.float64] | None, input_gradient: numpy.typing.NDArray[numpy.float64] | None, given_start: bool = False, start_gradient: numpy.typing.NDArray[numpy.complex128] | None = None) -> None:
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
def statevector_expectation_f32(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32], values: numpy.typing.NDArray[numpy.float32], state: numpy.typing.NDArray[numpy.float32] | None, start: numpy.typing.NDArray[numpy.complex64] | None = None) -> None:
    """
    Expectation values into `values`; the final states into `state` unless it is None.
    """
def statevector_expectation_f64(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64], values: numpy.typing.NDArray[numpy.float64], state: numpy.typing.NDArray[numpy.float64] | None, start: numpy.typing.NDArray[numpy.complex128] | None = None) -> None:
    """
    Expectation values into `values`; the final states into `state` unless it is None.
    """
def statevector_expectation_tangent_f32(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32], weight_tangents: numpy.typing.NDArray[numpy.float32], input_tangents: numpy.typing.NDArray[numpy.float32], values: numpy.typing.NDArray[numpy.float32]) -> None:
    """
    Changes of the expectation values along directions into `values`.
    """
def statevector_expectation_tangent_f64(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, terms: numpy.typing.NDArray[numpy.int64], coefficients: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64], inputs: numpy.typing.NDArray[numpy.float64], weight_tangents: numpy.typing.NDArray[numpy.float64], input_tangents: numpy.typing.NDArray[numpy.float64], values: numpy.typing.NDArray[numpy.float64]) -> None:
    """
    Changes of the expectation values along directions into `values`.
    """
def statevector_lanes(is_double: bool) -> int:
    """
    Samples a tile holds.
    """
def statevector_steps(code: numpy.typing.NDArray[numpy.int64], data: numpy.typing.NDArray[numpy.float64], n_wires: typing.SupportsInt | typing.SupportsIndex, n_weights: typing.SupportsInt | typing.SupportsIndex, n_inputs: typing.SupportsInt | typing.SupportsIndex) -> int:
    """
    Passes over the state that the program takes after fusion.
    """
