"""The whole chain on one machine, stage by stage; every stage goes on where it was stopped.

problems -> images -> checks -> train set -> warm start -> verl (GRPO, AVG@4) -> report
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from rich.table import Table

from scigen.app import outcome, scores
from scigen.app.laptop_sets import make_sets, needs_sharp_eyes
from scigen.app.scores import Scores
from scigen.app.settings import Settings, TinyPolicy
from scigen.app.stages import CONSOLE, Sets, Stages
from scigen.app.tracking_training import log_training
from scigen.training.policy.warm_start import REPORT, Supervised


def warm_start(settings: Settings, policy: TinyPolicy, sets: Sets, stages: Stages) -> Path:
    """Build the tiny policy and give it its supervised start; returns the folder of the started policy."""
    from transformers.utils.logging import disable_progress_bar

    from scigen.training.policy import tiny
    from scigen.training.policy.warm_start import warm_start as train

    disable_progress_bar()  # a bar for each of our small files says nothing
    with stages.stage("warm start"):
        label = sets.warm_up.name.removeprefix("trainset-").removeprefix("warm-up-")
        init, warm = settings.paths.policy / "init", settings.paths.policy / f"warm-{label}"
        glance = [p for p in sets.problems if needs_sharp_eyes(p) is None]
        asked = {p.multimodal_question for p in glance}  # held-out rows always ask it
        if settings.trainset.asked == "original":
            asked |= {p.question for p in glance}
        questions = sorted({settings.trainset.prompt.format(question=text) for text in asked})
        tiny.build(init, questions, sorted({p.answer for p in glance}), settings.seed)
        recipe = Supervised(policy.warm_start_steps, policy.warm_start_lr, policy.warm_start_batch)
        report = train(init, sets.warm_up / "train.parquet", warm, recipe, settings.seed)
        CONSOLE.print(
            f"{report.steps} steps on {report.rows} rows in {report.seconds:.0f} s, "
            f"loss {report.loss_first:.2f} -> {report.loss_last:.2f} nats a token; {warm}"
        )
    return warm


def verl_overrides(settings: Settings, sets: Sets, start: Path) -> dict[str, Any]:
    """The experiment's `verl:` node with the files of this run filled in."""
    from omegaconf import OmegaConf

    folder = settings.paths.output / "verl"
    files = {
        "data": {
            "train_files": [str((sets.trainset / "train.parquet").resolve())],
            "val_files": [str((sets.trainset / f"{n}.parquet").resolve()) for n in ("held_out", "held_out_blank")],
            "seed": settings.seed,
        },
        "actor_rollout_ref": {"model": {"path": str(start.resolve())}},
        "trainer": {
            "default_local_dir": str((folder / "checkpoints").resolve()),
            "validation_data_dir": str((folder / "generations").resolve()),
        },
    }
    merged = OmegaConf.to_container(OmegaConf.merge(settings.verl, files))
    assert isinstance(merged, dict)
    return {str(k): v for k, v in merged.items()}


def run(settings: Settings, policy: TinyPolicy, stages: Stages) -> None:
    """The chain from problems to report; ends with the closing table."""
    sets = make_sets(settings, stages)
    start = warm_start(settings, policy, sets, stages)
    train = supervised if policy.training == "supervised" else grpo
    by_step, words = train(settings, policy, sets, start, stages)
    with stages.stage("report"):
        found = scores.measurements(by_step, families(sets), warm_note(start), words)
        beside, differences = scores.compared(settings, by_step, families(sets))
        parameters = count_parameters(start)
        policy_words = f"a tiny Qwen3-VL of {parameters / 1e6:.1f} million parameters, built from scratch"
        run_results = outcome.results(
            settings,
            sets,
            [*found, *beside],
            [*scores.differences(by_step), *differences],
            stages.seconds,
            policy_words,
            parameters,
        )
        outcome.finish(settings, run_results)
    log_training(settings, sets.trainset, settings.paths.output / "verl", run_results)


def grpo(settings: Settings, policy: TinyPolicy, sets: Sets, start: Path, stages: Stages) -> tuple[Scores, str]:
    """verl from the warm-started policy; AVG@4 from its validations before, during and after."""
    from scigen.training.trainer.run import run as train

    folder = settings.paths.output / "verl"
    overrides = with_verifier(settings, sets, verl_overrides(settings, sets, start))
    with stages.stage("verl"):
        train(overrides, folder, cpu=True, hooks=settings.reward.get("hooks", ()))
    return scores.read_all(folder / "generations"), "GRPO"


