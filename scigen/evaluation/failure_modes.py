"""What goes wrong with images: a taxonomy, a rule for each mode, and how often each occurs, with intervals.

Rules read statuses, findings, judge's scores and quiz answers; nothing is looked at again. An image can have several
modes. A rule that has nothing to go by says so (None): the image is then in neither count nor denominator of that mode,
so that a judge who was not asked finds no fault by silence. `rules_table` prints all rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scigen.evaluation.evidence import Evidence, Paradigm
from scigen.records import (
    FAILED,
    Dimension,
    FindingKind,
    GeneratedImage,
    Problem,
    Status,
    Verdict,
    VerdictStatus,
)
from scigen.statistics import effective_number, wilson

LOW = 0.5
"""A judge's mean below this is nearer to 0 than to 1."""
GARBLED = 0.0
"""Share of garbled texts above which an image counts as garbled, as in conf/evaluator/ocr.yaml."""
EXAMPLES = 5


class FailureMode(StrEnum):
    """What can be wrong with an image. The last two say that it could not be told."""

    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    NO_SCRIPT = "no_script"
    CODE_ERROR = "code_error"
    BLANK = "blank"
    BAD_PICTURE = "bad_picture"
    MISSING_LABEL = "missing_label"
    WRONG_VALUE = "wrong_value"
    GARBLED_TEXT = "garbled_text"
    LEAKED_ANSWER = "leaked_answer"
    TEXT_OVERLAP = "text_overlap"
    CUT_TEXT = "cut_text"
    CROSSED_TEXT = "crossed_text"
    WRONG_STRUCTURE = "wrong_structure"
    IMPLAUSIBLE = "implausible"
    POOR_LAYOUT = "poor_layout"
    UNREADABLE = "unreadable"
    SPARSE = "sparse"
    UNEXPLAINED = "unexplained"
    EVALUATOR_FAILED = "evaluator_failed"


@dataclass(frozen=True)
class Case:
    """One image with all that was found in it."""

    problem: Problem
    generator: str
    paradigm: Paradigm
    image: GeneratedImage | None
    verdicts: Mapping[str, Verdict]
    """By evaluator."""

    @property
    def key(self) -> str:
        return f"{self.problem.id}/{self.generator}"

    def scored(self, evaluator: str) -> Verdict | None:
        """The evaluator's verdict if it gave one."""
        verdict = self.verdicts.get(evaluator)
        return verdict if verdict is not None and verdict.status is VerdictStatus.SCORED else None


Look = Callable[[Case], bool | None]


@dataclass(frozen=True)
class Rule:
    """When an image has a mode: True, False, or None where that cannot be told."""

    mode: FailureMode
    words: str
    needs: str
    look: Look


def _status(*statuses: Status) -> Look:
    return lambda case: None if case.image is None else case.image.status in statuses


def _timed_out(case: Case, scripted: bool) -> bool:
    image = case.image
    return image is not None and image.status is Status.TIMEOUT and scripted == (image.code is not None)


def _no_answer(case: Case) -> bool | None:
    found = _status(Status.API_ERROR, Status.NO_IMAGE)(case)
    return found or (None if found is None else _timed_out(case, scripted=False))


def _code_error(case: Case) -> bool | None:
    found = _status(Status.CODE_ERROR, Status.MEMORY)(case)
    return found or (None if found is None else _timed_out(case, scripted=True))


def _found(kind: FindingKind, *evaluators: str) -> Look:
    """Whether the first of these evaluators that gave a verdict found this."""

    def look(case: Case) -> bool | None:
        verdict = next((v for name in evaluators if (v := case.scored(name)) is not None), None)
        return None if verdict is None else any(f.kind is kind for f in verdict.findings)

    return look


def _judged_low(dimension: Dimension) -> Look:
    def look(case: Case) -> bool | None:
        verdict = case.scored("judge")
        return None if verdict is None or dimension not in verdict.measures else verdict.measures[dimension] < LOW

    return look


def _garbled(case: Case) -> bool | None:
    verdict = case.scored("ocr")
    return None if verdict is None or "garbled" not in verdict.measures else verdict.measures["garbled"] > GARBLED


