# SPDX-License-Identifier: Apache-2.0
"""What the paper says, and what an independent count says to expect.

Z. Zhang, H. Wang, S. Han, W. J. Dally: "SpArch: Efficient Architecture for Sparse Matrix
Multiplication", HPCA 2020, arXiv:2002.08947. Its means are over twenty matrices, most of them
larger than those here. The factors stand in its abstract; GFLOPS, INTENSITY, UTILISATION and
MATRICES are quoted at second hand and were not checked against its text.
"""

from __future__ import annotations

__all__ = [
    "BANDS",
    "CALIBRATED_EFFICIENCY",
    "CONDENSING",
    "ELSEWHERE",
    "GFLOPS",
    "HUFFMAN",
    "INTENSITY",
    "MATRICES",
    "NET",
    "PIPELINING",
    "PREFETCH",
    "UTILISATION",
]

#: Traffic of OuterSPACE over that of SpArch.
NET = 2.8
#: Factors by which condensing, the scheduler and the prefetcher lower the traffic.
CONDENSING, HUFFMAN, PREFETCH = 5.4, 1.8, 1.5
#: What pipelining alone must then have cost against OuterSPACE.
PIPELINING = CONDENSING * HUFFMAN * PREFETCH / NET
#: Simulated speed and where it stands in the roofline.
GFLOPS = {"SpArch": 10.4, "OuterSPACE": 2.5}
INTENSITY = 0.19
UTILISATION = {"SpArch": 0.686, "OuterSPACE": 0.483}
#: The utilisation above, taken as the share of the bandwidth that DRAM really gives.
CALIBRATED_EFFICIENCY = 0.69

#: Measured by the authors, on machines that are not here: speed-up, energy saving.
ELSEWHERE: dict[str, tuple[float, float]] = {
    "OuterSPACE": (4.0, 6.0),
    "Intel MKL, Core i7-5930K": (19.0, 164.0),
    "cuSPARSE, TITAN Xp": (18.0, 435.0),
    "CUSP, TITAN Xp": (17.0, 307.0),
    "Armadillo, Cortex-A53": (1285.0, 62.0),
}

#: Least and greatest to expect, from a count of the same bytes by other code on eight matrices.
BANDS: dict[str, tuple[float, float]] = {
    "net": (2.5, 3.6),
    "huffman": (1.3, 2.6),
    "prefetch": (1.1, 4.5),
    "fewer_short": (1e2, 1e4),
    "fewer_hubs": (2.0, 10.0),
}

MATRICES: tuple[str, ...] = (
    "2cubes_sphere", "amazon0312", "ca-CondMat", "cage12", "cit-Patents", "cop20k_A",
    "email-Enron", "facebook", "filter3D", "m133-b3", "mario002", "offshore", "p2p-Gnutella31",
    "patents_main", "poisson3Da", "roadNet-CA", "scircuit", "web-Google", "webbase-1M",
    "wiki-Vote",
)  # fmt: skip
