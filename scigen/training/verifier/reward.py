"""The reward function that verl calls: one outcome for each response, of which only two are paid for.

In this order: a truncated response and an empty one earn nothing and are not sent; what the rule is sure of is paid
without asking; the rest is the verifier's. Verdicts B and C, replies that are no verdict, and a verifier that does not
answer earn nothing, each counted apart.

verl 0.9.1: `reward.custom_reward_function.path=pkg://scigen.training.verifier.reward`; RecordingRewardManager says
which responses were truncated. verl's own server needs a pool of its own (`reward.reward_model.enable_resource_pool`):
its colocated path hands the function no ground truth.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from scigen.training.verifier import fast_path
from scigen.training.verifier.client import Fault, Reply, Verifier
from scigen.training.verifier.prompt import build_prompt, room
from scigen.training.verifier.settings import VerifierSettings, parse
from scigen.training.verifier.verdict import Verdict, parse_verdict

REPLY_SHOWN = 120
"""Characters of the reply that are kept beside the score."""


class Outcome(StrEnum):
    """What became of a response; exactly one of these."""

    BY_RULE = "by_rule"
    """Paid: the rule is sure."""
    CORRECT = "correct"
    """Paid: the verifier says A."""
    INCORRECT = "incorrect"
    INVALID = "invalid"
    UNPARSED = "unparsed"
    """The verifier's reply is no verdict."""
    VERIFIER_ERROR = "verifier_error"
    """The verifier gave no reply, in all attempts or in time."""
    NO_ANSWER = "no_answer"
    """Empty; not sent."""
    TRUNCATED = "truncated"
    """Cut off at the longest response; not sent, whatever a verifier would say."""


PAID = {Outcome.BY_RULE, Outcome.CORRECT}
_OF_VERDICT = {
    Verdict.CORRECT: Outcome.CORRECT,
    Verdict.INCORRECT: Outcome.INCORRECT,
    Verdict.INVALID: Outcome.INVALID,
    Verdict.UNPARSED: Outcome.UNPARSED,
}


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any] | None = None,
    reward_router_address: str | None = None,
    reward_model_tokenizer: Any = None,
    **settings: Any,
) -> dict[str, float | str]:
    """Reward of one response, in verl's shape for custom reward functions.

    Args:
        data_source: The row's data source (not used).
        solution_str: The policy's response without special tokens.
        ground_truth: The reference answer.
        extra_info: The row's `extra_info`: `question` is shown to the verifier, `truncated` is the reward manager's.
        reward_router_address: `host:port` of verl's router to the verifier's replicas, if verl serves it.
        reward_model_tokenizer: The verifier's, if verl serves it.
        settings: `reward_kwargs`, see VerifierSettings.

    Returns:
        See `scores`. The same keys for every response, so that verl can average them.

    Raises:
        ScigenError, ValueError: There is no verifier to ask, or its settings are wrong.
    """
    verifier = _verifier(_parsed(tuple(sorted(settings.items()))), reward_router_address)
    response, truth, extra = solution_str or "", str(ground_truth), extra_info or {}
    if extra.get("truncated"):
        return scores(Outcome.TRUNCATED, truth)
    if not response.strip():
        return scores(Outcome.NO_ANSWER, truth)
    if verifier.settings.rule_first and await fast_path.sure(response, truth):
        return scores(Outcome.BY_RULE, truth, agreed=True)
    name = uuid.uuid4().hex
    outcome, reply = await judge(
        verifier, str(extra.get("question", "")), truth, response, name, reward_model_tokenizer
    )
    agreed = outcome is Outcome.CORRECT and fast_path.is_decidable(truth) and await fast_path.agrees(response, truth)
    return scores(outcome, truth, agreed, reply, name)


async def judge(
    verifier: Verifier, question: str, truth: str, response: str, name: str = "", tokenizer: Any = None
) -> tuple[Outcome, Reply]:
    """What the verifier itself says of a response, without rule; `name` identifies the request to it."""
    space = room(verifier.settings.context, verifier.settings.max_reply)
    reply = await verifier.ask(build_prompt(question, truth, response, space, tokenizer), name)
    if reply.text is None:
        return Outcome.VERIFIER_ERROR, reply
    return _OF_VERDICT[parse_verdict(reply.text, reply.cut)], reply


def scores(
    outcome: Outcome, truth: str, agreed: bool = False, reply: Reply | None = None, name: str = ""
) -> dict[str, float | str]:
    """`score` and `acc` (1 when paid, else 0), a 0/1 flag for each outcome but plain correct and incorrect, and

    - `asked`: the verifier was;
    - `verifier_<fault>`: attempts that failed so, and `verifier_late`: the deadline ended it;
    - `paid_decidable`, `paid_agreed`: paid where a rule can decide, and the rule agrees (the alarm's two counts);
    - `outcome`, `reply` (its beginning) and `verifier_id` (of the request) as strings, for the dumps.

    `truncated` is also said by RecordingRewardManager, of every response and for every reward.
    """
    paid = outcome in PAID
    counted = paid and fast_path.is_decidable(truth)
    apart = [o for o in Outcome if o not in (Outcome.CORRECT, Outcome.INCORRECT)]
    return {
        "score": float(paid),
        "acc": float(paid),
        **{o.value: float(o is outcome) for o in apart},
        "asked": float(reply is not None),
        **{f"verifier_{fault}": float(reply.faults.get(fault, 0) if reply else 0) for fault in Fault},
        "verifier_late": float(reply is not None and reply.late),
        "paid_decidable": float(counted),
        "paid_agreed": float(counted and agreed),
        "outcome": outcome.value,
        "reply": (reply.text or reply.error)[:REPLY_SHOWN] if reply else "",
        "verifier_id": name,
    }


@lru_cache(maxsize=8)
def _parsed(items: tuple[tuple[str, Any], ...]) -> VerifierSettings:
    return parse(dict(items))


_VERIFIERS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[VerifierSettings, str | None], Verifier]] = (
    WeakKeyDictionary()
)


def _verifier(settings: VerifierSettings, router: str | None) -> Verifier:
    """One for each event loop, since its limits and connections belong to one."""
    known = _VERIFIERS.setdefault(asyncio.get_running_loop(), {})
    if (settings, router) not in known:
        known[settings, router] = Verifier(settings, router)
    return known[settings, router]


async def close() -> None:
    """Give back the connections of this event loop; a later response opens new ones."""
    for verifier in _VERIFIERS.pop(asyncio.get_running_loop(), {}).values():
        await verifier.close()
