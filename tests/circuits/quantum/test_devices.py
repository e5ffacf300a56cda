# SPDX-License-Identifier: Apache-2.0
"""Device snapshots by name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from circuits.quantum import devices as devices_module
from circuits.quantum.devices import device, devices

TEN = {
    "FakeYorktownV2": 5,
    "FakeQuitoV2": 5,
    "FakeBelemV2": 5,
    "FakeSantiagoV2": 5,
    "FakeAthensV2": 5,
    "FakeLimaV2": 5,
    "FakeMelbourneV2": 15,
    "FakeGuadalupeV2": 16,
    "FakeTorontoV2": 27,
    "FakeManhattanV2": 65,
}


def test_the_names_are_sorted_and_hold_the_ten_of_the_brief() -> None:
    names = devices()
    assert list(names) == sorted(names)
    assert set(TEN) <= set(names)
    assert all(name.startswith("Fake") for name in names)


@pytest.mark.parametrize(("name", "n_qubits"), TEN.items())
def test_each_device_has_its_number_of_qubits(name: str, n_qubits: int) -> None:
    assert device(name).num_qubits == n_qubits


@pytest.mark.parametrize("name", ["quito", "Quito", "fake_quito", "fake_quito_v2", "FakeQuitoV2"])
def test_short_names_mean_the_same_object(name: str) -> None:
    assert device(name) is device("FakeQuitoV2")


@pytest.mark.parametrize("name", ["FakeNowhereV2", "", "qui", "FakeProviderForBackendV2"])
def test_an_unknown_name_lists_what_exists(name: str) -> None:
    with pytest.raises(ValueError, match=r"unknown device .*FakeQuitoV2.*FakeYorktownV2"):
        device(name)


def test_a_name_must_be_text() -> None:
    with pytest.raises(TypeError, match="name must be a str, got int"):
        device(5)  # type: ignore[arg-type]


def test_threads_get_the_same_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_module, "_MADE", {})
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(device, ["quito", "FakeQuitoV2"] * 8))
    assert all(one is made[0] for one in made)
