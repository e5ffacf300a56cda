# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import pickle
import zipfile
from collections import OrderedDict, namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench.experiments import TreeError, load_tree, save_tree

_FOLDER_INDEPENDENT = settings(max_examples=60, deadline=None)

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**200, max_value=2**9000)
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.binary()
)
_DTYPES = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?")
    | hnp.complex_number_dtypes(endianness="?")
    | hnp.unicode_string_dtypes()
    | hnp.datetime64_dtypes()
)
_ARRAYS = hnp.arrays(_DTYPES, hnp.array_shapes(min_dims=0, min_side=0, max_side=3))
_KEYS = st.text() | st.integers() | st.tuples(st.integers(), st.text())
_TREES = st.recursive(
    _SCALARS | _ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(_KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


def same(a: Any, b: Any) -> bool:
    """Equal in type, structure and bits; every NaN equals every other."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and str(a) == str(b))
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    return bool(a == b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ([1], (1,)),
        (np.float32(1), np.float64(1)),
        (np.zeros(2), np.zeros((1, 2))),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_the_comparison_of_this_file_sees_small_differences(a: Any, b: Any) -> None:
    assert same(a, a)
    assert not same(a, b)


@given(tree=_TREES)
@_FOLDER_INDEPENDENT
def test_any_tree_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, tree: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.npz"
    save_tree(path, tree)
    assert same(load_tree(path), tree)


@pytest.mark.parametrize(
    "dtype",
    [
        torch.bool,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
        torch.float16,
        torch.bfloat16,
        torch.float32,
        torch.float64,
        torch.complex64,
        torch.complex128,
        torch.float8_e4m3fn,
    ],
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_tensors_of_every_dtype_are_read_back(
    tmp_path: Path, dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    values = torch.arange(math.prod(shape), dtype=torch.float32).reshape(shape)
    tensor = (values + 1.5).to(dtype)
    save_tree(tmp_path / "t.npz", [tensor])
    (back,) = load_tree(tmp_path / "t.npz")
    assert back.dtype == dtype
    assert back.shape == tensor.shape
    as_bytes = [t.reshape(-1).view(torch.uint8) if t.numel() else t for t in (back, tensor)]
    assert torch.equal(*as_bytes)


def test_views_conjugates_and_parameters_are_stored_by_value(tmp_path: Path) -> None:
    base = torch.arange(6, dtype=torch.float64).reshape(2, 3)
    conjugate = torch.complex(base, base).conj()
    parameter = torch.nn.Parameter(base.t())
    save_tree(tmp_path / "t.npz", {"conj": conjugate, "parameter": parameter, "half": base[:, ::2]})
    back = load_tree(tmp_path / "t.npz")
    assert torch.equal(back["conj"], conjugate)
    assert torch.equal(back["parameter"], base.t())
    assert not back["parameter"].requires_grad
    assert torch.equal(back["half"], base[:, ::2])


def test_an_optimizer_goes_on_from_a_stored_state(tmp_path: Path) -> None:
    def step(weight: torch.Tensor, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        ((weight - 3) ** 2).sum().backward()
        optimizer.step()

    weight = torch.zeros(4, requires_grad=True)
    adam = torch.optim.Adam([weight], lr=0.1)
    step(weight, adam)
    save_tree(tmp_path / "o.npz", {"weight": weight, "adam": adam.state_dict()})
    step(weight, adam)
    stored = load_tree(tmp_path / "o.npz")
    resumed = stored["weight"].requires_grad_()
    again = torch.optim.Adam([resumed], lr=0.1)
    again.load_state_dict(stored["adam"])
    step(resumed, again)
    assert torch.equal(resumed, weight)


def test_a_generator_goes_on_from_a_stored_state(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rng.normal(size=5)
    save_tree(tmp_path / "g.npz", rng.bit_generator.state)
    expected = rng.normal(size=5)
    other = np.random.default_rng(0)
    other.bit_generator.state = load_tree(tmp_path / "g.npz")
    assert np.array_equal(other.normal(size=5), expected)


def test_dict_subclasses_come_back_as_dict(tmp_path: Path) -> None:
    save_tree(tmp_path / "d.npz", OrderedDict(a=1))
    assert type(load_tree(tmp_path / "d.npz")) is dict


_Point = namedtuple("_Point", "x y")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array([object()], dtype=object), "Python objects"),
        (np.ma.masked_array([1, 2], [0, 1]), "MaskedArray"),
        (torch.eye(3).to_sparse(), "dense"),
        (Path("x"), "Path"),
        ({1, 2}, "set"),
        (_Point(1, 2), "_Point"),
        (len, "builtin_function_or_method"),
    ],
)
def test_what_cannot_be_stored_is_named_with_its_place(
    tmp_path: Path, value: Any, words: str
) -> None:
    with pytest.raises(TypeError, match=words) as caught:
        save_tree(tmp_path / "x.npz", {"a": [0, value]})
    assert "tree['a'][1]" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_tree_that_contains_itself_is_refused(tmp_path: Path) -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="contains itself"):
        save_tree(tmp_path / "x.npz", loop)


def _example() -> Any:
    return {"weights": np.arange(50, dtype=np.float32), "step": 7, "key": (1, b"abc", 2**80)}


@given(data=st.data())
@_FOLDER_INDEPENDENT
def test_a_truncated_file_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "short.npz"
    save_tree(path, _example())
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(TreeError, match="truncated or damaged"):
        load_tree(path)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_an_altered_byte_is_refused_or_without_effect(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "altered.npz"
    save_tree(path, _example())
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        loaded = load_tree(path)
    except TreeError:
        return
    assert same(loaded, _example())


def test_another_format_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "new.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tree.json", json.dumps({"format": 2, "tree": None}))
    with pytest.raises(TreeError, match="format 2"):
        load_tree(path)


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("executed"),))


def test_nothing_in_a_hostile_file_is_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pickled = tmp_path / "pickle.npz"
    pickled.write_bytes(pickle.dumps(_Bomb()))
    smuggled = tmp_path / "objects.npz"
    array = np.empty(1, dtype=object)
    array[0] = _Bomb()
    np.save(tmp_path / "objects.npy", array, allow_pickle=True)
    with zipfile.ZipFile(smuggled, "w") as archive:
        archive.writestr("tree.json", json.dumps({"format": 1, "tree": {"array": 0}}))
        archive.write(tmp_path / "objects.npy", "0.npy")
    for path in (pickled, smuggled):
        with pytest.raises(TreeError):
            load_tree(path)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"unknown": 1},
        {"array": "../../etc/passwd"},
        {"array": 5},
        {"tensor": 0, "dtype": "load", "shape": [1]},
        {"dict": [[[1], 2]]},
        {"int": []},
    ],
)
def test_a_manifest_of_another_shape_is_refused(tmp_path: Path, tree: Any) -> None:
    path = tmp_path / "odd.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tree.json", json.dumps({"format": 1, "tree": tree}))
    with pytest.raises(TreeError):
        load_tree(path)


def test_a_missing_file_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_tree(tmp_path / "none.npz")
