"""One record a problem, in order; spoilt ones are labelled; a killed run goes on where it stopped."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pydantic import JsonValue, ValidationError

from scigen.errors import ScigenError
from scigen.generators import Generator, LocalEngine, Made, ProceduralGenerator, Studio, generate
from scigen.problems.procedural.make import make_problems
from scigen.problems.procedural.registry import family
from scigen.records import GeneratedImage, Problem, Status
from scigen.store import Manifest, image_path, read_set


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    triangle = [family("right_triangle")]
    return [
        *make_problems(triangle, "textbook", 3, "train", 10, seed=0),
        *make_problems(triangle, "glance", 3, "train", 10, seed=0),
    ]


def draw(problems: list[Problem], folder: Path, generator: Generator | None = None, workers: int = 1) -> Manifest:
    engine = LocalEngine(lambda: Studio(folder.parent / "responses", workers=workers))
    return generate(problems, generator or ProceduralGenerator(), folder, engine)


class Stops(ProceduralGenerator):
    """Breaks off after two images, as a killed process would."""

    async def make(self, problem: Problem, studio: Studio) -> Made:
        done = getattr(studio, "done", 0)
        if done == 2:
            raise KeyboardInterrupt
        setattr(studio, "done", done + 1)  # noqa: B010
        return await super().make(problem, studio)

    def settings(self) -> dict[str, JsonValue]:
        return ProceduralGenerator().settings()


def test_every_problem_has_a_drawing_with_plan_code_and_texts(problems: list[Problem], tmp_path: Path) -> None:
    manifest = draw(problems, tmp_path / "images")
    assert manifest.by_status == {"ok": 6}
    records = read_set(tmp_path / "images", GeneratedImage)
    by_id = {r.problem_id: r for r in records}
    assert len(records) == len(by_id) == len(problems)
    for problem in problems:
        record = by_id[problem.id]
        assert record.plan is not None
        assert record.code is not None
        assert record.planted_defect is None
        assert record.image is not None
        png = image_path(tmp_path / "images", record.image).read_bytes()
        assert hashlib.sha256(png).hexdigest() == record.image
        assert set(problem.elements) <= {t.text for t in record.texts}
    assert [(by_id[p.id].width, by_id[p.id].height) for p in problems] == [(500, 400)] * 3 + [(96, 96)] * 3


@pytest.mark.slow
def test_a_broken_off_run_ends_in_the_same_set(problems: list[Problem], tmp_path: Path) -> None:
    whole = draw(problems, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        draw(problems, tmp_path / "parts", Stops(at_once=1))
    assert not (tmp_path / "parts" / "manifest.json").exists()
    assert len((tmp_path / "parts" / "records.jsonl").read_text().splitlines()) == 2
    again = draw(problems, tmp_path / "parts", workers=2)
    assert again == whole
    assert draw(problems, tmp_path / "parts") == whole


def test_defects_hit_textbook_drawings_only_and_depend_on_seed_and_problem(problems: list[Problem]) -> None:
    always = ProceduralGenerator(defect_rate=1.0, seed=3)
    written = [always.write(p) for p in problems]
    assert [d is not None for _, _, d in written] == [True] * 3 + [False] * 3
    assert [always.write(p) for p in reversed(problems)] == written[::-1]
    assert [code for _, code, _ in written[3:]] == [ProceduralGenerator().write(p)[1] for p in problems[3:]]
    many = list(make_problems([family("right_triangle")], "textbook", 60, "train", 10, seed=1))
    hit = sum(ProceduralGenerator(defect_rate=0.5, seed=0).write(p)[2] is not None for p in many)
    assert 18 <= hit <= 42, "30 expected, three standard deviations are 11.6"


def test_other_settings_are_another_set(problems: list[Problem]) -> None:
    assert ProceduralGenerator(at_once=1).settings() == ProceduralGenerator(at_once=2).settings()
    assert ProceduralGenerator(seed=1).settings() != ProceduralGenerator(seed=2).settings()


def test_what_it_cannot_draw_is_refused_with_the_problem_named() -> None:
    foreign = Problem(id="q17", source="corpus", question="?", answer="1", multimodal_question="?")
    with pytest.raises(ScigenError, match=r"q17.*no procedure"):
        ProceduralGenerator().write(foreign)
    with pytest.raises(ValidationError, match="defect_rate"):
        ProceduralGenerator(defect_rate=1.5)


def test_a_script_that_fails_is_a_record(tmp_path: Path, problems: list[Problem]) -> None:
    class Fails(ProceduralGenerator):
        def write(self, problem: Problem):  # type: ignore[no-untyped-def]
            plan, _, _ = super().write(problem)
            return plan, "raise ValueError('no')", None

    manifest = draw(problems[:1], tmp_path / "x", Fails())
    (record,) = read_set(tmp_path / "x", GeneratedImage)
    assert manifest.by_status == {"code_error": 1}
    assert (record.status, record.image) == (Status.CODE_ERROR, None)
    assert record.error is not None
    assert record.error.line == 1
