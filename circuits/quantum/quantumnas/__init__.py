# SPDX-License-Identifier: Apache-2.0
"""QuantumNAS: search of a noise-robust circuit together with its mapping onto a device."""
