# SPDX-License-Identifier: Apache-2.0
"""Imports torchquantum 0.1.8 beside qiskit 2, for measuring against it and nothing else.

torchquantum's simulator is plain torch, but its package imports, at the top of many files,
names that qiskit removed with version 1 and a dozen packages the simulator never calls.
:func:`import_torchquantum` answers those imports, and only while torchquantum itself is being
imported, with inert stand-ins: they can be subclassed and referred to, and raise when called
later.
The simulator's own code (device, gates, expectation values, autograd) runs unchanged.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType

__all__ = ["INSTALL", "import_torchquantum"]

#: ``--no-deps``: its own requirements pin packages that no longer install.
INSTALL = "python -m pip install --no-deps torchquantum==0.1.8"

#: Absent packages torchquantum names at import time, with everything below them.
_ABSENT = (
    "imp",
    "matplotlib",
    "opt_einsum",
    "pathos",
    "qiskit.extensions",
    "qiskit.providers.aer",
    "qiskit.providers.fake_provider",
    "qiskit.providers.models",
    "qiskit.pulse",
    "qiskit.qobj",
    "qiskit.quantum_info.synthesis",
    "qiskit.test",
    "qiskit.tools",
    "qiskit_ibm_runtime",
    "qiskit_nature",
    "torchdiffeq",
    "torchpack",
    "torchvision",
    "tqdm",
)

#: Names taken from modules that still exist but lost them.
_REMOVED = {
    "qiskit": ("Aer", "IBMQ", "execute", "pulse"),
    "qiskit.compiler": ("assemble", "schedule"),
    "qiskit.providers": ("BackendV1", "aer"),
    "qiskit.circuit._utils": ("_compute_control_matrix",),
    "qiskit.quantum_info": ("OneQubitEulerDecomposer",),
    "qiskit.utils": ("deprecate_arguments",),
}


class _StandInMeta(type):
    """Stand-in classes: attributes are further stand-ins, calls after the import fail."""

    def __getattr__(cls, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(f"{cls.__qualname__}.{name}")

    def __call__(cls, *args: object, **kwargs: object) -> object:
        if "_stand_in" not in cls.__dict__:
            return super().__call__(*args, **kwargs)
        if any(isinstance(finder, _AbsentFinder) for finder in sys.meta_path):
            return _stand_in(f"{cls.__qualname__}()")
        raise RuntimeError(
            f"torchquantum called {cls.__qualname__}, which its import shim only stands in for"
        )


def _stand_in(name: str) -> type:
    return _StandInMeta(name.rsplit(".", 1)[-1], (), {"__qualname__": name, "_stand_in": True})


class _AbsentModule(ModuleType):
    """A module whose every name is a stand-in."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(f"{self.__name__}.{name}")


class _AbsentFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Last on ``sys.meta_path``: asked only for what no other finder has."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if any(fullname == name or fullname.startswith(name + ".") for name in _ABSENT):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _AbsentModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: the module is its ``__getattr__``."""


@contextlib.contextmanager
def _stand_ins() -> Iterator[None]:
    finder = _AbsentFinder()
    patched: list[tuple[ModuleType, str]] = []
    sys.meta_path.append(finder)
    try:
        for module_name, names in _REMOVED.items():
            module = importlib.import_module(module_name)
            for name in names:
                if not hasattr(module, name):
                    setattr(module, name, _stand_in(f"{module_name}.{name}"))
                    patched.append((module, name))
        yield
    finally:
        sys.meta_path.remove(finder)
        for module, name in patched:
            if hasattr(module, name):
                delattr(module, name)
        for name in [n for n, m in sys.modules.items() if isinstance(m, _AbsentModule)]:
            parent, _, child = name.rpartition(".")
            if parent in sys.modules and isinstance(
                sys.modules[parent].__dict__.get(child), _AbsentModule
            ):
                delattr(sys.modules[parent], child)
            del sys.modules[name]


def import_torchquantum() -> ModuleType:
    """Import torchquantum and leave no trace of the stand-ins.

    Returns
    -------
    module
        The ``torchquantum`` package.

    Raises
    ------
    ImportError
        When torchquantum is not installed.
    """
    if "torchquantum" in sys.modules:
        return sys.modules["torchquantum"]
    if importlib.util.find_spec("torchquantum") is None:
        raise ImportError(f"torchquantum is not installed: {INSTALL}")
    with _stand_ins():
        return importlib.import_module("torchquantum")
