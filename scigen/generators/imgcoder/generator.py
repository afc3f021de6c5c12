"""Understand, plan, code, draw, check, repair: the steps of ImgCoder for one problem.

Each step is a call of its own whose answer is in the journal before it is used. The plan is fixed before any code is
written and stays fixed while the code is repaired. Method: the paper's section on ImgCoder; prompts and loop are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, Field, JsonValue

from scigen.generators.base import About, Generator, Made
from scigen.generators.imgcoder import repair
from scigen.generators.imgcoder.code import LANGUAGES, Language
from scigen.generators.imgcoder.sketch import Brief, Look, Sketch
from scigen.generators.imgcoder.work import Work
from scigen.generators.studio import Studio
from scigen.models import Estimate, Model, ModelSettings, Request
from scigen.models.prompt import load_prompt
from scigen.records import Plan, Problem, Status, Understanding

MOST_GIVEN = 24
"""Texts that a figure is asked to print."""
LONG = "A sentence of the length that a plan has, with a place, a size and a name in it. " * 12


class ImgCoder(Generator):
    """Makes images by scripts that `model` writes."""

    OUTER: ClassVar[frozenset[str]] = Generator.OUTER | {"usd_per_image", "model", "critic"}

    about: About = About(paradigm="code")
    at_once: int = Field(default=32, ge=1)
    model: ModelSettings
    language: Literal["matplotlib", "tikz"] = "matplotlib"
    repairs: int = Field(default=2, ge=0, le=8)
    """Further scripts asked for where the first one fails or its drawing has faults."""
    candidates: int = Field(default=1, ge=1, le=16)
    """Independent scripts; the next one is asked for only if the checks find faults in all before it."""
    look: bool = False
    """Show a drawing that passes the checks to a vision model, and mend what it sees."""
    critic: ModelSettings | None = None
    """The model that looks; None for `model`."""
    show_image: bool = True
    """Send the drawing along when its faults are to be mended."""
    tell_answer: bool = True
    """Tell the first step the answer, so that it can say what must stay hidden."""
    width_in: float = Field(default=6.0, gt=0)
    height_in: float = Field(default=4.5, gt=0)
    seed: int = 0
    temperature: float = Field(default=0.0, ge=0)
    temperature_more: float = Field(default=0.8, ge=0)
    """Of the second and further candidates."""
    max_tokens_understand: int = Field(default=1500, ge=1)
    max_tokens_plan: int = Field(default=3000, ge=1)
    max_tokens_code: int = Field(default=6000, ge=1)
    usd_per_image: float = Field(default=0.0, ge=0)
    """Likely price of an image, for tables; a dry run works it out from the problems."""

    def settings(self) -> dict[str, JsonValue]:
        """As for all, with what decides the models' answers and the prompts' texts."""
        names = ("understand", "plan", f"code_{self.language}", "repair", "look")
        critic = self.critic.identity() if self.critic is not None else None
        return {
            **super().settings(),
            "model": self.model.identity(),  # type: ignore[dict-item]
            "critic": critic,  # type: ignore[dict-item]
            "prompts": [load_prompt(ImgCoder, name).hash for name in names],
        }

    def price(self) -> str:
        """See Generator."""
        return f"${self.usd_per_image:g}" if self.usd_per_image else "own server"

    async def make(self, problem: Problem, studio: Studio) -> Made:
        """See Generator."""
        work = Work(self, problem, studio, await studio.model(self.model))
        return await work.make()

    def understand(self, problem: Problem) -> Request:
        """The first step's request."""
        shown = problem if self.tell_answer else problem.model_copy(update={"answer": ""})
        words = {"problem": shown, "most": MOST_GIVEN}
        return self._request("understand", words, self.max_tokens_understand, answer=Understanding)

    def plan(self, problem: Problem, understanding: Understanding) -> Request:
        """The second step's request."""
        words = {"problem": problem, "understanding": understanding}
        return self._request("plan", words, self.max_tokens_plan, answer=Plan)

    def code(self, brief: Brief, candidate: int) -> Request:
        """The third step's request, for the n-th independent script."""
        words = {**_planned(brief), "width": f"{self.width_in:g}", "height": f"{self.height_in:g}"}
        temperature = self.temperature if candidate == 0 else self.temperature_more
        name = f"code_{self.language}"
        return self._request(name, words, self.max_tokens_code, temperature=temperature, seed=self.seed + candidate)

    def repair(self, brief: Brief, sketch: Sketch, seen: Sequence[str]) -> Request:
        """The request that mends a script."""
        attempt, language = sketch.attempt, self.written_in
        drawn = sketch.drawn if self.show_image else None
        image = drawn.png if drawn is not None and drawn.status is Status.OK else None
        if attempt.status is Status.OK:
            fault = repair.of_drawing(attempt.findings, seen)
        else:
            fault = repair.of_error(attempt.status, attempt.error, attempt.code)
        words = {
            **_planned(brief),
            **{"fault": fault, "code": attempt.code or "", "language": language.name, "fence": language.fence},
            "image": image is not None,
        }
        # the round is part of the seed: the same script with the same fault is not mended in the same way again
        seed = self.seed + 1000 * attempt.round + attempt.candidate
        temperature = self.temperature if attempt.round == 0 else self.temperature_more
        images = (image,) if image is not None else ()
        return self._request("repair", words, self.max_tokens_code, images=images, temperature=temperature, seed=seed)

    def looked_at(self, brief: Brief, png: bytes) -> Request:
        """The request that shows a drawing to a vision model."""
        return self._request("look", _planned(brief), 800, answer=Look, images=(png,))

    @property
    def written_in(self) -> Language:
        """The scripts' language."""
        return LANGUAGES[self.language]

    def _request(
        self,
        name: str,
        words: Mapping[str, object],
        max_tokens: int,
        *,
        answer: type[BaseModel] | None = None,
        images: tuple[bytes, ...] = (),
        temperature: float = 0.0,
        seed: int | None = None,
    ) -> Request:
        prompt = load_prompt(ImgCoder, name)
        system, user = prompt.filled(**words)
        return Request(
            prompt=user,
            system=system,
            images=images,
            answer=answer,
            prompt_hash=prompt.hash,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=self.seed if seed is None else seed,
        )

    def estimate(self, problems: Sequence[Problem], journal: Path) -> Estimate:
        """Three calls a problem with answers of usual length; repairs and further candidates are not foreseen."""
        usual = Understanding(domain=LONG[:60], given=("10 cm",) * 6, objects=(LONG[:80],) * 6, hidden=(LONG[:40],) * 2)
        plan = Plan(content=LONG, layout=LONG, labels=LONG[:400], constraints=LONG[:400])

        def requests() -> list[Request]:
            found = []
            for problem in problems:
                brief = Brief(problem, usual, plan, usual.given)
                found += [self.understand(problem), self.plan(problem, usual), self.code(brief, 0)]
            return found

        return Model(self.model, journal).estimate(requests())


def _planned(brief: Brief) -> dict[str, object]:
    return {"plan": brief.plan, "labels": brief.labels, "hidden": brief.understanding.hidden}
