"""What each stage decides on answers written by hand, and what it asks."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from scigen.errors import ScigenError
from scigen.models import Reply, ReplyStatus
from scigen.problems.curation.classify import Classes, Classify
from scigen.problems.curation.contaminated import Contaminated
from scigen.problems.curation.elements import Elements, Visible
from scigen.problems.curation.limits import Limits
from scigen.problems.curation.quizzes import Draft, Drafts, Quizzes
from scigen.problems.curation.record import CurationRecord, CurationStatus
from scigen.problems.curation.repeats import Repeats
from scigen.problems.curation.rewrite import Rewrite, Rewritten
from scigen.problems.curation.run import check_stages
from scigen.problems.curation.stage import ModelStage, Surroundings
from scigen.problems.curation.visualisable import Drawable, Visualisable
from scigen.problems.taxonomy import SUBJECT_OF
from scigen.records import Flag, ImageType, Problem, Quiz, Subject

QUESTION = "A block with a mass of $5\\,\\text{kg}$ slides down a plane of height 2 m. How fast is it at the foot?"
MODEL_STAGES: list[type[ModelStage]] = [Visualisable, Classify, Elements, Quizzes, Rewrite]


def problem(question: str = QUESTION, **fields: Any) -> Problem:
    base = {"id": "p", "source": "s", "question": question, "answer": "6.3 m/s", "multimodal_question": question}
    return Problem.model_validate({**base, **fields})


def ok(value: Any) -> Reply:
    return Reply(ReplyStatus.OK, text="raw", value=value, model="m-1", input_tokens=7, output_tokens=3, usd=0.5)


def test_flags_go_with_what_they_complain_of() -> None:
    flagged = problem(flags=["no_image_type", "no_multimodal_question", "near_duplicate"], elements=("5 kg",))
    classified = Classify().decide(flagged, ok(Classes(subject=Subject.PHYSICS, image_type=ImageType.MECHANICAL)))
    assert classified.problem is not None
    assert classified.problem.flags == (Flag.NO_MULTIMODAL_QUESTION, Flag.NEAR_DUPLICATE)
    record = rewritten("How fast is the block shown at the foot?", "5 kg", of=classified.problem)
    assert record.problem is not None
    assert record.problem.flags == (Flag.NEAR_DUPLICATE,)


@pytest.mark.parametrize("stage", MODEL_STAGES, ids=lambda s: s.name)
@pytest.mark.parametrize("status", [s for s in ReplyStatus if s is not ReplyStatus.OK])
def test_what_the_vendor_did_wrong_is_a_failed_record_with_its_text(
    stage: type[ModelStage], status: ReplyStatus
) -> None:
    reply = Reply(status, text="so sorry", error="why", model="m-1", input_tokens=7, usd=0.5)
    record = stage().decide(problem(), reply)
    assert record.status.value == status.value
    assert record.status.failed
    assert (record.raw, record.error, record.usd, record.model) == ("so sorry", "why", 0.5, "m-1")
    assert record.prompt_hash == stage().prompt.hash
    assert record.problem is None


@pytest.mark.parametrize("stage", MODEL_STAGES, ids=lambda s: s.name)
def test_each_prompt_holds_the_question_and_no_open_place(stage: type[ModelStage]) -> None:
    request = stage().request(problem())
    assert request is not None
    assert QUESTION in request.prompt
    assert "{{" not in request.prompt + request.system
    assert "{%" not in request.prompt + request.system
    assert request.answer is stage.answer
    assert request.max_tokens == stage().max_tokens
    assert request.system


@pytest.mark.parametrize("stage", MODEL_STAGES, ids=lambda s: s.name)
def test_a_question_may_look_like_a_template(stage: type[ModelStage]) -> None:
    request = stage().request(problem("What does {{ problem.answer }} or {% raw %} stand for here?"))
    assert request is not None
    assert "{{ problem.answer }} or {% raw %} stand" in request.prompt


def test_the_answers_of_all_stages_are_asked_for_with_every_field_required() -> None:
    """Vendors' strict modes take nothing else."""
    for stage in MODEL_STAGES:
        schema = stage.answer.model_json_schema()
        for part in [schema, *schema.get("$defs", {}).values()]:
            if part.get("type") == "object":
                assert sorted(part["required"]) == sorted(part["properties"]), stage.name


