"""How the verifier is reached and how long it is waited for: verl's `reward.custom_reward_function.reward_kwargs`.

`conf/reward/*.yaml` fill them from their own `reward:` node. No address means verl's own reward model server. A key is
never a setting: only the name of the environment variable that holds it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scigen.errors import ScigenError, nearest
from scigen.models.settings import check_address

FUNCTION = "pkg://scigen.training.verifier.reward"
"""`reward.custom_reward_function.path` of a reward that asks a verifier."""
JUDGE = "scigen.training.verifier.reward:compute_score"
"""`reward_kwargs.judge` of a control reward beside which a verifier judges."""
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{2,60}")


class VerifierSettings(BaseModel):
    """One verifier; times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str | None = None
    """Base address of an OpenAI-compatible service, e.g. https://host/v1; None: verl's reward model server."""
    model: str | None = None
    """Name that the service knows; None: the first one that it says it serves."""
    key_env: str | None = None
    """Environment variable that holds the service's key; None: no key is sent."""
    rule_first: bool = True
    """Pay what the rule is sure of without asking."""
    context: int = Field(default=32_768, ge=4_096)
    """Tokens that the verifier is served with."""
    max_reply: int = Field(default=64, ge=1)
    """Tokens of its reply: one letter, perhaps boxed."""
    concurrency: int = Field(default=64, ge=1)
    """Requests under way at once, of one reward worker (`verl.reward.num_workers` of them)."""
    attempts: int = Field(default=4, ge=1)
    attempt_s: float = Field(default=60.0, gt=0)
    """Longest wait for one attempt."""
    deadline_s: float = Field(default=300.0, gt=0)
    """Longest time for one response in all: its turn, attempts and pauses. Then it counts as `verifier_error`."""


def parse(given: Mapping[str, Any]) -> VerifierSettings:
    """The settings, or a ScigenError that names the key and the mend."""
    try:
        settings = VerifierSettings.model_validate(dict(given))
    except ValidationError as e:
        first = e.errors(include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise ScigenError(f"reward: no key {key!r}: {nearest(key, VerifierSettings.model_fields)}") from None
        raise ScigenError(f"reward.{key}: {first['msg']}") from None
    if settings.endpoint is not None:
        check_address("reward.endpoint", settings.endpoint)
    if settings.key_env is not None:
        if not VARIABLE.fullmatch(settings.key_env):
            raise ScigenError(
                "reward.key_env: takes the name of an environment variable, such as VERIFIER_API_KEY, never a key."
            )
        if settings.endpoint is None:
            raise ScigenError("reward.key_env: verl's own server takes no key. Set reward.endpoint, or leave it out.")
    return settings


def of_config(verl: Mapping[str, Any]) -> VerifierSettings | None:
    """The verifier that a merged verl configuration asks for its rewards, or beside them; None if it asks none.

    Raises ScigenError for settings that cannot work.
    """
    reward = verl["reward"]
    given = dict(reward["custom_reward_function"].get("reward_kwargs") or {})
    judge = given.pop("judge", None)
    if reward["custom_reward_function"].get("path") != FUNCTION and judge != JUDGE:
        return None
    settings = parse(given)
    if settings.endpoint is None and not reward["reward_model"]["enable"]:
        raise ScigenError(
            "reward: there is no verifier to ask. Set reward.endpoint, or let verl serve one "
            "(verl.reward.reward_model.enable and enable_resource_pool true, as in conf/reward/compass_verifier.yaml)."
        )
    return settings


def key(settings: VerifierSettings) -> str | None:
    """The service's key from the environment, None if it needs none. Raises ScigenError if the variable is not set."""
    if settings.key_env is None:
        return None
    value = os.environ.get(settings.key_env, "").strip()
    if not value:
        raise ScigenError(
            f"reward.key_env: the environment variable {settings.key_env} is not set. Export it where the run starts "
            "(on a cluster: on every node, before Ray starts)."
        )
    return value
