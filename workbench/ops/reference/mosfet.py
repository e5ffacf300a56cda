# SPDX-License-Identifier: Apache-2.0
"""The level-1 MOSFET of ngspice 39 in plain torch: Shichman and Hodges' currents, Meyer's gate.

Everything is a tensor ``(B,)``, one number per candidate, and differentiable by autograd. The
reference of the circuit kernels, :mod:`workbench.ops.reference.circuit_sim`, stands on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from workbench.ops.circuit_program import ABSOLUTE_ZERO, CARD

__all__ = ["BOLTZMANN", "Geometry", "Mosfet", "Response", "Voltages"]

# The constants ngspice 39 was compiled with; newer ones move results by 1e-6.
BOLTZMANN = 1.38064852e-23
CHARGE = 1.6021766208e-19
OXIDE = 3.9 * 8.854214871e-12  # F/m
REFERENCE_KELVIN = 300.15
MEYER_VDSAT = 0.025  # V: the least saturation voltage of the capacitances
LARGEST_EXPONENT = 709.0
FLICKER_TOX = 1e-7  # m, where a card has flicker noise but no oxide


@dataclass(frozen=True)
class Geometry:
    """The ten rows of a MOSFET, each ``(B,)``."""

    w: Tensor
    l: Tensor  # noqa: E741
    m: Tensor
    lambda_: Tensor
    vto: Tensor
    kp: Tensor
    ad: Tensor
    as_: Tensor
    pd: Tensor
    ps: Tensor

    @classmethod
    def of(cls, rows: Sequence[Tensor]) -> Geometry:
        return cls(**{f.name: row for f, row in zip(fields(cls), rows, strict=True)})


@dataclass(frozen=True)
class Voltages:
    """Volts of the four terminals, each ``(B,)``."""

    d: Tensor
    g: Tensor
    s: Tensor
    b: Tensor


@dataclass(frozen=True)
class Response:
    """What a MOSFET does at given voltages, in its own frame: a p channel with signs turned.

    ``channel`` flows from drain to source as named, so it is negative where ``reverse``; ``gm``,
    ``gds`` and ``gmbs`` belong to the terminal that acts as the source, the drain where
    ``reverse``. ``gmbs`` is what the small-signal analysis uses, ``gmbs_exact`` the derivative
    of the current: they differ where the bulk is forward biased.
    """

    reverse: Tensor
    vgs: Tensor
    vds: Tensor
    vbs: Tensor
    vds_size: Tensor  # |vds|, whose derivative at 0 is 1
    channel: Tensor
    gm: Tensor
    gds: Tensor
    gmbs: Tensor
    gmbs_exact: Tensor
    von: Tensor
    vgst: Tensor
    ibs: Tensor
    gbs: Tensor
    ibd: Tensor
    gbd: Tensor
    beta: Tensor


def _energy_gap(kelvin: float) -> float:
    """Of silicon, in eV."""
    return 1.16 - 7.02e-4 * kelvin * kelvin / (kelvin + 1108.0)


def _potential_shift(kelvin: float) -> float:
    kt = BOLTZMANN * kelvin
    gap = -_energy_gap(kelvin) / (2.0 * kt) + 1.1150877 / (2.0 * BOLTZMANN * REFERENCE_KELVIN)
    return -2.0 * kt / CHARGE * (1.5 * math.log(kelvin / REFERENCE_KELVIN) + CHARGE * gap)


class Mosfet:
    """A card at a temperature.

    Parameters
    ----------
    card : mapping
        Every name of :data:`workbench.ops.circuit_program.CARD`.
    gmin : float
        Siemens beside each bulk junction.
    temperature : float
        Degrees Celsius.
    """

    def __init__(self, card: Mapping[str, float], gmin: float, temperature: float) -> None:
        self.card = {name: card[name] for name in CARD}
        self.gmin = gmin
        self.sign = card["type"]
        kelvin, nominal = temperature - ABSOLUTE_ZERO, card["tnom"] - ABSOLUTE_ZERO
        self.kelvin = kelvin
        self.vt = kelvin * (BOLTZMANN / CHARGE)
        ratio = kelvin / nominal
        self.kp_factor = 1.0 / (ratio * math.sqrt(ratio))
        shift, shift_nominal = _potential_shift(kelvin), _potential_shift(nominal)
        to_reference, from_reference = nominal / REFERENCE_KELVIN, kelvin / REFERENCE_KELVIN
        self.phi = from_reference * (card["phi"] - shift_nominal) / to_reference + shift
        gap, gap_nominal = _energy_gap(kelvin), _energy_gap(nominal)
        # The flat band, less the threshold voltage, which is a row.
        self.flat_band = (
            -self.sign * card["gamma"] * math.sqrt(card["phi"])
            + 0.5 * (gap_nominal - gap)
            + self.sign * 0.5 * (self.phi - card["phi"])
        )
        vt_nominal = nominal * (BOLTZMANN / CHARGE)
        self.saturation = math.exp(-gap / self.vt + gap_nominal / vt_nominal)
        pb_reference = (card["pb"] - shift_nominal) / to_reference
        self.pb = from_reference * pb_reference + shift
        before = (card["pb"] - pb_reference) / pb_reference
        after = (self.pb - pb_reference) / pb_reference

        def stretch(grading: float) -> float:
            new = 1.0 + grading * (4e-4 * (kelvin - REFERENCE_KELVIN) - after)
            return new / (1.0 + grading * (4e-4 * (nominal - REFERENCE_KELVIN) - before))

        self.cj = card["cj"] * stretch(card["mj"])
        self.cjsw = card["cjsw"] * stretch(card["mjsw"])
        self.oxide = OXIDE / card["tox"] if card["tox"] > 0.0 else 0.0  # F/m**2

    def response(self, size: Geometry, volts: Voltages) -> Response:
        """Currents and conductances, junction leaks with them."""
        card, gamma = self.card, self.card["gamma"]
        vds = self.sign * (volts.d - volts.s)
        vgs = self.sign * (volts.g - volts.s)
        vbs = self.sign * (volts.b - volts.s)
        reverse = vds < 0.0
        u = torch.where(reverse, -vds, vds)
        ug = torch.where(reverse, vgs - vds, vgs)
        ub = torch.where(reverse, vbs - vds, vbs)

        root = math.sqrt(self.phi)
        below = torch.sqrt(self.phi - torch.clamp(ub, max=0.0))
        sarg = torch.where(ub <= 0.0, below, torch.clamp(root - ub / (2.0 * root), min=0.0))
        open_ = sarg > 0.0
        safe = torch.where(open_, sarg, torch.ones_like(sarg))
        arg = torch.where(open_, gamma / (2.0 * safe), torch.zeros_like(sarg))
        slope = torch.where(ub <= 0.0, gamma / (2.0 * below), torch.full_like(ub, gamma / 2 / root))
        slope = torch.where(open_, slope, torch.zeros_like(slope))

        von = self.sign * size.vto + self.sign * self.flat_band + gamma * sarg
        vgst = ug - von
        beta = size.kp * self.kp_factor * size.m * size.w / (size.l - 2.0 * card["ld"])
        betap = beta * (1.0 + size.lambda_ * u)
        over = torch.clamp(vgst, min=0.0)
        saturated = over <= u
        half = u * (over - 0.5 * u)
        square = 0.5 * over * over
        channel = betap * torch.where(saturated, square, half)
        gm = betap * torch.where(saturated, over, u)
        gds = size.lambda_ * beta * torch.where(saturated, square, half)
        gds = gds + torch.where(saturated, torch.zeros_like(u), betap * (over - u))

        by_area = card["js"] != 0.0
        has_areas = (size.ad != 0.0) & (size.as_ != 0.0) & by_area
        whole = size.m * card["is"] * self.saturation
        per_area = size.m * card["js"] * self.saturation
        ibs, gbs = self._junction(vbs, torch.where(has_areas, per_area * size.as_, whole))
        ibd, gbd = self._junction(vbs - vds, torch.where(has_areas, per_area * size.ad, whole))
        return Response(
            reverse=reverse,
            vgs=vgs,
            vds=vds,
            vbs=vbs,
            vds_size=u,
            channel=torch.where(reverse, -channel, channel),
            gm=gm,
            gds=gds,
            gmbs=gm * arg,
            gmbs_exact=gm * slope,
            von=von,
            vgst=vgst,
            ibs=ibs,
            gbs=gbs,
            ibd=ibd,
            gbd=gbd,
            beta=beta,
        )

    def _junction(self, v: Tensor, saturation: Tensor) -> tuple[Tensor, Tensor]:
        """Current and conductance of a bulk diode, volts forward."""
        reverse = v <= -3.0 * self.vt
        e = torch.exp(torch.clamp(v / self.vt, max=LARGEST_EXPONENT))
        current = torch.where(reverse, -saturation, saturation * (e - 1.0))
        conductance = torch.where(reverse, torch.zeros_like(v), saturation * e / self.vt)
        return current + self.gmin * v, conductance + self.gmin

    def gate_capacitances(self, size: Geometry, at: Response) -> tuple[Tensor, Tensor, Tensor]:
        """Gate to source, drain and bulk, farad, overlaps with them."""
        card = self.card
        length = size.l - 2.0 * card["ld"]
        cox = self.oxide * length * size.m * size.w
        u = at.vds_size
        zero = torch.zeros_like(u)
        t, phi = at.vgst, self.phi
        cgb = torch.where(t <= -phi, cox, torch.where(t <= 0.0, -t * cox / phi, zero))
        weak = cox * (t / (0.75 * phi) + 2.0 / 3.0)
        full = torch.where(t > 0.0, cox * (2.0 / 3.0), torch.where(t > -phi / 2, weak, zero))
        vdsat = torch.clamp(t, min=MEYER_VDSAT)
        linear = u < vdsat
        width = torch.where(linear, 2.0 * vdsat - u, torch.ones_like(u))
        near = torch.where(linear, full * (1.0 - ((vdsat - u) / width) ** 2), full)
        far = torch.where(linear, full * (1.0 - (vdsat / width) ** 2), zero)
        cgs = torch.where(at.reverse, far, near) + card["cgso"] * size.m * size.w
        cgd = torch.where(at.reverse, near, far) + card["cgdo"] * size.m * size.w
        return cgs, cgd, cgb + card["cgbo"] * size.m * length

    def junction_capacitances(self, size: Geometry, at: Response) -> tuple[Tensor, Tensor]:
        """Bulk to drain and to source, farad."""
        drain = self._depletion(at.vbs - at.vds, size.m * size.ad, size.m * size.pd)
        return drain, self._depletion(at.vbs, size.m * size.as_, size.m * size.ps)

    def _depletion(self, v: Tensor, area: Tensor, perimeter: Tensor) -> Tensor:
        fc, pb = self.card["fc"], self.pb
        forward = v >= fc * pb
        inside = 1.0 - torch.where(forward, torch.zeros_like(v), v) / pb
        total = torch.zeros_like(v)
        for zero_bias, grading in (
            (self.cj * area, self.card["mj"]),
            (self.cjsw * perimeter, self.card["mjsw"]),
        ):
            steep = (1.0 - fc) ** (-1.0 - grading)
            line = steep * (1.0 - fc * (1.0 + grading) + grading * v / pb)
            total = total + zero_bias * torch.where(forward, line, inside ** (-grading))
        return total

    def noise(self, size: Geometry, at: Response, frequency: Tensor) -> Tensor:
        """Density of the channel's noise current, A**2/Hz, ``(F, B)``.

        ``frequency`` is in hertz, ``(F, 1)`` or ``(F, B)``.
        """
        card, nlev = self.card, int(self.card["nlev"])
        conductance = 2.0 / 3.0 * at.gm
        if nlev == 3:
            over = torch.clamp(at.vgst, min=0.0)
            u = at.vds_size
            linear = over > u
            ratio = u / torch.where(linear, over, torch.ones_like(over))
            alpha = torch.where(linear, 1.0 - ratio, torch.zeros_like(ratio))
            shape = (1.0 + alpha + alpha * alpha) / (1.0 + alpha)
            conductance = 2.0 / 3.0 * at.beta * over * shape
        thermal = 4.0 * BOLTZMANN * self.kelvin * conductance
        if card["kf"] == 0.0:
            return thermal.expand(torch.broadcast_shapes(frequency.shape, thermal.shape))
        cox = OXIDE / (card["tox"] if card["tox"] > 0.0 else FLICKER_TOX)
        length = size.l - 2.0 * card["ld"]
        if nlev >= 2:
            flicker = at.gm**2 / (frequency ** card["af"] * size.m * size.w * length * cox)
            return thermal + card["kf"] * flicker
        current = torch.abs(at.channel - at.ibd)
        power = torch.clamp(current, min=1e-300) ** card["af"]
        if nlev == 0:
            area = length * length * cox
        elif nlev == 1:
            area = size.m * size.w * length * cox
        else:
            area = size.m * size.w * length * cox * cox
        return thermal + card["kf"] * power / (frequency * area)
