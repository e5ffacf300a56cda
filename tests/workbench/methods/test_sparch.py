# SPDX-License-Identifier: Apache-2.0
"""The experiment: its numbers, its report, what it refuses, and its page."""

from __future__ import annotations

import doctest
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from workbench.cli import main
from workbench.experiments import Outcome, execute
from workbench.hardware.sparch import SpArchConfig
from workbench.methods.sparch import paper, pipeline
from workbench.methods.sparch.experiment import EXPERIMENT, Config, check
from workbench.methods.sparch.sources import SUITES, resolve
from workbench.methods.sparch.verdict import geomean, judge

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "systems" / "sparch.md"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    config = Config(suite="small", sweeps=True)
    return execute(EXPERIMENT, config, runs=tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def look_alikes(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return execute(EXPERIMENT, Config(), runs=tmp_path_factory.mktemp("look-alikes"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with two of the paper's names, and a matrix of its own."""
    place = tmp_path / "data" / "matrices"
    place.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, n in (("wiki-Vote", 50), ("cage12", 60), ("own", 30)):
        matrix = scipy.sparse.csr_array((rng.random((n, n)) < 0.1).astype(float))
        scipy.sparse.save_npz(place / f"{name}.npz", matrix)
    return tmp_path / "data"


def test_the_default_suite_reproduces_the_paper_within_its_bands(look_alikes: Outcome) -> None:
    result = look_alikes.result
    assert look_alikes.passed
    assert result["holds"] is True
    claims = {claim["title"]: claim for claim in result["claims"]}
    net = claims["OuterSPACE / SpArch"]
    assert net["count"] == 10
    assert 2.5 <= net["mean"] <= 3.6
    huffman = claims["Huffman against balanced, several rounds"]
    assert huffman["inside"] is True
    assert huffman["count"] == 4
    one_round = claims["Huffman against balanced, one round"]
    assert (one_round["least"], one_round["greatest"]) == (1.0, 1.0)
    assert claims["prefetcher against none"]["inside"] is True
    running = claims["condensing, running sum before and after"]["mean"]
    balanced = claims["condensing, balanced before and after"]["mean"]
    assert running > 5 * balanced, "what condensing gains rests on the order before it"


def test_the_result_is_plain_and_consistent(small: Outcome) -> None:
    result = small.result
    assert "seconds" not in json.dumps(result)
    assert [record["name"] for record in result["matrices"]] == list(SUITES["small"])
    assert result["holds"] is None, "too few matrices for a verdict"
    for record in result["matrices"]:
        totals = {key: rung["traffic"]["total"] for key, rung in record["rungs"].items()}
        assert record["ratios"]["net"] == record["rivals"][0]["traffic"]["total"] / totals["sparch"]
        for points in record["sweeps"].values():
            assert len(points) >= 3
        default = {point["value"]: point["total"] for point in record["sweeps"]["ways"]}
        assert default[64] == totals["sparch"]
        buffers = [point["total"] for point in record["sweeps"]["buffer_lines"]]
        assert buffers == sorted(buffers, reverse=True)
        looks = {point["value"]: point["total"] for point in record["sweeps"]["lookahead"]}
        assert looks[0] == totals["lru"]
        assert record["calibrated"]["gflops"] <= record["rungs"]["sparch"]["gflops"]
    logged = [record["matrix"] for record in small.run.metrics()]
    assert logged == list(SUITES["small"])


def test_the_report_shows_ladder_paper_and_figures(small: Outcome) -> None:
    table = small.report.table
    assert len(table.rows) == 6
    assert table.rows[-1][0] == "the paper, 20 matrices"
    assert table.rows[-1][-1] == paper.NET
    page = small.page.read_text()
    for words in (
        "Beside the paper", "Where the bytes go", "roofline", "MatRaptor", "Gamma",
        "64-byte blocks", "One number varied", "the paper&#x27;s alone", "Armadillo", "OUTSIDE",
        "calibration, not a result", "partial matrices written",
    ):  # fmt: skip
        assert words in page or words.replace("&#x27;", "'") in page, words
    assert page.count("<svg") == 3


def test_running_again_gives_the_same_bytes(small: Outcome, tmp_path: Path) -> None:
    again = execute(EXPERIMENT, Config(suite="small", sweeps=True), runs=tmp_path)
    ours = (again.run.path / "result.json").read_bytes()
    assert ours == (small.run.path / "result.json").read_bytes()


def test_an_interrupted_run_goes_on_to_the_same_bytes(
    small: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    climb, seen = pipeline.climb, []

    def interrupted(*arguments: Any, **options: Any) -> Any:
        seen.append(arguments)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return climb(*arguments, **options)

    config = Config(suite="small", sweeps=True)
    monkeypatch.setattr(pipeline, "climb", interrupted)
    with pytest.raises(KeyboardInterrupt):
        execute(EXPERIMENT, config, runs=tmp_path)
    outcome = execute(EXPERIMENT, config, runs=tmp_path)
    assert len(seen) == 5, "the two matrices that were done are not computed again"
    ours = (outcome.run.path / "result.json").read_bytes()
    assert ours == (small.run.path / "result.json").read_bytes()
    assert outcome.run.metrics() == small.run.metrics()


def test_rmat_sweep_and_a_design_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "RMAT_SIZES", ((7, 4), (8, 4)))
    config = Config(
        matrix=("rmat-s9",), rmat_sweep=True, hardware=SpArchConfig(merge_layers=3, value_bytes=4)
    )
    outcome = execute(EXPERIMENT, config, runs=tmp_path)
    assert [point["n"] for point in outcome.result["rmat"]] == [128, 256]
    assert "rMAT graphs" in outcome.page.read_text()
    assert outcome.result["ways"] == 8
    (record,) = outcome.result["matrices"]
    assert record["compulsory"] == 8 * (2 * record["nnz"] + record["c_elements"])


def test_files_and_names_are_found(folder: Path) -> None:
    def names(config: Config) -> list[str]:
        return [source.name for source in resolve(config)]

    data = str(folder)
    assert names(Config(suite="real", data=data)) == ["cage12", "own", "wiki-Vote"]
    assert names(Config(suite="paper", data=data)) == ["cage12", "wiki-Vote"]
    path = str(folder / "matrices" / "own.npz")
    assert names(Config(matrix=(path, "rmat-s9", "own"), data=data)) == [
        "own.npz", "rmat-s9", "own",
    ]  # fmt: skip
    assert names(Config(matrix=("poisson2d",))) == ["poisson2d"]
    both = names(Config(matrix=("own",), suite="small", data=data))
    assert both == ["own", *SUITES["small"]]
    assert names(Config()) == list(SUITES["look-alikes"])


def test_the_data_folder_may_come_from_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_DATA", str(folder))
    assert len(resolve(Config(suite="real"))) == 3


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (Config(matrix=("wiki-vote",)), r"unknown matrix 'wiki-vote'; did you mean 'wiki-Vote'"),
        (Config(matrix=("x",)), r"unknown matrix 'x'.*rmat-s12-ef8.*cage12, own, wiki-Vote"),
        (Config(suite="looks"), r"unknown suite 'looks'.*look-alikes, small, real, paper"),
        (Config(data="nowhere"), r"data is 'nowhere', which is no folder"),
        (Config(seed=-1), r"seed is -1; expected 0 or more"),
    ],
)
def test_configs_that_cannot_be_run_are_refused(
    config: Config, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_DATA", str(folder))
    with pytest.raises(ValueError, match=words):
        check(config)


def test_a_suite_without_matrices_says_how_to_get_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="give the folder with --data or WORKBENCH_DATA"):
        check(Config(suite="real"))


def test_matrices_that_are_not_square_or_have_no_product(tmp_path: Path) -> None:
    wide = tmp_path / "wide.npz"
    scipy.sparse.save_npz(wide, scipy.sparse.csr_array(np.ones((2, 3))))
    with pytest.raises(ValueError, match=r"wide\.npz: Problem: a must be square"):
        execute(EXPERIMENT, Config(matrix=(str(wide),)), runs=tmp_path)
    hollow = tmp_path / "hollow.npz"
    scipy.sparse.save_npz(hollow, scipy.sparse.csr_array((4, 4)))
    outcome = execute(EXPERIMENT, Config(matrix=(str(hollow),), sweeps=True), runs=tmp_path)
    assert outcome.passed
    assert outcome.result["headline"] == "nothing to multiply"
    assert "nothing to compare" in outcome.report.verdict


def test_the_verdict_says_inside_and_outside(small: Outcome) -> None:
    records = small.result["matrices"]
    many = judge(
        [{**record, "name": f"{record['name']} {i}"} for record in records for i in (0, 1)]
    )
    assert many["holds"] is False
    assert any("outside 2.5 to 3.6" in words for words in many["warnings"])
    broken = json.loads(json.dumps(records))
    broken[0]["rungs"]["lru"]["line_misses"] = 0
    found = judge(broken)
    assert found["passed"] is False
    assert any("fewer lines than the optimum" in words for words in found["warnings"])
    assert geomean([2.0, 8.0]) == pytest.approx(4.0)


def test_importing_the_experiment_loads_nothing_heavy() -> None:
    program = (
        "import sys; import workbench.methods.sparch.experiment; "
        "print([m for m in ('torch', 'numpy', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_examples_on_the_page_run() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted >= 6
    assert found.failed == 0


def test_the_table_on_the_page_is_what_the_default_suite_gives(look_alikes: Outcome) -> None:
    text = PAGE.read_text()
    for record in look_alikes.result["matrices"]:
        rungs = record["rungs"]
        keys = ("pipe_seq", "pipe_fifo", "cond_seq", "cond_fifo", "huffman", "lru", "sparch")
        totals = [record["rivals"][0]["traffic"]["total"]]
        totals += [rungs[key]["traffic"]["total"] for key in keys]
        rmat_row = record["name"].startswith("rmat")
        if not rmat_row:
            totals.append(record["compulsory"])
        cells = [
            f"{record['leaves']}",
            *(["here"] if rmat_row else []),
            *(f"{total / 1e6:.1f}" for total in totals),
            f"{rungs['sparch']['hit_rate']:.2f}".lstrip("0"),
            f"{record['ratios']['net']:.2f}",
        ]
        assert " | ".join(cells) in text, (record["name"], cells)


def test_the_page_has_the_headings_of_every_system() -> None:
    headings = [line[3:] for line in PAGE.read_text().splitlines() if line.startswith("## ")]
    assert headings == [
        "Problem",
        "Algorithm",
        "What we changed and why",
        "API",
        "Reproduction",
        "Limits",
        "Citation",
    ]


def test_the_commands_on_the_page_run(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if EXPERIMENT.name not in {p.name for p in _announced()}:
        pytest.skip("the installed package does not announce the experiment: install it again")
    monkeypatch.setenv("WORKBENCH_DATA", str(folder))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, "RMAT_SIZES", ((7, 4),))
    lines = [line.strip() for line in PAGE.read_text().splitlines()]
    commands = [line.split("  #")[0] for line in lines if line.startswith("workbench run")]
    assert len(commands) >= 4
    for command in commands:
        words = shlex.split(command)[1:]
        assert main(words) == 0, (command, capsys.readouterr().err)
        assert "report:" in capsys.readouterr().out


def _announced() -> list[object]:
    from importlib import metadata

    return list(metadata.entry_points(group="workbench.experiments"))


def test_every_module_is_on_the_page() -> None:
    import workbench.hardware.sparch as machine
    import workbench.methods.sparch as package

    text = PAGE.read_text()
    for room in (machine, package):
        assert room.__file__ is not None
        for module in Path(room.__file__).parent.glob("*.py"):
            if module.stem not in ("__init__", "experiment"):
                assert f"`{module.stem}`" in text, module.stem
    for name in machine.__all__:
        assert getattr(machine, name) is not None
