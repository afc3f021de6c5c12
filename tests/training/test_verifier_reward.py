"""The verifier's reward cannot be talked into paying: strict verdicts, and every other outcome counted apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from scigen.training import verifier_reward
from scigen.training.verifier_reward import Verdict, build_prompt, compute_score, parse_verdict


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("A", Verdict.CORRECT),
        (" B\n", Verdict.INCORRECT),
        ("C", Verdict.INVALID),
        ("(A)", Verdict.CORRECT),
        ("**B**", Verdict.INCORRECT),
        ("A.", Verdict.CORRECT),
        (r"The answers agree. \boxed{A}", Verdict.CORRECT),
        (r"At first \boxed{A}, but the unit is wrong: \boxed{B}", Verdict.INCORRECT),
        (r"\boxed{\text{C}}", Verdict.INVALID),
        (r"\boxed{A} and \boxed{nothing}", Verdict.UNPARSED),
        ("INVALID", Verdict.UNPARSED),  # a search for the first letter reads A, that is correct
        ("CORRECT", Verdict.UNPARSED),  # and C here
        ("INCORRECT", Verdict.UNPARSED),
        ("A or B", Verdict.UNPARSED),
        ("Answer: A", Verdict.UNPARSED),
        ("AA", Verdict.UNPARSED),
        ("a", Verdict.UNPARSED),
        ("D", Verdict.UNPARSED),
        ("", Verdict.UNPARSED),
        (None, Verdict.UNPARSED),
    ],
)
def test_only_an_exact_letter_or_the_last_boxed_one_counts(reply: str | None, verdict: Verdict) -> None:
    assert parse_verdict(reply) is verdict


def test_the_prompt_shows_the_end_of_a_long_response_and_takes_braces_as_they_are() -> None:
    prompt = build_prompt("What is {x}?", r"\frac{1}{2}", "s" * 30_000 + "the end is {y}")
    assert "What is {x}?" in prompt
    assert r"\frac{1}{2}" in prompt
    assert prompt.count("s" * 100) > 0
    assert "the end is {y}\n[end of response]" in prompt
    assert len(prompt) < 24_000 + 2_000


async def serve(handler: Callable[[str], web.Response], responses: list[str]) -> list[dict[str, float]]:
    """Scores of `responses` with a verifier whose replies `handler` gives from the prompt it is sent."""

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "the-verifier"}]})

    async def chat(request: web.Request) -> web.Response:
        payload: dict[str, Any] = await request.json()
        assert payload["model"] == "the-verifier"
        assert payload["temperature"] == 0.0
        return handler(payload["messages"][0]["content"])

    app = web.Application()
    app.add_routes([web.get("/v1/models", models), web.post("/v1/chat/completions", chat)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        return await asyncio.gather(
            *(
                compute_score(
                    data_source="geometry3k",
                    solution_str=text,
                    ground_truth="5",
                    extra_info={"question": "How long?"},
                    reward_router_address=f"{host}:{port}",
                    reward_model_tokenizer=None,
                )
                for text in responses
            )
        )
    finally:
        await runner.cleanup()


def says(content: str) -> web.Response:
    return web.json_response({"choices": [{"message": {"content": content}}]})


def test_scores_over_a_real_endpoint() -> None:
    replies = {"five": "A", "six": "B", "fi": "INVALID", "I will not": "C"}

    def verifier(prompt: str) -> web.Response:
        response = prompt.split("[response]\n")[1].split("\n[end of response]")[0]
        assert "[problem]\nHow long?\n" in prompt
        assert "[reference answer]\n5\n" in prompt
        return says(replies[response])

    scores = asyncio.run(serve(verifier, [*replies, "  "]))
    assert [s["score"] for s in scores] == [1, 0, 0, 0, 0]
    assert [s["acc"] for s in scores] == [1, 0, 0, 0, 0]
    assert [s["unparsed"] for s in scores] == [0, 0, 1, 0, 0]
    assert [s["invalid"] for s in scores] == [0, 0, 0, 1, 0]
    assert [s["no_answer"] for s in scores] == [0, 0, 0, 0, 1]
    assert len({tuple(sorted(s)) for s in scores}) == 1, "verl needs the same keys for every row"


def test_a_verifier_that_fails_is_asked_again_and_then_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier_reward.asyncio, "sleep", lambda _, real=asyncio.sleep: real(0))
    calls = []

    def fails_twice(_: str) -> web.Response:
        calls.append(1)
        return web.Response(status=500) if len(calls) < 3 else says("A")

    assert asyncio.run(serve(fails_twice, ["five"]))[0]["score"] == 1
    assert len(calls) == 3
    broken = asyncio.run(serve(lambda _: web.Response(status=500), ["five"]))[0]
    assert (broken["score"], broken["verifier_error"]) == (0, 1)


def test_without_a_verifier_it_says_which_keys_to_set() -> None:
    with pytest.raises(ValueError, match="enable_resource_pool"):
        asyncio.run(compute_score("geometry3k", "five", "5"))


@pytest.mark.slow  # importing verl takes some seconds
def test_verl_takes_it_as_an_async_reward_function() -> None:
    from omegaconf import OmegaConf
    from verl.trainer.ppo.reward import get_custom_reward_fn

    function = {"path": "pkg://scigen.training.verifier_reward", "name": "compute_score"}
    loaded = get_custom_reward_fn(OmegaConf.create({"reward": {"custom_reward_function": function}}))
    assert asyncio.iscoroutinefunction(loaded.func)
    with pytest.raises(ValueError, match="reward_router_address"):
        asyncio.run(loaded(data_source="x", solution_str="five", ground_truth="5", extra_info={}))
