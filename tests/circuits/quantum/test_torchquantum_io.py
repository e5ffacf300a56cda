# SPDX-License-Identifier: Apache-2.0
"""torchquantum's operation lists, as plain dicts and, where it is installed, its own."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from circuits.quantum import (
    Circuit,
    from_torchquantum,
    input,
    statevector,
    torchquantum_weights,
    weight,
)


def entry(name: str, wires: object, params: object = None, **more: object) -> dict:
    return {"name": name, "wires": wires, "params": params, "inverse": False, **more}


def test_history_becomes_a_circuit_and_its_trainable_angles_weights():
    history = [
        entry("hadamard", 0, trainable=False),
        entry("rx", [1], 0.5, trainable=False),
        entry("u3", 1, [0.1, 0.2, 0.3], trainable=True),
        entry("cu3", [2, 0], [[0.4, 0.5, 0.6]], trainable=True),
        entry("cnot", [0, 1]),
    ]
    expected = Circuit(3).h(0).rx(0.5, 1).u3(weight(0), weight(1), weight(2), 1)
    expected.cu3(weight(3), weight(4), weight(5), 2, 0).cx(0, 1)
    assert from_torchquantum(history) == expected
    assert torchquantum_weights(history).tolist() == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_encoder_lists_become_inputs():
    func_list = [
        {"input_idx": [1], "func": "ry", "wires": [0]},
        {"input_idx": [2, 0, 3], "func": "u3", "wires": [1]},
        {"input_idx": None, "func": "cnot", "wires": [0, 1]},
    ]
    expected = Circuit(4).ry(input(1), 0).u(input(2), input(0), input(3), 1).cx(0, 1)
    assert from_torchquantum(func_list, n_wires=4) == expected


def test_inverse_flag_inverts_the_gate(operator_of):
    for name, wires, params in [
        ("sx", 0, None),
        ("cu", [0, 1], [0.1, 0.2, 0.3, 0.4]),
        ("iswap", [1, 0], None),
    ]:
        pair = [entry(name, wires, params), {**entry(name, wires, params), "inverse": True}]
        made = from_torchquantum(pair, n_wires=2)
        np.testing.assert_allclose(operator_of(made), np.eye(4), atol=1e-14)


def test_rotations_peculiar_to_torchquantum(operator_of):
    made = from_torchquantum([entry("rot", 0, [0.1, 0.2, 0.3])])
    assert made == Circuit(1).rz(0.1, 0).ry(0.2, 0).rz(0.3, 0)
    crot = from_torchquantum([entry("crot", [1, 0], [0.1, 0.2, 0.3])])
    assert crot == Circuit(2).crz(0.1, 1, 0).cry(0.2, 1, 0).crz(0.3, 1, 0)
    multi = from_torchquantum([entry("multirz", [0, 1, 2], 0.7)])
    parity = np.array([(-1) ** bin(k).count("1") for k in range(8)])
    np.testing.assert_allclose(np.diag(operator_of(multi)), np.exp(-0.35j * parity))


def test_unitary_takes_its_first_wire_as_the_most_significant_bit(random_unitary):
    matrix = random_unitary(4, 5)
    made = from_torchquantum([entry("qubitunitary", [0, 1], matrix.tolist())])
    state = statevector(made, order="wire0_first")[0].numpy()
    np.testing.assert_allclose(state, matrix[:, 0], atol=1e-14)


@pytest.mark.parametrize(
    ("op", "error", "words"),
    [
        (entry("qft", [0, 1]), ValueError, "entry 1, 'qft' has no counterpart"),
        (entry("reset", [0]), ValueError, "'reset' has no counterpart"),
        (entry("rx", 0, [0.1, 0.2, 0.3]), ValueError, "one set per sample"),
        (entry("u3", 0, [[0.1] * 3] * 2), ValueError, r"shape \(2, 3\)"),
        (entry("rx", 0), ValueError, "has 0 angles; expected 1"),
        (entry("hadamard", 0.5), ValueError, "wires 0.5"),
        ({"wires": [0]}, TypeError, "entry 1"),
        ("hadamard", TypeError, "expected a dict"),
        (entry("cnot", [1, 1]), ValueError, "Circuit.cx"),
    ],
)
def test_bad_entries_are_refused_by_position(op, error, words):
    with pytest.raises(error, match=words):
        from_torchquantum([entry("hadamard", 0), op], n_wires=2)


def has_torchquantum() -> bool:
    if importlib.util.find_spec("torchquantum") is None:
        return False
    try:
        import torchquantum  # noqa: F401
    except Exception:  # it breaks in many ways beside current qiskit
        return False
    return True


@pytest.mark.skipif(not has_torchquantum(), reason="torchquantum is not importable here")
def test_torchquantums_own_history_gives_its_own_state():
    import torchquantum as tq
    import torchquantum.functional as tqf

    device = tq.QuantumDevice(n_wires=3, record_op=True)
    tqf.hadamard(device, wires=0)
    tqf.shadamard(device, wires=2)
    tqf.rzx(device, wires=[0, 2], params=torch.tensor([[0.4]]))
    tqf.cu3(device, wires=[2, 1], params=torch.tensor([[0.1, 0.2, 0.3]], requires_grad=True))
    tqf.sswap(device, wires=[1, 0])
    circuit = from_torchquantum(device.op_history, n_wires=3)
    ours = statevector(circuit, torchquantum_weights(device.op_history), order="wire0_first")
    theirs = device.get_states_1d().detach().to(torch.complex128)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"trainable": True}, "entry 0, 'ry' is trainable and reads inputs"),
        ({"params": 0.3}, "has both 'input_idx' and 'params'"),
        ({"name": "rx"}, "has both 'name' and 'func'"),
    ],
)
def test_entries_that_say_two_things_are_refused(more, words):
    with pytest.raises(ValueError, match=words):
        from_torchquantum([{"input_idx": [0], "func": "ry", "wires": [0], **more}])
