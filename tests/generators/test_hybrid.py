"""The router: the paper's finding before anything is measured, the better member afterwards, another on failure."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from scigen.errors import ScigenError
from scigen.generators import About, Generator, LocalEngine, Made, Studio, generate, image_of_rendering
from scigen.generators.hybrid import Hybrid, Routes, learn, read_routes, write_routes
from scigen.generators.hybrid.__main__ import table
from scigen.generators.hybrid.routes import ANY, the_prior
from scigen.records import GeneratedImage, ImageType, Plan, Problem, ScriptError, Status, Verdict
from scigen.store import SetWriter, read_set

CODER, PAINTER = About(paradigm="code", r_inv=76.93), About(paradigm="pixel", r_inv=73.41)
MEMBERS = {"coder": CODER, "painter": PAINTER}
TEXT = "import matplotlib.pyplot as plt\nplt.figure(figsize=(3, 2))\nplt.text(0.5, 0.5, {!r})\nplt.show()\n"


class Draws(Generator):
    """Draws `text`, or fails with `fails`."""

    text: str = "5 kg"
    fails: Status | None = None
    usd: float = 0.5

    async def make(self, problem: Problem, studio: Studio) -> Made:
        if self.fails is not None:
            error = ScriptError(type="test", message="it was told to")
            image = GeneratedImage(
                problem_id=problem.id, generator=self.name, status=self.fails, error=error, cost_usd=self.usd
            )
            return Made(image)
        drawn = await studio.draw(TEXT.format(self.text))
        plan = Plan(content="c", layout="l", labels="l", constraints="c")
        made = image_of_rendering(problem, self.name, drawn, cost_usd=self.usd, plan=plan)
        if self.about.paradigm == "pixel":  # of pixels nothing is known
            return Made(made.image.model_copy(update={"drawing": None}), made.png)
        return made


def problem(n: int = 0, image_type: ImageType | None = ImageType.CIRCUIT) -> Problem:
    return Problem(
        id=f"p{n}",
        source="t",
        question="A body of 5 kg.",
        answer="9",
        elements=("5 kg",),
        image_type=image_type,
        multimodal_question="?",
    )


def hybrid(coder: Draws, painter: Draws, **more: object) -> Hybrid:
    return Hybrid(name="hybrid", members={"code": coder, "pixels": painter}, **more)  # type: ignore[arg-type]


def draws(name: str, about: About, **more: object) -> Draws:
    return Draws(name=name, about=about, **more)  # type: ignore[arg-type]


def run(generator: Generator, problems: list[Problem], folder: Path) -> list[GeneratedImage]:
    generate(problems, generator, folder / "set", LocalEngine(lambda: Studio(folder / "responses", workers=1)))
    return read_set(folder / "set", GeneratedImage)


@pytest.mark.parametrize(
    ("image_type", "first"),
    [
        *((t, "coder") for t in ("Plane Geometric", "Circuit", "Plot & Chart", "Table / Grid", "Molecular Structure")),
        *((t, "painter") for t in ("Cell Diagram", "Ecological", "Genetics", "Molecular Process", "Crystal Structure")),
    ],
)
def test_before_anything_is_measured_the_papers_finding_decides(image_type: str, first: str) -> None:
    believed = Routes().believed(MEMBERS, ImageType(image_type))
    assert believed[0].name == first
    assert believed[0].rate == pytest.approx(believed[0].prior)


def test_the_prior_names_each_type_once_and_its_rates_are_worked_out_by_hand() -> None:
    types = [t for named in the_prior().kinds.values() for t in named]
    assert len(types) == len(set(types))
    assert set(ImageType) - set(types) == {ImageType.REACTION_SCHEME, ImageType.EXP_SETUP}
    odds = 0.7693 / 0.2307 * 2.718281828**0.5
    assert the_prior().mean(CODER, "Circuit") == pytest.approx(odds / (1 + odds))
    assert the_prior().mean(CODER, ANY) == pytest.approx(0.7693)
    assert the_prior().mean(About(paradigm="pixel"), ANY) == pytest.approx(0.52)


def test_the_posterior_is_that_of_the_beta_distribution() -> None:
    routes = learn([problem(n) for n in range(10)], [verdict(n, "painter", n < 9) for n in range(10)])
    believed = {b.name: b for b in routes.believed(MEMBERS, ImageType.CIRCUIT)}
    painter, coder = believed["painter"], believed["coder"]
    mean, weight = the_prior().mean(PAINTER, "Circuit"), the_prior().weight
    assert (painter.name, painter.images, painter.passed) == ("painter", 10, 9)
    assert painter.rate == pytest.approx((weight * mean + 9) / (weight + 10))
    assert coder.rate == pytest.approx(coder.prior)
    assert coder.rate > painter.rate, "ten images do not outweigh the finding"


def verdict(n: int, generator: str, passed: bool, evaluator: str = "inverse") -> Verdict:
    return Verdict(problem_id=f"p{n}", generator=generator, evaluator=evaluator, status="scored", passed=passed)


def test_an_image_passes_if_all_its_verdicts_do_or_those_that_are_named() -> None:
    problems = [problem(0), problem(1, None)]
    checks = [verdict(0, "coder", True), verdict(0, "coder", False, "judge"), verdict(1, "coder", True)]
    routes = learn(problems, checks)
    assert routes.counts["Circuit"]["coder"].passed == 0
    assert (routes.counts[ANY]["coder"].images, routes.counts[ANY]["coder"].passed) == (2, 1)
    assert learn(problems, checks, ["inverse"]).counts["Circuit"]["coder"].passed == 1
    with pytest.raises(ScigenError, match="no problem p7"):
        learn(problems, [verdict(7, "coder", True)])


@pytest.mark.parametrize(("seen", "most_regret"), [(0, 0.16), (30, 0.06), (200, 0.02)])
def test_a_learnt_table_beats_each_member(seen: int, most_regret: float) -> None:
    """Skills by type are drawn at random; regret is what the route loses against knowing them, a type on average."""
    rng = random.Random(4)
    regrets, gains = [], []
    for _ in range(6):
        skill = {t: {"coder": rng.betavariate(4, 2), "painter": rng.betavariate(4, 2)} for t in ImageType}
        problems, checks = [], []
        for kind, by_name in skill.items():
            for _ in range(seen):
                n = len(problems)
                problems.append(problem(n, kind))
                checks += [verdict(n, name, rng.random() < rate) for name, rate in by_name.items()]
        routes = learn(problems, checks)
        routed = [skill[t][routes.believed(MEMBERS, t)[0].name] for t in ImageType]
        best = [max(skill[t].values()) for t in ImageType]
        single = max(sum(skill[t][name] for t in ImageType) for name in MEMBERS)
        regrets.append((sum(best) - sum(routed)) / len(best))
        gains.append((sum(routed) - single) / len(best))
    assert sum(regrets) / len(regrets) <= most_regret
    if seen:
        assert min(gains) > 0, "the better single member, chosen with hindsight"


def test_the_table_is_written_read_and_shown(tmp_path: Path) -> None:
    routes = learn([problem(0)], [verdict(0, "coder", True)])
    write_routes(routes, tmp_path / "routes.json")
    assert read_routes(tmp_path / "routes.json") == routes
    assert table(routes).row_count == len(ImageType) + 1
    with pytest.raises(ScigenError, match="learn"):
        read_routes(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text('{"counts": 3}')
    with pytest.raises(ScigenError, match="not a table"):
        read_routes(tmp_path / "bad.json")


def test_the_command_learns_from_sets_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from scigen.generators.hybrid import __main__ as command

    with SetWriter(tmp_path / "problems", Problem, "i") as problems:
        problems.append(problem(0))
        problems.finish()
    with SetWriter(tmp_path / "checks", Verdict, "i") as checks:
        checks.append(verdict(0, "painter", True))
        checks.finish()
    folders = ["--problems", str(tmp_path / "problems"), "--checks", str(tmp_path / "checks")]
    monkeypatch.setattr("sys.argv", ["hybrid", "learn", *folders, "--out", str(tmp_path / "routes.json")])
    command.main()
    assert "painter" in capsys.readouterr().out
    assert read_routes(tmp_path / "routes.json").counts["Circuit"]["painter"].images == 1


def test_the_first_choice_is_taken_where_it_passes(tmp_path: Path) -> None:
    generator = hybrid(draws("coder", CODER), draws("painter", PAINTER))
    problems = [problem(0), problem(1, ImageType.CELL_DIAGRAM)]
    by_id = {r.problem_id: r for r in run(generator, problems, tmp_path)}
    circuit, cell = by_id["p0"], by_id["p1"]
    assert circuit.choice is not None
    assert cell.choice is not None
    assert (circuit.generator, circuit.choice.generator, cell.choice.generator) == ("hybrid", "coder", "painter")
    assert circuit.choice.reason.startswith("Circuit: coder 0.85 (prior 0.85, nothing measured), painter 0.63")
    assert (circuit.choice.tried, circuit.cost_usd) == ((), 0.5)
    assert circuit.plan is not None
    assert circuit.drawing is not None


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"fails": Status.CODE_ERROR}, "coder: code_error (it was told to)"),
        ({"text": "6 kg"}, "'5 kg' is given and not"),
    ],
)
def test_the_other_paradigm_is_asked_where_the_first_fails(fault: dict[str, object], said: str, tmp_path: Path) -> None:
    generator = hybrid(draws("coder", CODER, **fault), draws("painter", PAINTER, usd=0.25))
    (record,) = run(generator, [problem()], tmp_path)
    assert record.status is Status.OK
    assert record.choice is not None
    assert record.choice.generator == "painter"
    assert said in record.choice.tried[0]
    assert record.cost_usd == 0.75
    assert record.attempts == 2
    alone = hybrid(draws("coder", CODER, **fault), draws("painter", PAINTER), fall_back=False)
    (record,) = run(alone, [problem()], tmp_path / "alone")
    assert record.choice is not None
    assert record.choice.generator == "coder"


def test_when_all_fail_the_least_bad_is_kept(tmp_path: Path) -> None:
    generator = hybrid(draws("coder", CODER, text="6 kg"), draws("painter", PAINTER, fails=Status.BLOCKED))
    (record,) = run(generator, [problem()], tmp_path / "a")
    assert (record.status, record.choice and record.choice.generator) == (Status.OK, "coder")
    both = hybrid(draws("coder", CODER, fails=Status.CODE_ERROR), draws("painter", PAINTER, fails=Status.BLOCKED))
    (record,) = run(both, [problem()], tmp_path / "b")
    assert record.status is Status.CODE_ERROR
    assert record.choice is not None
    assert record.choice.tried == ("painter: blocked (it was told to)",)


class Refuses(Draws):
    async def make(self, problem: Problem, studio: Studio) -> Made:
        raise ScigenError(f"{self.name}: the key was refused")


def test_a_member_that_cannot_be_asked_stops_nothing_unless_all_are_so(tmp_path: Path) -> None:
    refuses = Refuses(name="coder", about=CODER)
    (record,) = run(hybrid(refuses, draws("painter", PAINTER)), [problem()], tmp_path / "a")
    assert record.status is Status.OK
    assert record.choice is not None
    assert record.choice.tried == ("coder: not to be had (coder: the key was refused)",)
    both = hybrid(refuses, Refuses(name="painter", about=PAINTER))
    with pytest.raises(ScigenError, match="the key was refused"):
        run(both, [problem()], tmp_path / "b")


def test_extreme_rates_are_no_error() -> None:
    for rate in (0.0, 100.0):
        assert 0 < the_prior().mean(About(r_inv=rate), "Circuit") < 1


def test_routes_decide_the_set_and_settings_tell_them(tmp_path: Path) -> None:
    members = (draws("coder", CODER), draws("painter", PAINTER))
    prior = hybrid(*members)
    checks = [verdict(n, "painter", True) for n in range(40)]
    write_routes(learn([problem(n) for n in range(40)], checks), tmp_path / "routes.json")
    learnt = hybrid(*members, routes=str(tmp_path / "routes.json"))
    assert prior.settings() != learnt.settings()
    assert prior.settings() == hybrid(*members).settings()
    got = Counter(r.choice.generator for r in run(learnt, [problem(n) for n in range(3)], tmp_path) if r.choice)
    assert got == {"painter": 3}


def test_members_are_built_from_config_nodes_and_mistakes_named() -> None:
    node = {"_target_": "scigen.generators.procedural.ProceduralGenerator", "name": "families"}
    built = Hybrid(name="h", members={"a": node, "b": draws("painter", PAINTER)})  # type: ignore[arg-type]
    assert [g.name for g in built.generators()] == ["families", "painter"]
    for wrong, said in (
        ({"a": node, "b": {"name": "x"}}, "member b: no _target_"),
        ({"a": node, "b": {**node, "_target_": "scigen.nothing.X"}}, "member b: No module"),
        ({"a": node, "b": node}, "two members have one name"),
        ({"a": node}, "at least 2"),
    ):
        with pytest.raises(ValidationError, match=said):
            Hybrid(name="h", members=wrong)
