r"""Rewards that know nothing of the truth, for controls: pay for the form of an answer, or at random.

A gain that such a reward brings too is none of the real reward's. What the real reward finds stays
beside it, as `acc` and its flags, so that AVG@4 means the same for a control as for the run that it controls.
verl calls one of the two functions (reward.custom_reward_function), with `reward_kwargs.judge` naming the real one.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from scigen.errors import ScigenError
from scigen.training.reward import last_boxed, normalise

RULE = "scigen.training.reward:compute_score"


async def format_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any] | None = None,
    judge: str = RULE,
    **of_judge: Any,
) -> dict[str, Any]:
    r"""`score` 1 for a whole response that boxes anything, whatever it says, else 0; the rest is the judge's.

    `judge` is the real reward function, as "module:function"; `of_judge` are its own arguments.
    """
    judged = await _judged(judge, data_source, solution_str, ground_truth, extra_info, of_judge)
    answer = last_boxed(solution_str or "")
    boxed = answer is not None and normalise(answer) != "" and not (extra_info or {}).get("truncated")
    return judged | {"score": float(boxed)}


async def random_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any] | None = None,
    judge: str = RULE,
    **of_judge: Any,
) -> dict[str, Any]:
    """`score` 1 or 0 by a coin for each response; the rest is the judge's.

    The coin is the machine's and not seeded: a reward that is fixed for a response could be learnt.
    """
    judged = await _judged(judge, data_source, solution_str, ground_truth, extra_info, of_judge)
    return judged | {"score": float(random.SystemRandom().random() < 0.5)}


async def _judged(
    judge: str,
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any] | None,
    of_judge: Mapping[str, Any],
) -> dict[str, Any]:
    arguments = {
        "data_source": data_source,
        "solution_str": solution_str,
        "ground_truth": ground_truth,
        "extra_info": extra_info,
        **of_judge,
    }
    function = _function(judge)
    if inspect.iscoroutinefunction(function):
        return dict(await function(**arguments))
    return dict(await asyncio.to_thread(function, **arguments))  # the rule may take seconds, others must not wait


@cache
def _function(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    try:
        found: Callable[..., Any] = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as e:
        raise ScigenError(
            f"reward.custom_reward_function.reward_kwargs.judge: there is no {name} ({e}). Write module:function."
        ) from e
    return found
