# SPDX-License-Identifier: Apache-2.0
# `make demo` and `make test` are all a newcomer needs: both make .venv and build the kernels.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
STAMP   = $(VENV)/.installed
NATIVE  = CMakeLists.txt $(wildcard cmake/*.cmake) $(shell find csrc -type f)

.PHONY: help demo test test-floor test-isa dev lint format sanitize bench stubs stubs-check clean check-tools

help:
	@echo "make demo      search a noise-robust circuit on a simulated IBM machine (4 minutes)"
	@echo "make test      the whole test suite (TESTS='tests/ops -x': what pytest gets)"
	@echo "make test-floor  the same with the oldest packages that pyproject.toml allows"
	@echo "make dev       everything a developer needs in $(VENV), without build isolation"
	@echo "make lint      ruff, mypy, clang-format, import floors"
	@echo "make format    let ruff and clang-format rewrite the sources"
	@echo "make sanitize  kernel tests under AddressSanitizer and UBSan"
	@echo "make bench     ours against the peers, in an environment of their own"
	@echo "make clean     remove $(VENV) and build/"

check-tools:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.10 or newer (Debian: apt-get install python3)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "$(PYTHON) is older than 3.10: set PYTHON=python3.11, say"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "the venv module is missing (Debian: apt-get install python3-venv)"; exit 1; }
	@command -v $${CXX:-c++} >/dev/null || { echo "no C++ compiler (Debian: apt-get install g++; or set CXX)"; exit 1; }
	@echo 'static_assert(__cplusplus > 201703L);' | $${CXX:-c++} -std=c++20 -x c++ -fsyntax-only - 2>/dev/null || { echo "$${CXX:-c++} does not know C++20: install g++ 11 or newer, or set CXX"; exit 1; }

$(STAMP): pyproject.toml constraints.txt $(NATIVE)
	@$(MAKE) --no-print-directory check-tools
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) and compiling the kernels (a few minutes the first time) ..."
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[test]'
	@touch $@

demo: $(STAMP)
	$(BIN)/workbench run quantumnas --device FakeQuitoV2 --task digits-4 --seeds 5

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist worksteal $(TESTS)

# Once more with the oldest packages that pyproject.toml allows: ours and the tests' own.
FLOOR = .venv-floor
$(FLOOR)/.installed: pyproject.toml constraints-floor.txt $(NATIVE)
	@$(MAKE) --no-print-directory check-tools
	@test -x $(FLOOR)/bin/python || $(PYTHON) -m venv $(FLOOR)
	$(FLOOR)/bin/python -m pip install --disable-pip-version-check -q -c constraints-floor.txt \
	  -Cbuild-dir=build/floor -e '.[test]'
	@touch $@

test-floor: $(FLOOR)/.installed
	$(FLOOR)/bin/python -m pytest -n 2 --dist worksteal $(TESTS)

# The state-vector and noise tests once more under the narrower instruction sets.
test-isa: $(STAMP)
	WB_MAX_ISA=avx2 $(BIN)/python -m pytest -n 2 -q tests/ops
	WB_MAX_ISA=base $(BIN)/python -m pytest -n 2 -q tests/ops

DEV = $(VENV)/.dev
$(DEV): $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[dev]'
	@touch $@

dev: $(DEV)
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-build-isolation --no-deps -e .

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/clang-format --dry-run --Werror $$(git ls-files 'csrc/*.hpp' 'csrc/*.cpp' 'csrc/*.cu' 'csrc/*.cuh')
	$(MAKE) --no-print-directory stubs-check

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $$(git ls-files 'csrc/*.hpp' 'csrc/*.cpp' 'csrc/*.cu' 'csrc/*.cuh')

stubs: $(DEV)
	$(BIN)/python -c "import torch, runpy, sys; sys.argv = ['x', 'workbench._kernels', '-o', 'build/stubs', '--exit-code']; runpy.run_module('pybind11_stubgen', run_name='__main__')"
	cp build/stubs/workbench/_kernels.pyi workbench/_kernels.pyi

stubs-check: $(DEV)
	$(BIN)/python -c "import torch, runpy, sys; sys.argv = ['x', 'workbench._kernels', '-o', 'build/stubs', '--exit-code']; runpy.run_module('pybind11_stubgen', run_name='__main__')"
	diff build/stubs/workbench/_kernels.pyi workbench/_kernels.pyi || { echo "workbench/_kernels.pyi is stale: make stubs"; exit 1; }

# -S keeps the editable install's finder out, which would lead back to the plain extension.
ASAN_ENV = LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so)" \
  ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 PYTHONMALLOC=malloc \
  PYTHONPATH="$(CURDIR)/build/asan:$$($(CURDIR)/$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
sanitize: $(DEV)
	WB_CUDA=OFF WB_SANITIZE=address,undefined $(BIN)/python -m pip install --disable-pip-version-check -q \
	  --no-build-isolation --no-deps --upgrade --target build/asan -Cbuild-dir=build/asan-obj \
	  -Ccmake.build-type=RelWithDebInfo .
	cd build && $(ASAN_ENV) $(CURDIR)/$(BIN)/python -S -P -c \
	  "from workbench.ops import build_info; assert build_info()['sanitizers'], 'not the sanitized build'"
	cd build && $(ASAN_ENV) $(CURDIR)/$(BIN)/python -S -P -m pytest -q -p no:cacheprovider \
	  -c ../pyproject.toml --rootdir=.. ../tests/ops ../tests/graphs/test_digraph.py \
	  ../tests/graphs/test_searches.py ../tests/graphs/test_landmarks.py ../tests/graphs/spanner/test_spanner.py

# The peers live in an environment of their own: torchquantum pins dead packages.
BENCH = .venv-bench
$(BENCH)/.installed: pyproject.toml constraints.txt benchmarks/requirements.txt $(NATIVE)
	@$(MAKE) --no-print-directory check-tools
	@test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --disable-pip-version-check -q -c constraints.txt '.[quantum,sparse]' -r benchmarks/requirements.txt
	$(BENCH)/bin/python -m pip install --disable-pip-version-check -q --no-deps torchquantum==0.1.8
	@touch $@

bench: $(BENCH)/.installed
	$(BENCH)/bin/python benchmarks/statevector.py --threads 2 --save
	$(BENCH)/bin/python benchmarks/statevector.py --threads 1 --save
	$(BENCH)/bin/python benchmarks/noise.py --threads 1 --save
	$(BENCH)/bin/python benchmarks/spgemm.py --threads 2 --save
	$(BENCH)/bin/python benchmarks/spgemm.py --threads 1 --save
	$(BENCH)/bin/python benchmarks/shortest_paths.py --threads 2 --save
	$(BENCH)/bin/python benchmarks/shortest_paths.py --threads 1 --save
	$(BENCH)/bin/python benchmarks/circuit_sim.py --threads 2 --save
	$(BENCH)/bin/python benchmarks/circuit_sim.py --threads 1 --save
	$(BENCH)/bin/python benchmarks/circuit_sim_accuracy.py --save
	$(BENCH)/bin/python benchmarks/sizing_charges.py --save

clean:
	rm -rf $(VENV) $(FLOOR) $(BENCH) build
