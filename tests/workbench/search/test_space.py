# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import workbench.search
from workbench.search import (
    Categorical,
    Choice,
    Float,
    Genomes,
    Injection,
    Int,
    Permutation,
    Space,
    Subset,
    When,
)


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Spaces of up to six choices of any kind, some active only when an earlier number is large."""
    choices: list[Choice] = []
    numbers: list[str] = []
    for i in range(draw(st.integers(1, 6))):
        name = f"g{i}"
        active: tuple[When, ...] = ()
        if numbers and draw(st.booleans()):
            active = (When(draw(st.sampled_from(numbers)), ">=", draw(st.integers(0, 4))),)
        kind = draw(st.sampled_from(["categorical", "int", "float", "injection", "subset"]))
        if kind == "categorical":
            choices.append(Categorical(name, ("a", None, 3), active))
        elif kind == "int":
            choices.append(Int(name, 0, 2 * draw(st.integers(0, 3)), 2, active))
            numbers.append(name)
        elif kind == "float":
            choices.append(Float(name, 0.5, 4.5, draw(st.booleans()), active))
            numbers.append(name)
        elif kind == "injection":
            n = draw(st.integers(1, 6))
            choices.append(Injection(name, draw(st.integers(1, n)), n, active))
        else:
            choices.append(Subset(name, draw(st.integers(1, 5)), draw(st.booleans()), active))
    return Space(choices)


seeds = st.integers(0, 2**32)
bounded = settings(max_examples=60, deadline=None)


@bounded
@given(spaces(), seeds, st.floats(0, 1))
def test_samples_mutants_and_crossings_are_valid(space: Space, seed: int, p: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = space.sample(rng, 8), space.sample(rng, 8)
    for genomes in (a, space.mutate(a, p, rng), space.crossover(a, b, rng, p=p)):
        assert genomes.rows.shape == (8, space.width)
        assert space.is_valid(genomes).all()


@bounded
@given(spaces(), seeds)
def test_values_and_json_round_trip_exactly(space: Space, seed: int) -> None:
    genomes = space.sample(np.random.default_rng(seed), 6)
    assert space.from_values(space.decode(genomes, inactive=True)) == genomes
    assert space.from_values(json.loads(json.dumps(space.to_json(genomes)))) == genomes
    # Without the inactive choices the canonical genome comes back.
    assert space.from_values(space.decode(genomes)) == space.canonical(genomes)


@bounded
@given(spaces(), seeds)
def test_keys_are_equal_exactly_where_decoded_genomes_are(space: Space, seed: int) -> None:
    rng = np.random.default_rng(seed)
    genomes = space.sample(rng, 6)
    genomes = Genomes.concatenate([genomes, space.mutate(genomes, 0.2, rng)])
    keys, decoded = space.keys(genomes), space.decode(genomes)
    for i, j in itertools.combinations(range(len(genomes)), 2):
        assert (keys[i] == keys[j]) == (decoded[i] == decoded[j])
    assert space.from_keys(keys) == space.canonical(genomes)
    assert space.keys(space.canonical(genomes)) == keys


@bounded
@given(spaces(), seeds)
def test_encoding_is_bounded_and_tells_candidates_apart(space: Space, seed: int) -> None:
    rng = np.random.default_rng(seed)
    genomes = space.sample(rng, 6)
    encoded = space.encode(genomes)
    assert encoded.dtype == np.float32
    assert encoded.shape == (6, space.n_features)
    assert (encoded >= -1e-6).all()
    assert (encoded <= 1 + 1e-6).all()
    keys = space.keys(genomes)
    for i, j in itertools.combinations(range(6), 2):
        assert np.array_equal(encoded[i], encoded[j]) == (keys[i] == keys[j])


@bounded
@given(spaces(), seeds, st.data())
def test_fixed_genes_never_move(space: Space, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    model = space.decode(space.sample(rng, 1), inactive=True)[0]
    names = data.draw(st.sets(st.sampled_from(space.names), min_size=1), "names")
    held = space.fix({name: model[name] for name in names})
    a, b = held.sample(rng, 8), held.sample(rng, 8)
    loose = space.sample(rng, 8)
    for genomes in (
        a,
        held.mutate(a, 1.0, rng),
        held.crossover(a, b, rng),
        held.repair(loose, rng),
    ):
        assert held.is_valid(genomes).all()
        for decoded in held.decode(genomes, inactive=True):
            assert all(decoded[name] == model[name] for name in names)


def test_a_partly_fixed_layout_is_uniform_over_what_is_left(rng: np.random.Generator) -> None:
    space = Space([Injection("layout", 3, 5)]).fix({"layout": (None, 4, None)})
    rows = space.sample(rng, 12_000).rows
    assert (rows[:, 1] == 4).all()
    pairs, counts = np.unique(rows[:, [0, 2]], axis=0, return_counts=True)
    assert [tuple(pair) for pair in pairs] == list(itertools.permutations(range(4), 2))
    assert stats.chisquare(counts).pvalue > 1e-3


def test_fixing_adds_up_and_leaves_the_original_alone(circuits: Space) -> None:
    held = circuits.fix({"blocks": 2}).fix({"layout": (3, 1, 0, 2)})
    decoded = held.decode(held.sample(np.random.default_rng(0), 20))
    assert {(g["blocks"], g["layout"]) for g in decoded} == {(2, (3, 1, 0, 2))}
    assert not circuits.fixed.any()
    assert held.structure == circuits.structure
    assert held.description != circuits.description
    # Fixed genes need not be spelled out, and must not be contradicted.
    spelled = {name: 1 for name in ("u3_0", "cu3_0", "u3_1", "cu3_1")}
    assert held.decode(held.from_values([spelled]))[0]["layout"] == (3, 1, 0, 2)
    with pytest.raises(ValueError, match="fixed gene"):
        held.from_values([{**spelled, "blocks": 1}])


def test_genes_of_unused_blocks_do_not_count(circuits: Space, rng: np.random.Generator) -> None:
    one = circuits.fix({"blocks": 1, "layout": (0, 1, 2, 3)})
    genomes = one.sample(rng, 500)
    assert len(set(circuits.keys(genomes))) == 4 * 4
    assert len(np.unique(genomes.rows, axis=0)) > 16
    assert set(circuits.decode(genomes)[0]) == {"layout", "blocks", "u3_0", "cu3_0"}
    active = circuits.active(genomes)
    assert active[:, circuits.columns("u3_0")].all()
    assert not active[:, circuits.columns("u3_1")].any()


def test_a_choice_is_inactive_where_the_one_it_hangs_on_is() -> None:
    space = Space(
        [
            Int("leaf", 0, 9, active=When("twig", "==", "yes")),
            Categorical("twig", ("yes", "no"), active=When("root", "in", (1, 3))),
            Int("root", 0, 3),
        ]
    )
    rows = [[5, 0, 1], [5, 0, 2], [5, 1, 3], [5, 0, 3]]
    assert space.active(Genomes(rows))[:, 0].tolist() == [True, False, False, True]
    assert space.decode(Genomes(rows)) == [
        {"leaf": 5, "twig": "yes", "root": 1},
        {"root": 2},
        {"twig": "no", "root": 3},
        {"leaf": 5, "twig": "yes", "root": 3},
    ]


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (">=", [0, 1, 1]),
        (">", [0, 0, 1]),
        ("<=", [1, 1, 0]),
        ("<", [1, 0, 0]),
        ("==", [0, 1, 0]),
        ("!=", [1, 0, 1]),
    ],
)
def test_conditions_compare_as_python_does(op: str, expected: list[int]) -> None:
    space = Space([Float("x", 0.0, 4.0), Int("y", 0, 1, active=When("x", op, 2))])
    active = space.active(Genomes([[1.5, 0], [2.0, 0], [2.5, 0]]))[:, 1]
    assert active.astype(int).tolist() == expected


def test_mutation_redraws_each_gene_with_its_probability(rng: np.random.Generator) -> None:
    # A redrawn gene of many values keeps its old one once in a million.
    space = Space([Int(f"g{i}", 0, 10**6) for i in range(5)])
    parents = space.sample(rng, 4000)
    changed = space.mutate(parents, 0.3, rng).rows != parents.rows
    assert stats.binomtest(int(changed.sum()), changed.size, 0.3).pvalue > 1e-3
    assert stats.chisquare(changed.sum(axis=0)).pvalue > 1e-3


def test_crossover_takes_each_gene_from_either_parent(rng: np.random.Generator) -> None:
    space = Space([Int("a", 0, 1), Subset("s", 6, allow_empty=True), Injection("l", 3, 6)])
    mother = space.from_values([{"a": 0, "s": (), "l": (0, 1, 2)}] * 4000)
    father = space.from_values([{"a": 1, "s": tuple(range(6)), "l": (3, 4, 5)}] * 4000)
    children = space.crossover(mother, father, rng, p=0.25)
    from_father = children.rows == father.rows
    assert (from_father | (children.rows == mother.rows)).all()
    # A subset is one gene, the entries of a layout are genes of their own.
    assert set(np.unique(from_father[:, space.columns("s")].sum(axis=1))) == {0, 6}
    genes = np.delete(from_father, np.arange(2, 7), axis=1)
    assert space.n_genes == genes.shape[1] == 5
    assert stats.chisquare(genes.sum(axis=0)).pvalue > 1e-3
    assert stats.binomtest(int(genes.sum()), genes.size, 0.25).pvalue > 1e-3
    assert abs(np.corrcoef(genes.T) - np.eye(5)).max() < 0.1


def test_unrepaired_children_can_be_invalid_and_repair_mends_them(
    rng: np.random.Generator,
) -> None:
    space = Space([Permutation("order", 5)])
    raw = space.mutate(space.sample(rng, 200), 0.5, rng, repair=False)
    assert not space.is_valid(raw).all()
    assert space.is_valid(space.repair(raw, rng)).all()


def test_an_empty_batch_works(circuits: Space, rng: np.random.Generator) -> None:
    empty = circuits.sample(rng, 0)
    assert circuits.mutate(empty, 0.5, rng) == circuits.crossover(empty, empty, rng) == empty
    assert (circuits.decode(empty), circuits.keys(empty)) == ([], [])
    assert circuits.encode(empty).shape == (0, circuits.n_features)
    assert circuits.from_values([]) == circuits.from_keys([]) == empty


def test_genomes_cannot_be_changed(circuits: Space, rng: np.random.Generator) -> None:
    source = circuits.sample(rng, 3).rows.copy()
    genomes = Genomes(source)
    source[0, 0] = 77
    assert genomes.rows[0, 0] != 77
    with pytest.raises(ValueError, match="read-only"):
        genomes.rows[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        genomes[0].rows[0, 0] = 1


def test_equal_seeds_give_equal_genomes(circuits: Space) -> None:
    def draw(seed: int) -> Genomes:
        rng = np.random.default_rng(seed)
        return circuits.mutate(circuits.sample(rng, 20), 0.4, rng)

    assert draw(1) == draw(1)
    assert hash(draw(1)) == hash(draw(1))
    assert draw(1) != draw(2)


def test_bad_spaces_are_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        Space([])
    with pytest.raises(ValueError, match="'a' stands twice"):
        Space([Int("a", 0, 1), Int("a", 0, 2)])
    with pytest.raises(ValueError, match="'a' depends on 'b'"):
        Space([Int("a", 0, 1, active=When("b", "==", 1))])
    with pytest.raises(ValueError, match="circle"):
        Space(
            [
                Int("a", 0, 1, active=When("b", "==", 1)),
                Int("b", 0, 1, active=When("a", "==", 1)),
            ]
        )
    with pytest.raises(ValueError, match="'order' is none"):
        Space([Permutation("order", 3), Int("a", 0, 1, active=When("order", "==", 1))])
    with pytest.raises(ValueError, match="has no order"):
        Space([Categorical("c", ("x", "y")), Int("a", 0, 1, active=When("c", ">", "x"))])
    with pytest.raises(ValueError, match="got 'z'"):
        Space([Categorical("c", ("x", "y")), Int("a", 0, 1, active=When("c", "==", "z"))])


def test_bad_calls_are_refused(circuits: Space, rng: np.random.Generator) -> None:
    genomes = circuits.sample(rng, 2)
    with pytest.raises(ValueError, match=r"mutate: p must be in \[0, 1\]"):
        circuits.mutate(genomes, 1.5, rng)
    with pytest.raises(ValueError, match="equally long"):
        circuits.crossover(genomes, genomes[:1], rng)
    with pytest.raises(ValueError, match="columns"):
        circuits.keys(Genomes(np.zeros((1, 3))))
    with pytest.raises(ValueError, match="no choice 'depth'"):
        circuits.fix({"depth": 3})
    with pytest.raises(ValueError, match="4 entries"):
        circuits.fix({"layout": (None, 1)})
    with pytest.raises(ValueError, match="distinct"):
        circuits.fix({"layout": (None, 1, 1, None)})
    with pytest.raises(ValueError, match="'u3_0' is missing"):
        circuits.from_values([{"layout": (0, 1, 2, 3), "blocks": 1}])
    with pytest.raises(TypeError, match="sequence of mappings"):
        circuits.from_values({"blocks": 1})  # type: ignore[arg-type]
    with pytest.raises(IndexError, match="out of range"):
        genomes[2]


def test_importing_the_search_stack_loads_numpy_only() -> None:
    program = (
        "import sys, workbench.search; "
        "print([m for m in ('torch', 'scipy', 'qiskit', 'circuits', 'graphs') if m in sys.modules])"
    )
    root = Path(workbench.search.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == "[]"
