"""Memory, time and cost of a training on GPUs, for one cluster or several side by side; nothing is started.

    python -m scigen.training.plan +experiment=nanobanana_filt cluster=1x8,2x8,4x8

Takes what `train.py` takes. Ends with 2 after a user's error, with 1 when it warns that something will not fit.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from scigen.app import cluster, train
from scigen.app.cli import CONF, explain, open_verl_key
from scigen.app.settings import HubPolicy, Settings, parse_as
from scigen.app.stages import CONSOLE
from scigen.errors import ScigenError
from scigen.training.experiment_plan import Plan
from scigen.training.memory_plan import MemoryPlan
from scigen.training.memory_table import print_memory
from scigen.training.plan_table import print_plan


def plans(overrides: Sequence[str]) -> dict[str, tuple[Plan, MemoryPlan]]:
    """Plan and memory for each cluster that `cluster=a,b` names, or for the experiment's own.

    Raises ScigenError for an experiment that needs no GPU, and for what cannot run.
    """
    named = [o for o in overrides if o.startswith("cluster=")]
    rest = [open_verl_key(o) for o in overrides if not o.startswith("cluster=")]
    clusters = named[-1].removeprefix("cluster=").split(",") if named else [None]
    found = {}
    for name in clusters:
        settings = _settings([*rest, *([f"cluster={name}"] if name else [])])
        if not isinstance(settings.policy, HubPolicy):
            raise ScigenError(
                f"{settings.name}: a tiny policy, trained on a CPU; there is no memory to plan. Name an experiment for "
                "GPUs, such as +experiment=nanobanana_filt."
            )
        verl = train.merged(settings)
        run = cluster.plan(settings, settings.policy, verl)
        found[settings.cluster["name"]] = (run, cluster.memory(settings, settings.policy, verl))
    return found


def _settings(overrides: Sequence[str]) -> Settings:
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_container(compose("train", list(overrides)), resolve=True)
    assert isinstance(config, dict)
    return parse_as(Settings, {str(k): v for k, v in config.items()})


def main(overrides: Sequence[str]) -> int:
    """Print the plans; 1 when one of them warns, 2 after a user's error."""
    try:
        found = plans(overrides)
    except Exception as e:
        message = explain(e, "train")
        if message is None:
            raise
        print(f"error: {message}", file=sys.stderr)
        return 2
    if len(found) == 1:
        for run, _ in found.values():
            print_plan(run, CONSOLE)
    memories = {name: m for name, (_, m) in found.items()}
    print_memory(memories, CONSOLE, {name: run for name, (run, _) in found.items()})
    return int(any(m.warnings for m in memories.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
