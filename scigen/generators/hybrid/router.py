"""Asks the generator that promises most for a problem's image type; if its image fails, one of another paradigm."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import Field, JsonValue, field_validator

from scigen import glassbox
from scigen.errors import ScigenError
from scigen.generators.base import About, Generator, Made
from scigen.generators.hybrid.routes import Belief, Routes, read_routes, the_prior
from scigen.generators.studio import Studio
from scigen.models import BudgetReached, Estimate
from scigen.records import Choice, GeneratedImage, Problem, Status

FAILED, UNASKED = 10**6, 10**7
"""How bad it is to have no image, and to have nobody who makes one."""


class Tried(NamedTuple):
    """A member's image, and what is wrong with it; or, without one, why the member could not be asked."""

    belief: Belief
    made: Made | None
    fault: str
    badness: int


class Hybrid(Generator):
    """`members` are generators by any names; `routes` is a table that `learn` wrote, or None for the prior alone.

    An image fails if its status is not ok or, where its texts are known (images by code), the glass-box checks find
    something. Of pixels nothing is known but that they are there.
    """

    OUTER: ClassVar[frozenset[str]] = Generator.OUTER | {"members", "routes"}

    about: About = About(vendor="scigen", paradigm="hybrid")
    members: dict[str, Any] = Field(min_length=2)
    routes: str | None = None
    fall_back: bool = True
    """Ask a member of another paradigm where the first one's image fails."""
    most_members: int = Field(default=2, ge=1)
    """Asked for one problem, at most."""

    @field_validator("members")
    @classmethod
    def _built(cls, members: dict[str, Any]) -> dict[str, Generator]:
        built = {key: member(key, node) for key, node in members.items()}
        names = [g.name for g in built.values()]
        if len(set(names)) < len(names):
            raise ValueError(f"two members have one name ({', '.join(names)})")
        return built

    def table(self) -> Routes:
        """The learnt routes. Raises ScigenError."""
        return read_routes(self.routes)

    def settings(self) -> dict[str, JsonValue]:
        """As for all, with the members' settings, the routes and the prior."""
        decided = self.table().model_dump_json() + the_prior().model_dump_json()
        return {
            **super().settings(),
            "members": {g.name: g.settings() for g in self.generators()},
            "routes": hashlib.sha256(decided.encode()).hexdigest(),
        }

    def generators(self) -> list[Generator]:
        """The members."""
        return list(self.members.values())

    def ranked(self, problem: Problem, routes: Routes) -> list[Belief]:
        """The members by their promise for the problem's image type, the best first."""
        return routes.believed({g.name: g.about for g in self.generators()}, problem.image_type)

    async def make(self, problem: Problem, studio: Studio) -> Made:
        """See Generator."""
        routes: Routes = await studio.opened(("routes", self.routes), lambda: _Ready(self.table()))
        by_name = {g.name: g for g in self.generators()}
        ranked = self.ranked(problem, routes)
        tried: list[Tried] = []
        stopped: ScigenError | None = None
        while (belief := self._next(ranked, tried, by_name)) is not None:
            try:
                made = await by_name[belief.name].make(problem, studio)
            except BudgetReached:
                raise
            except ScigenError as e:  # a refused key, a vendor that is down: the others can still draw
                tried.append(Tried(belief, None, f"not to be had ({e})", UNASKED))
                stopped = e
                continue
            tried.append(_judged(problem, belief, made))
            if not tried[-1].fault or not self.fall_back:
                break
        if stopped is not None and all(t.made is None for t in tried):
            raise stopped
        return self._made(problem, ranked, tried)

    def _next(self, ranked: Sequence[Belief], tried: Sequence[Tried], by_name: dict[str, Generator]) -> Belief | None:
        """The best of those not asked yet; after a failure one of a paradigm that has not failed, if there is one."""
        if sum(t.made is not None for t in tried) == self.most_members:
            return None
        left = [b for b in ranked if b.name not in {t.belief.name for t in tried}]
        failed = {by_name[t.belief.name].about.paradigm for t in tried if t.made is not None}
        other = [b for b in left if by_name[b.name].about.paradigm not in failed]
        return next(iter(other or left), None)

    def _made(self, problem: Problem, ranked: Sequence[Belief], tried: Sequence[Tried]) -> Made:
        """The image with the least wrong with it, of equals the first, under this generator's name."""
        best = min(tried, key=lambda t: t.badness)
        kind = "a problem without a type" if problem.image_type is None else problem.image_type.value
        reason = f"{kind}: " + ", ".join(b.words() for b in ranked)
        others = tuple(f"{t.belief.name}: {t.fault or 'passed'}" for t in tried if t is not best)
        assert best.made is not None
        images = [t.made.image for t in tried if t.made is not None]
        update = {
            "generator": self.name,
            "choice": Choice(generator=best.belief.name, reason=reason, tried=others),
            "cost_usd": sum(i.cost_usd for i in images),
            "tokens": sum(i.tokens for i in images),
            "seconds": round(sum(i.seconds for i in images), 4),
            "attempts": sum(i.attempts for i in images),
        }
        return Made(best.made.image.model_copy(update=update), best.made.png)

    def estimate(self, problems: Sequence[Problem], journal: Path) -> Estimate:
        """As if each problem's first choice passed."""
        groups: dict[str, list[Problem]] = {}
        routes = self.table()
        for problem in problems:
            groups.setdefault(self.ranked(problem, routes)[0].name, []).append(problem)
        total = Estimate()
        for generator in self.generators():
            total += generator.estimate(groups.get(generator.name, []), journal)
        return total

    def price(self) -> str:
        """See Generator."""
        return "its members'"


class _Ready:
    """An async context manager around what needs no opening."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    async def __aenter__(self) -> Routes:
        return self._routes

    async def __aexit__(self, *_: object) -> None:
        return None


def member(key: str, node: Any) -> Generator:
    """A generator from a config node with a `_target_`; generators pass through."""
    if isinstance(node, Generator):
        return node
    if not isinstance(node, dict) or "_target_" not in node:
        raise ValueError(f"member {key}: no _target_; choose an option of conf/generator for it")
    module, _, name = str(node["_target_"]).rpartition(".")
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as e:
        raise ValueError(f"member {key}: {e}") from e
    made: Generator = kind(**{k: v for k, v in node.items() if k != "_target_"})
    return made


def _judged(problem: Problem, belief: Belief, made: Made) -> Tried:
    image: GeneratedImage = made.image
    if image.status is not Status.OK:
        why = image.error.message[:200] if image.error else ""
        return Tried(belief, made, f"{image.status.value}{f' ({why})' if why else ''}", FAILED)
    findings = glassbox.findings(problem, image.drawing) if image.drawing is not None else ()
    words = "; ".join(f.detail for f in findings[:3])
    return Tried(belief, made, words, len(findings))
