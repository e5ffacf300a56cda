// SPDX-License-Identifier: Apache-2.0
// One search per source, sources in parallel, each written where it belongs by its thread.
#include "paths/sssp.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "core/parallel.hpp"
#include "paths/searcher.hpp"

namespace wb::paths {
namespace {

constexpr std::int64_t kAhead = 24;  // vertices whose edges are fetched ahead
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <typename D>
double real(D distance) {
    return distance == unreached<D>() ? kInfinity : static_cast<double>(distance);
}

template <typename W>
int threads_of(const Arcs<W>& g, const Query& query) {
    const std::int64_t work = (g.m + g.n) * query.n_sources;
    return static_cast<int>(std::clamp<std::int64_t>(threads_for(work, 50'000, query.threads), 1,
                                                     std::max<std::int64_t>(1, query.n_sources)));
}

/// Calls body(i, worker) for every source, where make() gives each thread its worker.
template <typename Make, typename Body>
void for_sources(const Query& query, int threads, const Make& make, const Body& body) {
    std::vector<decltype(make())> workers(static_cast<std::size_t>(threads));
    parallel_for(query.n_sources, threads, [&](std::int64_t i, int thread) {
        auto& worker = workers[static_cast<std::size_t>(thread)];
        if (!worker) worker = make();
        body(i, *worker);
    });
}

template <typename W>
SearchOptions<WideDistance<W>> options_of(const Query& query, bool parents) {
    SearchOptions<WideDistance<W>> options;
    options.targets = query.targets;
    options.n_targets = query.n_targets;
    options.edge_mask = query.edge_mask;
    options.parents = parents;
    return options;
}

/// Joins what was found for each source.
Balls join(std::vector<Balls>& parts) {
    Balls all;
    all.ptr.assign(1, 0);
    for (const Balls& part : parts) {
        all.ptr.push_back(all.ptr.back() + static_cast<std::int64_t>(part.vertices.size()));
    }
    const auto total = static_cast<std::size_t>(all.ptr.back());
    all.vertices.reserve(total);
    all.distances.reserve(total);
    for (Balls& part : parts) {
        all.vertices.insert(all.vertices.end(), part.vertices.begin(), part.vertices.end());
        all.distances.insert(all.distances.end(), part.distances.begin(), part.distances.end());
        all.parents.insert(all.parents.end(), part.parents.begin(), part.parents.end());
        part = Balls{};
    }
    return all;
}

}  // namespace

template <typename W>
void shortest_paths(const Arcs<W>& g, const Query& query) {
    const SearchPlan plan = plan_search(g);
    const auto make = [&] {
        return std::make_unique<Searcher<W>>(g, plan, query.limit,
                                             options_of<W>(query, query.parents != nullptr));
    };
    for_sources(query, threads_of(g, query), make, [&](std::int64_t i, Searcher<W>& searcher) {
        const auto source = static_cast<std::int32_t>(query.sources[i]);
        searcher.run(source, [&](const auto& search) {
            double* const out = query.distances + i * g.n;
            for (std::int64_t v = 0; v < g.n; ++v) out[v] = real(search.distance(v));
            if (query.parents == nullptr) return;
            std::int64_t* const parents = query.parents + i * g.n;
            for (std::int64_t v = 0; v < g.n; ++v) {
                if (v + kAhead < g.n) __builtin_prefetch(&g.edge[search.parent(v + kAhead)]);
                const bool has = out[v] < kInfinity && v != source;
                parents[v] = has ? std::int64_t{g.edge[search.parent(v)]} : -1;
            }
        });
    });
}

template <typename W>
Balls shortest_paths_near(const Arcs<W>& g, const Query& query, bool parents) {
    const SearchPlan plan = plan_search(g);
    std::vector<Balls> parts(static_cast<std::size_t>(query.n_sources));
    const auto make = [&] {
        return std::make_unique<Searcher<W>>(g, plan, query.limit, options_of<W>(query, parents));
    };
    for_sources(query, threads_of(g, query), make, [&](std::int64_t i, Searcher<W>& searcher) {
        const auto source = static_cast<std::int32_t>(query.sources[i]);
        Balls& part = parts[static_cast<std::size_t>(i)];
        searcher.run(source, [&](const auto& search) {
            part.vertices.assign(search.reached().begin(), search.reached().end());
            std::sort(part.vertices.begin(), part.vertices.end());
            for (const std::int32_t v : part.vertices) {
                part.distances.push_back(real(search.distance(v)));
                if (parents)
                    part.parents.push_back(v == source ? -1
                                                       : std::int64_t{g.edge[search.parent(v)]});
            }
        });
    });
    return join(parts);
}

template <typename W>
void round_trips(const Digraph<W>& g, const Query& query) {
    const SearchPlan plan = plan_search(g.out);
    struct Pair {
        Searcher<W> there, back;
    };
    const auto make = [&] {
        const auto options = options_of<W>(query, false);
        return std::make_unique<Pair>(Pair{Searcher<W>(g.out, plan, query.limit, options),
                                           Searcher<W>(g.in, plan, query.limit, options)});
    };
    for_sources(query, threads_of(g.out, query), make, [&](std::int64_t i, Pair& pair) {
        const auto source = static_cast<std::int32_t>(query.sources[i]);
        double* const out = query.distances + i * g.out.n;
        pair.there.run(source, [&](const auto& there) {
            pair.back.run(source, [&](const auto& back) {
                for (std::int64_t v = 0; v < g.out.n; ++v) {
                    const double total = real(there.distance(v)) + real(back.distance(v));
                    out[v] = query.limit >= 0 && total > query.limit ? kInfinity : total;
                }
            });
        });
    });
}

template <typename W>
Balls round_trips_near(const Digraph<W>& g, const Query& query) {
    const SearchPlan plan = plan_search(g.out);
    std::vector<Balls> parts(static_cast<std::size_t>(query.n_sources));
    with_search<W>(plan, query.limit, [&]<typename Search>(Search*) {
        using D = typename Search::Distance;
        struct Pair {
            Raw<D> room;
            std::unique_ptr<Search> there, back;
        };
        const auto make = [&] {
            auto pair = std::make_unique<Pair>();
            SearchOptions<D> options;
            options.limit = limit_of<D>(query.limit);
            options.edge_mask = query.edge_mask;
            pair->there = std::make_unique<Search>(g.out, plan.width, options);
            pair->room = Raw<D>(std::max<std::int64_t>(1, g.out.n));
            std::fill_n(pair->room.data(), g.out.n, D{});
            options.below = pair->room.data();
            pair->back = std::make_unique<Search>(g.in, plan.width, options);
            return pair;
        };
        // Forward and backward sums round differently: the margin lets the paths of what is in the
        // ball stay in it; what is kept is decided by the sums themselves.
        const auto room_after = [&](D there) {
            if constexpr (std::is_floating_point_v<D>) {
                return std::nextafter(query.limit * (1 + 1e-9) - there, kInfinity);
            } else {
                const D limit = limit_of<D>(query.limit);
                return limit == unreached<D>() ? limit : limit - there + 1;
            }
        };
        for_sources(query, threads_of(g.out, query), make, [&](std::int64_t i, Pair& pair) {
            const auto source = static_cast<std::int32_t>(query.sources[i]);
            Balls& part = parts[static_cast<std::size_t>(i)];
            pair.there->run(source);
            for (const std::int32_t v : pair.there->reached()) {
                pair.room[v] = room_after(pair.there->distance(v));
            }
            pair.back->run(source);
            part.vertices.assign(pair.back->reached().begin(), pair.back->reached().end());
            const auto total = [&](std::int32_t v) {
                return real(pair.there->distance(v)) + real(pair.back->distance(v));
            };
            std::erase_if(part.vertices, [&](std::int32_t v) { return total(v) > query.limit; });
            std::sort(part.vertices.begin(), part.vertices.end());
            for (const std::int32_t v : part.vertices) part.distances.push_back(total(v));
            for (const std::int32_t v : pair.there->reached()) pair.room[v] = D{};
            pair.there->reset();
            pair.back->reset();
        });
    });
    return join(parts);
}

#define WB_PATHS(W)                                                         \
    template void shortest_paths(const Arcs<W>&, const Query&);             \
    template Balls shortest_paths_near(const Arcs<W>&, const Query&, bool); \
    template void round_trips(const Digraph<W>&, const Query&);             \
    template Balls round_trips_near(const Digraph<W>&, const Query&);
WB_PATHS(std::int32_t)
WB_PATHS(std::int64_t)
WB_PATHS(float)
WB_PATHS(double)
#undef WB_PATHS

}  // namespace wb::paths
