"""What all HTML pages share: their templates, and the one script of ours that a page may run."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def templates() -> Environment:
    """The templates of this package: everything put into them is escaped, and a name without a value is an error."""
    return Environment(
        loader=PackageLoader("scigen.analysis", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def script(name: str) -> tuple[Markup, str]:
    """A script of the templates, and the base64 sha256 by which the page's content security policy allows it alone."""
    text = (files("scigen.analysis") / "templates" / name).read_text()
    return Markup(text), base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
