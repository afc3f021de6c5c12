"""The hook that watches the verifier while it rewards: canaries every n steps, the alarm at every step.

Listed as `reward.hooks: [{_target_: scigen.training.verifier.watch.VerifierWatch, every: 10}]`. It only looks: rewards
and training are not touched. Writes below the run's folder `verifier/canaries.jsonl`, `verifier/steps.jsonl` (what the
alarm compares, read again on a resume) and `verifier/alarms.jsonl`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from scigen.training.trainer.watched import WatchedRun
from scigen.training.verifier import alarm, canaries, settings
from scigen.training.verifier.client import Verifier


class VerifierWatch:
    """Measures the verifier that the run's rewards come from. Raises ScigenError when the run has none."""

    def __init__(self, run: WatchedRun, every: int = 10) -> None:
        chosen = settings.of_config(run.verl)
        if chosen is None:
            raise ValueError("VerifierWatch: this run's reward asks no verifier; take it out of reward.hooks")
        self.settings, self.router, self.every = chosen, run.reward_router, every
        self.tokenizer = _tokenizer(run) if run.reward_router and chosen.endpoint is None else None
        self.folder = run.folder / "verifier"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.steps = {s.step: s for s in _read_steps(self.folder / "steps.jsonl")}
        self.looked = False

    def after_step(self, step: int, metrics: dict[str, Any]) -> None:
        """Adds `reward/rule_agreement`, `alarm/...`, and every n steps and at the first of a start `canary/...`."""
        self._compare(step, metrics)
        if not self.looked or step % self.every == 0:
            self.looked = True
            metrics.update(self._canaries(step))

    def _compare(self, step: int, metrics: dict[str, Any]) -> None:
        seen = alarm.Seen(
            step, *(float(metrics[f"reward/{key}"]) for key in ("score", "paid_decidable", "paid_agreed"))
        )
        self.steps = {s: self.steps[s] for s in sorted(self.steps) if s < step} | {step: seen}
        _append(self.folder / "steps.jsonl", [asdict(seen)])
        if seen.agreement is not None:
            metrics["reward/rule_agreement"] = seen.agreement
        judgement = alarm.judge_run(list(self.steps.values()))
        hacked = judgement is not None and judgement.alarm
        asked = float(metrics["reward/asked"])
        silent = float(metrics["reward/unparsed"]) + float(metrics["reward/verifier_error"])
        failing = asked > 0 and silent / asked > alarm.FAILING
        metrics["alarm/reward_hacking"], metrics["alarm/verifier_failing"] = float(hacked), float(failing)
        if hacked and judgement is not None:
            self._warn(step, "reward_hacking", judgement.words())
        if failing:
            share = f"{100 * silent / asked:.1f} % of the responses asked about have no verdict"
            self._warn(step, "verifier_failing", f"{share}, and earn nothing: see `reply` in rewards/{step}.jsonl")

    def _warn(self, step: int, kind: str, words: str) -> None:
        print(f"WARNING step {step}: {kind}: {words}", flush=True)
        _append(self.folder / "alarms.jsonl", [{"step": step, "alarm": kind, "words": words}])

    def _canaries(self, step: int) -> dict[str, float]:
        async def ask() -> list[canaries.Sighting]:
            async with Verifier(self.settings, self.router) as verifier:
                return await canaries.measure(verifier, self.tokenizer)

        with ThreadPoolExecutor(1) as thread:  # verl's process may have an event loop of its own
            sightings = thread.submit(asyncio.run, ask()).result()
        _append(self.folder / "canaries.jsonl", [s.record(step) for s in sightings])
        results = canaries.by_kind(sightings)
        Console(width=100).print(canaries.table(results, f"canaries of the verifier at step {step}"))
        return canaries.metrics(results)


def _tokenizer(run: WatchedRun) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(run.verl["reward"]["reward_model"]["model_path"])


def _read_steps(path: Path) -> list[alarm.Seen]:
    """Of a step that was done twice (before and after a resume) the later line comes later, so it wins."""
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines(keepends=True)
    return [alarm.Seen(**json.loads(line)) for line in lines if line.endswith(b"\n")]


def _append(path: Path, records: Iterable[dict[str, Any]]) -> None:
    with path.open("a", encoding="utf-8") as f:
        f.write("".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records))
