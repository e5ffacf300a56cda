# SPDX-License-Identifier: Apache-2.0
from workbench.experiments import Report, Table
def build(result, timing, config):
    return Report("x", result["headline"], Table(["row","loss"],[[r["title"], r["mean"]["noisy_loss"]] for r in result["rows"]]))
