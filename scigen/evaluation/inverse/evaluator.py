"""Inverse validation (paper, section 4): a model sees the image alone and answers the problem's quizzes.

What is sent is the picture and, quiz by quiz, the stem with its options; nothing of the problem, its elements or its
answer. The options are permuted by a seed, because the published keys are skewed (PROTOCOL section 6); the order is in
the record. `protocol: paper` shows them as given, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from io import BytesIO
from typing import Literal, NamedTuple

from pydantic import Field, JsonValue

from scigen.evaluation.base import Ask, Item
from scigen.evaluation.inverse.letters import read_letter
from scigen.evaluation.inverse.order import orders
from scigen.evaluation.transcripts import STATUS, ModelEvaluator
from scigen.models import ModelSettings, Reply, Request
from scigen.models.prompt import Prompt, load_prompt
from scigen.records import Quiz, QuizAnswer, Verdict, VerdictStatus

BLANK_SIZE = (800, 600)
"""Pixels of the blank page."""
WORST_FIRST = (VerdictStatus.API_ERROR, VerdictStatus.TIMEOUT, VerdictStatus.REFUSED, VerdictStatus.UNPARSED)
"""What a verdict's status is if some of its answers have none: the first of these that occurs."""


class Question(NamedTuple):
    """A quiz, put once."""

    quiz: int
    order: str
    request: Request


class Inverse(ModelEvaluator):
    """Passes an image if all quizzes are answered right, in every order in which they are put."""

    name: str = "inverse"
    model: ModelSettings
    shown: Literal["image", "blank", "nothing"] = "image"
    """`blank` and `nothing` measure the floor: one verdict a problem, whatever the generator."""
    protocol: Literal["corrected", "paper"] = "corrected"
    permutations: int = Field(default=1, ge=1, le=24)
    """Orders in which each quiz is put; one a call."""
    seed: int = 0
    max_tokens: int = Field(default=64, ge=4)
    """Of an answer; room for thoughts is the model's `thinking_tokens`."""

    @property
    def looks(self) -> bool:
        return self.shown == "image"

    @property
    def prompt(self) -> Prompt:
        """The prompt file, with an image or without."""
        return load_prompt(Inverse, "inverse_blind" if self.shown == "nothing" else "inverse")

    def settings(self) -> dict[str, JsonValue]:
        """See Evaluator."""
        return {**super().settings(), "prompt": self.prompt.hash}

    def requests(self, item: Item) -> Iterable[tuple[ModelSettings, Request]]:
        """See ModelEvaluator."""
        if self.unless_drawn(item) is None:
            for question in self.questions(item):
                yield self.model, question.request

    def questions(self, item: Item) -> Iterator[Question]:
        """Every quiz in every order, with what is sent."""
        prompt = self.prompt
        images = () if self.shown == "nothing" else (blank_page() if self.shown == "blank" else item.png(),)
        for number, quiz in enumerate(item.problem.quizzes):
            for order in self._orders(item.problem.id, number, quiz):
                options = [(chr(ord("A") + n), quiz.options[letter]) for n, letter in enumerate(order)]
                system, user = prompt.filled(question=quiz.question, options=options)
                request = Request(
                    user,
                    system=system,
                    images=images,
                    prompt_hash=prompt.hash,
                    max_tokens=self.max_tokens,
                    temperature=0.0,
                    seed=self.seed,
                )
                yield Question(number, order, request)

    def _orders(self, problem: str, number: int, quiz: Quiz) -> list[str]:
        letters = sorted(quiz.options)
        if self.protocol == "paper":
            return ["".join(letters)]
        return orders(letters, f"{problem}/{number}", self.permutations, self.seed)

    async def judge(self, item: Item, ask: Ask) -> Verdict:
        """See ModelEvaluator."""
        if (none := self.unless_drawn(item)) is not None:
            return none
        if not item.problem.quizzes:
            return self.verdict(item, VerdictStatus.NOT_APPLICABLE, error="the problem has no quizzes")
        answers, replies = [], []
        for question in self.questions(item):
            reply = await ask(self.model, question.request)
            replies.append(reply)
            answers.append(_answer(item.problem.quizzes[question.quiz], question, reply))
        statuses = {a.status for a in answers}
        status = next((s for s in WORST_FIRST if s in statuses), VerdictStatus.SCORED)
        return self.verdict(
            item,
            status,
            passed=all(a.correct for a in answers),
            answers=tuple(answers),
            error=next((a.error for a in answers if a.status is status), ""),
            model=next((r.model for r in replies if r.model), None),
            tokens=sum(r.input_tokens + r.output_tokens for r in replies),
            cost_usd=sum(r.usd for r in replies),
            seconds=sum(r.seconds for r in replies),
        )


def _answer(quiz: Quiz, question: Question, reply: Reply) -> QuizAnswer:
    status = STATUS[reply.status]
    letters = [chr(ord("A") + n) for n in range(len(question.order))]
    said = read_letter(reply.text, letters) if status is VerdictStatus.SCORED else None
    if said is None:
        error = reply.error or f"no letter of {', '.join(letters)} in: {reply.text[:200]}"
        failed = VerdictStatus.UNPARSED if status is VerdictStatus.SCORED else status
        return QuizAnswer(quiz=question.quiz, order=question.order, status=failed, error=error)
    chosen = question.order[letters.index(said)]
    return QuizAnswer(
        quiz=question.quiz,
        order=question.order,
        status=VerdictStatus.SCORED,
        said=said,
        chosen=chosen,
        correct=chosen == quiz.correct_option,
    )


@cache
def blank_page() -> bytes:
    """A white PNG."""
    from PIL import Image

    out = BytesIO()
    Image.new("RGB", BLANK_SIZE, "white").save(out, "PNG")
    return out.getvalue()
