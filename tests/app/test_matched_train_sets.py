"""Without GPUs an experiment makes its train set, and the matched ablations take size and problems from it."""

from __future__ import annotations

import io
from pathlib import Path

import datasets
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from PIL import Image

from scigen.app import cluster
from scigen.app.settings import HubPolicy, Settings, parse_as
from scigen.app.stages import Stages
from scigen.app.train import merged
from scigen.errors import ScigenError
from scigen.evaluation import verdict_set
from scigen.records import GeneratedImage, Problem, Status, Verdict
from scigen.store import SetWriter
from scigen.training.policy import tiny
from scigen.training.rows import Row, verl_row, write_parquet

CONF = Path(__file__).parents[2] / "conf"
QUESTION = "How many dots are there?"
RIGHT = {"p0", "p2", "p3", "p5", "p7"}
"""Problems whose image of nanobanana_pro the judge finds correct."""


def png(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (256, 256), (shade, 0, 0)).save(out, format="PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight problems, images of two generators, verdicts on those of one, two benchmarks, and a policy's processor."""
    root = tmp_path_factory.mktemp("matched")
    sets = root / "sets"
    problems = [
        Problem(id=f"p{i}", source="test", question=QUESTION, answer=str(i), multimodal_question=QUESTION)
        for i in range(8)
    ]
    with SetWriter(sets / "problems", Problem, "i") as w:
        for problem in problems:
            w.append(problem)
        w.finish()
    for name in ("nanobanana_pro", "qwen_image"):
        with SetWriter(sets / name, GeneratedImage, "i") as w:
            for i, problem in enumerate(problems):
                sha = w.put_image(png(10 * i))
                w.append(GeneratedImage(problem_id=problem.id, generator=name, status=Status.OK, image=sha))
            w.finish()
    for evaluator in ("judge", "inverse"):
        with SetWriter(verdict_set(sets, "nanobanana_pro", evaluator), Verdict, "i") as w:
            for problem in problems:
                passed = evaluator == "inverse" or problem.id in RIGHT
                w.append(
                    Verdict(
                        problem_id=problem.id, generator="nanobanana_pro", evaluator=evaluator, status="scored",
                        passed=passed,
                    )
                )  # fmt: skip
            w.finish()
    image = GeneratedImage(problem_id="p0", generator="g", status=Status.OK, image="0" * 64)
    for stem in ("mathvision_mini", "geometry3k_test"):
        (sets / "benchmarks").mkdir(exist_ok=True)
        write_parquet(
            sets / "benchmarks" / f"{stem}.parquet", [verl_row(0, Row(problems[0], image, png(0)), stem, "{question}")]
        )
    tiny.build(root / "policy", [QUESTION], ["7"], 0)
    return root


def stopped(folder: Path, experiment: str) -> tuple[str, Path]:
    """Why the experiment does not go on to train, and where its train set would lie."""
    given = [
        f"+experiment={experiment}", f"paths.sets={folder}/sets", f"paths.output={folder}/{experiment}",
        f"policy.model={folder}/policy", "contamination=unchecked", "tracking=none",
        "verl.data.train_batch_size=1", "verl.actor_rollout_ref.actor.ppo_mini_batch_size=1",  # of a handful of rows
    ]  # fmt: skip
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = OmegaConf.to_container(compose("train", given), resolve=True)
    settings = parse_as(Settings, composed)  # type: ignore[arg-type]
    assert isinstance(settings.policy, HubPolicy)
    verl = merged(settings)
    plan = cluster.plan(settings, settings.policy, verl)
    with pytest.raises(ScigenError) as e:
        cluster.prepare(settings, Stages(settings.paths.output), plan, verl)
    (file,) = verl["data"]["train_files"]
    return str(e.value), Path(file)


def trained_on(folder: Path, experiment: str) -> list[str]:
    """Problems of the train set that is there when the experiment finds no GPUs."""
    error, file = stopped(folder, experiment)
    assert "GPUs and the experiment asks for 8 a node" in error
    rows = datasets.Dataset.from_parquet(str(file), keep_in_memory=True)
    return sorted(row["extra_info"]["problem_id"] for row in rows)


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.device_count() >= 8, reason="this machine has the GPUs, and would train")
def test_matched_sets_take_size_and_problems_from_the_filtered_one(folder: Path) -> None:
    error, _ = stopped(folder, "matched_problems")
    assert "problems of nanobanana_filt" in error
    assert "  python train.py +experiment=nanobanana_filt seed=0\n" in error
    assert trained_on(folder, "nanobanana_filt") == sorted(RIGHT)
    assert trained_on(folder, "matched_problems") == sorted(RIGHT)
    assert len(trained_on(folder, "matched_size")) == len(RIGHT)
    assert len(trained_on(folder, "nanobanana")) == 8
