# SPDX-License-Identifier: Apache-2.0
"""One MOSFET in every region, cold and hot, against ngspice: the reference and the kernel.

Each terminal hangs by a resistor on a source of its own, so that volts, transfers and noise
depend on every current, conductance and capacitance of the device. Where ngspice is installed
it is run; what version 39.3 gave is recorded beside this file, and always compared with.
``python tests/ops/test_mosfet_ngspice.py`` writes the recording anew.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from workbench.ops import circuit_sim
from workbench.ops.circuit_program import CircuitProgram, CircuitProgramBuilder
from workbench.ops.reference import circuit_sim as reference

RECORDED = Path(__file__).with_name("mosfets_ngspice.json")
TEMPERATURES = (-40.0, 0.0, 27.0, 85.0, 125.0)
FREQUENCIES = (1e2, 1e6, 3e9)
AMPLITUDES = (1.0, -0.7, 0.3, 0.9)  # of the sources at d, g, s, b
TOLERANCE = 1e-9

_ORDINARY = {
    "gamma": 0.45, "phi": 0.85, "tox": 4.1e-9, "cgso": 4e-10, "cgdo": 3e-10, "cgbo": 1e-10,
    "cj": 1e-3, "mj": 0.5, "cjsw": 2.2e-10, "mjsw": 0.33, "pb": 0.8,
}  # fmt: skip
_RICH = {
    "gamma": 0.6, "phi": 0.7, "tox": 1.5e-8, "ld": 2e-8, "cgso": 2e-10, "cgdo": 4e-10,
    "cj": 4e-4, "mj": 0.4, "cjsw": 3e-10, "mjsw": 0.25, "pb": 0.95, "fc": 0.4, "is": 3e-15,
    "js": 2e-4, "kf": 1e-25, "af": 1.2, "tnom": 40.0,
}  # fmt: skip
_BARE = {"kf": 1e-27}

#: Name: card, threshold, volts of d, g, s, b for an n channel; a p channel has them negated.
BIASES: dict[str, tuple[dict[str, float], float, tuple[float, float, float, float]]] = {
    "saturated": (_ORDINARY, 0.4, (1.5, 0.9, 0.0, 0.0)),
    "linear": (_ORDINARY, 0.4, (0.2, 1.5, 0.0, 0.0)),
    "barely saturated": (_RICH, 0.4, (1.2, 0.42, 0.0, 0.0)),
    "accumulated": (_ORDINARY, 0.4, (1.0, -1.2, 0.0, 0.0)),
    "depleted": (_ORDINARY, 0.4, (1.0, -0.25, 0.0, 0.0)),
    "nearly on": (_ORDINARY, 0.4, (1.0, 0.3, 0.0, 0.0)),
    "nearly on, drain low": (_RICH, 0.4, (0.01, 0.25, 0.0, 0.0)),
    "reversed": (_RICH, 0.4, (0.1, 1.4, 0.9, -0.1)),
    "reversed, saturated": (_ORDINARY, 0.4, (0.0, 0.9, 1.4, -0.3)),
    "reversed, off": (_RICH, 0.4, (0.0, 0.2, 0.5, 0.0)),
    "bulk far below": (_RICH, 0.4, (1.5, 1.6, 0.2, -2.0)),
    "bulk forward": (_RICH, 0.4, (1.0, 0.8, 0.0, 0.55)),
    "bulk forward, reversed": (_ORDINARY, 0.4, (0.0, 0.8, 0.3, 0.6)),
    "both junctions forward": (_ORDINARY, 0.4, (0.0, 0.3, 0.05, 0.75)),
    "depletion device": (_RICH, -0.6, (1.0, 0.0, 0.0, 0.0)),
    "no oxide": (_BARE, 0.5, (1.0, 1.0, 0.0, -0.5)),
}
RESISTORS = (700.0, 5e4, 300.0, 2e3)
GEOMETRY = {
    "w": 1.2e-5, "l": 6e-7, "m": 3.0, "lambda": 0.08, "vto": 0.0, "kp": 2.1e-4,
    "ad": 7e-12, "as": 5e-12, "pd": 1.3e-5, "ps": 1.1e-5,
}  # fmt: skip


def _cases() -> list[tuple[str, dict[str, float], float, list[float]]]:
    out = []
    for sign, channel in ((1.0, "n"), (-1.0, "p")):
        for name, (card, vto, volts) in BIASES.items():
            signed = [sign * v for v in volts]
            out.append((f"{channel}, {name}", {"type": sign} | card, sign * vto, signed))
    return out


def _deck(temperature: float) -> str:
    lines = ["mosfets"]
    size = " ".join(f"{k}={GEOMETRY[k]!r}" for k in ("w", "l", "ad", "as", "pd", "ps"))
    for i, (_, card, vto, volts) in enumerate(_cases()):
        numbers = {k: v for k, v in card.items() if k != "type"}
        numbers |= {"vto": vto, "kp": GEOMETRY["kp"], "lambda": GEOMETRY["lambda"]}
        kind = "nmos" if card["type"] > 0 else "pmos"
        text = " ".join(f"{k}={v!r}" for k, v in numbers.items())
        lines.append(f".model c{i} {kind} level=1 {text}")
        lines.append(f"m{i} d{i} g{i} s{i} b{i} c{i} {size} m={int(GEOMETRY['m'])}")
        for n, volt, ac, ohm in zip("dgsb", volts, AMPLITUDES, RESISTORS, strict=True):
            lines.append(f"v{n}{i} x{n}{i} 0 dc {volt!r} ac {ac!r}")
            lines.append(f"r{n}{i} x{n}{i} {n}{i} {ohm!r}")
    lines.append(f".options temp={temperature} reltol=1e-9 abstol=1e-18 vntol=1e-12 itl1=500")
    lines += [".control", "set filetype=binary", "set sqrnoise", "op", "write op.raw"]
    for k, f in enumerate(FREQUENCIES):
        lines += [f"ac lin 1 {f!r} {f!r}", f"write ac{k}.raw"]
        for i in range(len(_cases())):
            lines.append(f"noise v(d{i},s{i}) vg{i} lin 1 {f!r} {f!r}")
            lines.append(f"write noise{k}_{i}.raw onoise_spectrum")
    return "\n".join([*lines, ".endc", ".end", ""])


def _raw(path: Path) -> dict[str, complex]:
    """The one point of a binary raw file."""
    head, _, body = path.read_bytes().partition(b"Binary:\n")
    lines = head.decode().splitlines()
    flags = next(line for line in lines if line.startswith("Flags:"))
    first = lines.index("Variables:") + 1
    names = [line.split("\t")[2].lower() for line in lines[first:]]
    values = np.frombuffer(body, np.complex128 if "complex" in flags else np.float64, len(names))
    plain = (name[2:-1] if name.startswith("v(") else name for name in names)
    return dict(zip(plain, values.astype(complex).tolist(), strict=True))


def _simulate(temperature: float) -> list[dict[str, Any]]:
    """What ngspice says of each case: volts, transfers ``(F, 4)`` as pairs, densities ``(F,)``."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "deck.cir").write_text(_deck(temperature))
        command = ["ngspice", "-b", "deck.cir"]
        subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=300)
        op = _raw(Path(folder, "op.raw"))
        ac = [_raw(Path(folder, f"ac{k}.raw")) for k in range(len(FREQUENCIES))]
        out = []
        for i in range(len(_cases())):
            at = [[a[f"{n}{i}"] for n in "dgsb"] for a in ac]
            noise = [_raw(Path(folder, f"noise{k}_{i}.raw")) for k in range(len(FREQUENCIES))]
            out.append(
                {
                    "volts": [op[f"{n}{i}"].real for n in "dgsb"],
                    "transfer": [[[h.real, h.imag] for h in row] for row in at],
                    "density": [n["onoise_spectrum"].real for n in noise],
                }
            )
    return out


