"""ImgCoder against a server that speaks chat completions and errs as it is told: steps, repairs, choice, statuses."""

from __future__ import annotations

import base64
import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
sys.path.insert(0, str(Path(__file__).parents[1] / "rendering"))

from chat_server import ChatServer
from own_attacks import OWN
from scripted_coder import KINDS, ScriptedCoder, some_problems, trouble_for

from scigen.generators import LocalEngine, Studio, generate
from scigen.generators.imgcoder import ImgCoder
from scigen.generators.imgcoder.code import MATPLOTLIB, TIKZ, find_code
from scigen.models import Budget, BudgetReached, ModelSettings
from scigen.models.prices import Price
from scigen.problems.procedural.make import make_problems
from scigen.problems.procedural.registry import family
from scigen.records import GeneratedImage, Problem, Status
from scigen.rendering import Limits
from scigen.store import image_path, read_set

LIMITS = Limits(timeout_s=20.0, memory_mb=1024)  # a busy machine must not look like a slow script
KEY = "loopback-secret-key"


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return some_problems(26)


@pytest.fixture(scope="module")
def triangle() -> Problem:
    (problem,) = make_problems([family("right_triangle")], "textbook", 1, "train", 10, seed=0)
    return problem


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOP_API_KEY", KEY)


def model(server: ChatServer, **more: Any) -> ModelSettings:
    settings: dict[str, Any] = {"name": "openai-api/loop/coder", "base_url": server.base_url, "backoff_s": 0.02}
    return ModelSettings(**{**settings, "retries": 2, **more})


def run(
    coder: ImgCoder, problems: list[Problem], folder: Path, budget: float | None = None, limits: Limits = LIMITS
) -> list[GeneratedImage]:
    engine = LocalEngine(
        lambda: Studio(folder / "responses", None if budget is None else Budget(budget), limits=limits)
    )
    generate(problems, coder, folder / "set", engine)
    by_id = {r.problem_id: r for r in read_set(folder / "set", GeneratedImage)}
    assert len(by_id) == len(problems)
    return [by_id[p.id] for p in problems]


def steps(server: ChatServer) -> Counter[str]:
    """How often each kind of answer was asked for."""
    names = [b.get("response_format", {}).get("json_schema", {}).get("name", "script") for b in server.bodies]
    return Counter(names)


