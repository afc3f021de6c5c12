"""Draws procedural problems from their own parameters, and spoils a share of them on purpose, with the label kept.

No model and no network: the family writes the script, the sandbox draws it.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from random import Random

from pydantic import JsonValue

from scigen.errors import ScigenError
from scigen.problems.procedural import registry
from scigen.records import Defect, GeneratedImage, Plan, Problem, Procedure, Status
from scigen.rendering import Limits, RenderPool


class ProceduralGenerator:
    """`defect_rate` (0 to 1) of the textbook drawings get one planted defect, chosen by seed and problem id.

    `workers` is the number of drawing processes, by default the cores at hand; it does not change the output.
    """

    def __init__(
        self, name: str = "procedural", defect_rate: float = 0.0, seed: int = 0, workers: int | None = None
    ) -> None:
        if not 0.0 <= defect_rate <= 1.0:
            raise ScigenError(f"generator.defect_rate: {defect_rate} is not between 0 and 1. Give a share such as 0.1.")
        self.name = name
        self.defect_rate = defect_rate
        self.seed = seed
        self.workers = workers
        self.limits = Limits()

    def settings(self) -> dict[str, JsonValue]:
        return {
            "generator": "procedural",
            "name": self.name,
            "defect_rate": self.defect_rate,
            "seed": self.seed,
            "matplotlib": version("matplotlib"),
        }

    def generate(self, problems: Iterable[Problem]) -> Iterator[tuple[GeneratedImage, bytes | None]]:
        waiting: deque[tuple[Problem, Plan, str, Defect | None]] = deque()

        def scripts() -> Iterator[str]:
            for problem in problems:
                plan, code, defect = self.write(problem)
                waiting.append((problem, plan, code, defect))
                yield code

        with RenderPool(self.workers, self.limits) as pool:
            for drawn in pool.map(scripts()):
                problem, plan, code, defect = waiting.popleft()
                ok = drawn.status is Status.OK and drawn.png is not None
                record = GeneratedImage(
                    problem_id=problem.id,
                    generator=self.name,
                    status=drawn.status,
                    image=hashlib.sha256(drawn.png).hexdigest() if drawn.png is not None else None,
                    width=drawn.width,
                    height=drawn.height,
                    code=code,
                    plan=plan,
                    drawing=drawn.drawing,
                    error=drawn.error,
                    planted_defect=defect,
                    seconds=drawn.seconds,
                )
                yield record, drawn.png if ok else None

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
            return glance_plan(problem, procedure), family.glance.draw(procedure.params), None
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
