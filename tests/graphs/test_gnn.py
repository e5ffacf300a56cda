# SPDX-License-Identifier: Apache-2.0
"""The 2-hop layer against torch_geometric's GCNConv and dense matrices."""

from __future__ import annotations

import importlib
import sys

import pytest
import torch

import graphs


def random_graph(n, edges, seed):
    generator = torch.Generator().manual_seed(seed)
    index = torch.randint(n, (2, edges), generator=generator)
    return index, torch.rand(edges, generator=generator, dtype=torch.float64) + 0.1


class TestWithTorchGeometric:
    @pytest.fixture(autouse=True)
    def needed(self):
        self.pyg = pytest.importorskip("torch_geometric")
        self.nn = importlib.import_module("torch_geometric.nn")

    def conv(self, n_in, n_out, weight, **options):
        layer = self.nn.GCNConv(n_in, n_out, bias=False, **options).double()
        layer.lin.weight.data = weight
        return layer

    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize(
        "options",
        [{}, {"improved": True}, {"add_self_loops": False}, {"normalize": False}],
        ids=str,
    )
    def test_one_layer_is_two_gcn_convs_with_nothing_between(self, options, weighted):
        index, weight = random_graph(30, 90, seed=1)  # directed, loops and parallel edges among
        if not weighted:
            # GCNConv forgets about `improved` where there are no weights at all; we do not.
            weight = torch.ones_like(weight) if "improved" in options else None
        x = torch.randn(30, 5, dtype=torch.float64)
        W1, W2 = torch.randn(6, 5).double(), torch.randn(3, 6).double()
        layer = graphs.TwoHopGCN(5, 3, bias=False, **options).double()
        layer.lin.weight.data = W2 @ W1
        expected = self.conv(6, 3, W2, **options)(
            self.conv(5, 6, W1, **options)(x, index, weight), index, weight
        )
        torch.testing.assert_close(layer(x, index, weight), expected, rtol=1e-12, atol=1e-12)

    def test_gradients_are_those_of_two_gcn_convs(self):
        index, weight = random_graph(20, 60, seed=2)
        x = torch.randn(20, 4, dtype=torch.float64)
        eye = torch.eye(4, dtype=torch.float64)
        layer = graphs.TwoHopGCN(4, 4).double()
        layer.lin.weight.data = eye
        conv = self.conv(4, 4, eye)
        found = []
        for propagate in (layer, lambda x, i, w: conv(conv(x, i, w), i, w)):
            xs, ws = x.clone().requires_grad_(), weight.clone().requires_grad_()
            (propagate(xs, index, ws) ** 2).sum().backward()
            found.append((xs.grad, ws.grad))
        for ours, theirs in zip(*found, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)

    def test_gradcheck(self):
        index, weight = random_graph(6, 12, seed=3)
        layer = graphs.TwoHopGCN(2, 2).double()
        x = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
        arguments = x, weight.requires_grad_()
        assert torch.autograd.gradcheck(lambda x, w: layer(x, index, w), arguments)

    def test_the_square_is_that_of_the_dense_matrix(self):
        index, weight = random_graph(15, 40, seed=4)
        P = torch.zeros(15, 15, dtype=torch.float64)
        P.index_put_((index[1], index[0]), weight, accumulate=True)
        plain = graphs.two_hop_adjacency(index, weight, 15, normalize=False, add_self_loops=False)
        assert plain.layout == torch.sparse_csr
        torch.testing.assert_close(plain.to_dense(), P @ P)
        # With loops of weight 1, where torch_geometric keeps one of several: so without others.
        keep = index[0] != index[1]
        index, weight = index[:, keep], weight[keep]
        P = torch.eye(15, dtype=torch.float64)
        P.index_put_((index[1], index[0]), weight, accumulate=True)
        scale = P.sum(dim=1).rsqrt()
        P = scale[:, None] * P * scale
        found = graphs.two_hop_adjacency(index, weight, 15)
        torch.testing.assert_close(found.to_dense(), P @ P)

    def test_an_edge_index_is_taken_as_its_edges(self):
        index, weight = random_graph(12, 30, seed=5)
        x = torch.randn(12, 3, dtype=torch.float64)
        layer = graphs.TwoHopGCN(3, 2).double()
        wrapped = self.pyg.EdgeIndex(index, sparse_size=(12, 12))
        torch.testing.assert_close(layer(x, wrapped, weight), layer(x, index, weight))
        assert graphs.two_hop_adjacency(wrapped).shape == (12, 12)
        by_row = wrapped.sort_by("row").values
        torch.testing.assert_close(layer(x, by_row), layer(x, index))

    def test_a_model_of_two_layers_learns_with_its_edges(self):
        torch.manual_seed(0)
        index = torch.tensor([[v, (v + 1) % 10] for v in range(10)]).t()
        index = torch.cat([index, index + 10], dim=1)
        index = torch.cat([index, index.flip(0)], dim=1)
        target = torch.arange(20) // 10
        weight = torch.nn.Parameter(torch.ones(index.shape[1]))
        first, second = graphs.TwoHopGCN(-1, 8), graphs.TwoHopGCN(8, 2)
        assert isinstance(first, self.nn.MessagePassing)

        def model(x, index, weight):
            return second(first(x, index, weight).relu(), index, weight)

        x = torch.randn(20, 4)
        model(x, index, weight)  # as many features as come
        learnt = [*first.parameters(), *second.parameters(), weight]
        losses = []
        for _ in range(60):
            loss = torch.nn.functional.cross_entropy(model(x, index, weight), target)
            gradients = torch.autograd.grad(loss, learnt)
            with torch.no_grad():
                for parameter, gradient in zip(learnt, gradients, strict=True):
                    parameter -= 0.5 * gradient
            losses.append(float(loss.detach()))
        assert losses[-1] < 0.3 < losses[0]
        assert (weight.detach() != 1).any()

    def test_a_cached_square_is_kept_until_reset(self):
        index, _ = random_graph(10, 30, seed=6)
        other, _ = random_graph(10, 30, seed=7)
        x = torch.randn(10, 3)
        layer = graphs.TwoHopGCN(3, 3, cached=True)
        first = layer(x, index)
        torch.testing.assert_close(layer(x, index.clone()), first)
        with pytest.raises(ValueError, match="must be those that the cached square was made of"):
            layer(x, other)
        with pytest.raises(ValueError, match="must be those that the cached square was made of"):
            layer(x, index, torch.full((30,), 2.0))
        with pytest.raises(TypeError, match=r"must be torch.float32, as when"):
            layer.double()(x.double(), index)
        layer.float()
        with pytest.raises(ValueError, match="10 rows"):
            layer(torch.randn(11, 3), index)
        weight = torch.ones(30, requires_grad=True)
        with pytest.raises(ValueError, match="cached square cannot give"):
            layer(x, index, weight)
        layer.reset_parameters()
        assert not torch.allclose(layer(x, other), first)

    def test_vertices_without_edges_and_graphs_without_vertices(self):
        layer = graphs.TwoHopGCN(3, 2)
        none = torch.empty((2, 0), dtype=torch.int64)
        x = torch.randn(4, 3)
        torch.testing.assert_close(layer(x, none), layer.lin(x))
        assert layer(torch.randn(0, 3), none).shape == (0, 2)
        bare = graphs.TwoHopGCN(3, 2, normalize=False)
        torch.testing.assert_close(bare(x, none), torch.zeros(4, 2))

    def test_wrong_input_is_refused(self):
        layer, x = graphs.TwoHopGCN(3, 2), torch.randn(4, 3)
        index = torch.tensor([[0, 1], [1, 2]])
        with pytest.raises(ValueError, match=r"x must have shape \(n, 3\), got \(4,\)"):
            layer(x[:, 0], index)
        with pytest.raises(ValueError, match="edge_index must hold vertices, 0 to 3, got 9"):
            layer(x, torch.tensor([[0], [9]]))
        with pytest.raises(ValueError, match="edge_index must hold vertices"):
            layer(x, torch.tensor([[0], [-1]]))
        with pytest.raises(ValueError, match=r"shape \(2, n_edges\)"):
            layer(x, index.t().reshape(1, 4))
        with pytest.raises(TypeError, match="int64"):
            layer(x, index.float())
        with pytest.raises(TypeError, match="dense tensor or an EdgeIndex"):
            layer(x, torch.eye(4).to_sparse())
        with pytest.raises(ValueError, match=r"edge_weight must be a tensor of shape \(2,\)"):
            layer(x, index, torch.ones(3))
        with pytest.raises(TypeError, match="float32 or float64"):
            layer(x, index, torch.ones(2, dtype=torch.int64))
        with pytest.raises(ValueError, match="add_self_loops"):
            graphs.TwoHopGCN(3, 2, add_self_loops=True, normalize=False)
        with pytest.raises(ValueError, match="add_self_loops"):
            graphs.two_hop_adjacency(index, normalize=False)


def test_without_torch_geometric_the_error_says_what_installs_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "graphs.gnn", raising=False)
    monkeypatch.delattr(graphs, "gnn", raising=False)
    monkeypatch.delitem(vars(graphs), "TwoHopGCN", raising=False)
    monkeypatch.setitem(sys.modules, "torch_geometric.nn.conv", None)
    with pytest.raises(ImportError, match=r"pip install .*\[graphs\]'"):
        _ = graphs.TwoHopGCN


def test_the_package_names_what_it_has():
    assert set(graphs.__all__) <= set(dir(graphs))
    for name in set(graphs.__all__) - {"TwoHopGCN", "two_hop_adjacency", "GENERATORS"}:
        assert getattr(graphs, name).__doc__
    with pytest.raises(AttributeError, match="nothing"):
        _ = graphs.nothing
