# SPDX-License-Identifier: Apache-2.0
"""What sparse products refuse, and how they name it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from workbench.ops.spgemm import SpGEMMPlan, spgemm, spgemm_flops, spgemm_nnz

from .spgemm_cases import broken

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "pointers not from 0": ({"indptr": [1, 2, 4]}, "indptr must start at 0"),
    "pointers that fall": ({"indptr": [0, 5, 4]}, "indptr must not decrease"),
    "last pointer too small": ({"indptr": [0, 2, 3]}, "indptr must end at"),
    "last pointer too large": ({"indptr": [0, 2, 9]}, "indptr must end at"),
    "too few pointers": ({"indptr": [0, 4]}, "indptr must have 3"),
    "too many pointers": ({"indptr": [0, 2, 3, 4]}, "indptr must have 3"),
    "negative column": ({"indices": [0, -1, 0, 1]}, r"column indices must be in \[0, 2\)"),
    "column too large": ({"indices": [0, 1, 0, 2]}, r"column indices must be in \[0, 2\)"),
    "wide column too large": (
        {"indices": np.array([0, 1, 0, 2**33], dtype=np.int64)},
        r"column indices must be in \[0, 2\)",
    ),
    "too few values": ({"data": [1.0, 2.0, 3.0]}, "one value per index"),
    "too many values": ({"data": [1.0] * 5}, "one value per index"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("role", ["A", "B", "mask"])
@pytest.mark.parametrize("container", ["csr", "csc", "mixed"])
def test_broken_arrays_are_refused(name: str, role: str, container: str) -> None:
    """Of compressed columns too, read as they are or turned into rows."""
    parts, message = BROKEN[name]
    wrong = broken(**parts)
    good: Any = sp.csr_array(np.ones((2, 2)))
    if container != "csr":
        columns = sp.csc_array((2, 2))
        columns.data, columns.indices, columns.indptr = wrong.data, wrong.indices, wrong.indptr
        wrong = columns
        good = good.tocsc() if container == "csc" else good
    operands = {"A": good, "B": good, "mask": None, role: wrong}
    with pytest.raises(ValueError, match=f"{role}: .*{message}"):
        spgemm(operands["A"], operands["B"], mask=operands["mask"])


def test_inner_sizes_that_differ_are_refused() -> None:
    a, b = sp.csr_array(np.ones((2, 3))), sp.csr_array(np.ones((4, 5)))
    for left, right in ((a, b), (a.tocsc(), b.tocsc()), (a, b.tocsc())):
        with pytest.raises(ValueError, match="A has 3 columns, B has 4 rows"):
            spgemm(left, right)
    for function in (spgemm_flops, spgemm_nnz, SpGEMMPlan):
        with pytest.raises(ValueError, match="A has 3 columns, B has 4 rows"):
            function(a, b)


@pytest.mark.parametrize("layout", ["csr", "csc"])
def test_masks_of_another_shape_are_refused(layout: str) -> None:
    a = sp.csr_array(np.ones((2, 3))).asformat(layout)
    b = sp.csr_array(np.ones((3, 4))).asformat(layout)
    with pytest.raises(ValueError, match=r"mask must have the shape .*\(4, 2\).*\(2, 4\)"):
        spgemm(a, b, mask=sp.csr_array((4, 2)))
    with pytest.raises(ValueError, match="complement"):
        spgemm(a, b, complement=True)


@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.int16, np.uint8, np.longdouble, object])
def test_other_dtypes_are_refused(dtype: Any) -> None:
    good = sp.csr_array(np.ones((2, 2)))
    wrong = sp.csr_array(np.ones((2, 2)))
    wrong.data = wrong.data.astype(dtype)
    with pytest.raises(TypeError, match="A: values have dtype"):
        spgemm(wrong, good)
    with pytest.raises(TypeError, match="B: values have dtype"):
        spgemm(good, wrong)


@pytest.mark.parametrize("semiring", ["min_plus", "max_plus", "min_max", "max_min", "min_first"])
@pytest.mark.parametrize("repeated", [False, True])
def test_orders_refuse_complex_numbers_and_booleans(semiring: str, repeated: bool) -> None:
    indices = np.array([0, 0 if repeated else 1])
    for dtype in (np.complex64, np.complex128, np.bool_):
        a = sp.csr_array((np.ones(2, dtype=dtype), indices, np.array([0, 2, 2])), shape=(2, 2))
        with pytest.raises(TypeError):
            spgemm(a, a, semiring)


def test_options_that_do_not_exist_are_refused() -> None:
    a = sp.csr_array(np.ones((2, 2)))
    with pytest.raises(ValueError, match="semiring must be one of"):
        spgemm(a, a, "times_plus")
    with pytest.raises(ValueError, match="index_dtype"):
        spgemm(a, a, index_dtype="int16")
    with pytest.raises(ValueError, match="num_threads"):
        spgemm(a, a, num_threads=0)
    with pytest.raises(TypeError, match="A must be"):
        spgemm(np.ones((2, 2)), a)
    with pytest.raises(TypeError, match="mask must be"):
        spgemm(a, a, mask=np.ones((2, 2)))
