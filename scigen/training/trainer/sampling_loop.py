"""verl's single-turn agent loop with a sampling parameter that verl's `val_kwargs` have no key for.

Named by `rollout.agent.default_agent_loop`, with its arguments in `agent_loops.yaml`. For vLLM and SGLang, which both
know `presence_penalty`; it holds for every rollout of the run, so it is for evaluations. The CPU rollout has a loop of
its own and does not take it.
"""

from __future__ import annotations

from typing import Any

from verl.experimental.agent_loop.agent_loop import AgentLoopOutput
from verl.experimental.agent_loop.single_turn_agent_loop import SingleTurnAgentLoop


class SamplingAgentLoop(SingleTurnAgentLoop):  # type: ignore[misc]
    """Adds the penalty for tokens that stand in the response already, -2 to 2, to each request."""

    def __init__(self, *args: Any, presence_penalty: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.presence_penalty = presence_penalty

    async def run(self, sampling_params: dict[str, Any], priority: int = 0, **kwargs: Any) -> AgentLoopOutput:
        return await super().run(sampling_params | {"presence_penalty": self.presence_penalty}, priority, **kwargs)