def wrong_quizzes(case: Case) -> list[int] | None:
    """Unflagged quizzes with more wrong than right answers; None if none was answered."""
    verdict = case.scored("inverse")
    counts: dict[int, int] = defaultdict(int)
    for answer in verdict.answers if verdict is not None else ():
        flagged = answer.quiz >= len(case.problem.quizzes) or case.problem.quizzes[answer.quiz].flags
        if answer.status is VerdictStatus.SCORED and not flagged:
            counts[answer.quiz] += -1 if answer.correct else 1
    return [quiz for quiz, excess in sorted(counts.items()) if excess > 0] if counts else None


def _key_holds_digit(case: Case, quiz: int) -> bool:
    asked = case.problem.quizzes[quiz]
    return any(c.isdigit() for c in asked.options[asked.correct_option])


def _wrong_value(case: Case) -> bool | None:
    wrong = wrong_quizzes(case)
    return None if wrong is None else any(_key_holds_digit(case, quiz) for quiz in wrong)


def _wrong_structure(case: Case) -> bool | None:
    judged = _judged_low(Dimension.CORRECTNESS_FIDELITY)(case)
    wrong = wrong_quizzes(case)
    missing = _found(FindingKind.NOT_COVERED, "glassbox", "ocr")(case)
    if judged or wrong is None or missing is None:
        return judged
    return missing is False and any(not _key_holds_digit(case, quiz) for quiz in wrong)


def _unexplained(case: Case) -> bool | None:
    verdict = case.scored("inverse")
    if verdict is None:
        return None
    return not verdict.passed and not any(
        rule.look(case) for rule in RULES if rule.mode not in (FailureMode.UNEXPLAINED, FailureMode.EVALUATOR_FAILED)
    )


def _evaluator_failed(case: Case) -> bool | None:
    return any(v.status in FAILED for v in case.verdicts.values()) if case.verdicts else None


_BOX, _READ = "glass-box", "glass-box, else OCR"
RULES: tuple[Rule, ...] = (
    Rule(FailureMode.REFUSED, "the vendor or the model declined, or a safety filter stopped it", "image record",
         _status(Status.REFUSED, Status.BLOCKED)),
    Rule(FailureMode.NO_ANSWER, "the vendor gave no image, failed, or took too long", "image record", _no_answer),
    Rule(FailureMode.NO_SCRIPT, "no plan or no script could be read", "image record",
         _status(Status.NO_PLAN, Status.NO_CODE)),
    Rule(FailureMode.CODE_ERROR, "the script failed, took too long or too much memory", "image record", _code_error),
    Rule(FailureMode.BLANK, "nothing is drawn on the page", "image record", _status(Status.BLANK)),
    Rule(FailureMode.BAD_PICTURE, "no picture, a broken one, or one too large", "image record",
         _status(Status.BAD_IMAGE, Status.TOO_LARGE)),
    Rule(FailureMode.MISSING_LABEL, "a given value or name is not in the image", _READ,
         _found(FindingKind.NOT_COVERED, "glassbox", "ocr")),
    Rule(FailureMode.WRONG_VALUE, "a quiz is answered wrong whose right option holds a digit", "quiz answers",
         _wrong_value),
    Rule(FailureMode.GARBLED_TEXT, "a text is garbled", "OCR", _garbled),
    Rule(FailureMode.LEAKED_ANSWER, "the answer is printed in the image", _READ,
         _found(FindingKind.LEAK, "glassbox", "ocr")),
    Rule(FailureMode.TEXT_OVERLAP, "two texts overlap", _BOX, _found(FindingKind.OVERLAP, "glassbox")),
    Rule(FailureMode.CUT_TEXT, "a text runs over the edge", _BOX, _found(FindingKind.CUT, "glassbox")),
    Rule(FailureMode.CROSSED_TEXT, "a line runs through a text", _BOX, _found(FindingKind.CROSSED, "glassbox")),
    Rule(FailureMode.WRONG_STRUCTURE, "correctness and fidelity near 0, or a quiz without digits answered wrong though "
         "no label is missing", "judge, or quiz answers with glass-box or OCR", _wrong_structure),
    Rule(FailureMode.IMPLAUSIBLE, "scientific plausibility near 0", "judge",
         _judged_low(Dimension.SCIENTIFIC_PLAUSIBILITY)),
    Rule(FailureMode.POOR_LAYOUT, "layout and precision near 0", "judge", _judged_low(Dimension.LAYOUT_PRECISION)),
    Rule(FailureMode.UNREADABLE, "readability near 0", "judge", _judged_low(Dimension.READABILITY_OCCLUSION)),
    Rule(FailureMode.SPARSE, "expressiveness and richness near 0", "judge",
         _judged_low(Dimension.EXPRESSIVENESS_RICHNESS)),
    Rule(FailureMode.UNEXPLAINED, "inverse validation fails, and no rule above says why", "quiz answers", _unexplained),
    Rule(FailureMode.EVALUATOR_FAILED, "an evaluator refused, could not be read or reached: no fault of the image",
         "any verdict", _evaluator_failed),
)  # fmt: skip
"""In the order of the taxonomy."""


