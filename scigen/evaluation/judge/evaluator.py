"""A judge (paper, section 4): a vision model grades an image in five dimensions from 0 to 2.

Several judges, and several readings by each, are ratings of one verdict. A rating that is not whole and within range is
`unparsed` after the one repair that every structured answer gets; it never counts as 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean, median
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from scigen.evaluation.base import Ask, Item
from scigen.evaluation.transcripts import STATUS, ModelEvaluator
from scigen.models import ModelSettings, Reply, Request
from scigen.models.prompt import load_prompt
from scigen.records import Dimension, Rating, Verdict, VerdictStatus

WORST_FIRST = (VerdictStatus.API_ERROR, VerdictStatus.TIMEOUT, VerdictStatus.REFUSED, VerdictStatus.UNPARSED)
REREAD_TEMPERATURE = 0.7
"""Of readings after the first, which would otherwise repeat it."""


class Grade(BaseModel):
    """One dimension. The reason comes first, so that the number rests on it."""

    model_config = ConfigDict(extra="forbid")

    reason: str
    score: Annotated[int, Field(ge=0, le=2)]


class Grades(BaseModel):
    """The judge's answer: all five."""

    model_config = ConfigDict(extra="forbid")

    correctness_fidelity: Grade
    layout_precision: Grade
    readability_occlusion: Grade
    scientific_plausibility: Grade
    expressiveness_richness: Grade

    def each(self) -> dict[Dimension, Grade]:
        """By dimension."""
        return {d: getattr(self, d.value) for d in Dimension}


class PassRule(BaseModel):
    """When an image is right: the median rating of each dimension that is named must reach its number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: dict[Dimension, Annotated[float, Field(ge=0, le=2)]]

    def passes(self, ratings: Iterable[Rating]) -> bool:
        """Whether the scored ratings, of which there must be one, say so."""
        scored = [r for r in ratings if r.status is VerdictStatus.SCORED]
        return bool(scored) and all(median(r.scores[d] for r in scored) >= least for d, least in self.least.items())


RIGHT = PassRule(least={Dimension.CORRECTNESS_FIDELITY: 2.0, **{d: 1.0 for d in list(Dimension)[1:]}})
"""No fault in what the problem needs, nothing bad elsewhere: the paper removes wrong images for its filtered sets."""


class Judge(ModelEvaluator):
    """Grades an image once or repeatedly, by one or several models."""

    name: str = "judge"
    models: dict[str, ModelSettings] = Field(min_length=1)
    """Judges by a short name."""
    repeats: int = Field(default=1, ge=1, le=20)
    """Readings by each judge; those after the first have other seeds and a temperature of 0.7."""
    rule: PassRule = RIGHT
    seed: int = 0
    max_tokens: int = Field(default=800, ge=100)

    def settings(self) -> dict[str, JsonValue]:
        """See Evaluator; another rubric is another judge."""
        return {**super().settings(), "prompt": load_prompt(Judge, "judge").hash}

    def requests(self, item: Item) -> Iterable[tuple[ModelSettings, Request]]:
        """See ModelEvaluator."""
        if self.unless_drawn(item) is None:
            for name in self.models:
                for repeat in range(self.repeats):
                    yield self.models[name], self.request(item, repeat)

    def request(self, item: Item, repeat: int) -> Request:
        """What one judge is asked at one reading."""
        prompt = load_prompt(Judge, "judge")
        system, user = prompt.filled(problem=item.problem)
        return Request(
            user,
            system=system,
            images=(item.png(),),
            answer=Grades,
            prompt_hash=prompt.hash,
            max_tokens=self.max_tokens,
            temperature=0.0 if repeat == 0 else REREAD_TEMPERATURE,
            seed=self.seed + repeat,
        )

    async def judge(self, item: Item, ask: Ask) -> Verdict:
        """Scored if every judge has a rating; else the worst of what befell the judges that have none."""
        if (none := self.unless_drawn(item)) is not None:
            return none
        ratings: list[Rating] = []
        replies: list[Reply] = []
        for name, model in self.models.items():
            for repeat in range(self.repeats):
                reply = await ask(model, self.request(item, repeat))
                replies.append(reply)
                ratings.append(rating(name, repeat, reply))
        silent = [name for name in self.models if not _scored(r for r in ratings if r.judge == name)]
        missing = {r.status for r in ratings if r.judge in silent}
        status = next((s for s in WORST_FIRST if s in missing), VerdictStatus.SCORED)
        return self.verdict(
            item,
            status,
            passed=status is VerdictStatus.SCORED and self.rule.passes(ratings),
            ratings=tuple(ratings),
            measures=means(ratings) if status is VerdictStatus.SCORED else {},
            error=next((r.error for r in ratings if r.status is status and r.error), ""),
            model=", ".join(dict.fromkeys(r.model for r in replies if r.model)) or None,
            tokens=sum(r.input_tokens + r.output_tokens for r in replies),
            cost_usd=sum(r.usd for r in replies),
            seconds=sum(r.seconds for r in replies),
        )


def rating(judge: str, repeat: int, reply: Reply) -> Rating:
    """A reply as a rating."""
    if not isinstance(reply.value, Grades):
        status = STATUS[reply.status]
        failed = VerdictStatus.UNPARSED if status is VerdictStatus.SCORED else status
        return Rating(judge=judge, model=reply.model or None, repeat=repeat, status=failed, error=reply.error)
    grades = reply.value.each()
    return Rating(
        judge=judge,
        model=reply.model or None,
        repeat=repeat,
        status=VerdictStatus.SCORED,
        scores={d: g.score for d, g in grades.items()},
        reasons={d: g.reason for d, g in grades.items()},
    )


def means(ratings: Iterable[Rating]) -> Mapping[str, float]:
    """Mean of each dimension over the scored ratings, each judge weighing the same."""
    by_judge: dict[str, list[Rating]] = {}
    for r in ratings:
        if r.status is VerdictStatus.SCORED:
            by_judge.setdefault(r.judge, []).append(r)
    return {d.value: fmean(fmean(r.scores[d] for r in rs) for rs in by_judge.values()) for d in Dimension}


def _scored(ratings: Iterable[Rating]) -> bool:
    return any(r.status is VerdictStatus.SCORED for r in ratings)
