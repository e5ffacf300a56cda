# SPDX-License-Identifier: Apache-2.0
"""What docs/transforms.md says of every function under torch's transforms, held against torch.

A case is a function of one tensor and the same in plain torch. Expected values come from the
reference by torch's ordinary reverse mode, one call at a time.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.checkpoint
from torch import Tensor
from torch.autograd import forward_ad
from torch.autograd.functional import hessian as plain_hessian
from torch.autograd.functional import jacobian as plain_jacobian

from workbench.ops import _transforms, circuit_sim, circuit_transient, noise, statevector
from workbench.ops import spgemm as sparse
from workbench.ops import spmm as dense
from workbench.ops.channel_program import ChannelKind, ChannelProgram, ChannelProgramBuilder
from workbench.ops.program import Angle, Observables, OpKind, Program, ProgramBuilder, Source
from workbench.ops.reference import circuit_sim as circuit_reference
from workbench.ops.reference import noise as noise_reference
from workbench.ops.reference import statevector as state_reference

from . import test_circuit_transient as transients
from .circuit_sim_cases import _case

Function = Callable[[Tensor], Tensor]
PAGE = Path(__file__).parents[2] / "docs" / "transforms.md"
COLUMNS = ("reverse", "forward", "vmap", "second", "compile")
F64 = torch.float64

pytestmark = pytest.mark.filterwarnings("ignore:Sparse (CSR|CSC|invariant)")


def _table() -> dict[str, dict[str, str]]:
    rows = {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            rows[cells[0].replace("`", "")] = dict(zip(COLUMNS, cells[1:], strict=True))
    return rows


TABLE = _table()


# Cases --------------------------------------------------------------------------------------------


@dataclass
class Case:
    """One function and its reference; `reference` is None where nothing is differentiable."""

    row: str
    ours: Function
    reference: Function | None
    x: Tensor
    name: str = ""  # in messages, where not the row's
    traced: bool = True  # compiled, too


def _program() -> tuple[Program, Observables]:
    """Every kind of step: chains, multiplexed gates, phases, Pauli rotations, a unitary, a swap."""
    w = lambda i, c=1.0: (Source.WEIGHT, i, c)  # noqa: E731
    x = lambda i, c=1.0: (Source.INPUT, i, c)  # noqa: E731
    b = ProgramBuilder(3, 3, 2)
    b.add(OpKind.RY, [0], angles=[Angle(0.3, (w(0), x(0, 0.5)))])
    b.add(OpKind.U, [1], angles=[Angle(0.1, (w(1),)), Angle(0.2, (x(1),)), Angle(0.4, (w(2),))])
    b.add(OpKind.RX, [2], angles=[Angle(0.7, (w(0, -2.0),))])
    b.add(OpKind.RY, [1], controls=[0], angles=[Angle(0.2, (w(1), w(2, 0.3)))])
    b.add(OpKind.RX, [1], controls=[0, 2], angles=[Angle(0.5, (x(0),))])
    b.add(OpKind.RZ, [2], angles=[Angle(0.2, (w(2),))])
    b.add(OpKind.P, [0], controls=[2], angles=[Angle(0.9, (x(1, 2.0),))])
    b.add(OpKind.PAULI_ROTATION, [0, 1, 2], paulis=[2, 3, 1], angles=[Angle(0.3, (w(1),))])
    b.add(OpKind.PAULI_ROTATION, [1, 2], paulis=[2, 2], angles=[Angle(0.2, (x(0), w(0)))])
    matrix, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)) + 1j * np.eye(4))
    b.add(OpKind.UNITARY, [2, 0], matrix=matrix)
    b.add(OpKind.DIAGONAL, [0, 1], matrix=np.exp(1j * np.arange(4)))
    b.add(OpKind.SWAP, [0, 2])
    b.add(OpKind.RY, [0], angles=[Angle(0.1, (w(2), x(1)))])
    b.add(OpKind.GLOBAL_PHASE, [], angles=[Angle(0.1, (w(0), x(0)))])
    terms = torch.tensor([[0, 1, 0], [0, 0, 2], [1, 3, 1], [1, 7, 5], [1, 0, 0]])
    return b.build(), Observables(2, terms, torch.tensor([0.5, 1.0, -0.7, 0.3, 2.0], dtype=F64))


Z_ROWS = Observables(
    3, torch.tensor([[0, 0, 1], [1, 0, 2], [2, 0, 4], [2, 0, 1]]), torch.ones(4, dtype=F64)
)
WEIGHTS = torch.tensor([0.4, -0.9, 1.3], dtype=F64)
INPUTS = torch.tensor([[0.2, 1.1], [-0.5, 0.8]], dtype=F64)


def _state_cases() -> Iterator[Case]:
    program, mixed = _program()
    for observables, is_weight in ((mixed, True), (Z_ROWS, False)):

        def ours(v: Tensor, o: Observables = observables, first: bool = is_weight) -> Tensor:
            w, x = (v, INPUTS) if first else (WEIGHTS, v)
            return statevector.expectation(program, o, w, x)

        def plain(v: Tensor, o: Observables = observables, first: bool = is_weight) -> Tensor:
            w, x = (v, INPUTS) if first else (WEIGHTS, v)
            return state_reference.expectation_reference(program, o, w, x)

        yield Case("expectation", ours, plain, WEIGHTS if is_weight else INPUTS)
    yield Case(
        "statevector",
        lambda v: torch.view_as_real(statevector.statevector(program, WEIGHTS, v)),
        lambda v: torch.view_as_real(state_reference.statevector_reference(program, WEIGHTS, v)),
        INPUTS,
    )


def _probabilities_case() -> Case:
    from circuits.quantum import Circuit, probabilities, weight
    from circuits.quantum import input as column

    circuit = Circuit(2).ry(weight(0), 0).cu3(weight(1), column(0), weight(2), 0, 1)
    program = circuit.program()

    def plain(v: Tensor) -> Tensor:
        state = state_reference.statevector_reference(program, v, INPUTS[:, :1])
        return state.real.square() + state.imag.square()

    return Case(
        "probabilities",
        lambda v: probabilities(circuit, v, INPUTS[:, :1]),
        plain,
        WEIGHTS,
        "statevector",
    )


def _given_start_case() -> Case:
    from circuits.quantum import Circuit, expectation, weight
    from circuits.quantum import input as column

    circuit = Circuit(2).ry(weight(0), 0).cu3(weight(1), column(0), weight(2), 0, 1)
    prepared = Circuit(2).x(0).ry(weight(0), 0).cu3(weight(1), column(0), weight(2), 0, 1)
    z = Observables(2, torch.tensor([[0, 0, 1], [1, 0, 2]]), torch.ones(2, dtype=F64))
    start = torch.tensor([0, 1, 0, 0], dtype=F64)
    return Case(
        "expectation from initial_state",
        lambda v: expectation(circuit, "z", v, INPUTS[:, :1], initial_state=start),
        lambda v: state_reference.expectation_reference(prepared.program(), z, v, INPUTS[:, :1]),
        WEIGHTS,
        "expectation",
        traced=False,
    )


def _channels(n_inputs: int) -> ChannelProgram:
    rng = np.random.default_rng(3)
    b = ChannelProgramBuilder(2, 3, n_inputs)
    channel = rng.normal(size=(16, 16)) / 4
    channel[0] = np.eye(16)[0]
    more = [(Source.INPUT, 1, 0.7)] if n_inputs else []
    b.rotation(ChannelKind.RX, 0, 0.3, [(Source.WEIGHT, 0, 1.0), *more])
    b.rotation(ChannelKind.RY, 1, 0.1, [(Source.WEIGHT, 1, -2.0)])
    b.channel([1, 0], [float(c) for c in channel.ravel()])
    b.rotation(ChannelKind.RZ, 0, 0.2, [(Source.WEIGHT, 2, 1.0), (Source.WEIGHT, 0, 0.5)])
    b.rotation(ChannelKind.RY, 0, 0.4, [(Source.INPUT, 0, 1.0)] if n_inputs else [])
    return b.build()


def _noise_cases() -> Iterator[Case]:
    program, closed = _channels(2), _channels(0)
    measured = torch.tensor([1, 0])
    confusion = torch.tensor([[[0.9, 0.2], [0.1, 0.8]], [[0.95, 0.1], [0.05, 0.9]]], dtype=F64)
    rows = torch.linspace(-1, 1, 32, dtype=F64).reshape(2, 16)
    yield Case(
        "noisy_probabilities",
        lambda v: noise.noisy_probabilities(program, measured, confusion, v, INPUTS),
        lambda v: noise_reference.noisy_probabilities(program, measured, confusion, v, INPUTS),
        WEIGHTS,
    )
    yield Case(
        "noisy_expectation",
        lambda v: noise.noisy_expectation(program, rows, WEIGHTS, v),
        lambda v: noise_reference.noisy_expectation(program, rows, WEIGHTS, v),
        INPUTS,
    )
    yield Case(
        "pull_back",
        lambda v: noise.pull_back(closed, rows, v),
        lambda v: noise_reference.pull_back(closed, rows, v),
        WEIGHTS,
    )


EDGES = torch.tensor([[0, 0, 1, 2, 2, 3], [1, 3, 2, 0, 2, 1]])
LENGTHS = torch.tensor([0.5, 1.5, 2.0, 0.7, 1.1, 0.9], dtype=F64)
FEATURES = torch.linspace(-1, 2, 8, dtype=F64).reshape(4, 2)


def _full(v: Tensor, absent: float = 0.0) -> Tensor:
    return v.new_full((4, 4), absent).index_put((EDGES[0], EDGES[1]), v)


def _sparse_cases() -> Iterator[Case]:
    def edges(v: Tensor) -> tuple[Tensor, Tensor, int]:
        return EDGES, v, 4

    a = edges(LENGTHS)
    row, col = sparse.spgemm(a, a)[0]
    turned = sparse.transpose(a)[0]
    masked = sparse.spgemm(a, a, mask=a)[0]
    plan = sparse.SpGEMMPlan(a, a)
    constant = torch.sparse_coo_tensor(EDGES, LENGTHS, (4, 4)).coalesce().to_sparse_csr()

    def tropical(v: Tensor) -> Tensor:
        one = _full(v, np.inf)
        return (one[:, :, None] + one[None]).amin(1)[row, col]

    def gather(v: Tensor) -> Tensor:
        return (_full(v) @ _full(v))[row, col]

    yield Case("spgemm", lambda v: sparse.spgemm(edges(v), edges(v))[1], gather, LENGTHS)
    yield Case(
        "spgemm",
        lambda v: sparse.spgemm(edges(v), a, mask=a)[1],
        lambda v: (_full(v) @ _full(LENGTHS))[masked[0], masked[1]],
        LENGTHS,
    )
    yield Case(
        "spgemm over min_plus, max_plus",
        lambda v: sparse.spgemm(edges(v), edges(v), "min_plus")[1],
        tropical,
        LENGTHS,
        "spgemm",
    )
    yield Case(
        "spgemm over other semirings",
        lambda v: sparse.spgemm(edges(v), a, "plus_first")[1],
        lambda v: (_full(v) @ (_full(LENGTHS) != 0).to(F64))[row, col],
        LENGTHS,
        "spgemm",
    )
    yield Case("SpGEMMPlan.numeric", lambda v: plan.numeric(v, v), gather, LENGTHS)
    yield Case(
        "transpose",
        lambda v: sparse.transpose(edges(v))[1],
        lambda v: _full(v).T[turned[0], turned[1]],
        LENGTHS,
    )
    yield Case(
        "spmm",
        lambda v: dense.spmm(edges(v), FEATURES),
        lambda v: _full(v) @ FEATURES,
        LENGTHS,
        traced=False,
    )
    yield Case(
        "spmm",
        lambda v: dense.spmm(a, v),
        lambda v: _full(LENGTHS) @ v,
        FEATURES,
    )
    yield Case(
        "sddmm",
        lambda v: dense.sddmm(a, v, 2 * v)[1],
        lambda v: 2 * (v[EDGES[0]] * v[EDGES[1]]).sum(1),
        FEATURES,
    )
    # Constant sparse tensors are fine, but torch cannot trace them.
    yield Case(
        "spmm",
        lambda v: dense.spmm(constant, v),
        lambda v: _full(LENGTHS) @ v,
        FEATURES,
        traced=False,
    )


def _circuit_cases() -> Iterator[Case]:
    case = _case(27, 2, 4, 2)
    program, celsius = case.program, case.temperature
    hertz = torch.tensor([1e5, 1e9], dtype=F64)
    signals = case.signals()
    given = {"drives": case.drives, "outputs": case.outputs}

    def _volts(module: Any, v: Tensor) -> Tensor:
        return torch.view_as_real(
            module.small_signal(program, v, case.voltages, hertz, **signals)[0]
        )

    yield Case(
        "operating_point",
        lambda v: circuit_sim.operating_point(program, v, temperature=celsius)[0],
        lambda v: circuit_reference.operating_point(program, v, temperature=celsius)[0],
        case.rows,
    )
    yield Case(
        "small_signal",
        lambda v: _volts(circuit_sim, v),
        lambda v: _volts(circuit_reference, v),
        case.rows,
    )
    search = {"requests": torch.tensor([[2, 0, 0]]), "low": 1e3, "high": 1e11, **given}
    yield Case(
        "find_frequencies",
        lambda v: circuit_sim.find_frequencies(program, v, case.voltages, **search)[0],
        None,
        case.rows,
    )
    yield Case(
        "device_state",
        lambda v: circuit_sim.device_state(program, v, case.voltages, temperature=celsius),
        None,
        case.rows,
    )
    low_pass, rows = transients._low_pass()
    rows = torch.cat([rows, rows * torch.tensor([[1.0], [1.1], [0.9], [1.2]])], 1)
    volts = circuit_sim.operating_point(low_pass, rows)[0]
    task = transients._task(low_pass, 0, 1.0, 2)
    task["times"] = task["times"][:9:4]
    yield Case(
        "transient",
        lambda v: circuit_transient.transient(low_pass, v, volts, **task)[0],
        # Held against differences in its own tests.
        lambda v: circuit_transient.transient(low_pass, v, volts, **task)[0],
        rows,
    )


def _package_cases() -> Iterator[Case]:
    from circuits.analog import Circuit
    from graphs import shortest_path_closure

    circuit = Circuit("divider")
    r = circuit.parameter("r", 1e3, low=100, high=1e4, unit="ohm")
    circuit.voltage_source("V1", "in", 0, dc=1.0)
    circuit.resistor("R1", "in", "out", r)
    circuit.resistor("R2", "out", 0, 1e3)
    yield Case(
        "circuits.analog.simulate",
        lambda v: circuit.simulate({"r": v}).voltage("out"),
        lambda v: 1e3 / (v + 1e3),
        torch.tensor([1e3, 3e3], dtype=F64),
        "simulate|operating_point",
        traced=False,
    )

    def closure(v: Tensor) -> Tensor:
        # Four vertices: two squarings are all paths.
        at = torch.where(torch.eye(4, dtype=torch.bool), 0.0, _full(v, np.inf))
        for _ in range(2):
            at = (at[:, :, None] + at[None]).amin(1)
        return at

    yield Case(
        "graphs.shortest_path_closure",
        lambda v: shortest_path_closure((EDGES, v, 4), dense=True),
        closure,
        LENGTHS,
        "shortest_path_closure|second derivatives|derivatives of torch's sparse tensors",
        traced=False,
    )


def _two_hop_case() -> Case:
    pytest.importorskip("torch_geometric")
    from graphs.gnn import TwoHopGCN

    torch.manual_seed(0)
    layer = TwoHopGCN(2, 3, normalize=False).double().requires_grad_(False)

    def plain(v: Tensor) -> Tensor:
        hop = _full(v).T
        return hop @ hop @ layer.lin(FEATURES) + layer.bias

    return Case("graphs.TwoHopGCN", lambda v: layer(FEATURES, EDGES, v), plain, LENGTHS)


CASES = [
    *_state_cases(),
    _probabilities_case(),
    _given_start_case(),
    *_noise_cases(),
    *_sparse_cases(),
    *_circuit_cases(),
    *_package_cases(),
]


# Transforms ---------------------------------------------------------------------------------------


class Tools:
    """A case with a direction, more samples, and a loss, for ours and the reference alike."""

    def __init__(self, case: Case) -> None:
        self.x = case.x
        self.along = case.x * torch.linspace(0.2, 1.0, case.x.numel()).reshape(case.x.shape)
        self.many = torch.stack([case.x, case.x + 0.05 * self.along, case.x - 0.03 * self.along])

    def loss(self, f: Function) -> Function:
        def total(v: Tensor) -> Tensor:
            y = f(v)
            return (y * torch.linspace(0.5, 1.0, y.numel(), dtype=F64).reshape(y.shape)).sum()

        return total

    def leaf(self) -> Tensor:
        return self.x.clone().requires_grad_()

    def backward(self, f: Function) -> Tensor:
        leaf = self.leaf()
        f(leaf).backward()
        assert leaf.grad is not None
        return leaf.grad

    def dual(self, f: Function) -> Tensor:
        with forward_ad.dual_level():
            out = f(forward_ad.make_dual(self.x, self.along))
            tangent = forward_ad.unpack_dual(out).tangent
        assert tangent is not None
        return tangent

    def twice(self, f: Function) -> Tensor:
        leaf = self.leaf()
        (first,) = torch.autograd.grad(self.loss(f)(leaf), leaf, create_graph=True)
        if not first.requires_grad:
            return torch.zeros_like(leaf)
        found = torch.autograd.grad((first * self.along).sum(), leaf, allow_unused=True)[0]
        return torch.zeros_like(leaf) if found is None else found

    def gradients_at_once(self, f: Function) -> Tensor:
        leaf = self.leaf()
        y = f(leaf)
        ways = torch.stack([torch.ones_like(y), torch.linspace(0, 1, y.numel()).to(y).view_as(y)])
        return torch.autograd.grad(y, leaf, ways, is_grads_batched=True)[0]


def _transformed(t: Tools, full_graph: bool) -> dict[str, dict[str, Callable[[Function], Tensor]]]:
    """By column of the table: what each transform makes of a function."""
    func, x = torch.func, t.x
    checkpoint = torch.utils.checkpoint.checkpoint

    def compiled(f: Function) -> Function:
        torch._dynamo.reset()
        return torch.compile(f, backend="aot_eager", fullgraph=full_graph)

    return {
        "reverse": {
            "backward": lambda f: t.backward(t.loss(f)),
            "grad": lambda f: func.grad(t.loss(f))(x),
            "jacrev": lambda f: func.jacrev(f)(x),
            "checkpoint": lambda f: t.backward(
                lambda v: checkpoint(t.loss(f), v, use_reentrant=False)
            ),
        },
        "forward": {
            "jvp": lambda f: func.jvp(f, (x,), (t.along,))[1],
            "dual": lambda f: t.dual(f),
            "jacfwd": lambda f: func.jacfwd(f)(x),
            "vmap of jvp": lambda f: torch.vmap(lambda v: func.jvp(f, (v,), (t.along,))[1])(t.many),
        },
        "vmap": {"vmap": lambda f: torch.vmap(f)(t.many)},
        "vmap of reverse": {
            "vmap of grad": lambda f: torch.vmap(func.grad(t.loss(f)))(t.many),
            "grad of vmap": lambda f: func.grad(lambda v: torch.vmap(t.loss(f))(v).sum())(t.many),
            "is_grads_batched": t.gradients_at_once,
        },
        "second": {
            "hessian": lambda f: func.hessian(t.loss(f))(x),
            "jacrev of jacrev": lambda f: func.jacrev(func.jacrev(t.loss(f)))(x),
            "create_graph": t.twice,
        },
        "compile": {
            "compile": lambda f: compiled(f)(x),
            "compile and backward": lambda f: t.backward(compiled(t.loss(f))),
        },
    }


def _expected(t: Tools, f: Function) -> dict[str, Callable[[], Tensor]]:
    """The same from the reference, by nothing but one backward after the other."""

    def gradient(v: Tensor) -> Tensor:
        return plain_jacobian(t.loss(f), v)

    def along(v: Tensor) -> Tensor:
        return torch.tensordot(plain_jacobian(f, v), t.along, dims=v.dim())

    def each(g: Function) -> Tensor:
        return torch.stack([g(v) for v in t.many])

    def ways() -> Tensor:
        y = f(t.x)
        more = torch.linspace(0, 1, y.numel()).to(y).view_as(y)
        jacobian = plain_jacobian(f, t.x).flatten(0, y.dim() - 1)
        return torch.stack([jacobian.sum(0), torch.tensordot(more.flatten(), jacobian, 1)])

    def hessian() -> Tensor:
        return plain_hessian(t.loss(f), t.x)

    return {
        "backward": lambda: gradient(t.x),
        "grad": lambda: gradient(t.x),
        "jacrev": lambda: plain_jacobian(f, t.x),
        "checkpoint": lambda: gradient(t.x),
        "jvp": lambda: along(t.x),
        "dual": lambda: along(t.x),
        "jacfwd": lambda: plain_jacobian(f, t.x),
        "vmap of jvp": lambda: each(along),
        "vmap": lambda: each(f),
        "vmap of grad": lambda: each(gradient),
        "grad of vmap": lambda: each(gradient),
        "is_grads_batched": ways,
        "hessian": hessian,
        "jacrev of jacrev": hessian,
        "create_graph": lambda: torch.tensordot(hessian(), t.along, dims=t.x.dim()),
        "compile": lambda: f(t.x),
        "compile and backward": lambda: gradient(t.x),
    }


def _near(got: Tensor, wanted: Tensor) -> bool:
    if got.shape != wanted.shape:
        return False
    scale = float(wanted.abs().max()) if wanted.numel() else 0.0
    return bool(((got - wanted).abs() <= 1e-8 * wanted.abs() + 1e-9 * scale + 1e-12).all())


def _check(case: Case, columns: tuple[str, ...]) -> None:
    row, t = TABLE[case.row], Tools(case)
    reference = case.reference or case.ours
    made = _transformed(t, full_graph=row["compile"] == "right")
    wanted = _expected(t, reference)
    named = case.name or case.row.split()[0].split(".")[-1].replace("numeric", "spgemm")
    for column in columns:
        word = row.get(column, "right")
        if column == "vmap of reverse" and (row["reverse"] != "right" or row["vmap"] == "refused"):
            continue
        for transform, apply in made[column].items():
            if column == "compile" and "backward" in transform and row["reverse"] == "refused":
                continue
            where = f"{case.row}, {transform}"
            wrapped = word == "backward" and transform in ("grad", "jacrev")
            if word == "refused" or wrapped:
                with pytest.raises(NotImplementedError, match=f"^({named})\\b.* use "):
                    apply(case.ours)
            else:
                assert word in ("right", "folded", "loop", "breaks", "backward"), where
                assert _near(apply(case.ours), wanted[transform]()), where


IDS = [f"{case.row}-{i}" for i, case in enumerate(CASES)]
EVERY = pytest.mark.parametrize("case", CASES, ids=IDS)


@EVERY
def test_derivatives_are_right_or_refused_by_name(case: Case) -> None:
    _check(case, ("reverse", "forward", "second"))


@EVERY
def test_vmap_is_right_or_refused_by_name(case: Case) -> None:
    _check(case, ("vmap", "vmap of reverse"))


# Dynamo is slow where it breaks the graph: one such case stands for all.
COMPILED = [
    (case, name)
    for case, name in zip(CASES, IDS, strict=True)
    if case.traced and (TABLE[case.row]["compile"] == "right" or case.row == "SpGEMMPlan.numeric")
]


@pytest.mark.parametrize("case", [c for c, _ in COMPILED], ids=[name for _, name in COMPILED])
def test_compiled_functions_are_right(case: Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _check(case, ("compile",))


def test_two_hop_layers_pass_every_transform() -> None:
    _check(_two_hop_case(), ("reverse", "forward", "second", "vmap", "vmap of reverse"))


def test_every_operator_is_declared_and_its_function_has_a_row() -> None:
    found = {
        name.removeprefix("workbench::").split(".")[0]
        for name in torch._C._dispatch_get_all_op_names()
        if name.startswith("workbench::")
    }
    assert found == set(_transforms.ROWS)
    functions = {case.row for case in CASES} | {"graphs.TwoHopGCN"}
    assert functions == set(TABLE)
    for name, row in _transforms.ROWS.items():
        assert row.vmap in ("folded", "loop"), name
        told = TABLE[row.function]
        if name.endswith(("_backward", "_tangent", "_gradients", "_values", "_winners")):
            continue  # parts of the function
        if row.reverse != "constant":
            mine = {"reverse": row.reverse, "forward": row.forward, "second": row.second}
            assert {k: told[k] for k in mine} == mine, name
            assert told["vmap"] == row.vmap, name


# What the table cannot say ------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES[:5], ids=IDS[:5])
def test_forward_mode_passes_gradcheck(case: Case) -> None:
    if TABLE[case.row]["forward"] == "right":
        leaf = case.x.clone().requires_grad_()
        assert torch.autograd.gradcheck(
            case.ours, leaf, check_forward_ad=True, check_batched_forward_grad=True
        )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("n_wires", "batch"), [(1, 0), (2, 1), (6, 3), (8, 9)])
def test_tangents_of_every_size(dtype: torch.dtype, n_wires: int, batch: int) -> None:
    b = ProgramBuilder(n_wires, 1, 1)
    for wire in range(n_wires):
        b.add(OpKind.RY, [wire], angles=[Angle(0.3 * wire, ((Source.INPUT, 0, 1.0),))])
    for wire in range(1, n_wires):
        term = ((Source.WEIGHT, 0, 0.5),)
        b.add(OpKind.RX, [wire], controls=[wire - 1], angles=[Angle(0.2, term)])
    program = b.build()
    z = Observables(
        n_wires,
        torch.tensor([[k, 0, 1 << k] for k in range(n_wires)]),
        torch.ones(n_wires, dtype=F64),
    )
    w = torch.tensor([0.7], dtype=dtype)
    x = torch.linspace(-1, 1, batch, dtype=dtype).reshape(batch, 1)
    along = torch.ones_like(w), torch.ones_like(x)
    ours = torch.func.jvp(lambda a, c: statevector.expectation(program, z, a, c), (w, x), along)
    exact = [v.to(F64) for v in (w, x)]
    plain = torch.func.jvp(
        lambda a, c: state_reference.expectation_reference(program, z, a, c),
        tuple(exact),
        tuple(v.to(F64) for v in along),
    )
    for got, wanted in zip(ours, plain, strict=True):
        torch.testing.assert_close(
            got.to(F64), wanted, rtol=0, atol=2e-5 if dtype.itemsize == 4 else 1e-12
        )


def test_tangents_have_the_same_bits_for_any_number_of_threads() -> None:
    case = CASES[0]
    x = case.x.repeat(60)[: case.x.numel()]
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(torch.func.jacfwd(case.ours)(x))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def test_tangents_must_be_finite() -> None:
    case = CASES[0]
    with pytest.raises(ValueError, match="tangents of weights must be finite, got nan"):
        torch.func.jvp(case.ours, (case.x,), (case.x * float("nan"),))


def test_layers_are_copied_and_called_with_other_weights() -> None:
    from circuits.quantum import Circuit, QuantumLayer, weight
    from circuits.quantum import input as column

    circuit = Circuit(2).ry(weight(0), 0).cu3(weight(1), column(0), weight(2), 0, 1)
    layer = QuantumLayer(circuit, "z").double()
    twin = copy.deepcopy(layer)
    x = INPUTS[:, :1]
    assert torch.equal(twin(x), layer(x))

    def with_weights(w: Tensor) -> Tensor:
        return torch.func.functional_call(layer, {"weights": w}, (x,))

    w = WEIGHTS.clone()
    forward, reverse = torch.func.jacfwd(with_weights)(w), torch.func.jacrev(with_weights)(w)
    torch.testing.assert_close(forward, reverse)
    assert float(forward.abs().max()) > 0.1


def test_a_constant_angle_that_carries_a_tangent_is_refused() -> None:
    from circuits.quantum import Circuit, expectation

    def run(angle: Tensor) -> Tensor:
        return expectation(Circuit(1).rx(angle, 0), "z")

    with pytest.raises(NotImplementedError, match="weight"):
        torch.func.jvp(run, (torch.tensor(0.3, dtype=F64),), (torch.tensor(1.0, dtype=F64),))


def test_values_that_are_not_finite_are_named_within_vmap() -> None:
    from circuits.quantum import Circuit, expectation, weight

    circuit = Circuit(1).rx(weight(0), 0)
    values = torch.tensor([[0.1], [float("nan")]], dtype=F64)
    with pytest.raises(ValueError, match="finite"):
        torch.vmap(lambda w: expectation(circuit, "z", w))(values)


def test_second_derivatives_do_not_vanish_in_torchs_sparse_tensors() -> None:
    row_starts, columns = torch.tensor([0, 2, 4]), torch.tensor([0, 1, 0, 1])
    v = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=F64, requires_grad=True)
    matrix = torch.sparse_csr_tensor(row_starts, columns, v, (2, 2))
    out = sparse.spgemm(matrix, matrix).values().square().sum()
    with pytest.raises(NotImplementedError, match="use an edge list"):
        torch.autograd.grad(out, v, create_graph=True)


def test_graph_functions_refuse_what_carries_a_derivative() -> None:
    from graphs import DiGraph

    def weights_of(w: Tensor) -> Tensor:
        return torch.from_numpy(DiGraph.from_edge_index(EDGES, w).weights)

    with pytest.raises(NotImplementedError, match=r"^graphs: "):
        torch.func.grad(lambda w: weights_of(w).sum())(LENGTHS)
