"""verl's synchronous trainer, watched: hooks after each step, and a stop in the middle of a run that loses nothing.

verl 0.9.1 has no hook that sees a step's metrics, and none to end early, so the run's trainer is a subclass that stands
in its registry's place of "sync". The same on CPUs and GPUs. It decides nothing about learning.

A hook is a class that is made once, in the trainer's process, as `cls(run, **arguments)` with `run` a `WatchedRun`, and
has `after_step(step, metrics)`. Hooks are listed as `reward.hooks: [{_target_: package.module.Class, every: 20}]`.
To stop, create the file `stop` in the run's folder (`request_stop`): after the step under way a checkpoint is written,
and the run ends in order.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from scigen.training.trainer import reward_metrics

NODE = "scigen"
"""Of the merged config file: what is ours and not verl's."""
STOP = "stop"


@dataclass(frozen=True)
class WatchedRun:
    """What a hook may know of the run."""

    folder: Path
    verl: Mapping[str, Any]
    """The whole merged configuration."""
    reward_router: str | None
    """`host:port` of verl's router to the reward model's servers, if it serves one."""


class StepHook(Protocol):
    """Looks at each step after verl has computed its metrics and before they are logged."""

    def after_step(self, step: int, metrics: dict[str, Any]) -> None:
        """May add metrics (floats). An exception is printed and counted in `hooks/failed`; the training goes on."""


def node(folder: Path, hooks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the config file says to this module."""
    return {"run_dir": str(folder.resolve()), "hooks": [dict(hook) for hook in hooks]}


def request_stop(folder: Path) -> None:
    """Ask the run in `folder` to write a checkpoint after the step under way and to end."""
    (folder / STOP).touch()


def runner() -> Any:
    """verl's task runner as a Ray actor class, with the watched trainer in it."""
    import ray
    from verl.trainer.main_ppo import TaskRunnerV1

    inner = TaskRunnerV1.__ray_metadata__.modified_class

    @ray.remote
    class WatchedTaskRunner:
        def run(self, config: Any) -> None:
            from scigen.training.trainer import watched

            watched.install()
            inner().run(config)

    return WatchedTaskRunner


def install() -> None:
    """Put the watched trainer in the place of verl's "sync"; in this process only."""
    from verl.trainer.ppo.v1.trainer_base import TRAINER_REGISTRY

    from scigen.training.trainer import patches

    patches.repeated_bootstraps()  # on GPUs, too: minutes a validation, with a reward that says as much as a verifier's
    TRAINER_REGISTRY["sync"] = _trainer()


def _trainer() -> type:
    from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync
    from verl.utils.debug import marked_timer

    class WatchedTrainer(PPOTrainerSync):  # type: ignore[misc]
        total_training_steps: int

        def on_train_begin(self) -> None:
            super().on_train_begin()
            from omegaconf import OmegaConf

            whole: Any = OmegaConf.to_container(self.config, resolve=True)
            self.run_dir = Path(whole[NODE]["run_dir"])
            router = getattr(self.reward_loop_manager, "reward_router_address", None)
            self.hooks = build_hooks(whole[NODE]["hooks"], WatchedRun(self.run_dir, whole, router))

        def on_step_end(self) -> None:
            if (self.run_dir / STOP).exists():
                self._stop_here()
            super().on_step_end()

        def _stop_here(self) -> None:
            every, last = self.config.trainer.save_freq, self.global_steps >= self.total_training_steps
            if not (every > 0 and (last or self.global_steps % every == 0)):  # else it has just been written
                with marked_timer("save_checkpoint", self.timing_raw, color="green"):
                    self._save_checkpoint()
            self.total_training_steps = self.global_steps  # the loop ends after this step

        def _compute_metrics(self, batch: Any, metrics: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            super()._compute_metrics(batch, metrics, *args, **kwargs)
            try:
                rows = reward_metrics.of_batch(batch, self.tokenizer.decode)
                metrics.update(reward_metrics.means(rows))
                reward_metrics.write(rows, self.run_dir, self.global_steps)
            except Exception:  # as with hooks: a full disk here must not end the training
                traceback.print_exc()
            call_hooks(self.hooks, self.global_steps, metrics)

    return WatchedTrainer


def build_hooks(nodes: Sequence[Mapping[str, Any]], run: WatchedRun) -> list[StepHook]:
    """The hooks of a run, in their order."""
    made: list[StepHook] = []
    for each in nodes:
        module, _, name = str(each["_target_"]).rpartition(".")
        arguments = {k: v for k, v in each.items() if k != "_target_"}
        made.append(getattr(import_module(module), name)(run, **arguments))
    return made


def call_hooks(hooks: Sequence[StepHook], step: int, metrics: dict[str, Any]) -> None:
    """Each hook in its turn; one that fails does not keep the others from looking, nor the training from going on."""
    failed = 0
    for hook in hooks:
        try:
            hook.after_step(step, metrics)
        except Exception:  # whatever a hook does, hours of training are not its to lose
            failed += 1
            traceback.print_exc()
    if hooks:
        metrics["hooks/failed"] = float(failed)