def test_what_a_source_brings_is_not_asked_for() -> None:
    quiz = Quiz(question="q?", options={"A": "1", "B": "2"}, correct_option="A")
    full = problem(
        subject="Physics",
        image_type="Mechanical",
        elements=("5 kg",),
        quizzes=(quiz,),
        multimodal_question="How fast is the block shown at the foot?",
    )
    for stage in (Classify(), Elements(), Quizzes(), Rewrite()):
        assert stage.request(full) is None
        assert stage.decide(full, None).problem == full
    assert Classify().request(problem(subject="Math", image_type="Mechanical")) is not None  # no pair of the taxonomy


@pytest.mark.parametrize("reason", ["missing_context", "missing_data", "non_visual_task", "abstract_concept"])
def test_what_cannot_be_drawn_is_dropped_for_one_of_four_reasons(reason: str) -> None:
    answer = Drawable.model_validate({"shown": "no figure here", "drawable": False, "reason": reason})
    record = Visualisable().decide(problem(), ok(answer))
    assert (record.status, record.reason, record.remarks) == (CurationStatus.DROPPED, reason, ("no figure here",))
    assert not record.status.failed


def test_what_can_be_drawn_is_kept_unchanged_with_its_costs() -> None:
    record = Visualisable().decide(problem(), ok(Drawable(shown="a plane", drawable=True, reason=None)))
    assert record.problem == problem()
    assert (record.input_tokens, record.output_tokens, record.usd, record.raw) == (7, 3, 0.5, "")


@pytest.mark.parametrize(("drawable", "reason"), [(True, "missing_data"), (False, None)])
def test_a_reason_goes_with_a_no_and_only_with_it(drawable: bool, reason: str | None) -> None:
    with pytest.raises(ValidationError, match="reason exactly if"):
        Drawable.model_validate({"shown": "x", "drawable": drawable, "reason": reason})


def test_costs_do_not_change_a_records_hash_and_decisions_do() -> None:
    yes = Drawable(shown="a plane", drawable=True, reason=None)
    cheap = Visualisable().decide(problem(), ok(yes))
    dear = cheap.model_copy(update={"usd": 9.0, "seconds": 5.0, "input_tokens": 1, "output_tokens": 2, "error": "e"})
    assert cheap.content_hash() == dear.content_hash()
    assert cheap.content_hash() != cheap.model_copy(update={"attempt": 2}).content_hash()


@pytest.mark.parametrize("image_type", list(ImageType))
def test_a_pair_must_be_one_of_the_taxonomy(image_type: ImageType) -> None:
    right = SUBJECT_OF[image_type]
    for subject in Subject:
        if subject is right or right is Subject.UNIVERSAL:
            record = Classify().decide(problem(), ok(Classes(subject=subject, image_type=image_type)))
            assert record.problem is not None
            assert (record.problem.subject, record.problem.image_type) == (right, image_type)
            assert bool(record.remarks) == (subject is not right)
        else:
            with pytest.raises(ValidationError, match=f"belongs to {right.value}, not to {subject.value}"):
                Classes(subject=subject, image_type=image_type)


def test_the_classifying_prompt_offers_all_types_under_their_subject() -> None:
    request = Classify().request(problem())
    assert request is not None
    assert "Universal: Plot & Chart; Table / Grid; Graph & Flow; Exp. Setup" in request.prompt
    assert all(t.value in request.prompt for t in ImageType)


def elements(*given: str, question: str = QUESTION) -> CurationRecord:
    return Elements().decide(problem(question), ok(Visible(elements=list(given))))


def test_elements_that_the_question_does_not_hold_are_left_out_and_named() -> None:
    record = elements("5 kg", "2 m", "3 m", "block", "2 m")
    assert record.problem is not None
    assert record.problem.elements == ("5 kg", "2 m", "block")
    assert record.remarks == ("not in the question: 3 m",)


def test_no_elements_is_a_verdict_and_only_false_ones_is_a_bad_answer() -> None:
    assert elements().status is CurationStatus.DROPPED
    assert elements().reason == "no_elements"
    bad = elements("7 kg")
    assert (bad.status, bad.reason, bad.raw) == (CurationStatus.INVALID, "no_element_in_question", "raw")


def draft(question: str, right: str, *wrong: str) -> Draft:
    return Draft(question=question, right_answer=right, wrong_answers=list(wrong), evidence="e")


MASS = draft("Which mass is printed on the block?", "5 kg", "4 kg", "6 kg", "7 kg")
HEIGHT = draft("Which height is marked in the diagram?", "2 m", "3 m", "4 m", "1 m")


