"""Pictures: the same one in another form is found, another one is not; hashes are imagehash's own."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from scigen.problems.contamination.index import Limits
from scigen.problems.contamination.pictures import NoFingerprint, fingerprint

REAL = Path(__file__).parents[3] / "../shared/data/scigenbench/seephys_images"


def file(page: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    out = io.BytesIO()
    page.save(out, kind, **options)
    return out.getvalue()


def diagram(turn: int = 0) -> Image.Image:
    page = Image.new("RGB", (400, 300), "white")
    pen = ImageDraw.Draw(page)
    pen.polygon([(60, 240), (340, 240), (120 + turn, 60)], outline="black", width=3)
    pen.ellipse((200, 120, 250, 170), outline="black", width=2)
    pen.text((50, 245), "A", fill="black")
    return page


def bits(a: bytes, b: bytes) -> int:
    return int(np.bitwise_count(fingerprint(a) ^ fingerprint(b)).sum(axis=1).min())


def test_the_hashes_are_those_of_imagehash_on_the_page_and_on_its_ink() -> None:
    page = diagram().convert("L")
    ink = page.crop(ImageOps.invert(page).getbbox())
    for ours, theirs in zip(fingerprint(file(page)), (page, ink), strict=True):
        assert np.array_equal(np.unpackbits(ours.view(np.uint8)), imagehash.phash(theirs, 16).hash.ravel())


def test_differing_bits_are_imagehashs_distance() -> None:
    one, other = diagram(), diagram(150)
    differing = np.bitwise_count(fingerprint(file(one)) ^ fingerprint(file(other))).sum(axis=1)
    assert differing[0] == imagehash.phash(one, 16) - imagehash.phash(other, 16)
    assert differing.min() > Limits().bits


FORMS: dict[str, Callable[[Image.Image], bytes]] = {
    "half the size": lambda p: file(p.resize((p.width // 2, p.height // 2))),
    "larger": lambda p: file(p.resize((p.width * 2, p.height * 2), Image.Resampling.BICUBIC)),
    "jpeg": lambda p: file(p, "JPEG", quality=40),
    "margin": lambda p: file(ImageOps.expand(p, 80, "white")),
    "cut by 2 %": lambda p: file(p.crop((p.width // 50, p.height // 50, p.width * 49 // 50, p.height * 49 // 50))),
    "white on black": lambda p: file(ImageOps.invert(p)),
    "transparent": lambda p: file(paperless(p)),
}


def paperless(page: Image.Image) -> Image.Image:
    clear = Image.new("RGBA", page.size, (0, 0, 0, 0))
    clear.paste(page.convert("RGBA"), mask=ImageOps.invert(page.convert("L")))
    return clear


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_another_form_of_a_diagram_is_the_same_diagram(form: Callable[[Image.Image], bytes]) -> None:
    assert bits(file(diagram()), form(diagram())) <= Limits().bits


@pytest.mark.parametrize("data", [b"", b"no picture", file(diagram())[:200]])
def test_what_is_no_picture_says_so(data: bytes) -> None:
    with pytest.raises(NoFingerprint, match="bad_image"):
        fingerprint(data)


@pytest.mark.parametrize("shade", ["white", "black", (250, 240, 240)])
def test_a_page_of_one_colour_has_no_fingerprint(shade: str) -> None:
    with pytest.raises(NoFingerprint, match="blank"):
        fingerprint(file(Image.new("RGB", (80, 80), shade)))


@pytest.fixture(scope="module")
def real() -> dict[str, bytes]:
    """The benchmark's real figures, without those that are the same picture again (1971 is 1015 cut)."""
    if not REAL.exists():
        pytest.skip("the real figures of SciGenBench are not here")
    found: dict[str, bytes] = {}
    for path in sorted(REAL.iterdir()):
        with Image.open(path) as page:
            pixels = hashlib.sha256(repr(page.size).encode() + page.convert("L").tobytes()).hexdigest()
        if path.stem != "1971":
            found.setdefault(pixels, path.read_bytes())
    return found


@pytest.mark.slow
def test_different_real_figures_are_different_by_a_wide_margin(real: dict[str, bytes]) -> None:
    prints = np.array([fingerprint(data) for data in real.values()])
    differing = np.bitwise_count(prints[:, None] ^ prints[None]).sum(axis=3, dtype=int).min(axis=2)
    apart = differing[np.triu_indices(len(prints), 1)]
    assert len(apart) > 15_000
    assert apart.min() > Limits().bits + 20


@pytest.mark.slow
def test_real_figures_are_found_again_in_another_form(real: dict[str, bytes]) -> None:
    """Every fourth figure in every form."""
    some = list(real.values())[::4]
    for name in ("half the size", "jpeg", "margin", "cut by 2 %", "white on black"):
        found = 0
        for data in some:
            with Image.open(io.BytesIO(data)) as page:
                found += bits(data, FORMS[name](page.convert("L"))) <= Limits().bits
        assert found == len(some), name
