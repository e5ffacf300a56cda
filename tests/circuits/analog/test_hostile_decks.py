# SPDX-License-Identifier: Apache-2.0
"""Decks and raw files that ask for more than they hold are refused, naming the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from circuits.analog import read_spice
from circuits.analog.ngspice.rawfile import read_rawfile

HEAD = (
    "Title: x\nPlotname: AC\nFlags: {}\nNo. Variables: 2\nNo. Points: {}\n"
    "Variables:\n\t0\tf\tf\n\t1\tv\tv\n{}:\n"
)


def _doubling(levels: int) -> str:
    inner = "".join(
        f".subckt s{k} a b\nx1 a b s{k + 1}\nx2 a b s{k + 1}\n.ends\n" for k in range(levels)
    )
    return f"title\n{inner}.subckt s{levels} a b\nr1 a b 1\n.ends\nx0 1 0 s0\n.end\n"


def test_subcircuits_written_out_are_bounded() -> None:
    assert len(read_spice(_doubling(3)).elements) == 8
    with pytest.raises(ValueError, match=r"line \d+: written out, the deck has more than 100,000"):
        read_spice(_doubling(40))


def test_parameters_that_double_each_other_are_evaluated_not_written() -> None:
    chain = "".join(f".param p{k + 1}={{p{k}+p{k}}}\n" for k in range(60))
    circuit = read_spice(f"title\n.param p0=1\n{chain}r1 1 0 {{p60}}\nv1 1 0 1\n.end\n")
    with pytest.raises(ValueError, match="more than 1,000,000 operands"):
        str(circuit.elements[0].value)
    deep = "".join(f".param p{k}={{p{k + 1}}}\n" for k in range(5000))
    with pytest.raises(ValueError, match="more than 100 deep"):
        read_spice(f"title\n{deep}.param p5000=1\nr1 1 0 {{p0}}\n.end\n")


def test_files_that_include_themselves_twice_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.cir"
    path.write_text("title\n.include b.cir\n.end\n")
    (tmp_path / "b.cir").write_text(".include c.cir\n.include c.cir\n")
    (tmp_path / "c.cir").write_text(".include b.cir\n.include b.cir\n")
    with pytest.raises(ValueError, match="include"):
        read_spice(path)
    path.write_text("title\n.include /dev/zero\n.end\n")
    with pytest.raises(ValueError, match=r"line 2: cannot read zero: .* must be a file"):
        read_spice(path)


@pytest.mark.parametrize("sweep", ["dec 1000000000000 1 10", "lin 1e12 1 2", "oct 1e7 1 2"])
def test_sweeps_are_bounded(sweep: str) -> None:
    with pytest.raises(ValueError, match="at most 1,000,000 points"):
        read_spice(f"title\nr1 1 0 1\nv1 1 0 1\n.ac {sweep}\n.end\n")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (HEAD.format("real", 10**12, "Values").encode() + b"0\t1\n\t2\n", "the file cannot hold"),
        (HEAD.format("real", 10**12, "Binary").encode() + bytes(32), "ends within its values"),
        (HEAD.format("real", -1, "Binary").encode(), "variables or points is '-1'"),
        (HEAD.format("real", 1, "Values").encode() + b"0\t1 2 3 4\n", "more than 2 values"),
        (HEAD.format("real", 1, "Values").encode() + b"0\t1,2\n\t3\n", "'1,2' is no value"),
        (
            HEAD.format("complex", 1, "Values").encode() + b"0\t1,2,3\n\t3,0\n",
            "'1,2,3' is no value",
        ),
    ],
)
def test_raw_files_are_checked(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=f"rawfile: .*{said}"):
        read_rawfile(data)
