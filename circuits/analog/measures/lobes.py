# SPDX-License-Identifier: Apache-2.0
"""The half waves of a response that comes to rest: how high each is, and when it is over.

A settling time is the end of the last half wave that leaves the band, so that it jumps where
one comes to graze the band. The half waves themselves change smoothly.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from circuits.analog.measures.view import Waveform

__all__ = ["LOBES", "Lobes", "lobes"]

#: Half waves that are followed.
LOBES = 5

_LOWEST = 0.03  # of the band: what is lower is no half wave any more, nor are those after it


class Lobes(NamedTuple):
    """Half waves of ``B`` responses, the first first: both float64 ``(LOBES, B)``.

    ``heights`` are natural logarithms, 0 at the edge of the band, NaN where there is none.
    ``times`` are logarithms of seconds: where a half wave enters the band for good, or its peak
    if it never leaves it.
    """

    heights: Tensor
    times: Tensor


def lobes(wave: Waveform, band: float) -> Lobes:
    """Cut a response at the crossings of its last value.

    Parameters
    ----------
    wave : Waveform
    band : float
        As a share of the last value.
    """
    value = wave.value.detach()
    count, batch = value.shape
    usable = torch.isfinite(value).all(0) & (value[-1] != 0) & wave.run
    safe = torch.where(usable, value, torch.ones_like(value))
    off = (safe - safe[-1]) / (band * safe[-1].abs())
    side = torch.where(off < 0, -1.0, 1.0).to(torch.float64)
    size, place = off.abs(), torch.arange(count)[:, None].expand(count, batch)
    begins = torch.zeros(count, batch, dtype=torch.bool)
    begins[1:] = side[1:] != side[:-1]
    # a second rise on the same side is a wave of its own: it too may come to graze the band
    begins[1:-1] |= (size[1:-1] < size[:-2]) & (size[1:-1] <= size[2:]) & ~begins[2:]
    number = begins.to(torch.int64).cumsum(0)
    log_time = wave.time.log()
    heights = torch.full((LOBES, batch), torch.nan, dtype=torch.float64)
    times = heights.clone()
    alive = usable.clone()
    for k in range(LOBES):
        inside = number == k
        top = torch.where(inside, size, -1.0).max(0)
        peak, at = top.values, top.indices
        alive = alive & (peak >= _LOWEST)
        # a parabola through the highest sample and its neighbours
        i = at.clamp(1, count - 2)[None]
        before, here, after = (size.gather(0, i + s)[0] for s in (-1, 0, 1))
        bend = before - 2.0 * here + after
        within = inside.gather(0, i - 1)[0] & inside.gather(0, i + 1)[0] & (bend < 0) & (i[0] == at)
        round_top = here - (before - after).square() / torch.where(bend < 0, 8.0 * bend, 1.0)
        peak = torch.where(within, round_top, peak)
        heights[k] = torch.where(alive, peak.clamp_min(_LOWEST).log(), torch.nan)
        last = torch.where(inside & (size > 1.0), place, -1).max(0).values
        j = last.clamp(0, count - 2)[None]
        start, end = size.gather(0, j)[0], (off.gather(0, j + 1) * side.gather(0, j))[0]
        share = ((start - 1.0) / (start - end).clamp_min(1e-300)).clamp(0.0, 1.0)
        left, right = wave.time[j[0]], wave.time[j[0] + 1]
        leaves = (left + share * (right - left)).log()
        times[k] = torch.where(alive, torch.where(last >= 0, leaves, log_time[at]), torch.nan)
    return Lobes(heights, times)
