# SPDX-License-Identifier: Apache-2.0
"""Readable pure-torch twins of the operators: their specification and the tests' oracle."""
