"""Structured answers are read strictly, asked for once more at most, and kept raw when they do not fit."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from pathlib import Path
from typing import Literal

import pytest
from chat_server import ChatServer
from pydantic import BaseModel, ConfigDict, Field

from scigen.errors import ScigenError
from scigen.models import Model, ModelSettings, Reply, ReplyStatus, Request
from scigen.models.structured import plain_schema, read_answer


class Kind(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Part(BaseModel):
    name: str = Field(min_length=1)
    kind: Kind


class Verdict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    score: int = Field(ge=0, le=2)
    parts: tuple[Part, ...]
    note: str | None


GOOD = '{"score": 2, "parts": [{"name": "a", "kind": "good"}], "note": null}'


@pytest.mark.parametrize(
    "text",
    [GOOD, f"  \n{GOOD}\n", f"```json\n{GOOD}\n```", f"```\n{GOOD}\n```\n", f"\n```JSON \r\n{GOOD}```"],
)
def test_white_space_and_one_fence_are_tolerated(text: str) -> None:
    value, complaint = read_answer(text, Verdict)
    assert value == Verdict(score=2, parts=(Part(name="a", kind=Kind.GOOD),), note=None)
    assert complaint == ""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty"),
        (" \n", "empty"),
        (f"Here it is: {GOOD}", "JSON"),
        (f"{GOOD} I hope this helps", "trailing"),
        (f"```json\n{GOOD}\n```\nDone.", "JSON"),
        (f"```json\n{GOOD}\n```\n```json\n{GOOD}\n```", "trailing"),
        (GOOD[:-1], "JSON"),
        (GOOD.replace("2", '"2"', 1), "score"),
        (GOOD.replace("2", "2.0", 1), "score"),
        (GOOD.replace("2", "true", 1), "score"),
        (GOOD.replace("2", "3", 1), "score"),
        (GOOD.replace("good", "Good"), "parts.0.kind"),
        (GOOD.replace('"a"', '""'), "parts.0.name"),
        (GOOD.replace('"note": null', '"note": null, "more": 1'), "more"),
        (GOOD.replace(', "note": null', ""), "note"),
        (f"[{GOOD}]", "object"),
        (json.dumps(GOOD), "object"),
    ],
)
def test_nothing_is_guessed(text: str, complaint: str) -> None:
    value, said = read_answer(text, Verdict)
    assert value is None
    assert complaint in said


def run(tmp_path: Path, answers: list[str], answer: type[BaseModel] | None = Verdict) -> tuple[Reply, list[dict]]:  # type: ignore[type-arg]
    """The reply when the model says `answers` one after another, and the bodies that it was sent."""

    async def ask(url: str) -> Reply:
        async with Model(ModelSettings(name="openai-api/loop/m", base_url=url), tmp_path) as model:
            return await model.ask(Request("Judge it.", system="Strictly.", answer=answer, max_tokens=50))

    said = iter(answers)
    with ChatServer(lambda body: next(said)) as server:
        return asyncio.run(ask(server.base_url)), server.bodies


@pytest.mark.slow
def test_a_bad_answer_is_asked_for_once_more_with_what_was_wrong(tmp_path: Path) -> None:
    reply, bodies = run(tmp_path, ['{"score": 7}', GOOD])
    assert (reply.status, reply.text, reply.answers) == (ReplyStatus.OK, GOOD, 2)
    assert isinstance(reply.value, Verdict)
    assert [m["role"] for m in bodies[1]["messages"]] == ["system", "user", "assistant", "user"]
    assert bodies[1]["messages"][2]["content"] == '{"score": 7}'
    assert "score: Input should be less than or equal to 2" in bodies[1]["messages"][3]["content"]
    assert bodies[1]["response_format"] == bodies[0]["response_format"]


def test_the_tokens_of_both_answers_count(tmp_path: Path) -> None:
    reply, _ = run(tmp_path, ["abcd" * 3, GOOD])
    assert reply.output_tokens == 3 + -(-len(GOOD) // 4)


@pytest.mark.parametrize("second", ["still prose", "", '{"score": 1}'])
def test_a_second_bad_answer_is_the_last_and_its_text_is_kept(second: str, tmp_path: Path) -> None:
    reply, bodies = run(tmp_path, ["prose", second, GOOD, GOOD])
    assert (reply.status, reply.text, reply.value, reply.answers) == (ReplyStatus.UNPARSED, second, None, 2)
    assert reply.error
    assert len(bodies) == 2


def test_an_answer_cut_off_at_its_limit_says_so(tmp_path: Path) -> None:
    reply, _ = run(tmp_path, [" " * 200 + GOOD, "x" * 999])
    assert reply.status is ReplyStatus.UNPARSED
    assert reply.error.startswith("cut off at the length limit")


def test_free_text_is_what_it_is_unless_empty(tmp_path: Path) -> None:
    reply, bodies = run(tmp_path / "a", ["  any {text "], None)
    assert (reply.status, reply.text.strip(), reply.value) == (ReplyStatus.OK, "any {text", None)
    assert "response_format" not in bodies[0]
    reply, bodies = run(tmp_path / "b", ["", "text"], None)
    assert (reply.status, reply.text, reply.answers) == (ReplyStatus.OK, "text", 2)


def test_the_schema_that_is_sent_has_no_references_and_is_strict_where_it_can_be(tmp_path: Path) -> None:
    _, bodies = run(tmp_path, [GOOD])
    sent = bodies[0]["response_format"]["json_schema"]
    assert sent["strict"] is True
    assert sent["name"] == "Verdict"
    part = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "kind": {"type": "string", "enum": ["good", "bad"]}},
        "required": ["name", "kind"],
        "additionalProperties": False,
    }
    assert sent["schema"] == {
        "type": "object",
        "properties": {
            "score": {"type": "integer"},
            "parts": {"type": "array", "items": part},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["score", "parts", "note"],
        "additionalProperties": False,
    }


def test_types_that_strict_modes_refuse_are_asked_for_without() -> None:
    class Loose(BaseModel):
        kind: Literal["x"]
        options: dict[str, str]

    class Optional(BaseModel):
        a: int = 1

    schema, strict = plain_schema(Loose)
    assert schema["properties"]["kind"] == {"enum": ["x"], "type": "string"}
    assert schema["properties"]["options"] == {"additionalProperties": {"type": "string"}, "type": "object"}
    assert not strict
    assert not plain_schema(Optional)[1]


class Tree(BaseModel):
    branches: list[Tree]


def test_a_type_that_contains_itself_is_refused() -> None:
    with pytest.raises(ScigenError, match="contains itself"):
        plain_schema(Tree)