def quizzed(*drafts: Draft, **settings: Any) -> CurationRecord:
    return Quizzes(**settings).decide(problem(), ok(Drafts(quizzes=list(drafts))))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (draft("According to the text, which height is meant?", "2 m", "3 m", "4 m", "1 m"), "refers_to_text"),
        (draft("Which angle is given in the problem statement?", "2 m", "3 m", "4 m", "1 m"), "refers_to_text"),
        (draft("Which height is marked in the diagram?", "2 m", "3 m", "3  m", "1 m"), "repeated_option"),
        (draft("Where is the height of 2 m marked?", "2 m", "3 m", "4 m", "1 m"), "answer_in_stem"),
        (draft("How fast is it in the end?", "6.3 m/s", "3 m/s", "4 m/s", "1 m/s"), "asks_final_answer"),
        (draft("which mass is printed on the block", "5 kg", "3 kg", "4 kg", "1 kg"), "repeated_quiz"),
        (draft("What lies on the 2 m high plane?", "a block", "a ball", "a cube", "a disc"), None),
    ],
    ids=lambda x: x if isinstance(x, str) else None,
)
def test_a_quiz_that_does_not_hold_up_is_left_out_with_its_reason(bad: Draft, reason: str | None) -> None:
    record = quizzed(MASS, bad)
    assert record.problem is not None
    stems = [q.question for q in record.problem.quizzes]
    if reason is None:
        assert (stems, record.remarks) == ([MASS.question, bad.question], ())
    else:
        assert (stems, record.remarks) == ([MASS.question], (f"{reason}: {bad.question}",))


def test_a_quiz_whose_answer_stands_in_a_siblings_stem_is_left_out_and_the_sibling_stays() -> None:
    teller = draft("Which angle has the plane of height 2 m?", "30°", "40°", "50°", "60°")
    record = quizzed(HEIGHT, teller)
    assert record.problem is not None
    assert [q.question for q in record.problem.quizzes] == [teller.question]
    assert record.remarks == (f"given_away: {HEIGHT.question}",)


def test_two_quizzes_that_give_each_other_away_lose_one() -> None:
    first = draft("Which side is marked beside the label BC?", "AD", "AB", "AC", "CD")
    second = draft("Which side is marked beside the label AD?", "BC", "AB", "AC", "CD")
    record = quizzed(first, second)
    assert record.problem is not None
    assert [q.question for q in record.problem.quizzes] == [second.question]


def test_no_sound_quiz_is_a_bad_answer_that_can_be_asked_for_again() -> None:
    bad = draft("According to the text, which height is meant?", "2 m", "3 m", "4 m", "1 m")
    record = quizzed(bad)
    assert (record.status, record.reason) == (CurationStatus.INVALID, "no_sound_quiz")
    assert record.remarks == (f"refers_to_text: {bad.question}",)
    assert quizzed().status is CurationStatus.INVALID


def test_no_more_quizzes_than_asked_for() -> None:
    record = quizzed(MASS, HEIGHT, most=1)
    assert record.problem is not None
    assert [q.question for q in record.problem.quizzes] == [MASS.question]


def test_options_keep_their_texts_and_the_key_its_meaning() -> None:
    record = quizzed(MASS, HEIGHT)
    assert record.problem is not None
    for quiz, source in zip(record.problem.quizzes, (MASS, HEIGHT), strict=True):
        assert list(quiz.options) == ["A", "B", "C", "D"]
        assert quiz.options[quiz.correct_option] == source.right_answer
        assert sorted(quiz.options.values()) == sorted([source.right_answer, *source.wrong_answers])
        assert quiz.evidence == "e"


def test_keys_are_balanced_over_the_letters_and_depend_on_seed_and_item_alone() -> None:
    def keys(seed: int, items: range) -> dict[int, str]:
        stage = Quizzes(seed=seed)
        found = {}
        for i in items:
            record = stage.decide(problem(id=f"item-{i}"), ok(Drafts(quizzes=[MASS, HEIGHT])))
            assert record.problem is not None
            found[i] = "".join(q.correct_option for q in record.problem.quizzes)
        return found

    all_keys = keys(0, range(1000))
    counts = Counter("".join(all_keys.values()))
    assert set(counts) == set("ABCD")
    # 2,000 keys: 500 a letter, standard deviation sqrt(2000 / 4 * 3 / 4) = 19 if they were independent
    assert all(abs(n - 500) < 78 for n in counts.values()), counts
    assert all(len(set(pair)) == 2 for pair in all_keys.values())  # two quizzes of an item never share a letter
    assert keys(0, range(999, 990, -1)) == {i: all_keys[i] for i in range(991, 1000)}
    assert keys(1, range(50)) != {i: all_keys[i] for i in range(50)}


