"""A prompt: a jinja2 file in a folder `prompts/`, the system's part and the user's part with a line `---` between."""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from scigen.errors import ScigenError

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True)
class Prompt:
    """A prompt file's text."""

    text: str

    @cached_property
    def hash(self) -> str:
        """sha256 of the file, 16 hex digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @cached_property
    def _templates(self) -> tuple[Template, Template]:
        from jinja2 import Environment, StrictUndefined

        environment = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
        system, user = self.text.split("\n---\n", 1) if "\n---\n" in self.text else ("", self.text)
        return environment.from_string(system), environment.from_string(user)

    def filled(self, **words: object) -> tuple[str, str]:
        """(system, user) with the template's names filled in; a name without a value is an error."""
        system, user = self._templates
        return system.render(**words).strip(), user.render(**words).strip()


@cache
def load_prompt(owner: type, name: str) -> Prompt:
    """The file `prompts/<name>.md` beside the module of the class that asks; a line `---` ends the system's part.

    Raises ScigenError if it is missing.
    """
    path = Path(inspect.getfile(owner)).parent / "prompts" / f"{name}.md"
    try:
        return Prompt(path.read_text(encoding="utf-8"))
    except OSError as e:
        others = ", ".join(sorted(p.stem for p in path.parent.glob("*.md")))
        raise ScigenError(f"{path}: {e.strerror}. {owner.__name__} needs its prompt there, beside {others}.") from e