def test_three_steps_make_an_image_and_all_of_them_are_recorded(problems: list[Problem], tmp_path: Path) -> None:
    with ChatServer(ScriptedCoder(problems)) as server:
        coder = ImgCoder(name="coder", model=model(server, price=Price(input=1, output=2)))
        (record,) = run(coder, problems[:1], tmp_path)
        assert steps(server) == {"Understanding": 1, "Plan": 1, "script": 1}
        assert run(coder, problems[:1], tmp_path) == [record]
        assert len(server.seen) == 3
    assert record.status is Status.OK
    assert record.image is not None
    assert image_path(tmp_path / "set", record.image).exists()
    assert record.understanding is not None
    assert record.understanding.given == problems[0].elements
    assert record.plan is not None
    assert all([record.plan.content, record.plan.layout, record.plan.labels, record.plan.constraints])
    assert record.code is not None
    assert record.model == ["openai-api/loop", "coder"][1]
    sent = sum(s.input_tokens for s in server.seen)
    written = sum(s.output_tokens for s in server.seen)
    assert record.tokens == sent + written
    assert record.cost_usd == pytest.approx((sent + 2 * written) / 1e6)
    (attempt,) = record.history
    assert (attempt.status, attempt.chosen, attempt.findings) == (Status.OK, True, ())
    assert KEY not in "".join(p.read_text() for p in tmp_path.rglob("*.jsonl"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_error_is_mended_from_what_is_said_of_it(kind: str, triangle: Problem, tmp_path: Path) -> None:
    first = {"syntax": "SyntaxError", "name": "plot_the_figure", "attribute": "draw_diagram", "exit": "SystemExit"}
    first |= {"module": "a_module_that_nobody_has", "loop": "did not end in time", "memory": "memory"}
    first |= {"no_figure": "draws nothing", "no_code": "no fenced block", "cut_off": "cut off"}
    first |= {"missing_label": "not drawn", "overlap": "overlap", "leak": "gives the answer away"}
    item = triangle
    limits = replace(LIMITS, timeout_s=4.0) if kind == "loop" else LIMITS
    with ChatServer(ScriptedCoder([item], {item.id: (kind, 1)})) as server:
        (record,) = run(ImgCoder(name="coder", model=model(server), repairs=1), [item], tmp_path, limits=limits)
        said = server.bodies[-1]["messages"][-1]["content"]
    text = said if isinstance(said, str) else said[-1]["text"]
    assert first[kind] in text
    assert record.status is Status.OK
    assert [a.chosen for a in record.history] == [False, True]
    assert record.history[1].findings == ()
    drew = kind in ("missing_label", "overlap", "leak")
    assert (record.history[0].status is Status.OK) == drew
    assert isinstance(said, list) == drew, "the faulty drawing is shown"
    if drew:
        png = base64.b64decode(said[0]["image_url"]["url"].partition(",")[2])
        assert png.startswith(b"\x89PNG")


@pytest.mark.slow
def test_more_rounds_execute_more(problems: list[Problem], tmp_path: Path) -> None:
    """26 problems, 24 with an error: kinds in turn, 1 to 3 repairs needed, so the rates can be counted by hand."""
    trouble = {p: (kind, needed) for p, (kind, needed) in trouble_for(problems, 1.0).items() if kind != "loop"}
    draws = ("missing_label", "overlap", "leak")
    alone = ("no_code", "cut_off")  # nothing of the error stands in the next question, so one repair is enough
    with ChatServer(ScriptedCoder(problems, trouble)) as server:
        for rounds in range(4):
            records = run(ImgCoder(name="coder", model=model(server), repairs=rounds), problems, tmp_path / str(rounds))
            for problem, record in zip(problems, records, strict=True):
                kind, needed = trouble.get(problem.id, ("none", 0))
                mended = rounds >= (1 if kind in alone else needed)
                assert (record.status is Status.OK) == (mended or kind in draws), (kind, needed, rounds)
                clean = any(a.chosen and not a.findings for a in record.history)
                assert clean == mended, (kind, needed, rounds)


@pytest.mark.parametrize(
    ("answer", "status"),
    [("not json", Status.NO_PLAN), ("", Status.NO_PLAN)],
)
def test_a_plan_that_cannot_be_read_is_asked_for_twice_and_then_said(
    answer: str, status: Status, problems: list[Problem], tmp_path: Path
) -> None:
    coder = ScriptedCoder(problems)

    def no_plan(body: dict[str, Any]) -> Any:
        name = body.get("response_format", {}).get("json_schema", {}).get("name")
        return answer if name == "Plan" else coder(body)

    with ChatServer(no_plan) as server:
        (record,) = run(ImgCoder(name="coder", model=model(server)), problems[:1], tmp_path)
        assert steps(server) == {"Understanding": 1, "Plan": 2}
    assert (record.status, record.code, record.plan) == (status, None, None)
    assert record.understanding is not None
    assert record.error is not None
    assert record.error.message.startswith("plan: ")
    assert record.error.stdout == answer, "what came is kept"


def test_vendors_failures_are_statuses_and_can_be_tried_again(problems: list[Problem], tmp_path: Path) -> None:
    from chat_server import Faults

    for kind, status in (("error_500", Status.API_ERROR), ("content_filter", Status.REFUSED)):
        with ChatServer(ScriptedCoder(problems), faults=Faults(1.0, kinds=(kind,))) as server:
            settings = model(server, stands_for="coder")
            (record,) = run(ImgCoder(name="coder", model=settings), problems[:1], tmp_path / kind)
            assert record.status is status
            assert record.error is not None
    with ChatServer(ScriptedCoder(problems)) as server:
        coder = ImgCoder(name="coder", model=model(server, stands_for="coder"))
        folder = tmp_path / "error_500"
        (kept,) = run(coder, problems[:1], folder)
        assert kept.status is Status.API_ERROR, "a finished set stays as it is"
        engine = LocalEngine(lambda: Studio(folder / "responses"))
        generate(problems[:1], coder, folder / "set", engine, retry_failed=True)
    (record,) = read_set(folder / "set", GeneratedImage)
    assert record.status is Status.OK
    (old,) = read_set(folder / "set.old-1", GeneratedImage)
    assert old.status is Status.API_ERROR


def test_of_several_candidates_the_one_with_the_fewest_findings_is_taken(triangle: Problem, tmp_path: Path) -> None:
    item = triangle
    coder = ScriptedCoder([item])
    kinds = ["leak", "overlap", "missing_label"]

    def errs(body: dict[str, Any]) -> Any:
        if "response_format" in body:
            return coder(body)
        return coder.script(item, kinds[body.get("seed", 0) % 3], 1)

    with ChatServer(errs) as server:
        imgcoder = ImgCoder(name="coder", model=model(server), repairs=0, candidates=3)
        (record,) = run(imgcoder, [item], tmp_path)
        assert [b["temperature"] for b in server.bodies[2:]] == [0.0, 0.8, 0.8]
    assert [a.candidate for a in record.history] == [0, 1, 2]
    worth = {0: 4, 1: 1, 2: 2}
    (chosen,) = [a for a in record.history if a.chosen]
    assert chosen.candidate == min(worth, key=lambda n: worth[n])
    assert record.code is not None
    assert "# overlap" in record.code


def test_a_candidate_without_fault_ends_the_search(problems: list[Problem], tmp_path: Path) -> None:
    with ChatServer(ScriptedCoder(problems)) as server:
        (record,) = run(ImgCoder(name="coder", model=model(server), candidates=4), problems[:1], tmp_path)
        assert len(server.seen) == 3
    assert len(record.history) == 1


def test_what_a_vision_model_sees_is_mended(problems: list[Problem], tmp_path: Path) -> None:
    coder = ScriptedCoder(problems)
    item = problems[0]

    def critical(body: dict[str, Any]) -> Any:
        if body.get("response_format", {}).get("json_schema", {}).get("name") != "Look":
            shown = coder(body)
            mends = isinstance(shown, str) and "arrow points" in str(body["messages"][-1])
            return shown.replace("fig.savefig", "fig.set_facecolor('#fefefe')\nfig.savefig") if mends else shown
        looks = sum(b.get("response_format", {}).get("json_schema", {}).get("name") == "Look" for b in server.bodies)
        return {"faults": ["the arrow points to the left"] if looks == 1 else []}

    with ChatServer(critical) as server:
        (record,) = run(ImgCoder(name="coder", model=model(server), look=True), [item], tmp_path)
        bodies = server.bodies
    assert [a.seen for a in record.history] == [("the arrow points to the left",), ()]
    assert [a.chosen for a in record.history] == [False, True]
    asked = bodies[-2]["messages"][-1]["content"]
    assert asked[0]["type"] == "image_url"
    assert "the arrow points to the left" in asked[-1]["text"]


@pytest.mark.slow
def test_hostile_scripts_are_contained_and_the_run_goes_on(problems: list[Problem], tmp_path: Path) -> None:
    coder = ScriptedCoder(problems)
    attacks = [a.source for a in OWN.values()][:24]
    by_id = dict(zip([p.id for p in problems], attacks, strict=False))

    def hostile(body: dict[str, Any]) -> Any:
        if "response_format" in body:
            return coder(body)
        found = [i for i in by_id if f"[item {i}]" in body["messages"][-1]["content"]]
        return f"```python\n{by_id[found[0]]}\n```" if found else coder(body)

    with ChatServer(hostile) as server:
        records = run(ImgCoder(name="coder", model=model(server), repairs=0), problems, tmp_path)
    assert [r.status for r in records[24:]] == [Status.OK, Status.OK]
    text = "".join(p.read_text() for p in tmp_path.rglob("*.jsonl"))
    assert "LEAK" not in "".join(r.error.message for r in records if r.error)
    assert KEY not in text


def test_a_budget_is_not_crossed(problems: list[Problem], tmp_path: Path) -> None:
    with ChatServer(ScriptedCoder(problems)) as server:
        priced = model(server, price=Price(input=1, output=2))
        with pytest.raises(BudgetReached):
            run(ImgCoder(name="coder", model=priced), problems, tmp_path, budget=0.05)
        spent = sum(s.input_tokens + 2 * s.output_tokens for s in server.seen) / 1e6
    assert 0.01 < spent <= 0.05


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_tikz_is_written_and_drawn_where_there_is_a_tex(problems: list[Problem], tmp_path: Path) -> None:
    coder = ScriptedCoder(problems)
    document = (
        "\\documentclass[border=4pt]{standalone}\n\\usepackage{tikz}\n\\begin{document}\n\\begin{tikzpicture}\n"
        "\\draw (0,0) -- (4,0) -- (4,3) -- cycle;\n\\node at (2,-0.3) {4 cm};\n\\end{tikzpicture}\n\\end{document}\n"
    )

    def writes(body: dict[str, Any]) -> Any:
        return coder(body) if "response_format" in body else f"```latex\n{document}```"

    with ChatServer(writes) as server:
        imgcoder = ImgCoder(name="coder", model=model(server), language="tikz", repairs=0)
        engine = LocalEngine(lambda: Studio(tmp_path / "responses"))
        generate(problems[:1], imgcoder, tmp_path / "set", engine)
        assert "TikZ" in str(server.bodies[-1])
    (record,) = read_set(tmp_path / "set", GeneratedImage)
    assert record.status is Status.OK, record.error
    assert "4 cm" in {t.text for t in record.texts}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("```python\nimport a\n```", "import a\n"),
        ("Text\n\n~~~py\nimport a\n~~~\nmore", "import a\n"),
        ("```\nimport a\n```", "import a\n"),
        ("```python\nimport a\n```\nBetter:\n```python\nimport b\n```", "import b\n"),
        ("```bash\npip install\n```\n```python\nimport a\n```", "import a\n"),
        ("import a\nprint(a)", "import a\nprint(a)\n"),
        ("<think>```python\nimport x\n```</think>```python\nimport a\n```", "import a\n"),
        ("````python\nimport a\ns = '''\n```\n'''\n````", "import a\ns = '''\n```\n'''\n"),
        ("I import nothing and cannot draw.", None),
        ("```python\nimport a\nprint(", None),
        ("```python\nimport a\n```\nand again\n```python\nimport b\n", None),
        ("```json\n{}\n```", None),
        ("", None),
    ],
)
def test_the_script_is_found_in_the_answer(answer: str, code: str | None) -> None:
    found = find_code(answer, MATPLOTLIB)
    assert found.code == code
    assert bool(found.fault) == (code is None)


def test_a_document_is_found_in_the_answer() -> None:
    document = "\\documentclass{standalone}\n\\begin{document}x\\end{document}\n"
    assert find_code(f"```latex\n{document}```", TIKZ).code == document
    assert find_code(document, TIKZ).code == document
    assert find_code("```python\nimport a\n```", TIKZ).code is None