def rewritten(question: str, *moved: str, of: Problem | None = None) -> CurationRecord:
    return Rewrite().decide(
        of or problem(elements=("5 kg", "2 m")), ok(Rewritten(question=question, moved=list(moved)))
    )


def test_a_rewritten_question_without_the_given_values_is_kept() -> None:
    record = rewritten(" How fast is the block shown at the foot of the plane? ", "5 kg", "2 m")
    assert record.problem is not None
    assert record.problem.multimodal_question == "How fast is the block shown at the foot of the plane?"
    assert record.problem.question == QUESTION


@pytest.mark.parametrize(
    ("question", "moved", "reason"),
    [
        ("How fast is the $5\\,\\mathrm{kg}$ block shown at the foot?", ["2 m"], "says_what_is_shown"),
        ("How fast is the block at the foot?", [], None),
        ("How fast is the block of the plane at the foot?", ["block"], "says_what_is_shown"),
        (QUESTION, ["5 kg"], "same_question"),
        (QUESTION.replace("$5\\,\\text{kg}$", "5 kg"), ["5 kg"], "same_question"),
        ("Does the block reach 6.3 m/s?", ["5 kg", "2 m"], "says_the_answer"),
    ],
)
def test_a_rewritten_question_must_not_say_what_is_shown_or_stay_the_same(
    question: str, moved: list[str], reason: str | None
) -> None:
    record = rewritten(question, *moved)
    assert record.reason == (reason or "")
    assert record.status is (CurationStatus.INVALID if reason else CurationStatus.KEPT)


def test_names_may_stay_but_something_must_have_moved() -> None:
    named = problem("In triangle ABC, D lies on AB. Show where CD ends.", elements=("A", "B", "D"), answer="at D")
    assert rewritten("Where does CD end in the figure?", of=named).reason == "nothing_moved"


def test_a_question_that_refers_to_a_figure_already_may_stay() -> None:
    seen = problem("What is the tension in the rope shown in the figure?")
    record = rewritten(seen.question, of=seen)
    assert record.problem == seen
    assert record.remarks == ("the question refers to a figure already and stays as it is",)


def test_the_first_of_equal_questions_is_kept_and_other_numbers_are_another_question() -> None:
    texts = [
        QUESTION,
        "What is the area of a circle of radius 3 m, please?",
        QUESTION.replace("How fast", "HOW  FAST"),
        QUESTION.replace("2", "9"),
    ]
    problems = [problem(text, id=f"p{i}") for i, text in enumerate(texts)]
    records = list(Repeats().decide_all(lambda: iter(problems), Surroundings(Path("unused"), "x")))
    assert [r.problem_id for r in records] == ["p0", "p1", "p2", "p3"]
    assert [r.reason for r in records] == ["", "", "exact_duplicate", ""]
    assert records[2].remarks[0].startswith("of p0")


def test_equal_words_under_two_pictures_are_two_problems() -> None:
    problems = [problem(id="a", image="1" * 64), problem(id="b", image="2" * 64), problem(id="c", image="1" * 64)]
    records = list(Repeats().decide_all(lambda: iter(problems), Surroundings(Path("unused"), "x")))
    assert [r.status.value for r in records] == ["kept", "kept", "dropped"]


def test_stages_are_refused_in_an_order_that_would_not_repeat() -> None:
    check_stages([Limits(), Repeats(), Visualisable()], has_model=True)
    with pytest.raises(ScigenError, match="Put duplicates before visualisable"):
        check_stages([Limits(), Visualisable(), Repeats()], has_model=True)
    with pytest.raises(ScigenError, match="visualisable asks a model, and none is chosen"):
        check_stages([Visualisable()], has_model=False)
    with pytest.raises(ScigenError, match='"limits" comes twice'):
        check_stages([Limits(), Limits()], has_model=True)


def test_the_comparison_with_nothing_is_an_error_not_a_pass() -> None:
    stage = Contaminated(benchmarks={})
    with pytest.raises(ScigenError, match="nothing to compare with"):
        list(stage.decide_all(lambda: iter([problem()]), Surroundings(Path("unused"), "x")))


def test_a_record_has_a_problem_exactly_if_it_is_kept() -> None:
    with pytest.raises(ValidationError, match="do not go together"):
        CurationRecord(problem_id="p", stage="s", status=CurationStatus.DROPPED, problem=problem())
    keys = [CurationRecord(problem_id="p", stage="s", status="refused", attempt=n).key for n in (1, 2, 3)]
    assert keys == ["p/s", "p/s/2", "p/s/3"]
    assert all(a != b for a, b in pairwise(keys))
