"""One item's quizzes: validated, with lost option labels put back where their place leaves one reading.

In the released set a label is sometimes a digit, a scrap (`//C`) or the option's text (`"10 cm": "C"`), always at the
place of the letter that is missing. That place gives the letter back; nothing else is mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any, NamedTuple

from scigen.problems.malformed import Fault, Severity
from scigen.records import Flag, Quiz

FIELDS = ("question", "options", "correct_option", "evidence_snippet", "flags")


class QuizFault(NamedTuple):
    """What `Malformed` says of a quiz, without the item."""

    field: str
    kind: Fault
    fault: str
    mend: str
    severity: Severity


def read_quizzes(given: object) -> tuple[tuple[Quiz, ...], list[QuizFault]]:
    """The usable quizzes in their order, and the faults of all."""
    if not isinstance(given, list):
        fault = f"is {type(given).__name__}, not a list"
        return (), [QuizFault("quizzes", Fault.QUIZ_LEFT_OUT, fault, "All left out.", "error")]
    quizzes: list[Quiz] = []
    faults: list[QuizFault] = []
    for i, quiz in enumerate(given):
        read, found = _read_quiz(quiz, f"quizzes.{i}")
        faults += found
        if read is not None:
            quizzes.append(read)
    return tuple(quizzes), faults


def relabel(options: Mapping[str, str]) -> dict[str, str] | None:
    """The options with their letters, `{"A": "1", "0": "2", "C": "3"}` -> `{"A": "1", "B": "2", "C": "3"}`.

    None when a foreign label does not stand at the place of a missing letter. Where the text is that very letter,
    label and text were swapped, and are swapped back. Options whose labels are letters already come back as they are.
    """
    letters = ascii_uppercase[: len(options)]
    missing = set(letters) - set(options)
    mended: dict[str, str] = {}
    for place, (label, text) in zip(letters, options.items(), strict=False):
        if label in letters:
            mended[label] = text
        elif place in missing:
            mended[place] = label if text == place else text
        else:
            return None
    return mended if len(mended) == len(options) else None


def _read_quiz(quiz: object, where: str) -> tuple[Quiz | None, list[QuizFault]]:
    problem = _unusable(quiz)
    if problem is not None:
        return None, [QuizFault(where, Fault.QUIZ_LEFT_OUT, problem, "This quiz is left out.", "error")]
    assert isinstance(quiz, Mapping)
    faults = []
    extra = sorted(set(quiz) - set(FIELDS))
    if extra:
        faults.append(QuizFault(where, Fault.QUIZ_FIELDS, f"has {', '.join(extra)}", "They are ignored.", "warning"))
    options, key = dict(quiz["options"]), quiz["correct_option"]
    mended = relabel(options)
    if mended is None:
        mended = options
        faults.append(_labels(where, options, "Kept as they are; label them A, B, C, ...", "warning"))
    elif mended != options:
        faults.append(_labels(where, options, f"Labelled {', '.join(mended)} by their place.", "error"))
    if key not in options:
        fault = f'"{key}" is not one of {", ".join(options)}'
        if key not in mended:
            faults.append(QuizFault(f"{where}.correct_option", Fault.QUIZ_KEY, fault, "The quiz is left out.", "error"))
            return None, faults
        mend = f'Kept: after labelling by place the key is "{mended[key]}".'
        faults.append(QuizFault(f"{where}.correct_option", Fault.QUIZ_KEY, fault, mend, "error"))
    evidence = quiz.get("evidence_snippet")
    read = Quiz(
        question=quiz["question"],
        options=mended,
        correct_option=key,
        evidence=evidence if isinstance(evidence, str) else "",
        flags=read_flags(quiz),
    )
    return read, faults


def read_flags(given: Mapping[Any, Any]) -> tuple[Flag, ...]:
    """The flags that an item or quiz of a corrected release carries; unknown ones are left out."""
    flags = given.get("flags")
    return tuple(Flag(f) for f in flags if f in set(Flag)) if isinstance(flags, list) else ()


def _labels(where: str, options: Mapping[str, str], mend: str, severity: Severity) -> QuizFault:
    return QuizFault(f"{where}.options", Fault.QUIZ_LABELS, f"are {', '.join(options)}", mend, severity)


def _unusable(quiz: Any) -> str | None:
    if not isinstance(quiz, Mapping):
        return f"is {type(quiz).__name__}, not an object"
    question, options, key = quiz.get("question"), quiz.get("options"), quiz.get("correct_option")
    if not isinstance(question, str) or not question.strip():
        return f"question is {question!r}"
    if not isinstance(options, Mapping) or len(options) < 2:
        return f"options are {options!r}: at least two are needed"
    if len(options) > len(ascii_uppercase) or not all(isinstance(v, str) and v.strip() for v in options.values()):
        return f"options are {options!r}: each must be a text"
    if not isinstance(key, str):
        return f"correct_option is {key!r}"
    return None
