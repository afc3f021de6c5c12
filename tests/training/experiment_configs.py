"""Experiments as Hydra composes them."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

CONF = Path(__file__).parents[2] / "conf"


def composed(experiment: str, *overrides: str) -> dict[str, Any]:
    """The experiment's whole configuration as a plain mapping, resolved."""
    return copy.deepcopy(_composed(f"+experiment={experiment}", *overrides))


@cache
def _composed(*overrides: str) -> dict[str, Any]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = OmegaConf.to_container(compose("train", list(overrides)), resolve=True)
    assert isinstance(cfg, dict)
    return cfg