def with_verifier(settings: Settings, sets: Sets, overrides: dict[str, Any]) -> dict[str, Any]:
    """The overrides; a verifier that verl is to serve on this machine is built first."""
    served = overrides["reward"].get("reward_model", {})
    if not served.get("enable"):
        return overrides
    from scigen.training.policy import tiny_verifier

    folder = Path(served["model_path"]).resolve()
    texts = sorted({p.multimodal_question for p in sets.problems} | {p.answer for p in sets.problems})
    tiny_verifier.build(folder, texts, settings.seed)
    served["model_path"] = str(folder)
    return overrides


def supervised(settings: Settings, policy: TinyPolicy, sets: Sets, start: Path, stages: Stages) -> tuple[Scores, str]:
    """More supervised steps instead of GRPO, for the same seconds; both ends are validated by verl."""
    from scigen.training.policy.warm_start import continue_supervised
    from scigen.training.trainer.run import run as train

    recipe = Supervised(policy.warm_start_steps, policy.warm_start_lr, policy.warm_start_batch)
    longer = settings.paths.policy / f"supervised-{policy.supervised_seconds:.0f}s"
    with stages.stage("supervised"):
        if not (longer / REPORT).exists():
            parquet = sets.trainset / "train.parquet"
            continue_supervised(start, parquet, longer, policy.supervised_seconds, recipe, settings.seed + 1)
    by_step = {}
    for step, (name, model) in enumerate((("before", start), ("after", longer))):
        overrides = verl_overrides(settings, sets, model)
        folder = settings.paths.output / f"verl-{name}"
        overrides["trainer"] |= {"val_only": True, "validation_data_dir": str((folder / "generations").resolve())}
        with stages.stage(f"validation {name}"):
            train(overrides, folder, cpu=True)
        by_step[step] = scores.read_all(folder / "generations")[0]
    return by_step, "more supervised steps"


def families(sets: Sets) -> dict[str, str]:
    """Family of each problem."""
    return {p.id: p.procedure.family for p in sets.problems if p.procedure}


def warm_note(start: Path) -> str:
    """What the warm start was, in words."""
    report = json.loads((start / REPORT).read_bytes())
    return f"the warm start: {report['steps']} supervised steps, {report['seconds']:.0f} s"


def count_parameters(model: Path) -> int:
    """Of a checkpoint in safetensors files, from their headers."""
    from safetensors import safe_open

    total = 0
    for path in model.glob("*.safetensors"):
        with safe_open(path, framework="numpy") as f:
            total += sum(math.prod(f.get_slice(name).get_shape()) for name in f.keys())  # noqa: SIM118
    return total


def plan_table(settings: Settings, policy: TinyPolicy, verl: dict[str, Any]) -> Table:
    """What the run would do."""
    trainer, data, rollout = verl["trainer"], verl["data"], verl["actor_rollout_ref"]["rollout"]
    p = settings.problems
    shown = "no" if settings.trainset.shown == "none" else settings.trainset.shown
    steps, batch, n = trainer["total_training_steps"], data["train_batch_size"], rollout["n"]
    table = Table(title=f"plan of {settings.name}: nothing is started", show_header=False, title_justify="left")
    rows = {
        "problems": ", ".join(f"{k} {p[k]}" for k in ("textbook", "glance", "held_out") if k in p),
        "images": f"{settings.generator.get('name')}, drawn in the sandbox",
        "train set": f"{shown} images, filter {', '.join(settings.filter['evaluators']) or 'none'}",
        "warm start": f"{policy.warm_start_steps} supervised steps of {policy.warm_start_batch} rows",
        "training": f"GRPO, {steps} steps of {batch} prompts x {n} rollouts: {steps * batch * n:,} responses"
        if policy.training == "grpo"
        else f"supervised, {policy.supervised_seconds:.0f} s",
        "tokens": f"at most {data['max_prompt_length']} a prompt, {data['max_response_length']} a response",
        "validation": f"AVG@{rollout['val_kwargs']['n']} at temperature {rollout['val_kwargs']['temperature']}, "
        f"every {trainer['test_freq']} steps",
        "GPUs": "none",
        "time and cost": "about 10 minutes on 2 cores; no calls, no money",
        "output": str(settings.paths.output),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table