@dataclass(frozen=True)
class Tagged:
    """One image's modes."""

    case: Case
    modes: frozenset[FailureMode]
    told: frozenset[FailureMode]
    """Modes about which something could be said."""


@dataclass(frozen=True)
class ModeRate:
    """How often a mode occurs in a group."""

    group: str
    mode: FailureMode
    count: int
    n: int
    """Images about which it could be told."""
    low: float
    high: float
    """95 % interval of `count / n`: Wilson's, with the effective number of images where a problem has several."""
    examples: tuple[str, ...]
    """Keys of images that have it."""

    @property
    def rate(self) -> float:
        return self.count / self.n


def cases(evidence: Evidence) -> list[Case]:
    """Every image that has a record or a verdict; controls are left out, since they draw nothing on purpose."""
    images = {(i.problem_id, i.generator): i for i in evidence.images}
    verdicts: dict[tuple[str, str], dict[str, Verdict]] = defaultdict(dict)
    for verdict in evidence.verdicts:
        verdicts[verdict.problem_id, verdict.generator][verdict.evaluator] = verdict
    paradigms = {name: evidence.paradigm(name) for name in evidence.generators}
    return [
        Case(evidence.problems[problem], name, paradigms[name], images.get((problem, name)), verdicts[problem, name])
        for problem, name in sorted({*images, *verdicts})
        if paradigms.get(name, Paradigm.CONTROL) is not Paradigm.CONTROL
    ]


def tag(case: Case) -> Tagged:
    """Applies all rules to one image."""
    found = {rule.mode: rule.look(case) for rule in RULES}
    return Tagged(
        case,
        frozenset(mode for mode, has in found.items() if has),
        frozenset(mode for mode, has in found.items() if has is not None),
    )


def rates(tagged: Sequence[Tagged], group_of: Callable[[Case], str | None]) -> list[ModeRate]:
    """Each group's modes, groups sorted, modes in the taxonomy's order; those that could not be told are left out."""
    groups: dict[str, list[Tagged]] = defaultdict(list)
    for each in tagged:
        group = group_of(each.case)
        if group is not None:
            groups[group].append(each)
    return [rate for name in sorted(groups) for rule in RULES if (rate := _rate(name, rule.mode, groups[name]))]


def by_generator(case: Case) -> str | None:
    """For `rates`."""
    return case.generator


def by_subject(case: Case) -> str | None:
    """For `rates`."""
    return None if case.problem.subject is None else str(case.problem.subject)


def by_image_type(case: Case) -> str | None:
    """For `rates`."""
    return None if case.problem.image_type is None else str(case.problem.image_type)


def by_paradigm(case: Case) -> str | None:
    """For `rates`."""
    return str(case.paradigm)


def rules_table() -> str:
    """The taxonomy as a markdown table."""
    lines = ["| mode | an image has it if | told from |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| `{r.mode}` | {r.words} | {r.needs} |" for r in RULES)]) + "\n"


def _rate(group: str, mode: FailureMode, members: Iterable[Tagged]) -> ModeRate | None:
    told = [t for t in members if mode in t.told]
    if not told:
        return None
    has = [t for t in told if mode in t.modes]
    clusters: dict[str, list[bool]] = defaultdict(list)
    for t in told:
        clusters[t.case.problem.id].append(mode in t.modes)
    n = effective_number(list(clusters.values()))
    low, high = wilson(len(has) / len(told) * n, n)
    return ModeRate(group, mode, len(has), len(told), low, high, tuple(t.case.key for t in has[:EXAMPLES]))
