"""Kappa by hand and against torchmetrics; who favours whom."""

from __future__ import annotations

import random

import pytest

from scigen import torchvision_shim
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.judge.agreement import agreement, agreements, kappa, kappa_interval
from scigen.evaluation.judge.families import family_of, self_preference
from scigen.records import Dimension, GeneratedImage, Problem, Rating, Status, Verdict, VerdictStatus
from scigen.statistics import wilson


def rated(n: int, judge: str, score: int, repeat: int = 0, model: str | None = None) -> Rating:
    return Rating(
        judge=judge, model=model, repeat=repeat, status=VerdictStatus.SCORED, scores=dict.fromkeys(Dimension, score)
    )


def verdict(n: int, *ratings: Rating, generator: str = "g") -> Verdict:
    return Verdict(
        problem_id=f"p{n}", generator=generator, evaluator="judge", status=VerdictStatus.SCORED, ratings=ratings
    )


def test_kappa_by_hand() -> None:
    """Four images, ratings (0,0) (1,1) (2,2) (2,0).

    Observed disagreement: (0 + 0 + 0 + 4) / 4 = 1. By chance, with margins 1,1,2 and 2,1,1 of 4: the products weighted
    by squared distance sum to (1*1 + 1*4 + 1*2 + 1*1 + 2*2*4 + 2*1*1) / 16 = 26/16. Kappa = 1 - 16/26 = 5/13.
    """
    assert kappa([(0, 0), (1, 1), (2, 2), (2, 0)]) == pytest.approx(5 / 13)


def test_kappa_is_torchmetrics() -> None:
    torchvision_shim.install()
    import torch
    from torchmetrics.functional.classification import multiclass_cohen_kappa

    dice = random.Random(0)
    for _ in range(20):
        pairs = [(dice.randrange(3), dice.randrange(3)) for _ in range(30)]
        one, two = torch.tensor(pairs).T
        other = multiclass_cohen_kappa(one, two, num_classes=3, weights="quadratic")
        assert kappa(pairs) == pytest.approx(other.item(), abs=1e-5)


def test_without_variation_there_is_no_kappa() -> None:
    assert kappa([(2, 2)] * 50) is None
    assert kappa([]) is None
    assert kappa_interval([(2, 2)] * 50) is None
    assert kappa([(2, 1)] * 50) == 0, "constant but different raters agree no better than chance"


def test_the_interval_holds_the_value_and_narrows() -> None:
    dice = random.Random(1)
    pairs = [(s, min(2, max(0, s + dice.choice([0, 0, 0, 1, -1])))) for s in (dice.randrange(3) for _ in range(800))]
    few, many = kappa_interval(pairs[:50]), kappa_interval(pairs)
    assert few is not None
    assert many is not None
    assert many.low < many.value < many.high
    assert many.high - many.low < 0.4 * (few.high - few.low)


def test_images_of_one_problem_are_drawn_together() -> None:
    """Each problem four times over: kappa is the same, and its interval too, for nothing new is known."""
    dice = random.Random(2)
    pairs = [(s, min(2, max(0, s + dice.choice([0, 0, 1, -1])))) for s in (dice.randrange(3) for _ in range(60))]
    once = kappa_interval(pairs)
    problems = [f"p{n}" for n in range(60)] * 4
    clustered, as_if_new = kappa_interval(pairs * 4, problems), kappa_interval(pairs * 4)
    assert once is not None
    assert clustered is not None
    assert as_if_new is not None
    assert clustered.value == pytest.approx(once.value)
    assert clustered.high - clustered.low == pytest.approx(once.high - once.low, rel=0.05)
    assert as_if_new.high - as_if_new.low < 0.6 * (clustered.high - clustered.low)


def test_equal_ratings_of_one_problems_images_count_once() -> None:
    """20 problems drawn by two generators each; on every other problem both readings are equal for both images."""
    ones = {(f"p{n}", g): rated(n, "a", 1) for n in range(20) for g in "gh"}
    others = {(f"p{n}", g): rated(n, "a", 1 + n % 2, repeat=1) for n in range(20) for g in "gh"}
    found = agreement("a", "a, reading 2", ones, others, Dimension.LAYOUT_PRECISION).exact
    assert found is not None
    assert (found.value, found.low, found.high, found.n) == pytest.approx((0.5, *wilson(10, 20), 40))


def test_readings_are_compared_with_the_first_and_judges_with_each_other() -> None:
    verdicts = [
        verdict(n, rated(n, "a", n % 3), rated(n, "a", n % 3, repeat=1), rated(n, "b", (n + 1) % 3)) for n in range(30)
    ]
    failed = Rating(judge="b", status=VerdictStatus.UNPARSED, error="no")
    verdicts.append(verdict(30, rated(30, "a", 1), failed))
    found = {(a.first, a.second): a for a in agreements(verdicts) if a.dimension is Dimension.LAYOUT_PRECISION}
    assert set(found) == {("a", "a, reading 2"), ("a", "b")}
    again = found["a", "a, reading 2"]
    assert again.kappa is not None
    assert (again.kappa.value, again.kappa.n) == (1.0, 30)
    other = found["a", "b"]
    assert other.exact is not None
    assert (other.exact.value, other.exact.n) == (0.0, 30), "what could not be read is in no pair"
    assert other.mean_difference == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("google/gemini-3-flash-preview", "gemini"),
        ("nanobanana_pro", "gemini"),
        ("gpt-image-1.5", "gpt"),
        ("openai/gpt-5.4-mini", "gpt"),
        ("openai-api/test/o4-mini", "gpt"),
        ("vllm/Qwen/Qwen3-VL-235B", "qwen"),
        ("hunyuan_image_3", "hunyuan"),
        ("seedream_4", "seed"),
        ("flux2_flex", "flux"),
        ("procedural", None),
        (None, None),
    ],
)
def test_families(name: str | None, family: str | None) -> None:
    assert family_of(name) == family


def test_a_judge_of_the_generators_family_is_named_with_what_it_gives_too_much() -> None:
    """gemini gives nanobanana 2 where gpt gives 1 (five dimensions: 5 of 10 more), and procedural what gpt gives."""
    problems = [Problem(id=f"p{n}", source="s", question="?", answer="9", multimodal_question="?") for n in range(20)]
    images, verdicts = [], []
    for n in range(20):
        for generator, own in (("nanobanana", 2), ("procedural", 1)):
            images.append(GeneratedImage(problem_id=f"p{n}", generator=generator, status=Status.OK, image=f"{n:064d}"))
            flash = rated(n, "flash", own, model="gemini-3-flash")
            verdicts.append(verdict(n, flash, rated(n, "mini", 1, model="gpt-5.4-mini"), generator=generator))
    (found,) = self_preference(Evidence.of(problems, images, verdicts))
    assert (found.judge, found.generator, found.family) == ("flash", "nanobanana", "gemini")
    assert found.excess is not None
    assert found.baseline is not None
    assert (found.excess.value, found.baseline.value) == (5.0, 0.0)
    assert "judges favour their own" in found.words()
