# SPDX-License-Identifier: Apache-2.0
"""Simulating decks with ngspice: at once, or loaded once and altered many times."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from circuits.analog.ngspice.process import executable_version, run_process
from circuits.analog.ngspice.request import (
    STAND_IN,
    NgspiceError,
    Request,
    Sweep,
    Transient,
    check_alteration,
    deck_lines,
    with_stand_in,
)
from circuits.analog.ngspice.results import DeckResult, assemble
from circuits.analog.ngspice.worker import Worker, lend, take_back

__all__ = ["LoadedDeck", "available", "simulate_deck", "version"]

MODES = ("library", "process")


def simulate_deck(
    deck: str,
    analyses: Sequence[str] = ("op",),
    *,
    freqs: Sweep | Iterable[float] | None = None,
    temp: float = 27.0,
    noise_output: str | tuple[str, str] | None = None,
    noise_source: str | None = None,
    tran: Transient | None = None,
    alter: Mapping[str, Mapping[str, float]] | None = None,
    probes: Sequence[str] = (),
    precise: bool = True,
    settings: Sequence[str] = (),
    mode: str = "library",
    timeout: float = 60.0,
) -> DeckResult:
    """Simulate a SPICE deck with ngspice.

    Parameters
    ----------
    deck : str
        The netlist; its first line is the title. Any model that ngspice knows may be in it, and
        ``.include`` and ``.lib`` (from the working folder; ngspice allows no blanks in the path
        of a ``.lib``); analysis lines such as ``.ac`` are ignored, ``.control`` is refused.
    analyses : sequence of str
        Out of ``"op"``, ``"ac"``, ``"noise"``, ``"tran"``.
    freqs : Sweep or iterable of float
        Hertz. A list costs one run per frequency, since ngspice takes none.
    temp : float
        Celsius.
    noise_output : str or pair of str
        Node, or nodes p and n of v(p) - v(n).
    noise_source : str, optional
        Independent source that ``inoise`` is referred to. None where it is left out.
    tran : Transient, optional
    alter : mapping, optional
        Device to parameters set before the analyses, as
        ``{"vdd": {"acmag": 1.0}, "m1": {"w": 2e-6}}``. Areas and perimeters do not follow a width.
    probes : sequence of str
        Quantities of devices read at the operating point, as ``"@m1[gm]"``.
    precise : bool
        Tolerances of an oracle: reltol 1e-9, abstol 1e-18, vntol 1e-12.
    settings : sequence of str
        ngspice commands that go before the deck, as ``"set ngbehavior=hsa"``; in process mode
        they come from ``.spiceinit`` only, and giving any is refused.
    mode : str
        ``"library"``: libngspice in a helper process kept between calls. ``"process"``: one
        ``ngspice -b`` per call.
    timeout : float
        Seconds.

    Raises
    ------
    NgspiceError
        Where ngspice is missing, refuses the deck, does not converge or takes too long.
    TypeError, ValueError
        For wrong arguments, before ngspice is started.
    """
    lines = deck_lines(deck)
    request, named = _request(
        analyses,
        freqs=freqs,
        temp=temp,
        noise_output=noise_output,
        noise_source=noise_source,
        tran=tran,
        alter=alter,
        probes=probes,
        precise=precise,
        settings=settings,
    )
    if "noise" in request.analyses and not named:
        lines = with_stand_in(lines)
    _check_mode(mode)
    if not timeout > 0:
        raise ValueError(f"timeout: must be positive, got {timeout!r}")
    if mode == "process":
        if request.settings:
            raise ValueError("settings: process mode reads .spiceinit; use mode='library'")
        plots, notes = run_process(lines, request, timeout)
        return _finished(assemble(request, plots, notes), named)
    worker = lend(request.settings)
    try:
        worker.call("load", lines, request, timeout=timeout)
        try:
            if request.alter:
                worker.call("alter", request.alter, timeout=timeout)
            plots, notes = worker.call("run", request, timeout=timeout)
        finally:
            if worker.usable:
                worker.call("close", timeout=timeout)  # also after a failed run
    finally:
        take_back(worker)
    return _finished(assemble(request, plots, notes), named)


class LoadedDeck:
    """A deck loaded once, then altered and run many times; a context manager.

    Each has a helper process of its own, so several may be open at once. One that outgrows its
    memory is replaced between two runs, with the alterations given to the new one.

    Parameters
    ----------
    deck : str
        As in :func:`simulate_deck`.
    temp, precise, settings, timeout
        As in :func:`simulate_deck`, for all runs.

    Examples
    --------
    >>> with LoadedDeck(deck) as loaded:                                    # doctest: +SKIP
    ...     for w in (1e-6, 2e-6):
    ...         loaded.alter("m1", w=w)
    ...         print(loaded.run(("op", "ac"), freqs=[1e6]).transfer("out"))
    """

    def __init__(
        self,
        deck: str,
        *,
        temp: float = 27.0,
        precise: bool = True,
        settings: Sequence[str] = (),
        timeout: float = 60.0,
    ) -> None:
        self._lines = with_stand_in(deck_lines(deck))
        self._base: dict[str, Any] = {"temp": temp, "precise": precise, "settings": tuple(settings)}
        self._request = Request(**self._base)
        self._timeout = timeout
        self._altered: dict[str, float] = {}  # target of the command to its latest value
        self._pending: dict[str, float] = {}
        self._worker: Worker | None = None

    def __enter__(self) -> LoadedDeck:
        self._load()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        worker, self._worker = self._worker, None
        if worker is not None and worker.usable:
            with contextlib.suppress(NgspiceError):
                worker.call("close", timeout=self._timeout)
            take_back(worker)

    def alter(self, device: str, **values: float) -> None:
        """Set a device's parameters: ``alter("m1", w=2e-6, as_=1e-12)``, ``alter("vdd", dc=1.2)``.

        They take effect at the next run, where a device or parameter that is not there is refused.
        """
        self._alter("alter @{device}[{name}]", device, values)

    def alter_model(self, model: str, **values: float) -> None:
        """Set a model's parameters: ``alter_model("nch", vto=.45, lambda_=.1)``."""
        self._alter("altermod {device} {name}", model, values)

    def run(
        self,
        analyses: Sequence[str] = ("op",),
        *,
        freqs: Sweep | Iterable[float] | None = None,
        noise_output: str | tuple[str, str] | None = None,
        noise_source: str | None = None,
        tran: Transient | None = None,
        probes: Sequence[str] = (),
    ) -> DeckResult:
        """Run analyses on the deck as it stands; arguments as in :func:`simulate_deck`."""
        worker = self._open()
        request, named = _request(
            analyses,
            freqs=freqs,
            noise_output=noise_output,
            noise_source=noise_source,
            tran=tran,
            alter=None,
            probes=probes,
            **self._base,
        )
        if worker.grown or not worker.usable:
            worker.end()
            self._load()
            worker = self._open()
        elif self._pending:
            pending, self._pending = self._pending, {}
            try:
                worker.call("commands", _commands(pending), timeout=self._timeout)
            except NgspiceError:  # the next run starts from what held before
                self._altered = {k: v for k, v in self._altered.items() if k not in pending}
                worker.end()
                raise
        plots, notes = worker.call("run", request, timeout=self._timeout)
        return _finished(assemble(request, plots, notes), named)

    @property
    def resident(self) -> int:
        """Bytes the helper process held after its last answer."""
        return self._open().resident

    def _open(self) -> Worker:
        if self._worker is None:
            raise NgspiceError("the deck is not open: use LoadedDeck in a with statement")
        return self._worker

    def _alter(self, form: str, device: str, values: Mapping[str, float]) -> None:
        check_alteration(device, values)
        self._open()
        for name, value in values.items():
            target = form.format(device=device.lower(), name=name.rstrip("_").lower())
            self._pending[target] = self._altered[target] = float(value)

    def _load(self) -> None:
        self._worker = worker = lend(self._request.settings)
        try:
            worker.call("load", self._lines, self._request, timeout=self._timeout)
            self._pending = {}
            worker.call("commands", _commands(self._altered), timeout=self._timeout)
        except BaseException:
            self._worker = None
            worker.end()
            raise


