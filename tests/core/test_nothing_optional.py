# SPDX-License-Identifier: Apache-2.0
"""Without any extra the rest works, and what needs one says which command installs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

BLOCK = """
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    names = {"botorch", "cma", "gymnasium", "networkx", "pymoo", "qiskit", "qiskit_aer",
             "qiskit_ibm_runtime", "qiskit_qasm3_import", "scipy", "sklearn", "threadpoolctl",
             "torch_geometric"}

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in cls.names
        return None if hidden else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""

WORKS = """
import numpy as np
import torch
from circuits.analog.designs import design
from circuits.quantum import Circuit, QuantumLayer, expectation, input, probabilities, weight
from graphs import DiGraph, random_digraph, roundtrip_spanner, sssp
from workbench.ops.spgemm import spgemm

circuit = Circuit(2).ry(input(0), 0).cu3(weight(0), weight(1), weight(2), 0, 1)
layer = QuantumLayer(circuit, observables=["ZZ", "XI"])
layer(torch.ones(4, 1)).sum().backward()
eye = torch.eye(5).to_sparse_csr()
assert torch.equal(spgemm(eye, eye).to_dense(), torch.eye(5))
g = random_digraph(50, 200, seed=1)
assert sssp(g, [0, 1]).shape == (2, 50)
assert design("two_tia").circuit.simulate(freqs=[1e6]).status.tolist() == [0]
"""

NEEDS = {
    "from_qiskit": "from circuits.quantum import Circuit; Circuit.from_qiskit(object())",
    "to_qiskit": "from circuits.quantum import Circuit; Circuit(1).h(0).to_qiskit()",
    "to_qasm": "from circuits.quantum import Circuit; Circuit(1).h(0).to_qasm()",
    "from_qasm": "from circuits.quantum import Circuit; Circuit.from_qasm('OPENQASM 2.0;')",
    "draw": "from circuits.quantum import Circuit; Circuit(1).h(0).draw()",
    "device": "from circuits.quantum import device; device('FakeQuitoV2')",
    "noise": "from circuits.quantum import NoisyQuantumLayer, Circuit; "
    "NoisyQuantumLayer(Circuit(1).h(0), object())",
    "rmat": "from workbench.matrices import rmat; rmat(4, 2, seed=0)",
    "TwoHopGCN": "import graphs; graphs.TwoHopGCN",
    "quantumnas": "from circuits.quantum.quantumnas.experiment import check, Config; "
    "check(Config())",
    "gcn-rl": "from circuits.analog.gcn_rl.experiment import check, Config; check(Config())",
}


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCK + code], capture_output=True, text=True, check=False
    )


def test_the_rest_works() -> None:
    done = _run(WORKS)
    assert done.returncode == 0, done.stderr


def test_what_needs_an_extra_says_how_to_install_it() -> None:
    tries = "\n".join(
        f"""
try:
    exec({code!r})
except MissingExtraError as error:
    assert "pip install" in str(error)
except BaseException as error:
    print({name!r}, type(error).__name__, error)
else:
    print({name!r}, "needs nothing")
"""
        for name, code in NEEDS.items()
    )
    done = _run("from workbench.distribution import MissingExtraError" + tries)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("words", [["list"], ["info"], ["selftest"]], ids=" ".join)
def test_commands_answer(words: list[str]) -> None:
    done = _run(f"from workbench.cli import main; sys.exit(main({words!r}))")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if words == ["selftest"]:
        assert "absent" in done.stdout
