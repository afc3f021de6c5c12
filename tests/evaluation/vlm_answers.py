"""What a simulated vision model answers, for tests/models/chat_server.py: quizzes by their key, judges by the schema.

The problem set whose quizzes it knows is named by SIMULATED_PROBLEMS. With a picture it knows nine quizzes of ten;
without one, or in the tenth, it takes an option. All of it is fixed by the words of the quiz.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from scigen.records import Problem
from scigen.store import read_set

OPTION = re.compile(r"^([A-Z])\. (.*\S)\s*$", re.MULTILINE)


@cache
def keys() -> dict[frozenset[str], list[tuple[str, str]]]:
    """Option texts to (stem, right option's text)."""
    known: dict[frozenset[str], list[tuple[str, str]]] = {}
    for problem in read_set(Path(os.environ["SIMULATED_PROBLEMS"]), Problem):
        for quiz in problem.quizzes:
            options = frozenset(" ".join(o.split()) for o in quiz.options.values())
            right = " ".join(quiz.options[quiz.correct_option].split())
            known.setdefault(options, []).append((quiz.question, right))
    return known


def answer(body: dict[str, Any]) -> Any:
    """The content of the answer: a letter, or JSON that fits the schema that was asked for."""
    content = body["messages"][-1]["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    text = "\n".join(part["text"] for part in parts if part["type"] == "text")
    sighted = any(part["type"] == "image_url" for part in parts)
    letter = quiz_letter(text, sighted)
    shape = body.get("response_format")
    if shape is None:
        return letter or "I see a figure."
    return filled(shape["json_schema"]["schema"], letter, text)


def quiz_letter(text: str, sighted: bool) -> str | None:
    shown = {" ".join(option.split()): letter for letter, option in OPTION.findall(text)}
    for stem, right in keys().get(frozenset(shown), []):
        if stem in text:
            if sighted and draw(stem, "skill") < 0.9:
                return shown[right]
            return shown[sorted(shown)[int(draw(stem, "guess") * len(shown))]]
    return None


def filled(schema: dict[str, Any], letter: str | None, text: str) -> Any:
    """A value that fits a schema."""
    if "enum" in schema:
        return letter if letter in schema["enum"] else schema["enum"][-1]
    if "anyOf" in schema:
        return filled(schema["anyOf"][0], letter, text)
    kind = schema.get("type")
    if kind == "object":
        return {name: filled(part, letter, name + text) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [filled(schema["items"], letter, text)]
    if kind == "integer":
        return min(schema.get("maximum", 2), max(schema.get("minimum", 0), 2 if draw(text, "score") < 0.8 else 1))
    if kind == "boolean":
        return draw(text, "truth") < 0.5
    return letter or "as far as I can see"


def draw(*words: str) -> float:
    """A number in [0, 1) that is fixed by the words."""
    return int(hashlib.sha256("/".join(words).encode()).hexdigest()[:8], 16) / 2**32
