"""What a training run on GPUs would do: sizes, files, time and cost, before anything starts.

It reads verl's merged config as a plain mapping and looks at which files exist; it starts nothing, and it does not
check verl's keys (`scigen.training.trainer.compose` does).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scigen.errors import ScigenError
from scigen.evaluation import verdict_set
from scigen.store import MANIFEST
from scigen.training.run_estimate import Assumptions, Estimate, estimate, validations_in


@dataclass(frozen=True)
class InputFile:
    """A set or file that the run reads."""

    what: str
    path: Path
    command: str
    """Makes it, word for word."""
    rows: int | None = None
    """How many it should hold, where that is known."""

    @property
    def exists(self) -> bool:
        """A set counts as there once its manifest, which is written last, is there."""
        return self.path.is_file() or (self.path / MANIFEST).is_file()


@dataclass(frozen=True)
class Experiment:
    """What the run is about, beyond verl's keys."""

    name: str
    policy: str
    reward: str
    inputs: tuple[InputFile, ...]
    benchmarks: Mapping[str, int]
    """Data source -> number of problems."""
    images: int = 0
    """Images to be made for it, to price them."""
    usd_per_image: float = 0.0


@dataclass(frozen=True)
class Plan:
    """The run in figures."""

    experiment: Experiment
    val_only: bool
    steps: int
    batch: int
    rollouts: int
    learning_rate: float
    max_prompt: int
    max_response: int
    val_rollouts: int
    val_temperature: float
    validations: int
    policy_gpus: int
    verifier_gpus: int
    nodes: int
    output: Path
    estimate: Estimate
    assumed: Assumptions

    @property
    def responses(self) -> int:
        """Sampled in training, over all steps."""
        return 0 if self.val_only else self.steps * self.batch * self.rollouts

    @property
    def val_responses(self) -> int:
        """Sampled in one validation."""
        return sum(self.experiment.benchmarks.values()) * self.val_rollouts

    @property
    def usd_images(self) -> float:
        return self.experiment.images * self.experiment.usd_per_image


def describe_experiment(
    *,
    name: str,
    policy: str,
    reward: Mapping[str, Any],
    problems: Mapping[str, Any],
    generator: Mapping[str, Any],
    evaluators: Sequence[str],
    contamination: Sequence[str],
    benchmark: Mapping[str, Any],
    sets: Path,
    val_only: bool,
) -> Experiment:
    """The experiment from its config groups; each is the group's node as a plain mapping.

    A run reads, in the order in which they are made: problems, their verdicts against the benchmarks (only if some may
    not be trained on), images, verdicts on these (only if the filter needs any), and the benchmarks. The train set's
    parquet is made from them by the training command itself.

    Raises ScigenError when a group's option has no `command`, so cannot say where its data comes from.
    """
    inputs: list[InputFile] = []
    if not val_only:
        inputs.append(InputFile("problems", Path(_need(problems, "set", "problems")), problems["command"]))
        if contamination:
            what = f"verdicts against {' and '.join(contamination)}"
            inputs.append(InputFile(what, sets / "contamination", problems["command"]))
        maker = f"generator={generator['name']}"
        command = f"python scripts/generate.py {maker} problems=curated paths.sets={sets}"
        inputs.append(InputFile("images", sets / generator["name"], command))
        if evaluators:
            command = f"python scripts/evaluate.py {maker} evaluators=[{','.join(evaluators)}] paths.sets={sets}"
            for evaluator in evaluators:
                folder = verdict_set(sets, generator["name"], evaluator)
                inputs.append(InputFile(f"verdicts of {evaluator}", folder, command))
    command = _need(benchmark, "command", "benchmark")
    for source, path in benchmark["files"].items():
        inputs.append(InputFile(f"benchmark {source}", Path(path), command, benchmark["rows"][source]))
    return Experiment(
        name=name,
        policy=policy,
        reward=f"{reward['name']} ({reward['model']})" if reward.get("model") else str(reward["name"]),
        inputs=tuple(inputs),
        benchmarks=dict(benchmark["rows"]),
        images=0 if val_only else int(problems.get("max_items") or 0),
        usd_per_image=float(generator.get("usd_per_image", 0.0)),
    )


