"""Starts verl as a child process and watches it: one config file in, checkpoints, metrics and a log out.

A process of its own because verl reads its platform when it is imported, and because a run must leave nothing behind:
it dies with its parent, and two runs on one machine do not meet (each has its own Ray in its own folder).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from scigen.errors import ScigenError
from scigen.store import write_atomic
from scigen.tracking import JobType, run_environment
from scigen.training.trainer import run_metrics, watched
from scigen.training.trainer.stop_signals import stopping_at_signals

KEEPER, MAIN = "scigen.training.trainer.keeper", "scigen.training.trainer.main"
TAIL_LINES = 30
RAY_FOLDER = "sg-ray-"
"""Below the temporary folder and short: Ray's socket paths must stay under 108 characters."""

CPU_ENV = {
    "VERL_PLATFORM": "cpu",
    "VERL_ENGINE_DEVICE": "cuda",  # the FSDP engine is registered for CUDA; on the CPU platform it runs as it is
    "VERL_USE_EXTERNAL_MODULES": "scigen.training.trainer.plugin",
    "HF_HUB_OFFLINE": "1",
}
COMMON_ENV = {
    "TOKENIZERS_PARALLELISM": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "PYTHONUNBUFFERED": "1",
}


class RunStopped(ScigenError):
    """The run was asked to end early and did; nothing is lost."""

    exit_status = 75
    """EX_TEMPFAIL of sysexits.h; slurm/prologue.sh puts such a job back into the queue."""

    def __init__(self, step: int, total: int) -> None:
        super().__init__(f"stopped as asked at step {step} of {total}. Run the same command again to go on.")
        self.step = step