def _commands(altered: Mapping[str, float]) -> list[str]:
    return [f"{target}={value!r}" for target, value in altered.items()]


@functools.cache
def available(mode: str = "library") -> bool:
    """Whether ngspice can be used this way here; found out once per process.

    With ``WORKBENCH_NGSPICE=off`` in the environment it cannot, installed or not.
    """
    try:
        version(mode)
    except NgspiceError:
        return False
    return True


@functools.cache
def version(mode: str = "library") -> str:
    """ngspice's version, as ``"39"``.

    Raises
    ------
    NgspiceError
        Where it is missing; the message names the packages.
    """
    _check_mode(mode)
    if mode == "process":
        return executable_version()
    worker = lend()
    take_back(worker)
    return worker.version


def _check_mode(mode: str) -> None:
    if mode not in MODES:
        raise ValueError(f"mode: must be 'library' or 'process', got {mode!r}")


def _request(
    analyses: Sequence[str],
    *,
    freqs: Sweep | Iterable[float] | None,
    noise_output: str | tuple[str, str] | None,
    noise_source: str | None,
    alter: Mapping[str, Mapping[str, float]] | None,
    settings: Sequence[str],
    probes: Sequence[str],
    **rest: Any,
) -> tuple[Request, bool]:
    """The checked request, and whether the noise source was named."""
    if isinstance(analyses, str):
        analyses = (analyses,)
    if freqs is not None and not isinstance(freqs, Sweep):
        freqs = tuple(float(f) for f in freqs)
    if isinstance(noise_output, str):
        noise_output = (noise_output, "0")
    named = noise_source is not None
    request = Request(
        analyses=tuple(dict.fromkeys(analyses)),
        freqs=freqs,
        noise_output=noise_output,
        noise_source=noise_source if named else STAND_IN,
        alter={d: {k: float(x) for k, x in v.items()} for d, v in (alter or {}).items()},
        settings=tuple(settings),
        probes=tuple(probe.lower() for probe in probes),
        **rest,
    )
    return request, named


def _finished(result: DeckResult, named: bool) -> DeckResult:
    return result if named else dataclasses.replace(result, inoise=None)
