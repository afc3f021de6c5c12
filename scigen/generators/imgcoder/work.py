"""The steps for one problem: what is asked, drawn and checked in which order, and which drawing is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scigen import glassbox
from scigen.generators.base import Made, image_of_rendering
from scigen.generators.imgcoder import repair
from scigen.generators.imgcoder.code import find_code
from scigen.generators.imgcoder.sketch import Brief, Look, Sketch
from scigen.generators.studio import Studio
from scigen.glassbox.labels import printed
from scigen.glassbox.tokens import find, tokens
from scigen.models import Model, Reply, ReplyStatus, Request
from scigen.records import Attempt, Finding, GeneratedImage, Plan, Problem, ScriptError, Status, Understanding
from scigen.rendering import Rendering

if TYPE_CHECKING:
    from scigen.generators.imgcoder.generator import ImgCoder

STATUS = {
    ReplyStatus.UNPARSED: Status.NO_PLAN,
    ReplyStatus.REFUSED: Status.REFUSED,
    ReplyStatus.API_ERROR: Status.API_ERROR,
    ReplyStatus.TIMEOUT: Status.TIMEOUT,
}


class Work:
    """One problem on its way; adds up what its answers cost."""

    def __init__(self, coder: ImgCoder, problem: Problem, studio: Studio, model: Model) -> None:
        self._coder, self._problem, self._studio, self._model = coder, problem, studio, model
        self._replies: list[Reply] = []
        self._render_s = 0.0

    async def make(self) -> Made:
        coder, problem = self._coder, self._problem
        understood = await self._ask(self._model, coder.understand(problem))
        if understood.status is not ReplyStatus.OK:
            return self._failed(understood, "understanding")
        understanding = understood.value
        assert isinstance(understanding, Understanding)
        planned = await self._ask(self._model, coder.plan(problem, understanding))
        if planned.status is not ReplyStatus.OK:
            return self._failed(planned, "plan", understanding)
        assert isinstance(planned.value, Plan)
        brief = Brief(problem, understanding, planned.value, to_print(problem, understanding))
        sketches = await self._sketches(brief)
        return self._made(brief, sketches)

    async def _sketches(self, brief: Brief) -> list[Sketch]:
        """Scripts until one has no fault, or all candidates and repairs are used up."""
        sketches: list[Sketch] = []
        for candidate in range(self._coder.candidates):
            request = self._coder.code(brief, candidate)
            for round_ in range(self._coder.repairs + 1):
                reply = await self._ask(self._model, request)
                sketch, seen = await self._sketch(brief, reply, candidate, round_)
                sketches.append(sketch)
                if sketch.clean:
                    return sketches
                if reply.status in (ReplyStatus.REFUSED, ReplyStatus.API_ERROR, ReplyStatus.TIMEOUT):
                    break  # there is nothing to mend
                request = self._coder.repair(brief, sketch, seen)
        return sketches

    async def _sketch(self, brief: Brief, reply: Reply, candidate: int, round_: int) -> tuple[Sketch, tuple[str, ...]]:
        """What a reply's script draws, and what a vision model saw in it."""
        if reply.status is not ReplyStatus.OK:
            error = ScriptError(type=reply.status.value, message=reply.error)
            status = Status.NO_CODE if reply.status is ReplyStatus.UNPARSED else STATUS[reply.status]
            return Sketch(Attempt(candidate=candidate, round=round_, status=status, error=error)), ()
        found = find_code(reply.text, self._coder.written_in)
        if found.code is None:
            error = ScriptError(type="no_code", message=found.fault)
            return Sketch(Attempt(candidate=candidate, round=round_, status=Status.NO_CODE, error=error)), ()
        drawn = await self._studio.draw(found.code, self._coder.language)
        self._render_s += drawn.seconds
        findings: tuple[Finding, ...] = ()
        seen: tuple[str, ...] = ()
        if drawn.status is Status.OK:
            findings = self._checked(brief, drawn)
            if not findings and self._coder.look and drawn.png is not None:
                seen = await self._seen(brief, drawn.png)
        attempt = Attempt(
            candidate=candidate,
            round=round_,
            status=drawn.status,
            code=found.code,
            error=drawn.error,
            findings=findings,
            seen=seen,
        )
        bad = repair.badness(findings, seen) if drawn.status is Status.OK else 10**6
        return Sketch(attempt, drawn, bad), seen

    def _checked(self, brief: Brief, drawn: Rendering) -> tuple[Finding, ...]:
        problem = self._problem.model_copy(update={"elements": brief.labels})
        return () if drawn.drawing is None else glassbox.findings(problem, drawn.drawing)

    async def _seen(self, brief: Brief, png: bytes) -> tuple[str, ...]:
        critic = self._model if self._coder.critic is None else await self._studio.model(self._coder.critic)
        reply = await self._ask(critic, self._coder.looked_at(brief, png))
        return reply.value.faults if isinstance(reply.value, Look) else ()

    async def _ask(self, model: Model, request: Request) -> Reply:
        reply = await model.ask(request)
        self._replies.append(reply)
        return reply

    def _failed(self, reply: Reply, step: str, understanding: Understanding | None = None) -> Made:
        status = STATUS[reply.status]
        kind, message = reply.status.value, f"{step}: {reply.error}"
        error = ScriptError(type=kind, message=message, stdout=reply.text[:2000] if status is Status.NO_PLAN else "")
        image = GeneratedImage(
            problem_id=self._problem.id,
            generator=self._coder.name,
            status=status,
            error=error,
            attempts=0,
            understanding=understanding,
            **self._costs(),
        )
        return Made(image)

    def _made(self, brief: Brief, sketches: Sequence[Sketch]) -> Made:
        """The best sketch as the image; of equally good ones the first."""
        best = min(sketches, key=lambda s: s.badness)
        if all(s.drawn is None or s.drawn.status is not Status.OK for s in sketches):
            best = sketches[-1]
        history = tuple(
            s.attempt.model_copy(update={"chosen": s is best and s.attempt.status is Status.OK}) for s in sketches
        )
        drawn = best.drawn or Rendering(best.attempt.status, error=best.attempt.error)
        return image_of_rendering(
            self._problem,
            self._coder.name,
            drawn,
            code=best.attempt.code,
            plan=brief.plan,
            understanding=brief.understanding,
            history=history,
            attempts=len(sketches),
            prompt_hash=self._coder.code(brief, 0).prompt_hash,
            **self._costs(),
        )

    def _costs(self) -> dict[str, object]:
        replies = self._replies
        return {
            "model": next((r.model for r in reversed(replies) if r.model), self._coder.model.name),
            "tokens": sum(r.input_tokens + r.output_tokens for r in replies),
            "cost_usd": sum(r.usd for r in replies),
            "seconds": round(sum(r.seconds for r in replies) + self._render_s, 4),
        }


def to_print(problem: Problem, understanding: Understanding) -> tuple[str, ...]:
    """The texts that the drawing is checked for: the problem's own labels, else those of the model that the problem
    really has. What a model made up is not asked for."""
    own = glassbox.labels(problem)
    return own or tuple(_verbatim(understanding.given, problem.question))


def _verbatim(given: Sequence[str], question: str) -> list[str]:
    words = tokens(question)
    return [text for text in printed(given, question) if find(tokens(text), words) >= 0]
