"""Controls and ablations: what is different about each, and that nothing else is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from experiment_configs import composed

from scigen.errors import ScigenError
from scigen.records import Dimension, GeneratedImage, Rating, Status, Verdict
from scigen.training.control_rewards import format_score, random_score
from scigen.training.filter import RequireGrades


def differences(a: Any, b: Any, where: str = "") -> dict[str, tuple[Any, Any]]:
    """Leaves in which two nested mappings differ, by dotted key."""
    if isinstance(a, dict) and isinstance(b, dict):
        found = {}
        for key in a.keys() | b.keys():
            found |= differences(a.get(key), b.get(key), f"{where}.{key}" if where else str(key))
        return found
    return {} if a == b else {where: (a, b)}


FREE = {"name", "paths.output", "paths.policy", "verl.trainer.experiment_name", "tracking.group"}
"""Keys that follow the name."""

CONTROLS: dict[str, tuple[str, dict[str, Any]]] = {
    "control_blank": ("nanobanana_filt", {"trainset.shown": "blank"}),
    "control_shuffled": ("nanobanana_filt", {"trainset.shown": "shuffled"}),
    "control_text_only": ("nanobanana_filt", {"trainset.shown": "none"}),
    "control_text_problems": ("nanobanana_filt", {"trainset.shown": "none", "trainset.asked": "original"}),
    "matched_size": ("nanobanana", {"trainset.size_of": "outputs/sets/trainset-nanobanana_filt-seed0"}),
    "matched_problems": ("qwen_image", {"trainset.matched": "outputs/sets/trainset-nanobanana_filt-seed0"}),
    "filter_judge": ("nanobanana_filt", {"filter.evaluators": ["judge"]}),
    "filter_inverse": ("nanobanana_filt", {"filter.evaluators": ["inverse"]}),
    "filter_strict": (
        "nanobanana_filt",
        {"filter._target_": "scigen.training.filter.RequireGrades", "filter.least": 2, "filter.judge": "judge"},
    ),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_differs_from_its_run_in_what_it_controls_and_in_nothing_else(control: str) -> None:
    base, changed = CONTROLS[control]
    found = {k: new for k, (new, _) in differences(composed(control), composed(base)).items() if not _free(k)}
    assert found == changed


def _free(key: str) -> bool:
    return key in FREE or key.startswith(("verl.trainer.default_local_dir", "verl.trainer.validation_data_dir"))


@pytest.mark.parametrize(("control", "kind"), [("control_format", "format"), ("control_random", "random")])
def test_a_reward_control_pays_for_something_else_and_is_judged_by_the_same_verifier(control: str, kind: str) -> None:
    mine, base = composed(control), composed("nanobanana_filt")
    reward, real = (c["verl"]["reward"]["custom_reward_function"] for c in (mine, base))
    assert (reward["path"], reward["name"]) == ("pkg://scigen.training.control_rewards", f"{kind}_score")
    own = dict(reward["reward_kwargs"])
    assert f"pkg://{own.pop('judge').replace(':', ' ')}" == f"{real['path']} {real['name']}"
    assert own == (real.get("reward_kwargs") or {})  # the verifier is asked as it is in the run that is controlled
    changed = {k.split("custom_reward_function")[0] for k in differences(mine, base) if not _free(k)}
    assert changed == {"reward.name", "verl.reward."}


def paid(reward: Any, response: str, truth: str = "7", **extra: Any) -> dict[str, Any]:
    return asyncio.run(reward("geometry3k", response, truth, {"problem_id": "p", **extra}))


def test_the_format_reward_pays_for_a_box_and_judges_by_the_truth() -> None:
    right, wrong = paid(format_score, r"so \boxed{7}"), paid(format_score, r"so \boxed{8}")
    assert (right["score"], right["acc"]) == (1.0, 1.0)
    assert (wrong["score"], wrong["acc"]) == (1.0, 0.0)
    for nothing in ("so 7", r"so \boxed{}", r"so \boxed{ }", r"so \boxed{7", ""):
        assert paid(format_score, nothing)["score"] == 0.0
    assert paid(format_score, r"so \boxed{8}", truncated=True)["score"] == 0.0
    assert (right["problem_id"], right["no_answer"]) == ("p", 0.0)  # whatever else the judge says is there, too


def test_the_random_reward_pays_half_whatever_is_said() -> None:
    """Of 400 coins fewer than 140 or more than 260 heads come once in 10^9."""
    heads = sum(paid(random_score, r"\boxed{8}")["score"] for _ in range(400))
    assert 140 < heads < 260
    assert {paid(random_score, r"\boxed{7}")["acc"] for _ in range(8)} == {1.0}


def test_the_judge_of_a_reward_control_may_be_async_and_gets_its_arguments() -> None:
    name = f"{__name__}:async_judge"
    found = asyncio.run(format_score("s", r"\boxed{x}", "7", {}, judge=name, reward_router_address="host:1"))
    assert found == {"score": 1.0, "acc": 0.0, "router": "host:1"}
    with pytest.raises(ScigenError, match=r"reward_kwargs.judge: there is no nowhere:f .*module:function"):
        asyncio.run(format_score("s", "x", "7", {}, judge="nowhere:f"))


async def async_judge(reward_router_address: str, **_: Any) -> dict[str, Any]:
    return {"score": 0.0, "acc": 0.0, "router": reward_router_address}


def rated(*grades: dict[Dimension, int], passed: bool = True) -> Verdict:
    full = dict.fromkeys(Dimension, 2)
    ratings = tuple(Rating(judge="first", repeat=i, status="scored", scores=full | g) for i, g in enumerate(grades))
    return Verdict(problem_id="p", generator="g", evaluator="judge", status="scored", passed=passed, ratings=ratings)


def test_the_strict_filter_wants_full_marks_in_every_dimension() -> None:
    image = GeneratedImage(problem_id="p", generator="g", status=Status.OK, image="0" * 64)
    keep = RequireGrades(["judge"], least=2)
    layout = Dimension.LAYOUT_PRECISION
    assert keep.reject(image, {"judge": rated({})}) is None
    assert keep.reject(image, {"judge": rated({layout: 1})}) == "judge: layout_precision below 2"
    assert keep.reject(image, {"judge": rated({}, {layout: 1}, {})}) is None  # the median of three readings
    assert RequireGrades(["judge"], least=1).reject(image, {"judge": rated({layout: 1})}) is None
    assert keep.reject(image, {"judge": rated({}, passed=False)}) == "judge: failed"
    assert keep.reject(image, {}) == "judge: not evaluated"
    with pytest.raises(ScigenError, match=r"filter.judge: judge is not among"):
        RequireGrades(["inverse"])
