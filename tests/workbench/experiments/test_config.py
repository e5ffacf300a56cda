# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import enum
import hashlib
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pytest
import tyro
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.experiments.config import (
    command_line,
    config_from_json,
    config_to_json,
    option_names,
    run_id,
)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Inner:
    shots: int = 100
    rate: float = 0.5


@dataclass(frozen=True)
class Config:
    name: str = "x"
    count: int = 3
    level: float = 1.0
    fast: bool = False
    sure: bool = True
    maybe: float | None = None
    sizes: tuple[int, ...] = (1, 2)
    pair: tuple[int, float] = (1, 2.0)
    names: list[str] = field(default_factory=list)
    table: dict[str, int] = field(default_factory=dict)
    mode: Literal["a", "b"] = "a"
    colour: Colour = Colour.RED
    file: Path = Path("f")
    either: int | str = 1
    inner: Inner = Inner()


_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_TEXT = st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=1)
_CONFIGS = st.builds(
    Config,
    name=_TEXT,
    count=st.integers(),
    level=_FLOATS,
    fast=st.booleans(),
    sure=st.booleans(),
    maybe=st.none() | _FLOATS,
    sizes=st.lists(st.integers()).map(tuple),
    pair=st.tuples(st.integers(), _FLOATS),
    names=st.lists(st.sampled_from(["p", "q r"])),
    table=st.dictionaries(st.sampled_from("ab"), st.integers()),
    mode=st.sampled_from("ab"),
    colour=st.sampled_from(Colour),
    either=st.integers() | st.sampled_from(["left", "right"]),
    inner=st.builds(Inner, shots=st.integers(), rate=_FLOATS),
)


@given(config=_CONFIGS)
@settings(max_examples=50, deadline=None)
def test_a_config_is_read_back_as_it_was(config: Config) -> None:
    assert config_from_json(Config, config_to_json(config)) == config


@given(config=_CONFIGS)
@settings(max_examples=25, deadline=None)
def test_the_command_line_gives_the_config_again(config: Config) -> None:
    words = shlex.split(command_line("exp", config))
    assert words[:3] == ["workbench", "run", "exp"]
    assert tyro.cli(Config, args=words[3:]) == config


def test_the_command_line_of_defaults_is_bare() -> None:
    assert command_line("exp", Config()) == "workbench run exp"


def test_an_integer_given_for_a_float_is_the_same_run() -> None:
    ids = {run_id("e", 1, config_to_json(Config(level=level))) for level in (2, 2.0)}
    assert len(ids) == 1


@pytest.mark.parametrize(
    "other",
    [
        ("f", 1, Config()),
        ("e", 2, Config()),
        ("e", 1, replace(Config(), count=4)),
        ("e", 1, replace(Config(), inner=Inner(rate=0.25))),
    ],
)
def test_name_version_and_every_field_enter_the_id(other: tuple[str, int, Config]) -> None:
    name, version, config = other
    assert run_id(name, version, config_to_json(config)) != run_id("e", 1, config_to_json(Config()))


def test_the_id_is_the_hash_of_the_documented_text() -> None:
    text = '{"config":{"a":1},"experiment":"e","version":1}'
    assert run_id("e", 1, {"a": 1}) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"cuont": 1}, "no field 'cuont'; did you mean 'count'"),
        ({"count": 1.5}, "config.count must be an integer, got 1.5"),
        ({"count": True}, "config.count must be an integer, got True"),
        ({"level": "x"}, "config.level must be a finite number"),
        ({"level": float("nan")}, "config.level must be a finite number"),
        ({"fast": 1}, "config.fast must be true or false"),
        ({"mode": "c"}, "config.mode must be one of 'a', 'b', got 'c'"),
        ({"colour": "GREEN"}, "config.colour must be one of RED, BLUE"),
        ({"sizes": [1, "x"]}, r"config.sizes\[1\] must be an integer"),
        ({"pair": [1]}, "config.pair must be a list of 2"),
        ({"inner": {"shots": "x"}}, "config.inner.shots must be an integer"),
        ({"inner": 3}, "config.inner must be an object"),
        ([], "config must be an object"),
    ],
)
def test_a_wrong_value_is_named(data: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        config_from_json(Config, data)


def test_a_field_without_default_must_be_given() -> None:
    @dataclass(frozen=True)
    class Needy:
        size: int

    # Local classes cannot be resolved from annotations as text.
    Needy.__annotations__["size"] = int
    with pytest.raises(ValueError, match="lacks the field 'size'"):
        config_from_json(Needy, {})


def test_a_config_with_nan_has_no_id() -> None:
    with pytest.raises(ValueError, match=r"Config\.level must be finite"):
        config_to_json(Config(level=float("nan")))


def test_options_of_nested_configs_are_dotted() -> None:
    names = option_names(Config)
    assert "--sizes" in names
    assert "--inner.shots" in names
    assert "--inner" not in names
