"""verl's replay buffer with a short poll: it looks for finished rollouts every 2 s, which is a whole step here."""

from __future__ import annotations

from typing import Any

from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer


class FastReplayBuffer(ReplayBuffer):  # type: ignore[misc]
    """Set by `trainer.v1.sampler.custom_sampler`; verl has no config key for the interval."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("poll_interval", 0.05)
        super().__init__(*args, **kwargs)
