"""Length and language of the question, flags of its source.

Formulas are no evidence of a language: only the prose is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from scigen.errors import ScigenError, nearest
from scigen.models import Reply
from scigen.problems.curation.record import CurationRecord
from scigen.problems.curation.stage import ItemStage, Judgement, drop, keep
from scigen.records import Flag, Problem

FORMULAS = re.compile(
    r"\$\$.*?\$\$|\$[^$]*\$|\\\[.*?\\\]|\\\(.*?\\\)|\{eq\}.*?\{/eq\}|\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.DOTALL
)
COMMANDS = re.compile(r"\\[A-Za-z]+(?:\{[^{}]*\})*|https?://\S+")
NOT_PROSE = re.compile(r"[!-~]*[\d=+*/^_<>|{}\\][!-~]*|\b[A-Za-z]\b")
LETTER = re.compile(r"[^\W\d_]")
MARGIN = 10.0
"""The best language must be this many times as likely as the best allowed one before a question is dropped."""


@dataclass(frozen=True)
class Limits(ItemStage):
    """Drops questions that are too short, too long, clearly in another language, or flagged as of no use."""

    name: ClassVar[str] = "limits"

    languages: Sequence[str] = ("en",)
    """ISO 639 codes that py3langid knows; empty allows all."""
    min_chars: int = 20
    max_chars: int = 4000
    max_answer_chars: int = 4000
    refused: Sequence[str] = (Flag.UNUSABLE_ANSWER.value,)
    """Flags of the source that drop a problem; by default those without an answer to train on."""

    def __post_init__(self) -> None:
        known = [flag.value for flag in Flag]
        for name in self.refused:
            if name not in known:
                raise ScigenError(f'stage.limits.refused: no flag "{name}": {nearest(name, known)}')

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "languages": sorted(self.languages), "refused": sorted(self.refused)}

    def decide(self, problem: Problem, reply: Reply | None) -> CurationRecord:
        return self.record(problem, self._judgement(problem))

    def _judgement(self, problem: Problem) -> Judgement:
        length = len(problem.question.strip())
        if length < self.min_chars:
            return drop("too_short", f"{length} characters")
        if length > self.max_chars:
            return drop("too_long", f"{length} characters")
        if len(problem.answer) > self.max_answer_chars:
            return drop("answer_too_long", f"{len(problem.answer)} characters")
        for flag in problem.flags:
            if flag.value in self.refused:
                return drop(flag.value)
        other = other_language(problem.question, self.languages) if self.languages else None
        return drop("language", other) if other else keep(problem)


def prose(question: str) -> str:
    """The words of a question without formulas, commands, numbers and single letters."""
    text = NOT_PROSE.sub(" ", COMMANDS.sub(" ", FORMULAS.sub(" ", question)))
    return " ".join(text.split())


def other_language(question: str, allowed: Sequence[str]) -> str | None:
    """The language that the prose is far more likely to be in than in any of `allowed`, or None.

    Too little prose to tell by (fewer than 4 letters) counts as allowed. Raises ScigenError for an unknown code.
    """
    words = prose(question)
    ranked = _ranked(words)
    known = dict(ranked)
    for code in allowed:
        if code not in known:
            raise ScigenError(f'languages: no language "{code}": {nearest(code, known)}')
    if len(LETTER.findall(words)) < 4:
        return None
    best, likely = ranked[0]
    return best if likely > MARGIN * max(known[code] for code in allowed) else None


def _ranked(text: str) -> list[tuple[str, float]]:
    """All languages with their probabilities, the likeliest first."""
    ranked: list[tuple[str, float]] = _identifier().rank(text)
    return ranked


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
