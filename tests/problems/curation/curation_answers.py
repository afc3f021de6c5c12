"""What the loopback server answers in curation's tests: sensible, at once, a function of the prompt alone."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

TYPES = [("Physics", "Mechanical"), ("Math", "Plane Geometric"), ("Physics", "Plot & Chart"), ("Physics", "Circuit")]


def last_user(body: dict[str, Any]) -> str:
    """The first question of the conversation, also where the answer is asked for again."""
    content = next(m["content"] for m in body["messages"] if m["role"] == "user")
    return content if isinstance(content, str) else "".join(p.get("text", "") for p in content)


def quoted(prompt: str) -> str:
    found = re.search(r'"""\n(.*?)\n"""', prompt, re.DOTALL)
    assert found is not None
    return found[1]


def draw(text: str, n: int) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % n


def answer(body: dict[str, Any]) -> Any:
    """By the fields of the schema that is asked for."""
    schema = json.dumps(body["response_format"])
    question = quoted(last_user(body))
    values = re.findall(r"\d+ (?:kg|m)\b", question)
    if '"drawable"' in schema:
        if draw(question, 5) == 0:
            reasons = ["missing_context", "missing_data", "non_visual_task", "abstract_concept"]
            return {"shown": "nothing", "drawable": False, "reason": reasons[draw(question + "r", 4)]}
        return {"shown": "a block on a plane", "drawable": True, "reason": None}
    if '"image_type"' in schema:
        subject, image_type = TYPES[draw(question, len(TYPES))]
        return {"subject": subject, "image_type": image_type}
    if '"elements"' in schema:
        return {"elements": [*values, "99 N"]}
    if '"quizzes"' in schema:
        mass, height = (int(v.split()[0]) for v in values)
        return {
            "quizzes": [
                quiz("Which mass is printed on the block?", mass, "kg", f"mass of {mass} kg"),
                quiz("Which height is marked beside the plane?", height, "m", f"{height} m"),
                quiz("According to the text, how high is the plane?", height, "m", f"{height} m"),
            ]
        }
    if '"moved"' in schema:
        return {"question": f"How fast is block {draw(question, 99)} at the foot of the plane shown?", "moved": values}
    raise AssertionError(schema)


def quiz(question: str, right: int, unit: str, evidence: str) -> dict[str, Any]:
    return {
        "question": question,
        "right_answer": f"{right} {unit}",
        "wrong_answers": [f"{right + d} {unit}" for d in (1, 2, 3)],
        "evidence": evidence,
    }
