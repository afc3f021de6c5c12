"""One page that shows sets of images side by side: a row a problem, a column a set, with what lies behind each image.

    python -m scigen.analysis.gallery SET [SET ...] --problems SET --out gallery.html

The page needs no network and no other file: previews are inside it, the full pictures are linked where they lie beside.
It holds the first `limit` problems that fit; sets are read one record at a time.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from scigen.analysis.cards import highlight
from scigen.analysis.pages import script, templates
from scigen.errors import ScigenError
from scigen.records import GeneratedImage, Problem, Status
from scigen.statistics import wilson
from scigen.store import image_path, iter_records, write_atomic

PREVIEW_PX, PREVIEW_QUALITY = 560, 82
"""Longest side of a preview, and its WebP quality."""


@dataclass(frozen=True)
class Cell:
    """One image, or why there is none."""

    image: GeneratedImage
    preview: str | None
    """A data URI."""
    href: str | None
    """The full picture, relative to the page; None where it is not there."""
    code: Markup
    lost: str = ""
    """Why a picture that the record has cannot be shown."""

    @property
    def ok(self) -> bool:
        return self.image.status is Status.OK


@dataclass(frozen=True)
class Row:
    """One problem with its images, None where a set has none."""

    problem: Problem
    cells: tuple[Cell | None, ...]

    @property
    def words(self) -> str:
        """What the page's search looks in, in small letters as the page makes them."""
        p = self.problem
        return " ".join([p.id, p.question, *p.elements, p.subject or "", p.image_type or ""]).lower()

    @property
    def statuses(self) -> str:
        return " ".join(sorted({c.image.status.value for c in self.cells if c is not None}))


@dataclass
class Column:
    """A set: its name and counts, of all its images."""

    name: str
    folder: Path
    by_status: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.by_status.total()

    @property
    def rate(self) -> str:
        """Share of images that are there, with its 95 % interval."""
        ok = self.by_status[Status.OK.value]
        low, high = wilson(ok, self.total)
        return f"{ok} of {self.total} ok, {100 * ok / max(1, self.total):.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def write_gallery(
    sets: Sequence[Path], problems: Path, out: Path, *, limit: int = 200, statuses: Sequence[str] = ()
) -> int:
    """Write the page of these image sets and give the number of problems in it.

    `statuses`: only problems for which some set has an image of one of these. Raises ScigenError for a set that is not
    there or broken, and when nothing fits. A picture that is lost or broken is said to be so in its place.
    """
    if limit < 1:
        raise ScigenError(f"limit: {limit} problems make no page. Give 1 or more.")
    columns, wanted = [], set[str]()
    for folder in sets:
        column = Column(_name(folder, sets), folder)
        for record in iter_records(folder, GeneratedImage, torn=True):
            column.by_status[record.status.value] += 1
            if not statuses or record.status.value in statuses:
                wanted.add(record.problem_id)
        columns.append(column)
    chosen: dict[str, Problem] = {}
    for problem in iter_records(problems, Problem):
        if problem.id in wanted and len(chosen) < limit:
            chosen[problem.id] = problem
    if not chosen:
        raise ScigenError(
            f"{problems}: none of its problems has an image in these sets. Give the set they were made from."
        )
    images = [dict(_cells(column.folder, chosen, out.parent)) for column in columns]
    rows = [Row(p, tuple(cells.get(p.id) for cells in images)) for p in chosen.values()]
    write_atomic(out, render(columns, rows, len(wanted)).encode())
    return len(rows)


def render(columns: Sequence[Column], rows: Sequence[Row], of: int) -> str:
    """The page. Everything from problems, plans, scripts and vendors is escaped; only our own script runs."""
    environment = templates()
    environment.filters["words"] = lambda text: str(text).replace("_", " ")
    code, allowed = script("gallery.js")
    page = environment.get_template("gallery.html.j2").render(
        columns=columns,
        rows=rows,
        of=of,
        script=code,
        allowed=allowed,
        statuses=sorted({s for column in columns for s in column.by_status}),
        subjects=sorted({r.problem.subject.value for r in rows if r.problem.subject}),
        types=sorted({r.problem.image_type.value for r in rows if r.problem.image_type}),
    )
    return page + "\n"


def _name(folder: Path, sets: Sequence[Path]) -> str:
    """The folder's name, with its parents' where two sets have one name."""
    same = [f for f in sets if f.name == folder.name]
    return folder.name if len(same) == 1 else str(folder)


def _cells(folder: Path, chosen: dict[str, Problem], beside: Path) -> Iterator[tuple[str, Cell]]:
    for record in iter_records(folder, GeneratedImage, torn=True):
        if record.problem_id not in chosen:
            continue
        code = highlight(record.code) if record.code else Markup("")
        if record.image is None:
            yield record.problem_id, Cell(record, None, None, code)
            continue
        path = image_path(folder, record.image)
        href = quote(Path(os.path.relpath(path, beside)).as_posix())
        try:
            yield record.problem_id, Cell(record, preview(path.read_bytes()), href, code)
        except FileNotFoundError:
            yield record.problem_id, Cell(record, None, None, code, "its file is not in the set's folder")
        except Exception as e:  # Pillow raises many types on broken files
            yield record.problem_id, Cell(record, None, href, code, f"its file is broken ({e})")


def preview(png: bytes) -> str:
    """A small WebP of the picture, as a data URI."""
    from PIL import Image

    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        small = image.convert("RGB")
        if max(small.size) > PREVIEW_PX:
            small.thumbnail((PREVIEW_PX, PREVIEW_PX))
        small.save(out, "WEBP", quality=PREVIEW_QUALITY)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m scigen.analysis.gallery", description="Sets of images side by side in one HTML page."
    )
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET", help="folder of a set of images")
    parser.add_argument("--problems", type=Path, required=True, help="folder of the problems they were made from")
    parser.add_argument("--out", type=Path, required=True, help="the page")
    parser.add_argument("--limit", type=int, default=200, help="problems in the page (default 200)")
    parser.add_argument("--status", default="", help="only problems with such an image, e.g. code_error,blocked")
    args = parser.parse_args()
    statuses = [s for s in args.status.split(",") if s]
    if unknown := set(statuses) - {s.value for s in Status}:
        sys.exit(f"error: no status {', '.join(sorted(unknown))}; there are {', '.join(s.value for s in Status)}")
    try:
        count = write_gallery(args.sets, args.problems, args.out, limit=args.limit, statuses=statuses)
    except ScigenError as e:
        sys.exit(f"error: {e}")
    print(f"{count} problems in {args.out}")


if __name__ == "__main__":
    main()
