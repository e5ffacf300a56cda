// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/array_bind.hpp"
#include "core/gil_bind.hpp"
#include "paths/digraph.hpp"

namespace wb::paths {

/// Adds to a digraph's class the searches that do not give a row per source.
template <typename W>
void bind_searches(py::class_<Digraph<W>>& digraph);

/// Binds IncrementalPaths for one type of weight.
template <typename W>
void bind_incremental(py::module_& m, const char* name);

}  // namespace wb::paths
