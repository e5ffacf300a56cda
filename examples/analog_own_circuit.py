# SPDX-License-Identifier: Apache-2.0
"""Size a circuit of one's own: a five-transistor amplifier on the 180 nm card.

A batch of widths is simulated at once; then the gradient of the gain to every size is taken,
and the deck of the best candidate is written for ngspice. Takes about two seconds.
"""

from __future__ import annotations

import math

import torch

from circuits.analog import Circuit, technology_card

card = technology_card("180")
ota = Circuit("five-transistor amplifier")
w_in = ota.parameter("W_in", 10e-6, low=1e-6, high=100e-6, unit="m")
w_load = ota.parameter("W_load", 4e-6, low=1e-6, high=100e-6, unit="m")
length = ota.parameter("L", 0.5e-6, low=0.18e-6, high=2e-6, unit="m")
ota.voltage_source("VDD", "vdd", 0, dc=card.vdd)
ota.voltage_source("VP", "inp", 0, dc=0.9, ac=0.5)
ota.voltage_source("VN", "inn", 0, dc=0.9, ac=-0.5)
ota.current_source("IB", "vdd", "bias", dc=20e-6)
card.mosfet(ota, "MB", "nmos", "bias", "bias", 0, 0, 4e-6, 0.5e-6)
card.mosfet(ota, "M0", "nmos", "tail", "bias", 0, 0, 4e-6, 0.5e-6, m=2)
card.mosfet(ota, "M1", "nmos", "left", "inp", "tail", 0, w_in, length)
card.mosfet(ota, "M2", "nmos", "out", "inn", "tail", 0, w_in, length)
card.mosfet(ota, "M3", "pmos", "left", "left", "vdd", "vdd", w_load, length)
card.mosfet(ota, "M4", "pmos", "out", "left", "vdd", "vdd", w_load, length)
ota.capacitor("CL", "out", 0, 500e-15)

freqs = torch.logspace(3, 9, 121, dtype=torch.float64)
widths = torch.logspace(-6, -4, 7, dtype=torch.float64)
batch = ota.simulate({"W_in": widths}, freqs, noise_output="out")
gain = batch.ac("out").abs()
level = (gain / gain[0]).log() + 0.5 * math.log(2)  # below 0 past the corner
after = (level < 0).to(torch.int64).argmax(dim=0, keepdim=True)
high, low = level.gather(0, after - 1), level.gather(0, after)
octaves = freqs.log2()[after - 1] + high / (high - low) * (freqs[1] / freqs[0]).log2()
bandwidth = (2**octaves)[0]
print("W_in um   gain dB   -3 dB at MHz   nV/rtHz at 1 MHz   power uW")
referred = batch.noise[60].sqrt() / gain[60]
for row in zip(widths, gain[0], bandwidth, referred, batch.power(), strict=True):
    w, g, f, n, p = (float(value) for value in row)
    print(
        f"{w * 1e6:7.2f} {20 * math.log10(g):9.2f} {f / 1e6:14.3f} {n * 1e9:18.2f} {p * 1e6:10.1f}"
    )

sizes = {name: torch.tensor(p.default, requires_grad=True) for name, p in ota.parameters.items()}
decibels = 20 * ota.simulate(sizes, freqs[:1]).ac("out").abs().log10()
slopes = torch.autograd.grad(decibels.sum(), list(sizes.values()))
for (name, value), slope in zip(sizes.items(), slopes, strict=True):
    print(f"10 % more {name}: {0.1 * float(value.detach() * slope):+.3f} dB")

deck = batch.to_spice(int(gain[0].argmax()), op=True, ac=(20, 1e3, 1e9))
print("the deck of the highest gain, for ngspice:", deck, sep="\n")
