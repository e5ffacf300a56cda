# SPDX-License-Identifier: Apache-2.0
"""Design spaces: what genes mean, which gates a SubCircuit has, designs of a given size."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.quantum.quantumnas.spaces import (
    PATTERNS,
    DesignSpace,
    Layer,
    architecture_from_json,
    design_space,
    front_design,
    gate_count,
)

U3CU3 = design_space("u3cu3")


def test_u3cu3_has_17_circuit_genes_and_4_more_for_the_mapping() -> None:
    assert U3CU3.circuit_space(4).n_genes == 17
    assert U3CU3.search_space(4, 5).n_genes == 21


def test_patterns_place_gates_where_the_paper_does() -> None:
    assert PATTERNS["single"](3) == [(0,), (1,), (2,)]
    assert PATTERNS["ring"](4) == [(0, 1), (1, 2), (2, 3), (3, 0)]
    assert PATTERNS["neighbours"](5) == [(0, 1), (2, 3), (1, 2), (3, 4)]


def test_a_front_gene_uses_the_first_gates_of_its_layer() -> None:
    genome = {"blocks": 1, "b1.1.u": 2, "b1.2.cu3": 3}
    architecture = U3CU3.architecture(genome)
    assert architecture == ((0, 1), (0, 1, 2))
    wires = [wires for *_, wires in U3CU3.gates(architecture, 4)]
    assert wires == [(0,), (1,), (0, 1), (1, 2), (2, 3)]


def test_layers_of_unused_blocks_do_not_tell_candidates_apart() -> None:
    space = U3CU3.search_space(4, 5)
    genomes = space.sample(np.random.default_rng(0), 2)
    rows = genomes.rows.copy()
    rows[1] = rows[0]
    rows[:, space.columns("blocks")] = 3
    rows[1, space.columns("b4.1.u")] = 5 - rows[0, space.columns("b4.1.u")]
    first, second = space.keys(genomes.with_rows(rows))
    assert first == second
    rows[1, space.columns("b3.1.u")] = 5 - rows[0, space.columns("b3.1.u")]
    first, second = space.keys(genomes.with_rows(rows))
    assert first != second


@pytest.mark.parametrize("choice", ["front", "arbitrary"])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_genome_and_architecture_are_inverse(choice: str, seed: int) -> None:
    space = design_space("u3cu3", n_blocks=3, choice=choice)  # type: ignore[arg-type]
    genomes = space.search_space(4, 7)
    for genome in genomes.decode(genomes.sample(np.random.default_rng(seed), 5)):
        architecture = space.architecture(genome)
        assert all(architecture), "every layer of a used block has a gate"
        assert {**space.genome(architecture), "layout": genome["layout"]} == genome


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 24))
@settings(max_examples=30, deadline=None)
def test_random_circuits_have_the_size_asked_for(seed: int, size: int) -> None:
    space = design_space("u3cu3", n_blocks=3)
    architecture = space.random_of_size(size, 4, np.random.default_rng(seed))
    assert gate_count(architecture) == size
    space.genome(architecture)


def test_random_circuits_of_a_size_are_uniform_over_genomes() -> None:
    space = design_space("u3cu3", n_blocks=2)
    rng = np.random.default_rng(1)
    counts = Counter(space.random_of_size(5, 4, rng) for _ in range(4000))
    # One block: (1,4) (4,1) (2,3) (3,2), each 1 genome in 16; two blocks: 4 ways in 256.
    one_block = {a: n for a, n in counts.items() if len(a) == 2}
    two_blocks = {a: n for a, n in counts.items() if len(a) == 4}
    assert len(one_block) == 4
    assert len(two_blocks) == 4
    share = sum(one_block.values()) / 4000
    expected = (4 / 16) / (4 / 16 + 4 / 256)
    assert abs(share - expected) < 5 * math.sqrt(expected * (1 - expected) / 4000)


def test_the_human_design_fills_layers_from_the_front() -> None:
    assert front_design(U3CU3, 6, 4) == ((0, 1, 2, 3), (0, 1))
    assert front_design(U3CU3, 8, 4) == U3CU3.full(4, 1)
    assert front_design(U3CU3, 64, 4) == U3CU3.full(4)
    with pytest.raises(ValueError, match="size is 65; expected 1 to 64"):
        front_design(U3CU3, 65, 4)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown design space 'zzry'; known are u3cu3"):
        design_space("zzry")
    with pytest.raises(ValueError, match="n_blocks is 0"):
        design_space("u3cu3", n_blocks=0)
    with pytest.raises(ValueError, match="ring layer of cu3 has no position on 1 wire"):
        U3CU3.circuit_space(1)
    with pytest.raises(ValueError, match="layer 0 has no position 4 on 4 wires"):
        list(U3CU3.gates(((4,), (0,)), 4))
    with pytest.raises(ValueError, match="share-front spaces use the first ones"):
        U3CU3.genome(((1,), (0,)))
    with pytest.raises(ValueError, match="no whole number of blocks"):
        U3CU3.genome(((0,),))
    with pytest.raises(ValueError, match="size is 1; expected 2 to 64"):
        U3CU3.random_of_size(1, 4, np.random.default_rng(0))


def test_a_space_is_data() -> None:
    other = DesignSpace("zz+ry", "ZZ+RY", (Layer("rzz", "ring", 1), Layer("ry", "single", 1)), 2)
    assert other.circuit_space(3).n_genes == 5
    assert gate_count(other.full(3)) == 12
    assert architecture_from_json([[0, 1], [2]]) == ((0, 1), (2,))
