"""One record a problem, in order; spoilt ones are labelled; a killed run goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from scigen.errors import ScigenError
from scigen.generators import ProceduralGenerator, generate
from scigen.problems.procedural.make import make_problems
from scigen.problems.procedural.registry import family
from scigen.records import GeneratedImage, Problem, Status
from scigen.store import image_path, read_set


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    triangle = [family("right_triangle")]
    return [
        *make_problems(triangle, "textbook", 3, "train", 10, seed=0),
        *make_problems(triangle, "glance", 3, "train", 10, seed=0),
    ]


class Stops(ProceduralGenerator):
    """Breaks off after two images, as a killed process would."""

    def generate(self, problems: Iterable[Problem]) -> Iterator[tuple[GeneratedImage, bytes | None]]:
        for n, result in enumerate(super().generate(problems)):
            if n == 2:
                raise KeyboardInterrupt
            yield result


def test_every_problem_has_a_drawing_with_plan_code_and_texts(problems: list[Problem], tmp_path: Path) -> None:
    manifest = generate(problems, ProceduralGenerator(workers=1), tmp_path / "images", progress=False)
    assert manifest.by_status == {"ok": 6}
    records = read_set(tmp_path / "images", GeneratedImage)
    assert [r.problem_id for r in records] == [p.id for p in problems]
    for problem, record in zip(problems, records, strict=True):
        assert record.plan is not None
        assert record.code is not None
        assert record.planted_defect is None
        assert record.image is not None
        png = image_path(tmp_path / "images", record.image).read_bytes()
        assert hashlib.sha256(png).hexdigest() == record.image
        assert set(problem.elements) <= {t.text for t in record.texts}
    assert [(r.width, r.height) for r in records] == [(500, 400)] * 3 + [(96, 96)] * 3


def test_a_broken_off_run_ends_in_the_same_set(problems: list[Problem], tmp_path: Path) -> None:
    whole = generate(problems, ProceduralGenerator(workers=1), tmp_path / "whole", progress=False)
    with pytest.raises(KeyboardInterrupt):
        generate(problems, Stops(workers=1), tmp_path / "parts", progress=False)
    assert not (tmp_path / "parts" / "manifest.json").exists()
    assert len((tmp_path / "parts" / "records.jsonl").read_text().splitlines()) == 2
    again = generate(problems, ProceduralGenerator(workers=2), tmp_path / "parts", progress=False)
    assert again == whole
    assert generate(problems, ProceduralGenerator(), tmp_path / "parts", progress=False) == whole


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
    assert ProceduralGenerator(workers=1).settings() == ProceduralGenerator(workers=2).settings()
    assert ProceduralGenerator(seed=1).settings() != ProceduralGenerator(seed=2).settings()


def test_what_it_cannot_draw_is_refused_with_the_problem_named() -> None:
    foreign = Problem(id="q17", source="corpus", question="?", answer="1", multimodal_question="?")
    with pytest.raises(ScigenError, match=r"q17.*no procedure"):
        ProceduralGenerator().write(foreign)
    with pytest.raises(ScigenError, match=r"defect_rate: 1\.5"):
        ProceduralGenerator(defect_rate=1.5)


def test_a_script_that_fails_is_a_record(tmp_path: Path, problems: list[Problem]) -> None:
    class Fails(ProceduralGenerator):
        def write(self, problem: Problem):  # type: ignore[no-untyped-def]
            plan, _, _ = super().write(problem)
            return plan, "raise ValueError('no')", None

    manifest = generate(problems[:1], Fails(workers=1), tmp_path / "x", progress=False)
    (record,) = read_set(tmp_path / "x", GeneratedImage)
    assert manifest.by_status == {"code_error": 1}
    assert (record.status, record.image) == (Status.CODE_ERROR, None)
    assert record.error is not None
    assert record.error.line == 1
