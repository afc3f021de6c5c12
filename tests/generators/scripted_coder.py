"""Answers of a model that codes, by rule: it plans and draws our own families' problems, and errs as it is told to.

For the chat server: `ScriptedCoder(problems, trouble)` is its answer function; as a process,
`--answer tests/generators/scripted_coder.py:answer` takes the problems and the share of errors from the environment
(SCRIPTED_COUNT, SCRIPTED_TROUBLE; SCRIPTED_FAMILIES, names with commas between, for problems of these only;
SCRIPTED_PLAIN=1 for right scripts that print the given values and draw nothing else, in half the time).
Nothing is remembered: how many repairs a script still needs stands in the script.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scigen.problems.procedural.make import make_problems
from scigen.problems.procedural.registry import families, family
from scigen.records import Defect, Problem

KINDS = (
    *("syntax", "name", "attribute", "module", "exit", "loop", "memory", "no_figure", "no_code", "cut_off"),
    *("missing_label", "overlap", "leak"),
)
"""Errors of a first script. The last three draw a figure, with a fault that the glass-box checks know."""
PLANTED = {
    "missing_label": Defect.MISSING_LABEL,
    "overlap": Defect.OVERLAPPING_TEXT,
    "leak": Defect.LEAKED_ANSWER,
}
WRONG = {
    "syntax": "def f(:\n    pass\n",
    "name": "plot_the_figure(1)\n",
    "attribute": "import matplotlib.pyplot as plt\nplt.draw_diagram()\n",
    "module": "import a_module_that_nobody_has\n",
    "exit": "import sys\nsys.exit('no')\n",
    "loop": "n = 0\nwhile True:\n    n += 1\n",
    "memory": "x = bytearray(8 << 30)\n",
    "no_figure": "import matplotlib.pyplot as plt\n",
}
QUOTED = re.compile(r'"""\n(.*?)\n"""', re.DOTALL)
MARK = re.compile(r"\[item (\w+)\]")
LEFT = re.compile(r"# (\w+), left: (\d+)")
Trouble = Mapping[str, tuple[str, int]]
"""Problem's id to the error of its first script, and how many repairs it takes."""


def some_problems(count: int, seed: int = 0, names: Sequence[str] = ()) -> list[Problem]:
    """Textbook problems of the named families; of the quicker ones if none is named."""
    names = names or [n for n in families() if n not in ("bohr_atom",)]
    return list(make_problems([family(n) for n in names], "textbook", count, "train", 10, seed=seed))


def trouble_for(problems: Iterable[Problem], share: float, most_repairs: int = 3, seed: int = 0) -> Trouble:
    """Errors of all kinds in turn for a share of the problems, with 1 to `most_repairs` repairs."""
    rng = random.Random(seed)
    chosen = [p for p in problems if rng.random() < share]
    return {p.id: (KINDS[n % len(KINDS)], 1 + n % most_repairs) for n, p in enumerate(chosen)}


class ScriptedCoder:
    def __init__(self, problems: Iterable[Problem], trouble: Trouble | None = None, *, plain: bool = False) -> None:
        self.by_id = {p.id: p for p in problems}
        self.by_question = {p.question.strip(): p for p in self.by_id.values()}
        self.trouble = trouble or {}
        self.plain = plain

    def __call__(self, body: dict[str, Any]) -> Any:
        content = body["messages"][-1]["content"]
        prompt = content if isinstance(content, str) else "".join(p.get("text", "") for p in content)
        schema = body.get("response_format", {}).get("json_schema", {}).get("name")
        if schema in ("Understanding", "Plan"):
            quoted = QUOTED.search(prompt)
            assert quoted is not None
            problem = self.by_question[quoted[1].strip()]
            return self.understanding(problem) if schema == "Understanding" else self.plan(problem)
        mark = MARK.search(prompt)
        assert mark is not None, prompt
        problem = self.by_id[mark[1]]
        if schema == "Look":
            return {"faults": []}
        left = LEFT.search(prompt)
        if left is not None:
            kind, rounds = left[1], int(left[2])
        elif "could be found in the answer" in prompt:
            kind, rounds = "", 0
        else:
            kind, rounds = self.trouble.get(problem.id, ("", 0))
            rounds += 1
        return self.script(problem, kind, rounds - 1)

    def understanding(self, problem: Problem) -> dict[str, Any]:
        return {"domain": str(problem.image_type), "given": list(problem.elements), "objects": [], "hidden": ["x"]}

    def plan(self, problem: Problem) -> dict[str, Any]:
        assert problem.procedure is not None
        plan = family(problem.procedure.family).plan(problem.procedure.params)
        return {**plan.model_dump(), "content": f"[item {problem.id}] {plan.content}"}

    def script(self, problem: Problem, kind: str, left: int) -> str:
        """The answer with a script that needs `left` more repairs of an error of this kind; 0 for the right one."""
        assert problem.procedure is not None
        made, params = family(problem.procedure.family), problem.procedure.params
        if left <= 0:
            code = plain_page(problem) if self.plain else made.draw(params).script()
        elif kind == "no_code":
            return "I would draw the figure as planned, with every label in its place."
        elif kind == "cut_off":
            return "```python\n" + made.draw(params).script()[:200]
        elif kind in PLANTED:
            spoilt = made.spoil(params, PLANTED[kind], random.Random(problem.id))
            code = f"# {kind}, left: {left}\n{spoilt.script()}"
        else:
            code = f"# {kind}, left: {left}\n{WRONG[kind]}"
        return f"Here is the script.\n\n```python\n{code}```\n"


def plain_page(problem: Problem) -> str:
    """A script that prints the given values one below the other."""
    lines = ["import matplotlib.pyplot as plt", "fig = plt.figure(figsize=(3, 2), dpi=50)"]
    for n, text in enumerate(problem.elements):
        lines.append(f"fig.text(0.05, {0.05 + 0.9 * n / len(problem.elements):.3f}, {text!r}, fontsize=7)")
    return "\n".join([*lines, 'fig.savefig("figure.png")', ""])


_made: ScriptedCoder | None = None


def answer(body: dict[str, Any]) -> Any:
    """For the server as a process."""
    global _made
    if _made is None:
        names = [name for name in os.environ.get("SCRIPTED_FAMILIES", "").split(",") if name]
        problems = some_problems(int(os.environ["SCRIPTED_COUNT"]), names=names)
        trouble = trouble_for(problems, float(os.environ.get("SCRIPTED_TROUBLE", "0")))
        _made = ScriptedCoder(problems, trouble, plain=os.environ.get("SCRIPTED_PLAIN") == "1")
    given = _made(body)
    return given if isinstance(given, str) else json.dumps(given)
