# SPDX-License-Identifier: Apache-2.0
"""Checkpoint files: plain values and arrays in one ``.npz``, read without executing anything.

The file is a zip archive. ``tree.json`` holds the shape of the tree and every scalar;
``<i>.npy`` holds the i-th array. Arrays are read with ``allow_pickle=False`` and the JSON names
only the kinds listed here, so a hostile file can at worst be refused. Each member carries the
zip's checksum, so a truncated or altered file is refused as well.

Kinds: None, bool, int of any size, float, complex, str, bytes, list, tuple, dict with scalar or
tuple keys, numpy arrays and scalars of every dtype without Python objects, dense torch tensors
(returned on the CPU, without gradient).
"""

from __future__ import annotations

import json
import math
import sys
import zipfile
from pathlib import Path
from typing import IO, Any

from workbench.experiments.durable import write_durably
from workbench.storage.limits import check_bytes

FORMAT = 1
_DEEPEST = 100
_JSON_INT = 2**53
_MANIFEST = "tree.json"


class TreeError(ValueError):
    """A checkpoint file cannot be read; the message is the reason."""


def save_tree(path: Path, tree: Any) -> None:
    """Write ``tree`` to ``path`` atomically.

    Raises
    ------
    TypeError
        For a value of a kind that cannot be stored, naming where it stands.
    ValueError
        For a tree nested deeper than 100 levels, or one that contains itself.
    """
    encoder = _Encoder()
    manifest = json.dumps({"format": FORMAT, "tree": encoder.encode(tree, "tree", 0)})

    def write(file: IO[bytes]) -> None:
        import numpy as np

        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(_MANIFEST), manifest)
            for i, array in enumerate(encoder.arrays):
                member = zipfile.ZipInfo(f"{i}.npy")
                with archive.open(member, "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, array, allow_pickle=False)

    write_durably(path, write)


def load_tree(path: Path) -> Any:
    """Read a tree written by :func:`save_tree`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TreeError
        If the file is truncated, altered, of another format version or no checkpoint at all, or
        would take more memory than :func:`~workbench.storage.limits.byte_limit`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            # A member's announced size bounds what is read of it.
            check_bytes(path, "its contents", sum(m.file_size for m in archive.infolist()))
            manifest = json.loads(archive.read(_MANIFEST))
            if not isinstance(manifest, dict) or "format" not in manifest:
                raise TreeError(f"{path} is no checkpoint: its {_MANIFEST} names no format")
            if manifest["format"] != FORMAT:
                raise TreeError(
                    f"{path} has checkpoint format {manifest['format']!r}; "
                    f"this version of workbench reads format {FORMAT}"
                )
            return _Decoder(archive).decode(manifest["tree"])
    except (TreeError, FileNotFoundError):
        raise
    except Exception as error:
        # zipfile, its decompressors, numpy and the decoder report damage in many ways.
        reason = f"{type(error).__name__}: {error}"
        raise TreeError(f"{path} is truncated or damaged ({reason})") from error


class _Encoder:
    def __init__(self) -> None:
        self.arrays: list[Any] = []

    def encode(self, value: Any, where: str, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError(f"{where[:60]}...: nested deeper than {_DEEPEST}, or contains itself")
        if value is None or type(value) in (bool, str):
            return value
        if type(value) is int:
            # Python limits decimal, not hexadecimal, conversion of long integers.
            return value if abs(value) <= _JSON_INT else {"int": hex(value)}
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if type(value) is complex:
            return {"complex": [value.real.hex(), value.imag.hex()]}
        if type(value) is list:
            return [self.encode(v, f"{where}[{i}]", depth + 1) for i, v in enumerate(value)]
        if isinstance(value, tuple) and not hasattr(value, "_fields"):
            items = [self.encode(v, f"{where}[{i}]", depth + 1) for i, v in enumerate(value)]
            return {"tuple": items}
        if isinstance(value, dict):
            return {"dict": [self._encode_item(k, v, where, depth) for k, v in value.items()]}
        if isinstance(value, (bytes, bytearray)):
            import numpy as np

            return {"bytes": self._add(np.frombuffer(bytes(value), dtype=np.uint8))}
        encoded = self._encode_torch(value, where) or self._encode_numpy(value, where)
        if encoded is None:
            kind = f"{type(value).__module__}.{type(value).__qualname__}"
            raise TypeError(
                f"{where} is a {kind}, which a checkpoint cannot hold; use None, bool, int, float, "
                "complex, str, bytes, list, tuple, dict, numpy arrays or torch tensors"
            )
        return encoded

    def _encode_item(self, key: Any, value: Any, where: str, depth: int) -> list[Any]:
        if not isinstance(key, (str, int, float, bool, bytes, tuple, type(None))):
            raise TypeError(f"{where} has a key of type {type(key).__qualname__}: {key!r}")
        place = f"{where}[{key!r}]"
        return [self.encode(key, f"{place} (key)", depth + 1), self.encode(value, place, depth + 1)]

    def _encode_numpy(self, value: Any, where: str) -> dict[str, int] | None:
        numpy = sys.modules.get("numpy")
        # Subclasses of ndarray (masked, matrix) hold more than their numbers.
        if numpy is None or not (type(value) is numpy.ndarray or isinstance(value, numpy.generic)):
            return None
        if value.dtype.hasobject:
            raise TypeError(f"{where} is a numpy array of Python objects, which cannot be stored")
        kind = "array" if type(value) is numpy.ndarray else "scalar"
        return {kind: self._add(numpy.asarray(value))}

    def _encode_torch(self, value: Any, where: str) -> dict[str, Any] | None:
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(value, torch.Tensor):
            return None
        if value.layout != torch.strided or value.is_quantized:
            raise TypeError(f"{where} must be a dense torch tensor, got {value.layout}")
        tensor = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
        # numpy knows no bfloat16 and no 8-bit floats, so tensors travel as bytes.
        raw = tensor.reshape(-1).view(torch.uint8) if tensor.numel() else torch.empty(0).byte()
        dtype = str(tensor.dtype).removeprefix("torch.")
        return {"tensor": self._add(raw.numpy()), "dtype": dtype, "shape": list(tensor.shape)}

    def _add(self, array: Any) -> int:
        self.arrays.append(array)
        return len(self.arrays) - 1


class _Decoder:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def decode(self, node: Any) -> Any:
        if node is None or isinstance(node, (bool, str, int, float)):
            return node
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        if not isinstance(node, dict) or not node:
            raise ValueError(f"no kind in {node!r}")
        kind = next(iter(node))
        content = node[kind]
        if kind == "int":
            return int(content, 16)
        if kind == "float":
            return float(content)
        if kind == "complex":
            return complex(float.fromhex(content[0]), float.fromhex(content[1]))
        if kind == "tuple":
            return tuple(self.decode(item) for item in content)
        if kind == "dict":
            return {self.decode(key): self.decode(value) for key, value in content}
        if kind == "bytes":
            return self._array(content).tobytes()
        if kind == "array":
            return self._array(content)
        if kind == "scalar":
            return self._array(content)[()]
        if kind == "tensor":
            return self._tensor(content, node["dtype"], node["shape"])
        raise ValueError(f"unknown kind {kind!r}")

    def _array(self, index: int) -> Any:
        from workbench.storage.arrays import parse_array

        # Reading the whole member first makes zipfile compare its checksum.
        name = f"{index:d}.npy"
        return parse_array(name, self._archive.read(name))

    def _tensor(self, index: int, dtype: str, shape: list[int]) -> Any:
        import torch

        kind = getattr(torch, dtype)
        if not isinstance(kind, torch.dtype):
            raise ValueError(f"unknown tensor dtype {dtype!r}")
        raw = torch.from_numpy(self._array(index))
        if not raw.numel():
            if math.prod(shape) != 0:
                raise ValueError(f"a tensor of shape {shape} without numbers")
            return torch.empty(shape, dtype=kind)
        return raw.view(kind).reshape(shape)
