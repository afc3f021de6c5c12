"""The main job's configuration as typed, closed settings: an unknown key is an error that names the nearest one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scigen.errors import ScigenError, nearest
from scigen.tracking import Mode
from scigen.training.pixel_budget import PixelBudget
from scigen.training.selection import Selection


class Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TinyPolicy(Closed):
    """A tiny Qwen3-VL that is built here and trained on a CPU."""

    kind: Literal["tiny"]
    warm_start_steps: int = Field(ge=0)
    warm_start_lr: float = Field(gt=0)
    warm_start_batch: int = Field(gt=0)
    warm_start_rows: int = Field(default=0, ge=0)
    """Training problems set apart for the warm start, the same whatever `trainset.size`; 0: it uses the train set."""
    training: Literal["grpo", "supervised"] = "grpo"
    """What follows the warm start; `supervised` is the comparison at equal time."""
    supervised_seconds: float = Field(default=0, ge=0)


class HubPolicy(Closed):
    """A published checkpoint, trained on GPUs."""

    kind: Literal["hub"]
    model: str
    pixels: PixelBudget
    """Of every image: train set, rollout and benchmarks."""


class TrainSet(Closed):
    """How rows are made from problems and images."""

    shown: Literal["real", "blank", "shuffled", "none"] = "real"
    asked: Literal["multimodal", "original"] = "multimodal"
    size: int | None = Field(default=None, ge=1)
    size_of: Path | None = None
    matched: Path | None = None
    prompt: str = "{question}"

    @property
    def selection(self) -> Selection:
        """Which of the rows that pass are taken."""
        return Selection(self.size, self.size_of, self.matched)

    @property
    def label(self) -> str:
        """For folders: such as "-blank" or "-size256"; "" when nothing is changed."""
        changed = [x for x, usual in ((self.shown, "real"), (self.asked, "multimodal")) if x != usual]
        return "".join(f"-{x}" for x in changed) + self.selection.label


class Tracking(Closed):
    """Where runs are logged (`scigen.tracking`)."""

    project: str
    mode: Mode
    group: str
    """W&B's group: the stages that belong together."""
    samples: int = Field(ge=0)
    """Rows of a stage's table of samples."""
    loggers: tuple[str, ...]
    """verl's."""


class Paths(Closed):
    output: Path
    sets: Path
    policy: Path


class Settings(Closed):
    """Everything that `train.py` reads. Nodes with a `_target_` stay plain until `build` makes them."""

    name: str
    seed: int
    dry_run: bool
    mode: Literal["train", "evaluate"] = "train"
    checkpoint: str | None = None
    """What `mode: evaluate` validates; None is the policy that training starts from."""
    compare: tuple[Path, ...] = ()
    problems: dict[str, Any]
    generator: dict[str, Any]
    filter: dict[str, Any]
    contamination: dict[str, Any]
    trainset: TrainSet
    policy: Annotated[TinyPolicy | HubPolicy, Field(discriminator="kind")]
    reward: dict[str, Any]
    benchmark: dict[str, Any]
    cluster: dict[str, Any]
    tracking: Tracking
    paths: Paths
    verl: dict[str, Any]


M = TypeVar("M", bound=Closed)


def parse_as(model: type[M], config: Mapping[str, Any]) -> M:
    """The composed config as `model`, or a ScigenError that names the wrong key and the nearest right ones."""
    try:
        return model.model_validate(config)
    except ValidationError as e:
        unknown = [item for item in e.errors() if item["type"] == "extra_forbidden"]
        if not unknown:
            raise
        path = [str(x) for x in unknown[0]["loc"]]
        named = [x for x in path if x not in ("tiny", "hub")]  # pydantic adds the policy's kind to the path
        raise ScigenError(f'no key "{".".join(named)}" in the configuration: {nearest(path[-1], _keys(path))}') from e


def _keys(path: list[str]) -> list[str]:
    """The keys that stand beside the last one of `path`."""
    nodes: dict[str, type[Closed]] = {
        "trainset": TrainSet,
        "tracking": Tracking,
        "paths": Paths,
        "tiny": TinyPolicy,
        "hub": HubPolicy,
    }
    return list((nodes[path[-2]] if len(path) > 1 else Settings).model_fields)


def build(node: Mapping[str, Any], where: str) -> Any:
    """The object that a `_target_` node describes; unknown and missing arguments are errors with the nearest names."""
    arguments = {k: v for k, v in node.items() if k != "_target_"}
    if "_target_" not in node:
        raise ScigenError(f"{where}: no _target_. Choose one of the options of conf/{where}.")
    target = _target(node["_target_"], where)
    known = [f.name for f in fields(target)] if is_dataclass(target) else _parameters(target)
    for key in arguments:
        if key not in known:
            raise ScigenError(f'no key "{where}.{key}": {nearest(key, known)}')
    try:
        return target(**arguments)
    except TypeError as e:
        raise ScigenError(f"{where}: {e}. It takes {', '.join(known)}.") from e


def _target(name: str, where: str) -> type:
    module, _, attribute = name.rpartition(".")
    try:
        found: type = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as e:
        raise ScigenError(
            f"{where}._target_: there is no class {name} ({e}). Mend the name, or put the folder that its file lies in "
            "on PYTHONPATH."
        ) from e
    return found


def _parameters(target: type) -> list[str]:
    return list(inspect.signature(target).parameters)
