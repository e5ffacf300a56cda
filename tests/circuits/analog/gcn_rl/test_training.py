# SPDX-License-Identifier: Apache-2.0
"""Agents: budgets, seeds, learning, files, transfer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from circuits.analog.gcn_rl import (
    AgentSettings,
    fine_tune,
    load_policy,
    new_policy,
    pretrain,
    save_policy,
    train,
    transfer_study,
)
from circuits.analog.gcn_rl.transfer import TRANSFER_ROWS

QUICK: dict[str, Any] = {"depth": 2, "hidden": 8, "warm_up": 20, "updates": 2, "batch": 16}
MODES = ("critic", "simulator", "mixed")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("graph", [True, False])
def test_a_seed_gives_alone_what_it_gives_in_an_ensemble(problem: Any, mode: str, graph: bool):
    settings = AgentSettings(mode=mode, graph=graph, **QUICK)  # type: ignore[arg-type]
    together, policy = train(problem, 90, [7, 3, 11], settings, dtype=torch.float64)
    for i, seed in enumerate((7, 3, 11)):
        alone, own = train(problem, 90, [seed], settings, dtype=torch.float64)
        np.testing.assert_allclose(alone[0].fom, together[i].fom, rtol=0, atol=1e-6)
        np.testing.assert_allclose(alone[0].charge, together[i].charge)
        for a, b in zip(own.actor.parameters(), policy.actor.parameters(), strict=True):
            torch.testing.assert_close(a[0], b[i], rtol=1e-6, atol=1e-9)
    assert not np.allclose(together[0].fom, together[1].fom)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("budget", [1, 20, 21, 57])
def test_the_budget_is_kept(problem: Any, mode: str, budget: int):
    settings = AgentSettings(mode=mode, gradient_charge=2.5, **QUICK)  # type: ignore[arg-type]
    traces, _ = train(problem, budget, [0, 1], settings)
    assert problem.simulated + problem.gradients == sum(len(t.fom) for t in traces)
    for trace in traces:
        assert budget - 2.5 < trace.charge[-1] <= budget
        paid = (len(trace.fom) - trace.n_gradients) + 2.5 * trace.n_gradients
        assert trace.charge[-1] == pytest.approx(paid)
        assert (trace.n_gradients > 0) == (mode != "critic" and budget >= 23)
        np.testing.assert_array_equal(trace.best, np.maximum.accumulate(trace.fom))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("graph", [True, False])
def test_agents_learn(make_problem: Any, mode: str, graph: bool):
    problem = make_problem(2, ripple=0.0)
    settings = AgentSettings(mode=mode, graph=graph, depth=2, hidden=16)  # type: ignore[arg-type]
    if mode == "critic":
        settings = AgentSettings(graph=graph, depth=2, hidden=16, actor_rate=1e-3)
    traces, policy = train(problem, 400, [0, 1, 2], settings)
    chance = [max(t.fom[: 30 if mode == "simulator" else 100]) for t in traces]
    gained = [t.best_fom - c for t, c in zip(traces, chance, strict=True)]
    assert np.median(gained) > 0.05
    # What it learned stands in the actor, not in the luckiest draw alone.
    own = problem.evaluate_units(policy.units(problem)).fom
    assert float(own.median()) > np.median([np.median(t.fom[:30]) for t in traces]) + 0.3


def test_the_same_seed_gives_the_same_bits(problem: Any):
    first, second = (train(problem, 60, [5], AgentSettings(**QUICK))[0][0] for _ in range(2))
    np.testing.assert_array_equal(first.fom, second.fom)
    torch.manual_seed(123)
    state = torch.get_rng_state()
    train(problem, 30, [5], AgentSettings(**QUICK))
    assert torch.equal(state, torch.get_rng_state())


def test_failures_and_nan_do_not_spread(problem: Any):
    class Broken(type(problem)):  # type: ignore[misc]
        def fom(self, metrics: Any) -> torch.Tensor:
            fom = super().fom(metrics)
            return torch.where(metrics.status == 3, torch.nan, fom)

        def gradient_units(self, units: torch.Tensor) -> Any:
            found, slope = super().gradient_units(units)
            return found, torch.where(found.status[:, None] == 3, torch.nan, slope)

    broken = Broken()
    for mode in MODES:
        settings = AgentSettings(mode=mode, sigma_start=1.0, **QUICK)  # type: ignore[arg-type]
        traces, policy = train(broken, 80, [0, 1], settings)
        assert any(np.isnan(t.fom).any() for t in traces)
        assert all(np.isfinite(t.best_fom) for t in traces)
        assert bool(torch.isfinite(policy.units(broken)).all())


def test_imitation_starts_from_the_best_random_design(problem: Any):
    traces, policy = train(
        problem, 20, [0], AgentSettings(imitation=400, **{**QUICK, "warm_up": 20})
    )
    distance = (policy.units(problem)[0] - torch.from_numpy(traces[0].best_units)).abs().max()
    assert float(distance) < 0.2


def test_wrong_arguments_are_refused_before_any_work(problem: Any):
    for call, error, words in (
        (lambda: train(problem, 0, [0]), ValueError, "budget"),
        (lambda: train(problem, "9", [0]), TypeError, "budget"),
        (lambda: train(problem, 9, []), ValueError, "seeds"),
        (lambda: train(problem, 9, [1, 1]), ValueError, "distinct"),
        (lambda: train(problem, 9, [-1]), ValueError, "seeds"),
        (lambda: train(problem, 9, [1.5]), TypeError, "seeds"),
    ):
        with pytest.raises(error, match=words):
            call()
    assert problem.simulated == 0


# -- files and transfer --------------------------------------------------------------------


def test_a_policy_comes_back_from_a_file(problem: Any, tmp_path: Path):
    _, policy = train(problem, 40, [4, 2], AgentSettings(norm="layer", **QUICK))
    save_policy(policy, tmp_path / "p.pt")
    back = load_policy(tmp_path / "p.pt")
    assert back.settings == policy.settings
    assert back.seeds == (4, 2)
    assert back.trained_on == (problem.name, problem.node)
    assert torch.equal(back.units(problem), policy.units(problem))
    torch.save({"x": torch.zeros(2)}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="no sizing policy"):
        load_policy(tmp_path / "other.pt")


def test_fine_tuning_starts_at_the_policys_design(make_problem: Any):
    source, target = make_problem(4, node="180"), make_problem(4, node="45", seed=0)
    _, policy = pretrain(source, 60, [0, 1], AgentSettings(**QUICK))
    before = policy.units(source)
    traces, tuned = fine_tune(policy, target, [5, 6], 40)
    assert torch.equal(policy.units(source), before)
    expected = target.evaluate_units(policy.units(target)).fom
    np.testing.assert_allclose([t.fom[0] for t in traces], expected)
    assert tuned.trained_on == (target.name, "45")
    with pytest.raises(ValueError, match="2 members"):
        fine_tune(policy, target, [5], 40)


def test_topology_transfer_needs_states_as_wide(make_problem: Any):
    small, large = (make_problem(n, scalar_index=True) for n in (2, 4))
    _, policy = pretrain(small, 40, [0], AgentSettings(**QUICK))
    traces, _ = fine_tune(policy, large, [0], 40)
    assert len(traces[0].best_units) == large.n_parameters
    with pytest.raises(ValueError, match="features per vertex"):
        fine_tune(policy, make_problem(4), [0], 40)


def test_the_study_has_its_controls(make_problem: Any):
    pytest.importorskip("cma")
    source, target = make_problem(2, node="180"), make_problem(2, node="45")
    store: dict[str, Any] = {}
    settings = AgentSettings(**QUICK)
    rows = transfer_study(
        source,
        target,
        [0, 1],
        pretrain_budget=60,
        budget=40,
        settings=settings,
        pretrained=store,
    )
    assert list(rows) == list(TRANSFER_ROWS)
    assert all(len(traces) == 2 for traces in rows.values())
    assert all(t.charge[-1] <= 40 for traces in rows.values() for t in traces)
    design = rows["source-design"]
    for row in ("es-source", "gradient-source"):
        for a, b in zip(rows[row], design, strict=True):
            assert a.fom[0] == b.fom[0]
    # Another topology shares the pre-training and has no source design.
    wide = {n: make_problem(n, scalar_index=True) for n in (2, 3)}
    rows = transfer_study(wide[2], wide[3], [0], pretrain_budget=30, budget=30, settings=settings)
    assert "source-design" not in rows
    assert "gcn-transfer" in rows


def test_new_policies_depend_on_their_seed_alone(problem: Any):
    both = new_policy(problem, [1, 2], AgentSettings())
    alone = new_policy(problem, [2], AgentSettings())
    for a, b in zip(both.actor.parameters(), alone.actor.parameters(), strict=True):
        assert torch.equal(a[1], b[0])
