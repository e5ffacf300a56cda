# SPDX-License-Identifier: Apache-2.0
"""Graph convolution against plain loops; exploration against scipy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from circuits.analog.gcn_rl.agent import Actor, Critic, spread_by_layer
from circuits.analog.gcn_rl.exploration import decayed, streams, truncated_normal, uniform
from circuits.analog.gcn_rl.gcn import Graph, GraphStack, normalised, spread
from circuits.analog.gcn_rl.settings import AgentSettings

F64 = torch.float64


def test_normalised_is_the_textbook_formula():
    rng = np.random.default_rng(0)
    upper = np.triu(rng.integers(0, 2, (7, 7)), 1).astype(float)
    a = upper + upper.T
    d = np.diag(1.0 / np.sqrt((a + np.eye(7)).sum(1)))
    expected = d @ (a + np.eye(7)) @ d
    np.testing.assert_allclose(normalised(torch.tensor(a)).numpy(), expected, atol=1e-15)
    assert np.linalg.eigvalsh(expected)[-1] == pytest.approx(1.0)
    with pytest.raises(ValueError, match="symmetric"):
        normalised(torch.tensor(upper + 1.0) + torch.tensor(upper))


@pytest.mark.parametrize("norm", ["none", "layer", "pair"])
@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("graph", [True, False])
def test_stack_is_what_a_loop_over_members_gives(norm: str, residual: bool, graph: bool):
    members, v, n, h = 3, 5, 2, 4
    stack = GraphStack(streams(range(3), 9), 3, h, F64, norm=norm, residual=residual)
    for layer in stack.layers:
        torch.nn.init.normal_(layer.bias)
    x = torch.randn(members, v, n, h, dtype=F64)
    a = torch.triu((torch.rand(v, v) < 0.5).double(), 1)
    product = normalised(a + a.T) if graph else None
    out = stack(x, product)
    p = torch.eye(v, dtype=F64) if product is None else product
    for s in range(members):
        for d in range(n):
            y = x[s, :, d]
            for layer in stack.layers:
                z = p @ y @ layer.weight[s] + layer.bias[s, 0]
                if norm == "layer":
                    z = (z - z.mean(1, True)) / (z.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
                elif norm == "pair":
                    z = z - z.mean(0)
                    z = z * math.sqrt(h) / (z.square().sum(1).mean() + 1e-6).sqrt()
                z = torch.relu(z)
                y = (y + z) / math.sqrt(2) if residual else z
            torch.testing.assert_close(out[s, :, d], y, rtol=1e-12, atol=1e-12)
    seen: list[torch.Tensor] = []
    torch.testing.assert_close(stack(x, product, seen), out)
    assert len(seen) == 3


@pytest.mark.parametrize("graph", [True, False])
def test_the_quick_way_has_the_gradient_of_the_plain_one(graph: bool):
    stack = GraphStack(streams(range(2), 9), 3, 4, F64)
    for layer in stack.layers:
        torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 5, 3, 4, dtype=F64, requires_grad=True)
    a = torch.triu((torch.rand(5, 5) < 0.5).double(), 1)
    product = normalised(a + a.T) if graph else None
    inputs = [x, *stack.parameters()]
    aim = torch.randn(2, 5, 3, 4, dtype=F64)
    quick = torch.autograd.grad((stack(x, product) * aim).sum(), inputs)
    plain = torch.autograd.grad((stack(x, product, []) * aim).sum(), inputs)
    for a, b in zip(quick, plain, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_plain_graph_convolution_oversmooths_a_complete_graph(make_problem: Any):
    problem = make_problem(3)
    v = len(problem.vertices)
    problem.adjacency = torch.ones(v, v, dtype=F64) - torch.eye(v, dtype=F64)
    spreads = {}
    for graph in (True, False):
        settings = AgentSettings(graph=graph, residual=False)
        actor = Actor(streams([0, 1], 1), problem.features.shape[1], settings, F64)
        spreads[graph] = spread_by_layer(actor, Graph.of(problem, graph=graph, dtype=F64))
        assert spreads[graph].shape == (8, 2)
    # One layer averages over all vertices: nothing tells them apart any more.
    assert float(spreads[True][1:].max()) < 1e-6
    assert float(spreads[False].min()) > 0.1


def test_spread_of_equal_and_of_centred_vertices():
    equal = torch.ones(2, 4, 3, 5)
    assert float(spread(equal).max()) == 0.0
    centred = torch.tensor([1.0, -1.0]).reshape(1, 2, 1, 1)
    assert float(spread(centred)) == pytest.approx(1.0)


def test_a_permuted_circuit_gives_permuted_actions(make_problem: Any):
    problem = make_problem(3)
    settings = AgentSettings(depth=3)
    actor = Actor(streams([4], 1), problem.features.shape[1], settings, F64)
    critic = Critic(streams([4], 1), problem.features.shape[1], settings, F64)
    graph = Graph.of(problem, graph=True, dtype=F64)
    order = torch.randperm(len(problem.vertices), generator=torch.Generator().manual_seed(1))
    moved = Graph(
        graph.product[order][:, order], graph.types[order], graph.features[order], graph.slots
    )
    torch.testing.assert_close(actor(moved), actor(graph)[:, order])
    actions = torch.rand(1, 6, len(order), 3, dtype=F64)
    torch.testing.assert_close(critic(moved, actions[:, :, order]), critic(graph, actions))


def test_networks_have_the_gradient_they_should(problem: Any):
    settings = AgentSettings(depth=2, hidden=4, skip=True)
    width = problem.features.shape[1]
    graph = Graph.of(problem, graph=True, dtype=F64)
    actor, critic = (f(streams([0, 1], 1), width, settings, F64) for f in (Actor, Critic))
    actions = torch.rand(2, 3, len(problem.vertices), 3, dtype=F64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a: critic(graph, a), (actions,))
    assert actor(graph).shape == (2, len(problem.vertices), 3)


def test_truncated_normal_is_scipys():
    mean = torch.tensor([-0.95, 0.0, 0.6], dtype=F64)
    level = uniform(streams([3], 0), (20000, 3), F64)[0]
    for sigma in (0.02, 0.3, 5.0):
        drawn = truncated_normal(mean, sigma, level).numpy()
        assert np.abs(drawn).max() <= 1.0
        for i, m in enumerate(mean.tolist()):
            law = stats.truncnorm((-1 - m) / sigma, (1 - m) / sigma, loc=m, scale=sigma)
            expected = law.ppf(level[:, i].numpy())
            np.testing.assert_allclose(drawn[:, i], expected, atol=1e-9)
    edges = truncated_normal(torch.tensor([1.0, -1.0], dtype=F64), 1e-3, torch.tensor([0.0, 1.0]))
    assert bool(torch.isfinite(edges).all())


def test_decay_goes_from_start_to_end():
    assert decayed(0.3, 0.02, 0.0) == pytest.approx(0.3)
    assert decayed(0.3, 0.02, 1.0) == pytest.approx(0.02)
    assert decayed(0.4, 0.1, 0.5) == pytest.approx(0.2)


def test_settings_are_checked():
    for wrong in (
        {"depth": -1},
        {"hidden": 0},
        {"mode": "both"},
        {"norm": "batch"},
        {"mix": 1.5},
        {"actor_rate": 0.0},
        {"gradient_charge": 0.5},
        {"saturation": -1.0},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            AgentSettings(**wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="batch"):
        AgentSettings(batch=2.5)  # type: ignore[arg-type]
    assert AgentSettings().resolved(1000).candidates == 4
    assert AgentSettings().resolved(3000).candidates == 8
    assert AgentSettings().resolved(10000).candidates == 16
    assert AgentSettings(mode="simulator").resolved(1000).candidates == 1
    assert AgentSettings(mode="simulator").resolved(3000).candidates == 2
    assert AgentSettings(warm_up=7).resolved(3000).warm_up == 7
