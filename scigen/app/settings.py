"""The main job's configuration as typed, closed settings: an unknown key is an error that names the nearest one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from hydra.utils import get_class
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scigen.errors import ScigenError, nearest


class Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TinyPolicy(Closed):
    """A tiny Qwen3-VL that is built here and trained on a CPU."""

    kind: Literal["tiny"]
    warm_start_steps: int = Field(ge=0)
    warm_start_lr: float = Field(gt=0)
    warm_start_batch: int = Field(gt=0)
    training: Literal["grpo", "supervised"] = "grpo"
    """What follows the warm start; `supervised` is the comparison at equal time."""
    supervised_seconds: float = Field(default=0, ge=0)


class HubPolicy(Closed):
    """A published checkpoint, trained on GPUs."""

    kind: Literal["hub"]
    model: str


class TrainSet(Closed):
    """How rows are made from problems and images."""

    shown: Literal["real", "blank", "shuffled"] = "real"
    prompt: str = "{question}"


class Tracking(Closed):
    project: str
    mode: Literal["offline", "online", "disabled"]


class Paths(Closed):
    output: Path
    sets: Path
    policy: Path


class Settings(Closed):
    """Everything that `train.py` reads. Nodes with a `_target_` stay plain until `build` makes them."""

    name: str
    seed: int
    dry_run: bool
    compare: tuple[Path, ...] = ()
    problems: dict[str, Any]
    generator: dict[str, Any]
    filter: dict[str, Any]
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
    target = get_class(node["_target_"])
    known = [f.name for f in fields(target)] if is_dataclass(target) else _parameters(target)
    for key in arguments:
        if key not in known:
            raise ScigenError(f'no key "{where}.{key}": {nearest(key, known)}')
    try:
        return target(**arguments)
    except TypeError as e:
        raise ScigenError(f"{where}: {e}. It takes {', '.join(known)}.") from e


def _parameters(target: type) -> list[str]:
    return list(inspect.signature(target).parameters)
