# SPDX-License-Identifier: Apache-2.0
"""The experiment ``spanner-study``: how small, how fast and how certain spanners are."""
