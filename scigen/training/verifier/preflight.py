"""Asks an endpoint for one verdict before a run starts, so that a wrong address or key costs seconds and not a night.

verl's own verifier cannot be asked before verl has started; there the first step's canaries tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from scigen.errors import ScigenError
from scigen.training.verifier.client import Reply, Verifier
from scigen.training.verifier.prompt import build_prompt, room
from scigen.training.verifier.settings import VerifierSettings, of_config

PATIENCE_S = 60.0


def preflight(verl: Mapping[str, Any]) -> None:
    """Raise ScigenError when the merged configuration's verifier is an endpoint that gives no reply of any kind.

    What it replies is not judged here: that is the canaries' work.
    """
    settings = of_config(verl)
    if settings is None or settings.endpoint is None:
        return
    reply = asyncio.run(_ask(settings))
    if reply.text is None:
        raise ScigenError(
            f"reward.endpoint: {settings.endpoint} gives no verdict ({reply.error}). Start the verifier, or mend "
            "reward.endpoint, reward.model or the key in the variable that reward.key_env names."
        )


async def _ask(settings: VerifierSettings) -> Reply:
    quick = settings.model_copy(update={"deadline_s": min(settings.deadline_s, PATIENCE_S)})
    prompt = build_prompt("What is 2 + 2?", "4", "4", room(settings.context, settings.max_reply))
    async with Verifier(quick) as verifier:
        return await verifier.ask(prompt, "preflight")
