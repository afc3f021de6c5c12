"""Made answers are checked against a second way, ids against repetition; each check can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scigen.errors import ScigenError
from scigen.problems.procedural import registry
from scigen.problems.procedural.__main__ import main
from scigen.problems.procedural.make import make_problem
from scigen.problems.procedural.verify import agrees, made, verify


@pytest.mark.parametrize(
    ("answer", "solved", "same"),
    [
        ("0.33", 1 / 3, True),
        ("0.34", 1 / 3, False),
        ("2.5", 2.45, True),  # half a unit of the last place
        ("2.5", 2.44, False),
        ("7", 7.2, True),
        ("7", 7.6, False),
        ("A-B-C", "A-B-C", True),
        ("A-B-C", "A-C", False),
        ("seven", 7.0, False),
        ("-12", -12.0, True),
    ],
)
def test_a_number_agrees_within_half_a_unit_of_its_last_place(answer: str, solved: str | float, same: bool) -> None:
    assert agrees(answer, solved) is same


@pytest.mark.slow
def test_every_family_is_solved_a_second_way_without_a_disagreement() -> None:
    tallies = verify(made([], 12 * len(registry.families()), seed=3))
    assert set(tallies) == set(registry.families())
    for name, tally in tallies.items():
        assert tally.disagreements == [], name
        assert tally.solved == tally.problems, name


def test_a_family_whose_two_ways_differ_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    family = registry.family("right_triangle")
    wrong = replace(family, solve=lambda p: float(p["a"] + p["b"]))
    monkeypatch.setattr("scigen.problems.procedural.verify.family", lambda name: wrong)
    problem = make_problem(family, "textbook", 1, 0)
    tally = verify([problem])["right_triangle"]
    assert tally.solved == 0
    assert tally.disagreements[0].startswith(f"{problem.id}: {problem.answer} against")


def test_an_id_that_comes_twice_is_an_error() -> None:
    problem = make_problem(registry.family("cuboid"), "textbook", 1, 0)
    with pytest.raises(ScigenError, match=f"problem {problem.id} of family cuboid: its id comes twice"):
        verify([problem, problem])


def test_a_family_that_has_no_more_leaves_the_round_to_the_others() -> None:
    counts: dict[str, int] = {}
    for problem in made(["bohr_atom", "cuboid"], 400, seed=0):
        assert problem.procedure is not None
        counts[problem.procedure.family] = counts.get(problem.procedure.family, 0) + 1
    assert sum(counts.values()) == 400
    assert counts["cuboid"] > counts["bohr_atom"]


def test_the_command_prints_the_tally_and_knows_its_families(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--count", "6", "cuboid", "venn"]) == 0
    assert "all, every id once" in capsys.readouterr().out
    assert main(["verify", "--count", "6", "cubiod"]) == 2
    assert "did you mean cuboid" in capsys.readouterr().err
