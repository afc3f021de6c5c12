"""Sets of pictures that draw nothing: the real pictures themselves, a blank page, and the real ones, shifted or spoilt.

They are sets of images like any generator's and go through the same evaluators, so that a metric's figures can be held
against what a page without any drawing gets. `control_reference` also brings the real pictures' features and spectra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter

from scigen.evaluation.evidence import CONTROL_PREFIX
from scigen.records import GeneratedImage, Problem, Status
from scigen.store import SetWriter, image_path, inputs_hash, iter_set

SHIFT = 12
"""Pixels, to the right and down, at the size that the picture has on the canvas of 512."""
CANVAS = 512
Change = Callable[[Image.Image], Image.Image]


def _same(image: Image.Image) -> Image.Image:
    return image


def _blank(image: Image.Image) -> Image.Image:
    return Image.new("RGB", image.size, "white")


def _shifted(image: Image.Image) -> Image.Image:
    pixels = max(1, round(SHIFT * max(image.size) / CANVAS))
    moved = ImageChops.offset(image, pixels, pixels)
    moved.paste("white", (0, 0, image.width, pixels))
    moved.paste("white", (0, 0, pixels, image.height))
    return moved


def _blurred(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(2 * max(image.size) / CANVAS))


def _jpeg(image: Image.Image) -> Image.Image:
    out = BytesIO()
    image.save(out, "JPEG", quality=50)
    return Image.open(out).convert("RGB")


def _small(image: Image.Image) -> Image.Image:
    small = image.resize((max(1, image.width // 4), max(1, image.height // 4)), Image.Resampling.BICUBIC)
    return small.resize(image.size, Image.Resampling.BICUBIC)


CONTROLS: dict[str, Change] = {
    f"{CONTROL_PREFIX}reference": _same,
    f"{CONTROL_PREFIX}blank": _blank,
    f"{CONTROL_PREFIX}shifted_12px": _shifted,
    f"{CONTROL_PREFIX}blurred_2px": _blurred,
    f"{CONTROL_PREFIX}jpeg_50": _jpeg,
    f"{CONTROL_PREFIX}quarter_size": _small,
}
REFERENCE = f"{CONTROL_PREFIX}reference"
BLANK = f"{CONTROL_PREFIX}blank"


def make_controls(problems: Path, sets: Path, names: Iterable[str] = tuple(CONTROLS)) -> list[str]:
    """A set below `sets` for each control, of the problems that have a picture; none if no problem has. Gives names."""
    pictured = [p for p in iter_set(problems, Problem) if p.image is not None]
    if not pictured:
        return []
    names = list(names)
    for name in names:
        inputs = inputs_hash(name, 1, [p.content_hash() for p in pictured])
        with SetWriter(sets / name, GeneratedImage, inputs) as writer:
            if writer.finished:
                continue
            for problem in pictured:
                if f"{problem.id}/{name}" not in writer:
                    writer.append(_record(problem, name, writer, problems))
            writer.finish()
    return names


def _record(problem: Problem, name: str, writer: SetWriter[GeneratedImage], problems: Path) -> GeneratedImage:
    assert problem.image is not None
    with Image.open(image_path(problems, problem.image)) as opened:
        page = opened.convert("RGBA")
    image = Image.new("RGBA", page.size, "white")
    image.alpha_composite(page)
    changed = CONTROLS[name](image.convert("RGB"))
    out = BytesIO()
    changed.save(out, "PNG")
    return GeneratedImage(
        problem_id=problem.id,
        generator=name,
        status=Status.OK,
        image=writer.put_image(out.getvalue()),
        width=changed.width,
        height=changed.height,
    )
