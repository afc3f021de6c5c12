"""Draws procedural problems from their own parameters, and spoils a share of them on purpose, with the label kept.

No model and no network: the family writes the script, the sandbox draws it.
"""

from __future__ import annotations

from importlib.metadata import version
from random import Random

from pydantic import Field, JsonValue

from scigen.errors import ScigenError
from scigen.generators.base import About, Generator, Made, image_of_rendering
from scigen.generators.studio import Studio
from scigen.problems.procedural import registry
from scigen.records import Defect, Plan, Problem, Procedure


class ProceduralGenerator(Generator):
    """`defect_rate` of the textbook drawings get one planted defect, chosen by seed and problem id."""

    name: str = "procedural"
    about: About = About(vendor="scigen", paradigm="procedural")
    defect_rate: float = Field(default=0.0, ge=0, le=1)
    seed: int = 0

    def settings(self) -> dict[str, JsonValue]:
        """As for all, with Matplotlib's version: it decides the pixels."""
        return {**super().settings(), "matplotlib": version("matplotlib")}

    async def make(self, problem: Problem, studio: Studio) -> Made:
        """See Generator."""
        plan, code, defect = self.write(problem)
        drawn = await studio.draw(code)
        return image_of_rendering(problem, self.name, drawn, code=code, plan=plan, planted_defect=defect)

    def write(self, problem: Problem) -> tuple[Plan, str, Defect | None]:
        """Plan, script and planted defect of one problem. Raises ScigenError for a problem without a procedure."""
        procedure = problem.procedure
        if procedure is None:
            raise ScigenError(
                f"problem {problem.id} from {problem.source}: it has no procedure, so the procedural generator cannot "
                f"draw it. Take another generator, or procedural problems."
            )
        family = registry.family(procedure.family)
        if procedure.view == "glance":
            return glance_plan(problem, procedure), family.seen_at_a_glance.draw(procedure.params), None
        rng = Random(f"{self.seed}/{problem.id}")
        plan = family.plan(procedure.params)
        if rng.random() >= self.defect_rate:
            return plan, family.draw(procedure.params).script(), None
        defect = rng.choice(list(Defect))
        return plan, family.spoil(procedure.params, defect, rng).script(), defect


def glance_plan(problem: Problem, procedure: Procedure) -> Plan:
    """The plan of a glance drawing, the same words for all families: the parameters say the rest."""
    settings = ", ".join(f"{name} = {value}" for name, value in sorted(procedure.params.items()))
    return Plan(
        content=f'One {procedure.family.replace("_", " ")}. "{problem.question}" has the answer {problem.answer}.',
        layout=f"A square of 96 x 96 px without axes; {settings}.",
        labels="None: the drawing holds no text.",
        constraints="Bold shapes on white, told apart at low resolution; the answer is not written.",
    )
