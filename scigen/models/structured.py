"""Structured answers: the schema that is sent, the strict reading of what comes back, the words of the one repair.

Read strictly: the whole text is one JSON value of the type, perhaps within one fenced code block and white space.
Nothing is searched for within prose, completed or converted.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel, ValidationError

from scigen.errors import ScigenError
from scigen.models.request import schema_json

FENCE = re.compile(r"\A```(?:json|JSON)?[ \t]*\r?\n(.*?)\r?\n?[ \t]*```\Z", re.DOTALL)
SHOWN_FAULTS = 5
DEPTH = 30
"""Nesting at which a type is taken to contain itself, which vendors' schemas cannot say."""


def read_answer(text: str, answer: type[BaseModel] | None) -> tuple[BaseModel | None, str]:
    """(value, "") of a good answer, (None, complaint) of a bad one. Free text is good unless it is blank."""
    text = text.strip()
    if not text:
        return None, "the answer is empty"
    if answer is None:
        return None, ""
    if fenced := FENCE.match(text):
        text = fenced[1]
    try:
        return answer.model_validate_json(text, strict=True), ""
    except ValidationError as e:
        faults = e.errors(include_url=False, include_context=False, include_input=False)
        shown = [f"{'.'.join(map(str, f['loc'])) or 'the answer'}: {f['msg']}" for f in faults[:SHOWN_FAULTS]]
        more = [f"and {len(faults) - SHOWN_FAULTS} more"] if len(faults) > SHOWN_FAULTS else []
        return None, "; ".join(shown + more)


def repair_prompt(complaint: str, answer: type[BaseModel] | None) -> str:
    """What is said after an answer that did not fit."""
    if answer is None:
        return "Your answer was empty. Please answer."
    return (
        f"That answer does not fit the schema: {complaint}. Give the whole answer once more as one JSON value that "
        "fits the schema, with nothing before or after it."
    )


def plain_schema(answer: type[BaseModel]) -> tuple[dict[str, Any], bool]:
    """(JSON schema without references, whether vendors' strict modes take it).

    Objects are closed; strict modes want every field required and no free mappings. Raises ScigenError for a type that
    contains itself.
    """
    schema = json.loads(schema_json(answer))
    plain = _plain(schema, schema.get("$defs", {}), answer.__name__, 0)
    return plain, _strict(plain)


def _plain(node: Any, defs: dict[str, Any], name: str, depth: int) -> Any:
    if depth > DEPTH:
        raise ScigenError(f"{name}: an answer type that contains itself cannot be asked for. Flatten it.")
    if isinstance(node, list):
        return [_plain(x, defs, name, depth + 1) for x in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = defs[node["$ref"].rsplit("/", 1)[1]]
        rest = {k: v for k, v in node.items() if k != "$ref"}
        return _plain({**target, **rest}, defs, name, depth + 1)
    out: dict[str, Any] = {}
    for key, value in node.items():
        if key in ("$defs", "title", "default"):
            continue
        if key == "properties":
            out[key] = {field: _plain(sub, defs, name, depth + 1) for field, sub in value.items()}
        elif key == "const":
            out["enum"] = [value]
        elif key == "oneOf":
            out["anyOf"] = _plain(value, defs, name, depth + 1)
        else:
            out[key] = _plain(value, defs, name, depth + 1) if key not in ("enum", "required") else value
    if "properties" in out:
        out["additionalProperties"] = False
    return out


def _strict(node: Any) -> bool:
    if isinstance(node, list):
        return all(map(_strict, node))
    if not isinstance(node, dict):
        return True
    if node.get("type") == "object":
        fields = node.get("properties")
        if fields is None or set(node.get("required", ())) != set(fields):
            return False
        return all(map(_strict, fields.values()))
    return all(_strict(node[key]) for key in ("items", "anyOf") if key in node)