def make_plan(
    verl: Mapping[str, Any], experiment: Experiment, output: Path, assumed: Assumptions | None = None
) -> Plan:
    """The plan for verl's merged config.

    Raises ScigenError for sizes that verl accepts but that would not do what the config says.
    """
    assumed = assumed or Assumptions()
    data, trainer, rollout = verl["data"], verl["trainer"], verl["actor_rollout_ref"]["rollout"]
    reward_model = verl["reward"]["reward_model"]
    policy_gpus = trainer["nnodes"] * trainer["n_gpus_per_node"]
    verifier_gpus = reward_model["nnodes"] * reward_model["n_gpus_per_node"] if reward_model["enable"] else 0
    nodes = trainer["nnodes"]
    if verifier_gpus and trainer["n_gpus_per_node"] + reward_model["n_gpus_per_node"] > 8:
        nodes += reward_model["nnodes"]
    _check_sizes(verl, policy_gpus)
    val_only = bool(trainer["val_only"])
    steps = 0 if val_only else int(trainer["total_training_steps"])
    validations = 1 if val_only else validations_in(steps, trainer["test_freq"], trainer["val_before_train"])
    val = rollout["val_kwargs"]
    return Plan(
        experiment=experiment,
        val_only=val_only,
        steps=steps,
        batch=data["train_batch_size"],
        rollouts=rollout["n"],
        learning_rate=float(verl["actor_rollout_ref"]["actor"]["optim"]["lr"]),
        max_prompt=data["max_prompt_length"],
        max_response=data["max_response_length"],
        val_rollouts=val["n"],
        val_temperature=val["temperature"],
        validations=validations,
        policy_gpus=policy_gpus,
        verifier_gpus=verifier_gpus,
        nodes=nodes,
        output=output,
        assumed=assumed,
        estimate=estimate(
            steps=steps,
            responses_per_step=data["train_batch_size"] * rollout["n"],
            max_response=data["max_response_length"],
            validations=validations,
            responses_per_validation=sum(experiment.benchmarks.values()) * val["n"],
            checkpoints=steps // trainer["save_freq"] if trainer["save_freq"] > 0 else 0,
            policy_gpus=policy_gpus,
            gpus=policy_gpus + verifier_gpus,
            assumed=assumed,
        ),
    )


def _need(node: Mapping[str, Any], key: str, group: str) -> str:
    if key in node:
        return str(node[key])
    raise ScigenError(
        f'{group}: "{node.get("name", node.get("_target_"))}" does not say where its data lies (no "{key}"). '
        f"Choose an option of conf/{group} that is made for runs on GPUs."
    )


def _check_sizes(verl: Mapping[str, Any], policy_gpus: int) -> None:
    actor, rollout = verl["actor_rollout_ref"]["actor"], verl["actor_rollout_ref"]["rollout"]
    update = actor["ppo_mini_batch_size"] * rollout["n"]
    if update % policy_gpus:
        raise ScigenError(
            f"verl.trainer: {policy_gpus} GPUs do not divide the {update} responses of one update, and verl would pad "
            f"the batch to a common multiple and make several updates of it. Use {_divisors(update, policy_gpus)} GPUs."
        )
    reward_model = verl["reward"]["reward_model"]
    if reward_model["enable"] and not reward_model["enable_resource_pool"]:
        raise ScigenError(
            "verl.reward.reward_model.enable_resource_pool: false shares the policy's GPUs, and there verl 0.9.1 does "
            "not hand the ground truth to the reward function. Set it to true, with nnodes and n_gpus_per_node."
        )


def _divisors(update: int, near: int) -> str:
    known = [d for d in range(1, update + 1) if update % d == 0]
    below, above = max(d for d in known if d < near), min((d for d in known if d > near), default=update)
    return f"{below} or {above}"


def require_rows(train_set: Path, rows: int, batch: int) -> None:
    """Raise ScigenError when a train set does not fill one batch: verl drops what does not, and then has none."""
    if rows < batch:
        raise ScigenError(
            f"{train_set}: {rows} training rows are fewer than one batch of {batch}. Use more problems or a milder "
            "filter, or lower verl.data.train_batch_size and verl.actor_rollout_ref.actor.ppo_mini_batch_size."
        )


def missing_data(plan: Plan) -> list[InputFile]:
    """Inputs that are not there, in the order in which they must be made."""
    return [i for i in plan.experiment.inputs if not i.exists]


def require_data(plan: Plan) -> None:
    """Raise ScigenError with the commands, in order, that make what is missing."""
    missing = missing_data(plan)
    if not missing:
        return
    commands = list(dict.fromkeys(i.command for i in missing))
    lines = [f"experiment {plan.experiment.name}: {len(missing)} of {len(plan.experiment.inputs)} inputs are missing:"]
    lines += [f"  {i.what}: {i.path}" for i in missing]
    lines += [
        "Run, in this order:",
        *(f"  {c}" for c in commands),
        f"  python train.py +experiment={plan.experiment.name}",
    ]
    raise ScigenError("\n".join(lines))
