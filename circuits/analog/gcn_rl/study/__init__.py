# SPDX-License-Identifier: Apache-2.0
"""The experiment: every method on every circuit at equal budgets, transfer, verdicts, report."""