@cache
def _recorded() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(RECORDED.read_text())
    return found


def _program(
    card: dict[str, float], vto: float, volts: list[float]
) -> tuple[CircuitProgram, Tensor]:
    """Terminals d g s b are nodes 1 to 4, their sources nodes 5 to 8."""
    builder = CircuitProgramBuilder(9, 18)
    model = builder.model(card)
    for k in range(4):
        builder.voltage_source(5 + k, 0, k)
        builder.resistor(5 + k, 1 + k, 4 + k)
    builder.mosfet(1, 2, 3, 4, model, *range(8, 18))
    size = (GEOMETRY | {"vto": vto}).values()
    return builder.build(), torch.tensor([*volts, *RESISTORS, *size], dtype=torch.float64)[:, None]


def _compare(module: ModuleType, temperature: float, expected: list[dict[str, Any]]) -> None:
    worst: dict[str, float] = {}
    for (name, card, vto, volts), theirs in zip(_cases(), expected, strict=True):
        program, rows = _program(card, vto, volts)
        v, _, status = module.operating_point(program, rows, temperature=temperature)
        h, s = module.small_signal(
            program,
            rows,
            v,
            torch.tensor(FREQUENCIES, dtype=torch.float64),
            drives=torch.tensor([AMPLITUDES], dtype=torch.float64),
            outputs=torch.tensor([[k, 0] for k in (1, 2, 3, 4)]),
            noise=torch.tensor([[1, 3]]),
            temperature=temperature,
        )
        want = {k: torch.tensor(theirs[k], dtype=torch.float64) for k in theirs}
        transfer = torch.view_as_complex(want["transfer"])
        assert int(status[0]) < 3, name
        errors = (
            (v[1:5, 0] - want["volts"]).abs().max(),
            ((h[:, :, 0, 0] - transfer).abs() / transfer.abs()).max(),
            ((s[:, 0, 0] - want["density"]).abs() / want["density"]).max(),
        )
        worst[name] = max(float(e) for e in errors)
    wrong = {name: error for name, error in worst.items() if not error < TOLERANCE}
    assert not wrong, wrong


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("module", [reference, circuit_sim], ids=["reference", "kernel"])
def test_a_mosfet_is_that_of_ngspice(module: ModuleType, temperature: float) -> None:
    _compare(module, temperature, _recorded()[str(temperature)])


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed")
@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_the_recording_is_what_ngspice_says(temperature: float) -> None:
    _compare(reference, temperature, _simulate(temperature))


def test_every_region_is_among_the_cases() -> None:
    seen = set()
    for _, card, vto, volts in _cases():
        program, rows = _program(card, vto, volts)
        v, *_ = reference.operating_point(program, rows)
        state = dict(
            zip(
                circuit_sim.DEVICE_COLUMNS, reference.device_state(program, rows, v)[0], strict=True
            )
        )
        sign = card["type"]
        turned = bool(sign * state["vds"] < 0)
        over, vds = float(sign * state["vdsat"]), abs(float(state["vds"]))
        region = "off" if over == 0.0 else "saturated" if over <= vds else "linear"
        forward = bool(sign * state["vbs"] > 0)
        seen.add((sign, region, turned))
        seen.add((sign, "forward", forward))
    assert len(seen) == 2 * (3 * 2 + 2)


if __name__ == "__main__":
    answers = {str(t): _simulate(t) for t in TEMPERATURES}
    RECORDED.write_text(json.dumps(answers, separators=(",", ":")) + "\n")
    print(f"{RECORDED.name}: {RECORDED.stat().st_size} bytes")
