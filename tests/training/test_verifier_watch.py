"""Canaries tell a good verifier from a bad one, and the alarm tells a learning policy from one that only pleases it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from aiohttp import web
from verifier_server import FaultyVerifier, application, start

from scigen.training.trainer.watched import WatchedRun, build_hooks
from scigen.training.verifier import alarm, canaries, settings
from scigen.training.verifier.alarm import Seen, difference, judge_run
from scigen.training.verifier.client import Verifier
from scigen.training.verifier.reward import Outcome, scores
from scigen.training.verifier.settings import VerifierSettings
from scigen.training.verifier.watch import VerifierWatch


def measured(app: web.Application) -> dict[str, canaries.KindResult]:
    async def run() -> list[canaries.Sighting]:
        runner, address = await start(app)
        try:
            async with Verifier(VerifierSettings(endpoint=address, attempts=1)) as verifier:
                return await canaries.measure(verifier)
        finally:
            await runner.cleanup()

    return {r.kind.name: r for r in canaries.by_kind(asyncio.run(run()))}


def always(text: str) -> web.Application:
    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "v"}]})

    async def chat(_: web.Request) -> web.Response:
        return web.json_response({"choices": [{"message": {"content": text}}]})

    app = web.Application()
    app.add_routes([web.get("/v1/models", models), web.post("/v1/chat/completions", chat)])
    return app


def test_a_verifier_by_exact_comparison_passes_all_but_other_forms(tmp_path: Path) -> None:
    found = measured(application(FaultyVerifier(tmp_path, 0, {})))
    assert list(found) == [kind.name for kind in canaries.KINDS]
    assert all(r.n == len(canaries.PROBLEMS) for r in found.values())
    assert {name: r.passed for name, r in found.items() if r.passed < r.n} == {"right_other_form": 0}
    assert canaries.metrics(list(found.values()))["canary/paid_wrongly"] == 0


@pytest.mark.parametrize(
    ("reply", "right", "wrong", "paid_wrongly", "unanswered"),
    [("A", 1, 0, 1, 0), ("B", 0, 1, 0, 0), ("C", 0, 1, 0, 0), ("INVALID", 0, 0, 0, 1), ("", 0, 0, 0, 1)],
)
def test_a_verifier_that_always_says_the_same_is_found_out(
    reply: str, right: float, wrong: float, paid_wrongly: float, unanswered: float
) -> None:
    figures = canaries.metrics(list(measured(always(reply)).values()))
    assert figures["canary/right"] == figures["canary/gold_echoed"] == right
    for name in ("wrong", "empty", "cut_off", "injection_order", "several_answers"):
        assert figures[f"canary/{name}"] == wrong
    assert figures["canary/paid_wrongly"] == paid_wrongly
    assert figures["canary/unanswered"] == unanswered


def test_the_canary_table_says_how_sure_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    Console(width=120).print(canaries.table(list(measured(always("B")).values()), "canaries"))
    out = capsys.readouterr().out
    assert re.search(r"wrong +│ B or C +│ 6 +│ 100 % +│ 61-100", out)  # Wilson, 6 of 6: 1 / (1 + 3.8415 / 6) = 0.610
    assert re.search(r"right +│ A +│ 6 +│ 0 % +│ 0-39", out)


def test_welch_with_values_of_the_t_table() -> None:
    a, b = [0.0, 1.0] * 5, [-0.5, 0.5] * 5  # variance 2.5 / 9 each, so 18 degrees of freedom: t = 2.1009
    half = 2.10092 * (2 * 2.5 / 9 / 10) ** 0.5
    assert difference(a, b) == pytest.approx((0.5, 0.5 - half, 0.5 + half), abs=1e-5)
    half = 2.26216 * (2.5 / 9 / 10) ** 0.5  # against constants: 9 degrees of freedom
    assert difference(a, [0.2] * 10) == pytest.approx((0.3, 0.3 - half, 0.3 + half), abs=1e-5)
    assert difference([1, 1], [0, 0]) == (1, 1, 1)


def run_of(rng: Any, rewards: list[float], agreements: list[float], n: int = 256) -> list[Seen]:
    """Steps of `n` responses: paid by chance, agreed by chance."""
    paid = [rng.binomial(n, r) / n for r in rewards]
    return [
        Seen(i + 1, p, p, rng.binomial(round(p * n), a) / n)
        for i, (p, a) in enumerate(zip(paid, agreements, strict=True))
    ]


def first_alarm(steps: list[Seen]) -> int | None:
    for i in range(1, len(steps) + 1):
        judgement = judge_run(steps[:i])
        if judgement is not None and judgement.alarm:
            return i
    return None


def test_the_alarm_is_quiet_for_a_policy_that_learns_and_goes_off_for_one_that_games() -> None:
    """Looked at after every one of 60 steps; hacking begins at step 20 and reaches a fifth of what is paid."""
    rng = np.random.default_rng(1)
    rising = [0.3 + 0.4 * i / 60 for i in range(60)]
    honest = [first_alarm(run_of(rng, rising, [0.9] * 60)) for _ in range(40)]
    assert sum(a is not None for a in honest) <= 1
    hacking = [0.9 - 0.2 * min(1, max(0, i - 20) / 20) for i in range(60)]
    gamed = [first_alarm(run_of(rng, rising, hacking)) for _ in range(40)]
    assert sum(a is not None and a > 20 for a in gamed) >= 38
    # agreement alone, without a rising reward, is no hacking
    assert sum(first_alarm(run_of(rng, [0.5] * 60, hacking)) is not None for _ in range(20)) <= 4


def test_steps_on_which_nothing_decidable_was_paid_say_nothing() -> None:
    blank = [Seen(i, 0.1, 0.0, 0.0) for i in range(100)]
    assert judge_run(blank) is None
    assert blank[0].agreement is None


def test_the_two_counts_of_the_alarm_come_from_the_reward() -> None:
    assert [scores(Outcome.CORRECT, "4", agreed=True)[k] for k in ("paid_decidable", "paid_agreed")] == [1, 1]
    assert [scores(Outcome.CORRECT, "4")[k] for k in ("paid_decidable", "paid_agreed")] == [1, 0]
    assert [scores(Outcome.CORRECT, "as it falls", True)[k] for k in ("paid_decidable", "paid_agreed")] == [0, 0]
    assert [scores(Outcome.INCORRECT, "4", True)[k] for k in ("paid_decidable", "paid_agreed")] == [0, 0]


def verl_config(endpoint: str) -> dict[str, Any]:
    function = {"path": settings.FUNCTION, "reward_kwargs": {"endpoint": endpoint, "attempts": 1}}
    return {"reward": {"custom_reward_function": function, "reward_model": {"enable": False}}}


def step_metrics(reward: float, agreed: float) -> dict[str, Any]:
    figures = {"score": reward, "paid_decidable": reward, "paid_agreed": agreed * reward, "asked": 0.5}
    return {f"reward/{k}": v for k, v in (figures | {"unparsed": 0.0, "verifier_error": 0.0}).items()}


def test_the_hook_logs_canaries_every_n_steps_and_an_alarm_with_its_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As verl's trainer calls it: one process is stopped after step 15, another goes on from step 11."""

    async def serving() -> None:
        runner, address = await start(application(FaultyVerifier(tmp_path, 0, {})))
        run = WatchedRun(tmp_path, verl_config(address), None)
        try:
            await asyncio.to_thread(watch, run)
        finally:
            await runner.cleanup()

    logged: dict[int, dict[str, Any]] = {}

    def watch(run: WatchedRun) -> None:
        for first, last in ((1, 15), (11, 25)):
            hook = VerifierWatch(run, every=10)
            for step in range(first, last + 1):
                late = step > 15
                logged[step] = step_metrics(0.3 + 0.01 * step, 0.6 if late else 0.9 + 0.001 * (step % 3))
                hook.after_step(step, logged[step])

    asyncio.run(serving())
    assert [s for s in logged if "canary/right" in logged[s]] == [1, 10, 11, 20], "and at the first step of a start"
    assert logged[10]["canary/wrong"] == 1
    assert logged[3]["reward/rule_agreement"] == pytest.approx(0.9)
    assert "alarm/reward_hacking" in logged[1]
    alarms = [s for s in logged if logged[s]["alarm/reward_hacking"]]
    assert alarms
    assert alarms[0] > 15
    assert 25 in alarms
    lines = [json.loads(line) for line in (tmp_path / "verifier/alarms.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == alarms
    assert "WARNING step 25: reward_hacking: reward +0.1" in capsys.readouterr().out
    seen = [json.loads(line) for line in (tmp_path / "verifier/canaries.jsonl").read_text().splitlines()]
    assert len(seen) == 4 * len(canaries.KINDS) * len(canaries.PROBLEMS)
    assert all(s["passed"] for s in seen if s["kind"] != "right_other_form")


def test_a_verifier_without_verdicts_raises_its_own_alarm(tmp_path: Path) -> None:
    hook = VerifierWatch(WatchedRun(tmp_path, verl_config("http://127.0.0.1:9/v1"), None), every=1000)
    hook.looked = True
    metrics = step_metrics(0.5, 1.0) | {"reward/unparsed": 0.02, "reward/verifier_error": 0.01}
    hook.after_step(3, metrics)
    assert metrics["alarm/verifier_failing"] == 1  # 0.03 of 0.5 asked are 6 %
    assert metrics["alarm/reward_hacking"] == 0
    metrics = step_metrics(0.5, 1.0) | {"reward/unparsed": 0.02}
    hook.after_step(4, metrics)
    assert metrics["alarm/verifier_failing"] == 0
    assert alarm.FAILING == 0.05


def test_a_hook_beside_a_rule_reward_is_refused(tmp_path: Path) -> None:
    rule = {"reward": {"custom_reward_function": {"path": "pkg://scigen.training.reward"}}}
    with pytest.raises(ValueError, match=r"reward\.hooks"):
        VerifierWatch(WatchedRun(tmp_path, rule, None))


@pytest.mark.parametrize("name", ["compass_verifier", "verifier_endpoint", "tiny_verifier"])
def test_the_rewards_of_the_configuration_name_what_is_there(name: str, tmp_path: Path) -> None:
    """Hooks can be made as listed, and every argument is one of the verifier's."""
    node = yaml.safe_load((Path(__file__).parents[2] / "conf/reward" / f"{name}.yaml").read_text())
    function = node["verl"]["reward"]["custom_reward_function"]
    assert function["path"] == settings.FUNCTION
    assert function["reward_kwargs"].keys() <= VerifierSettings.model_fields.keys()
    hooks = build_hooks(node["reward"]["hooks"], WatchedRun(tmp_path, verl_config("http://127.0.0.1:9/v1"), None))
    assert [type(hook) for hook in hooks] == [VerifierWatch]
    given = {k: v for k, v in node["reward"].items() if k in VerifierSettings.model_fields and k != "model"}
    assert settings.parse(given).attempts == 4
