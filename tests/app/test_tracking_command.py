"""The commands' `tracking=`: nothing by default, and with wandb_offline runs that are one lineage when read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from offline_runs import OfflineRun, read_runs
from omegaconf import OmegaConf

from scigen.app import evaluate, generate
from scigen.app.cli import CONF
from scigen.app.settings import Paths, Tracking
from scigen.app.tracking import send, set_environment
from scigen.errors import ScigenError
from scigen.records import GeneratedImage, Verdict
from scigen.store import iter_records, read_manifest


def composed(command: str, *overrides: str) -> dict[str, Any]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        found = OmegaConf.to_container(compose(command, list(overrides)), resolve=True)
    assert isinstance(found, dict)
    return {str(k): v for k, v in found.items()}


@pytest.mark.parametrize("command", ["curate", "generate", "evaluate"])
def test_commands_before_the_training_log_nothing_by_default(command: str) -> None:
    assert composed(command)["tracking"]["mode"] == "disabled"


@pytest.mark.parametrize(
    ("choice", "mode", "loggers"),
    [
        ("wandb_offline", "offline", ["console", "file", "wandb"]),
        ("wandb", "online", ["console", "file", "wandb"]),
        ("none", "disabled", ["console", "file"]),
    ],
)
def test_the_training_tells_verl_its_loggers_and_always_keeps_the_file(
    choice: str, mode: str, loggers: list[str]
) -> None:
    config = composed("train", f"tracking={choice}", "+experiment=nanobanana_filt")
    assert config["tracking"]["mode"] == mode
    assert config["tracking"]["group"] == "nanobanana_filt"
    assert config["verl"]["trainer"]["logger"] == loggers
    assert config["verl"]["trainer"]["experiment_name"] == "nanobanana_filt-seed0"


class Job:
    """As much of a command's settings as the logging reads."""

    def __init__(self, output: Path, mode: Any) -> None:
        self.name, self.seed = "job", 0
        self.tracking = Tracking(project="p", mode=mode, group="g", samples=2, loggers=())
        self.paths = Paths(output=output, sets=output / "sets", policy=output)

    def model_dump(self, *, mode: str, exclude: set[str]) -> dict[str, Any]:
        return {"name": self.name}


def test_an_online_run_without_a_key_ends_before_verl_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(ScigenError, match="WANDB_API_KEY is not set"):
        set_environment(Job(tmp_path, "online"))


def test_what_the_user_has_set_for_wandb_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in ("WANDB_MODE", "WANDB_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_RUN_GROUP", "mine")
    set_environment(Job(tmp_path, "offline"))
    assert os.environ["WANDB_RUN_GROUP"] == "mine"
    assert os.environ["WANDB_MODE"] == "offline"
    assert os.environ["WANDB_DATA_DIR"] == str(tmp_path / "wandb" / "data")


def test_whatever_goes_wrong_is_one_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    def broken() -> list[Any]:
        raise KeyError("no such [figure]")

    console = Console(width=200)
    send(Job(tmp_path, "offline"), console, broken)
    said = capsys.readouterr().out.strip()
    assert said.startswith("W&B has no record of this stage (KeyError: 'no such [figure]').")
    assert len(said.splitlines()) == 1
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    send(Job(tmp_path, "online"), console, broken)
    assert "WANDB_API_KEY is not set" in capsys.readouterr().out
    send(Job(tmp_path, "disabled"), console, broken)
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_images_and_verdicts_made_by_two_commands_are_one_lineage(tmp_path: Path) -> None:
    common = [f"paths.output={tmp_path}", "tracking=wandb_offline", "tracking.samples=3", "tracking.group=study"]
    sizes = ["problems.textbook=4", "problems.glance=2", "problems.held_out=0", "gallery=0"]
    generate.run(composed("generate", *common, *sizes))
    evaluate.run(composed("evaluate", *common, "evaluators=[glassbox]"))
    by_job = {run.job_type: run for run in read_runs(tmp_path)}
    made, judged = by_job["generate"], by_job["evaluate"]
    assert {made.group, judged.group} == {"study"}
    problems, images, scores = "problems", "images-procedural", "scores-procedural-glassbox"
    assert (set(made.used), set(made.made)) == ({problems}, {images})
    assert (set(judged.used), set(judged.made)) == ({problems, images}, {scores})
    assert judged.used[images]["digest"] == made.made[images]["digest"]
    check_hashes(tmp_path / "sets", made, judged)
    pictures = {i.image for i in iter_records(tmp_path / "sets" / "procedural", GeneratedImage)}
    rows = judged.tables["samples"]
    assert len(rows) == 3
    assert {row["image"]["sha256"] for row in rows} <= pictures
    words = {v.problem_id: v for v in iter_records(tmp_path / "sets/verdicts/procedural/glassbox", Verdict)}
    for row in rows:
        passed = "passed" if words[row["problem_id"]].passed else "not passed"
        assert row["verdict"].startswith(f"glassbox: scored, {passed}")
    assert made.summary["by_status/ok"] == 6


def check_hashes(sets: Path, made: OfflineRun, judged: OfflineRun) -> None:
    """Each artifact has its set's hash, and names those it was made from."""
    hashes = []
    for folder in ("problems", "procedural", "verdicts/procedural/glassbox"):
        manifest = read_manifest(sets / folder)
        assert manifest is not None
        hashes.append(manifest.set_hash)
    found = [made.used["problems"], made.made["images-procedural"], judged.made["scores-procedural-glassbox"]]
    assert [a["metadata"]["hash"] for a in found] == hashes
    assert found[1]["metadata"]["made_from"] == [f"problem-set/problems@{hashes[0][:12]}"]
    assert found[2]["metadata"]["made_from"] == [f"image-set/images-procedural@{hashes[1][:12]}"]
