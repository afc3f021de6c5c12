"""The sweeps: which runs each is, that its header counts them, and that every one of them composes."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from experiment_configs import CONF, composed
from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

SWEEPS = sorted(path.stem for path in (CONF / "sweep").glob("*.yaml"))
PAPER = [
    "baseline",
    "qwen_image",
    "qwen_image_filt",
    "nanobanana",
    "nanobanana_filt",
    "qwen_imgcoder",
    "gemini_imgcoder",
]
CONTROLS = [
    "nanobanana_filt", "control_blank", "control_shuffled", "control_text_only", "control_text_problems",
    "control_format", "control_random", "matched_size", "matched_problems", "filter_judge", "filter_inverse",
    "filter_strict",
]  # fmt: skip
TINY = ["tiny", "tiny_blank", "tiny_shuffled", "tiny_text", "tiny_format", "tiny_supervised"]
EXPECTED = {
    "paper": [(f"+experiment={e}",) for e in PAPER],
    "controls": [(f"+experiment={e}",) for e in CONTROLS],
    "seeds": [("+experiment=nanobanana_filt", f"seed={n}") for n in range(5)],
    "scaling": [
        (f"+experiment={e}", f"trainset.size={n}", f"seed={seed}")
        for e, n, seed in product(["nanobanana", "gemini_imgcoder"], [128, 256, 512, 1024], [0, 1, 2])
    ],
    "tiny_controls": [(f"+experiment={e}",) for e in TINY],
}


@cache
def runs_of(sweep: str, *more: str) -> list[tuple[str, ...]]:
    """The overrides of each run, by Hydra's own sweeper."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("train", [f"+sweep={sweep}"], return_hydra_config=True)
    given = [*(f"{k}={v}" for k, v in cfg.hydra.sweeper.params.items()), *more]
    (batch,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(given), None)
    return [tuple(run) for run in batch]


@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_sweep_is_the_runs_that_it_says(sweep: str) -> None:
    runs = runs_of(sweep)
    assert runs == EXPECTED[sweep]
    header = (CONF / "sweep" / f"{sweep}.yaml").read_text().split("hydra:\n")[0]
    assert f"python train.py -m +sweep={sweep}\n" in header or f"python train.py -m +sweep={sweep} " in header
    stated = re.search(r"Costs +(\d+) runs", header)
    assert stated is not None
    assert int(stated.group(1)) == len(runs)


@pytest.mark.parametrize("sweep", [s for s in SWEEPS if not s.startswith("tiny")])
def test_the_gpu_hours_are_the_sum_of_the_experiments_own(sweep: str) -> None:
    """260 for a run that trains and 1 for the baseline, as their headers say, which come from run_estimate."""
    header = (CONF / "sweep" / f"{sweep}.yaml").read_text()
    stated = re.search(r"about ([\d,]+) GPU-hours", header)
    assert stated is not None
    hours = 0
    for run in runs_of(sweep):
        name = run[0].removeprefix("+experiment=")
        own = re.search(r"about (\d+) GPU-hours?", (CONF / "experiment" / f"{name}.yaml").read_text())
        assert own is not None, name
        hours += int(own.group(1))
    assert int(stated.group(1).replace(",", "")) == hours


def test_more_seeds_can_be_given_beside_a_sweep() -> None:
    assert len(runs_of("paper", "seed=0,1,2")) == 21


@pytest.mark.slow
@pytest.mark.parametrize("sweep", SWEEPS)
def test_the_first_and_the_last_run_of_a_sweep_compose_into_settings_of_their_own(sweep: str) -> None:
    """Every experiment by itself is composed, and merged into verl, in test_paper_experiments.py."""
    from scigen.app.settings import Settings, parse_as

    first, last = (
        parse_as(Settings, composed(run[0].removeprefix("+experiment="), *run[1:], f"+sweep={sweep}"))
        for run in (runs_of(sweep)[0], runs_of(sweep)[-1])
    )
    assert (first.name, first.seed, first.trainset.size) != (last.name, last.seed, last.trainset.size)
    assert first.paths.sets == last.paths.sets


@pytest.mark.slow
def test_a_sweep_is_planned_run_by_run_in_the_folders_of_single_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, CONF.parent / "train.py", "-m", "+sweep=tiny_controls", "dry_run=true", "tracking=none"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    for name in TINY:
        assert f"plan of {name}" in done.stdout
    assert done.stdout.count("dry run: the configuration is valid for the installed verl") == len(TINY)
    assert sorted(p.name for p in (tmp_path / "outputs").glob("*-seed0")) == sorted(f"{n}-seed0" for n in TINY)
    assert not list((tmp_path / "outputs").glob("*/verl"))
