# SPDX-License-Identifier: Apache-2.0
"""The shared library of ngspice through ctypes: commands in, lines and vectors out.

The library is one simulator per process and cannot be put back after it has given up on a
deck (it asks to be unloaded, and unloading it leaves its code models behind). So this module
is meant for a process of its own: see :mod:`circuits.analog.ngspice.worker`.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from circuits.analog.ngspice.request import INSTALL, NgspiceError

__all__ = ["Library"]

_NAMES = ("libngspice.so.0", "libngspice.so", "libngspice.0.dylib", "libngspice.dylib")
_VARIABLE = "WORKBENCH_NGSPICE_LIBRARY"


class _VectorInfo(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("flags", ctypes.c_short),
        ("real", ctypes.POINTER(ctypes.c_double)),
        ("complex", ctypes.POINTER(ctypes.c_double)),  # re, im, re, im ...
        ("length", ctypes.c_int),
    )


_PRINT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p)
_EXIT = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_int, ctypes.c_bool, ctypes.c_bool, ctypes.c_int, ctypes.c_void_p
)


def _open() -> ctypes.CDLL:
    asked = os.environ.get(_VARIABLE)
    for name in (asked,) if asked else (*_NAMES, ctypes.util.find_library("ngspice")):
        if name:
            try:
                return ctypes.CDLL(name)
            except OSError:
                continue
    where = f"{_VARIABLE}={asked}" if asked else "libngspice"
    raise NgspiceError(f"{where} not found: {INSTALL}, or name it in {_VARIABLE}")


class Library:
    """ngspice, loaded into this process. Make one per process at most.

    Raises
    ------
    NgspiceError
        Where the library is missing or does not start.
    """

    _made = False

    def __init__(self) -> None:
        if Library._made:
            raise NgspiceError("ngspice's library is one simulator per process: already loaded")
        self._lib = _open()
        lib = self._lib
        lib.ngSpice_Command.argtypes = [ctypes.c_char_p]
        lib.ngSpice_Circ.argtypes = [ctypes.POINTER(ctypes.c_char_p)]
        lib.ngGet_Vec_Info.argtypes = [ctypes.c_char_p]
        lib.ngGet_Vec_Info.restype = ctypes.POINTER(_VectorInfo)
        lib.ngSpice_CurPlot.restype = ctypes.c_char_p
        lib.ngSpice_AllPlots.restype = ctypes.POINTER(ctypes.c_char_p)
        lib.ngSpice_AllVecs.argtypes = [ctypes.c_char_p]
        lib.ngSpice_AllVecs.restype = ctypes.POINTER(ctypes.c_char_p)
        self._lines: list[str] = []
        self.exited = False
        self._print = _PRINT(self._printed)  # kept here: the library holds bare pointers
        self._exit = _EXIT(self._left)
        Library._made = True
        # No data callbacks: the vectors are read afterwards, and runs are faster without.
        if lib.ngSpice_Init(self._print, None, self._exit, None, None, None, None) != 0:
            raise NgspiceError("libngspice did not start", self.take_lines())
        self.take_lines()

    def _printed(self, text: bytes | None, ident: int, user: int | None) -> int:
        self._lines.append((text or b"").decode(errors="replace"))
        return 0

    def _left(self, status: int, now: bool, quit_: bool, ident: int, user: int | None) -> int:
        self.exited = True
        return 0

    def take_lines(self) -> list[str]:
        """What was printed since the last call; each line starts with ``stdout`` or ``stderr``."""
        lines, self._lines = self._lines, []
        return lines

    def command(self, text: str) -> int:
        """Run one command; 0 where ngspice did not break off."""
        return int(self._lib.ngSpice_Command(text.encode()))

    def circuit(self, lines: Sequence[str]) -> int:
        """Load a deck; 0 says little about whether it was understood, the lines do."""
        array = (ctypes.c_char_p * (len(lines) + 1))(*(line.encode() for line in lines), None)
        return int(self._lib.ngSpice_Circ(array))

    def current_plot(self) -> str:
        """Name of the plot that the last analysis made."""
        return (self._lib.ngSpice_CurPlot() or b"").decode()

    def plots(self) -> list[str]:
        """All plots, newest first."""
        return _strings(self._lib.ngSpice_AllPlots())

    def vectors(self, plot: str) -> list[str]:
        """Names of a plot's vectors."""
        return _strings(self._lib.ngSpice_AllVecs(plot.encode()))

    def vector(self, name: str) -> NDArray[np.float64] | NDArray[np.complex128] | None:
        """A copy of a vector, ``plot.name`` or of the current plot; None where there is none."""
        found = self._lib.ngGet_Vec_Info(name.encode())
        if not found:
            return None
        info = found.contents
        if info.real:
            return np.array(np.ctypeslib.as_array(info.real, (info.length,)), np.float64)
        if info.complex:
            pairs = np.array(np.ctypeslib.as_array(info.complex, (info.length, 2)), np.float64)
            return pairs.view(np.complex128)[:, 0]
        return np.zeros(0)

    def version(self) -> str:
        """As ``"39"``."""
        self.take_lines()
        self.command("version -s")
        for line in self.take_lines():
            for word in line.split():
                if word.startswith("ngspice-"):
                    return word.removeprefix("ngspice-")
        return "unknown"


def _strings(array: ctypes._Pointer[ctypes.c_char_p]) -> list[str]:
    out: list[str] = []
    if array:
        while (text := array[len(out)]) is not None:
            out.append(text.decode())
    return out
