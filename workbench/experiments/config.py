# SPDX-License-Identifier: Apache-2.0
"""Frozen dataclasses as JSON, and the identity of a run.

A config is the single source of truth of a run: its canonical JSON, with the experiment's name and
version, is hashed into the run's id. Values are brought to the declared type first (``1`` given
for a float becomes ``1.0``), so that equal configs have equal ids however they were written.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import math
import shlex
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, TypeVar

from workbench.experiments.durable import plain_json
from workbench.experiments.suggestion import closest

C = TypeVar("C")


def config_to_json(config: Any) -> dict[str, Any]:
    """Return a config dataclass as plain JSON values.

    Raises
    ------
    TypeError, ValueError
        For a value that does not fit its declared type or cannot be written as JSON.
    """
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise TypeError(f"config_to_json: config must be a dataclass instance, got {config!r}")
    data = _encode(config, type(config).__name__)
    # One trip through the declared types turns ints given for floats into floats.
    normal = config_from_json(type(config), data)
    return typing.cast("dict[str, Any]", _encode(normal, type(config).__name__))


def config_from_json(config_type: type[C], data: Any, where: str = "config") -> C:
    """Build a config from plain JSON values, checking every value against its declared type.

    Parameters
    ----------
    config_type
        A dataclass whose fields are bool, int, float, str, Path, Enum, Literal, tuples, lists,
        string-keyed dicts, unions of these, and further dataclasses.
    data
        What :func:`config_to_json` returned, or what a user wrote by hand. Fields with defaults
        may be left out.
    where
        How to call ``data`` in an error.

    Raises
    ------
    ValueError, TypeError
        Naming the field, what came and what was expected.
    """
    return typing.cast(C, _decode(config_type, data, where))


def run_id(name: str, version: int, config: Mapping[str, Any]) -> str:
    """Return the id of a run: SHA-256 of the canonical JSON of (name, version, config)."""
    identity = {"experiment": name, "version": version, "config": config}
    text = json.dumps(
        identity, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True
    )
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def command_line(name: str, config: Any) -> str:
    """Return the shell command that runs experiment ``name`` with ``config``."""
    words = ["workbench", "run", name, *_options(config, "")]
    return " ".join(shlex.quote(word) for word in words)


def option_names(config_type: type[Any], prefix: str = "") -> list[str]:
    """Return the command-line options of a config type, those of nested types dotted."""
    names = []
    hints = typing.get_type_hints(config_type)
    for field in dataclasses.fields(config_type):
        flag = f"{prefix}{field.name.replace('_', '-')}"
        if isinstance(hints[field.name], type) and dataclasses.is_dataclass(hints[field.name]):
            names += option_names(hints[field.name], f"{flag}.")
        else:
            names.append(f"--{flag}")
    return names


def _options(config: Any, prefix: str) -> list[str]:
    words: list[str] = []
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        flag = f"{prefix}{field.name.replace('_', '-')}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            words += _options(value, f"{flag}.")
        elif value == _default(field):
            continue
        elif isinstance(value, bool) and hints[field.name] is bool:
            words.append(f"--{flag}" if value else f"--{_negated(flag)}")
        elif isinstance(value, (tuple, list)):
            words += [f"--{flag}", *(_word(item) for item in value)]
        elif isinstance(value, Mapping):
            words += [f"--{flag}", *(_word(item) for pair in value.items() for item in pair)]
        elif isinstance(value, str) and value.startswith("-"):
            words.append(f"--{flag}={value}")
        else:
            words += [f"--{flag}", _word(value)]
    return words


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _negated(flag: str) -> str:
    group, _, last = flag.rpartition(".")
    return f"{group}.no-{last}" if group else f"no-{last}"


def _word(value: Any) -> str:
    return value.name if isinstance(value, enum.Enum) else str(value)


def _encode(value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _encode(getattr(value, field.name), f"{where}.{field.name}")
            for field in dataclasses.fields(value)
        }
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, Mapping):
        return {key: _encode(item, f"{where}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_encode(item, f"{where}[{i}]") for i, item in enumerate(value)]
    return plain_json(value, where)


def _decode(hint: Any, data: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return _decode(typing.get_args(hint)[0], data, where)
    if hint is Any:
        return data
    if origin in (typing.Union, types.UnionType):
        return _decode_union(typing.get_args(hint), data, where)
    if origin is typing.Literal:
        for choice in typing.get_args(hint):
            if type(choice) is type(data) and choice == data:
                return data
        raise _mismatch(where, data, "one of " + ", ".join(map(repr, typing.get_args(hint))))
    if origin is not None:
        return _decode_container(origin, typing.get_args(hint), data, where)
    if isinstance(hint, type):
        if dataclasses.is_dataclass(hint):
            return _decode_dataclass(hint, data, where)
        if issubclass(hint, enum.Enum):
            if isinstance(data, str) and data in hint.__members__:
                return hint[data]
            raise _mismatch(where, data, "one of " + ", ".join(hint.__members__))
        if issubclass(hint, PurePath):
            return Path(_decode_scalar(str, data, where))
        if hint in (tuple, list, dict):
            return _decode_container(hint, (), data, where)
    return _decode_scalar(hint, data, where)


def _decode_scalar(hint: Any, data: Any, where: str) -> Any:
    if hint is None or hint is type(None):
        if data is None:
            return None
        raise _mismatch(where, data, "null")
    if hint is float:
        if isinstance(data, (int, float)) and not isinstance(data, bool) and math.isfinite(data):
            return float(data)
        raise _mismatch(where, data, "a finite number")
    if hint is int or hint is bool or hint is str:
        if type(data) is hint:
            return data
        raise _mismatch(where, data, {int: "an integer", bool: "true or false", str: "text"}[hint])
    raise TypeError(f"{where}: a config cannot hold the type {hint!r}")


def _decode_union(hints: tuple[Any, ...], data: Any, where: str) -> Any:
    reasons = []
    # An int is also a float: the member of the very same type is asked first.
    for hint in sorted(hints, key=lambda hint: hint is not type(data)):
        try:
            return _decode(hint, data, where)
        except ValueError as error:
            reasons.append(str(error))
    raise ValueError(reasons[-1] if len(reasons) == 1 else " / ".join(dict.fromkeys(reasons)))


def _decode_container(origin: Any, args: tuple[Any, ...], data: Any, where: str) -> Any:
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
            raise _mismatch(where, data, "an object with text keys")
        hint = args[1] if len(args) == 2 else Any
        return {key: _decode(hint, item, f"{where}[{key!r}]") for key, item in data.items()}
    if isinstance(origin, type) and issubclass(origin, Sequence) and origin is not str:
        if not isinstance(data, (list, tuple)):
            raise _mismatch(where, data, "a list")
        hints = _item_hints(origin, args, len(data))
        if len(hints) != len(data):
            raise _mismatch(where, data, f"a list of {len(hints)}")
        items = [
            _decode(hint, item, f"{where}[{i}]")
            for i, (hint, item) in enumerate(zip(hints, data, strict=True))
        ]
        return items if origin is list else tuple(items)
    raise TypeError(f"{where}: a config cannot hold the type {origin!r}")


def _item_hints(origin: Any, args: tuple[Any, ...], length: int) -> tuple[Any, ...]:
    if origin is tuple and args and not (len(args) == 2 and args[1] is Ellipsis):
        return args if args != ((),) else ()
    return (args[0] if args else Any,) * length


def _decode_dataclass(kind: type[Any], data: Any, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise _mismatch(where, data, "an object")
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    for key in data:
        if key not in fields:
            raise ValueError(
                f"{where} has no field {key!r}{closest(str(key), list(fields))} "
                f"(it has: {', '.join(fields)})"
            )
    values = {
        name: _decode(hints[name], data[name], f"{where}.{name}") for name in fields if name in data
    }
    missing = [
        name
        for name, field in fields.items()
        if name not in values
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ValueError(f"{where} lacks the field {missing[0]!r}, which has no default")
    return kind(**values)


def _mismatch(where: str, data: Any, expected: str) -> ValueError:
    return ValueError(f"{where} must be {expected}, got {data!r}")
