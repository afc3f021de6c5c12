"""`python -m scigen.training.trainer.main CONFIG`: runs verl's own PPO trainer on a merged config file.

A process of its own, started by `launch`, because verl reads its platform from the environment when it is imported.
"""

from __future__ import annotations

import os
import sys

from scigen.ray_start import patiently

FORWARDED = ("VERL_", "WANDB_", "HF_", "OMP_", "TOKENIZERS_")
SECRETS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


def main(path: str) -> None:
    """Train or evaluate as the file says."""
    from omegaconf import OmegaConf
    from verl.trainer.main_ppo import run_ppo

    from scigen.training.trainer import watched

    config = OmegaConf.load(path)
    OmegaConf.update(config, "ray_kwargs.ray_init.runtime_env.env_vars", settings_of_ours(), force_add=True)
    patiently(lambda: run_ppo(config, task_runner_class=watched.runner()))


def settings_of_ours() -> dict[str, str]:
    """For the workers of a Ray cluster that was started before this process; secrets are the cluster's to have."""
    return {k: v for k, v in os.environ.items() if k.startswith(FORWARDED) and not k.endswith(SECRETS)}


if __name__ == "__main__":
    main(sys.argv[1])