def train(
    verl_config: Mapping[str, Any], run_dir: Path, cpu: bool, log: Path, hooks: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Run verl on a composed config until it ends; run again to resume from the last checkpoint.

    Writes `verl_config.yaml`, `metrics.jsonl` (one line a step) and `metrics/` below `run_dir`, verl's output to `log`.
    `trainer.default_local_dir` and `validation_data_dir` are the caller's to set. `hooks` look at every step
    (`watched`). SIGUSR1, SIGUSR2 and SIGTERM ask it to stop (`stop_signals`).

    Raises RunStopped when it ended early because it was asked to, and ScigenError with the end of the log when verl
    fails or stops before its last step.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    (run_dir / watched.STOP).unlink(missing_ok=True)
    config = dict(verl_config) | {watched.NODE: watched.node(run_dir, hooks)}
    path = run_dir / "verl_config.yaml"
    write_atomic(path, yaml.safe_dump(config, sort_keys=False).encode())
    attempt = run_metrics.new_attempt(run_dir)
    log.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale_ray_folders()
    ray_folder = Path(tempfile.mkdtemp(prefix=f"{RAY_FOLDER}{os.getpid()}-"))
    try:
        with log.open("ab") as out:
            began = out.tell()
            child = subprocess.Popen(
                [sys.executable, "-m", KEEPER, str(os.getpid()), sys.executable, "-m", MAIN, str(path)],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=tracked_run(config, run_dir) | environment(cpu, attempt, None if joins(config) else ray_folder),
                start_new_session=True,  # Ctrl-C reaches the parent, which ends the child in order
            )
            with stopping_at_signals(run_dir):
                try:
                    _watch(child, config, attempt)
                finally:
                    _end(child)
    finally:
        steps = run_metrics.merge(run_dir)
        shutil.rmtree(ray_folder, ignore_errors=True)
    if child.returncode != 0:
        raise ScigenError(f"verl ended with status {child.returncode}; the last of {log}:\n{tail(log, began)}")
    total = config["trainer"].get("total_training_steps")
    if (run_dir / watched.STOP).exists() and total and max(steps, default=0) < total:
        raise RunStopped(max(steps, default=0), total)
    _check_complete(config, steps, log)


def tracked_run(config: Mapping[str, Any], run_dir: Path) -> dict[str, str]:
    """The W&B run that belongs to the folder, so that a resumed run goes on in it."""
    return run_environment(run_dir, JobType.EVALUATE if config["trainer"].get("val_only") else JobType.TRAIN)


def joins(config: Mapping[str, Any]) -> bool:
    """Whether the run joins a Ray cluster that somebody else has started."""
    return bool(config["ray_kwargs"]["ray_init"].get("address"))


def environment(cpu: bool, metrics: Path, ray_folder: Path | None) -> dict[str, str]:
    """The child's environment. What the user has set stays, except where a CPU run depends on it.

    `ray_folder` is of a Ray instance of its own; None where the run joins another.
    """
    env = COMMON_ENV | dict(os.environ)
    env["VERL_FILE_LOGGER_PATH"] = str(metrics.resolve())
    if "WANDB_API_KEY" not in env:
        env.setdefault("WANDB_MODE", "offline")
    if cpu:
        env |= CPU_ENV
        if ray_folder is not None:
            env["RAY_TMPDIR"] = str(ray_folder)
            env.pop("RAY_ADDRESS", None)
        # verl's processes take turns, so each may use all cores; a waiting thread must not spin on another's core.
        env.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
        env.setdefault("RAY_worker_niceness", "0")  # Ray's 15 would starve the run beside anything else
        env.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return env


def _watch(child: subprocess.Popen[bytes], config: Mapping[str, Any], attempt: Path) -> None:
    """Show progress until the child ends."""
    total = config["trainer"].get("total_training_steps")
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task("verl starts (about a minute)", total=total)
        size = -1
        while child.poll() is None:
            time.sleep(0.2)
            now = attempt.stat().st_size
            if now == size:
                continue
            size = now
            steps = run_metrics.read(attempt)
            if steps:
                last = max(steps)
                bar.update(task, completed=last, description=describe(last, steps[last]))


def describe(step: int, data: Mapping[str, Any]) -> str:
    """One line on a step, from verl's metrics."""
    parts = [f"step {step}"]
    if (reward := data.get("critic/score/mean")) is not None:
        parts.append(f"reward {reward:.3f}")
    if (seconds := data.get("timing_s/step")) is not None:
        parts.append(f"{seconds:.1f} s a step")
    validated = {m[1]: v for k, v in data.items() if (m := re.fullmatch(r"val-core/(.+)/acc/mean@\d+", k))}
    parts += [f"{source} {100 * value:.1f} %" for source, value in validated.items()]
    return "  ".join(parts)


def _end(keeper: subprocess.Popen[bytes]) -> None:
    """End verl if it still runs; the keeper ends whatever verl and its Ray have started."""
    keeper.terminate()
    keeper.wait()


def _remove_stale_ray_folders() -> None:
    """Logs and sockets of runs whose parent was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{RAY_FOLDER}*"):
        pid = folder.name.removeprefix(RAY_FOLDER).split("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def tail(log: Path, began: int = 0) -> str:
    """The last lines of the log that say something, from byte `began` on."""
    with log.open("rb") as f:
        f.seek(max(began, log.stat().st_size - 64_000))
        lines = [line[:500] for line in f.read().decode(errors="replace").splitlines() if line.strip()]
    return "\n".join(lines[-TAIL_LINES:])


def _check_complete(config: Mapping[str, Any], steps: Mapping[int, Any], log: Path) -> None:
    """verl ends without a word when its epochs run out before its steps, or when it resumes between two epochs."""
    trainer = config["trainer"]
    total = trainer.get("total_training_steps")
    if trainer.get("val_only"):
        if not steps:
            raise ScigenError(f"verl validated nothing: trainer.val_before_train must be true. See {log}.")
    elif total and max(steps, default=0) < total:
        raise ScigenError(
            f"verl stopped at step {max(steps, default=0)} of {total}, with trainer.total_epochs="
            f"{trainer.get('total_epochs')}. Set verl.trainer.total_epochs higher and run again. See {log}."
        )
