"""Sets of images side by side in one page: escaped, self-contained, filtered by a few lines of our own script."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from browser import CHROMIUM, tab
from PIL import Image

from scigen.analysis.gallery import write_gallery
from scigen.errors import ScigenError
from scigen.records import (
    Attempt,
    Choice,
    GeneratedImage,
    ImageType,
    Plan,
    Problem,
    ScriptError,
    Status,
    Subject,
    VendorReport,
)
from scigen.store import SetWriter, image_path

HOSTILE = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"


def png(n: int, size: tuple[int, int] = (1200, 800)) -> bytes:
    image = Image.new("RGB", size, "white")
    image.paste((n * 40 % 256, 90, 120), (50, 50, 400, 300))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def problem(n: int) -> Problem:
    return Problem(
        id=f"p{n}",
        source="test",
        question=f"Question {n} {HOSTILE if n == 0 else 'on triangles'}{', Maße' if n == 3 else ''}",
        answer=f"answer-{n}",
        elements=(f"{n} kg",),
        subject=Subject.MATH if n % 2 else Subject.PHYSICS,
        image_type=ImageType.PLANE_GEOMETRIC if n % 2 else ImageType.CIRCUIT,
        multimodal_question="?",
    )


def image(n: int, name: str, data: bytes | None) -> GeneratedImage:
    head = {"problem_id": f"p{n}", "generator": name, "cost_usd": 0.25}
    if data is None:
        error = ScriptError(type="NameError", message=f"no {HOSTILE}", line=3)
        history = (Attempt(status=Status.CODE_ERROR, code="x", error=error),) * 2
        return GeneratedImage(
            status=Status.CODE_ERROR, error=error, code=f"print({HOSTILE!r})", history=history, **head
        )
    plan = Plan(content=f"content {HOSTILE}", layout="l", labels="l", constraints="c")
    return GeneratedImage(
        status=Status.OK,
        image=hashlib.sha256(data).hexdigest(),
        width=1200,
        height=800,
        plan=plan,
        vendor=VendorReport(revised_prompt=HOSTILE, job="job-77"),
        choice=Choice(generator="painter", reason="because 0.81", tried=("coder: blank",)),
        **head,
    )


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Problems p0 to p3; set `one` has all, p2 failed; set `two` lacks p3."""
    with SetWriter(tmp_path / "sets" / "problems", Problem, "i") as problems:
        for n in range(4):
            problems.append(problem(n))
        problems.finish()
    for name, numbers in (("one", range(4)), ("two", range(3))):
        with SetWriter(tmp_path / "sets" / name, GeneratedImage, "i") as writer:
            for n in numbers:
                data = None if (name, n) == ("one", 2) else png(n)
                if data is not None:
                    writer.put_image(data)
                writer.append(image(n, name, data))
            writer.finish()
    return tmp_path / "sets"


def page(sets: Path, *names: str, **options: object) -> str:
    out = sets.parent / "gallery.html"
    write_gallery([sets / n for n in names], sets / "problems", out, **options)  # type: ignore[arg-type]
    return out.read_text()


def test_every_problem_has_a_row_with_all_that_the_records_say(sets: Path) -> None:
    html = page(sets, "one", "two")
    assert html.count("<article") == 4
    assert "3 of 4 ok, 75.0 %" in html
    assert "3 of 3 ok, 100.0 %" in html
    assert html.count("not in this set") == 1
    assert html.count("data:image/webp") == 6
    for said in ("NameError, line 3", "because 0.81", "coder: blank", "job-77", "$0.2500", "1200 x 800 px", "answer-3"):
        assert said in html, said
    assert 'href="sets/one/images/' in html


def test_nothing_from_the_records_is_markup_and_nothing_is_loaded(sets: Path) -> None:
    html = page(sets, "one", "two")
    assert HOSTILE not in html
    assert html.count("<script>") == 1
    assert "window.pwned = 1</script>" not in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html
    assert "default-src 'none'" in html


def test_previews_are_small(sets: Path) -> None:
    assert len(page(sets, "one", "two")) < 120_000


def test_limit_and_statuses_choose_the_problems(sets: Path) -> None:
    assert page(sets, "one", limit=2).count("<article") == 2
    failed = page(sets, "one", "two", statuses=["code_error"])
    assert failed.count("<article") == 1
    assert "Question 2" in failed


def test_sets_without_these_problems_are_an_error(sets: Path, tmp_path: Path) -> None:
    with SetWriter(tmp_path / "other", Problem, "i") as writer:
        writer.append(problem(9))
        writer.finish()
    with pytest.raises(ScigenError, match="none of its problems"):
        write_gallery([sets / "one"], tmp_path / "other", tmp_path / "x.html")
    with pytest.raises(ScigenError, match=r"no records\.jsonl"):
        write_gallery([sets / "three"], sets / "problems", tmp_path / "x.html")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: f.unlink(), "its file is not in"),
        (lambda f: f.write_bytes(f.read_bytes()[:300]), "its file is broken"),
    ],
)
def test_a_lost_or_broken_picture_is_said_in_its_place(damage: Callable[[Path], object], said: str, sets: Path) -> None:
    digest = hashlib.sha256(png(1)).hexdigest()
    damage(image_path(sets / "one", digest))
    html = page(sets, "one")
    assert html.count("<article") == 4
    assert html.count("data:image/webp") == 2, "the others of the three"
    assert f"no image: {said}" in html


def test_links_lead_to_files_in_folders_of_any_name(sets: Path) -> None:
    odd = "50% #1? é"
    (sets / "two").rename(sets / odd)
    links = re.findall(r'<a href="([^"]+)"', page(sets, odd))
    files = [Path(unquote(urlsplit(urljoin((sets.parent / "gallery.html").as_uri(), link)).path)) for link in links]
    assert [f.read_bytes() for f in files] == [png(n) for n in range(3)]


def test_a_page_of_no_problems_is_an_error(sets: Path) -> None:
    with pytest.raises(ScigenError, match="limit: 0"):
        page(sets, "one", limit=0)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_it_filters_in_a_real_browser_and_hostile_words_stay_words(sets: Path, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    page(sets, "one", "two")
    url = (tmp_path / "gallery.html").as_uri()
    visible = "[...document.querySelectorAll('article')].filter(a => a.checkVisibility()).length"

    async def look() -> None:
        async with tab(tmp_path / "profile") as opened:
            await opened.open(url)
            assert await opened.value(visible) == 4
            assert await opened.value("window.pwned") is None
            assert await opened.value("document.querySelector('article h2').innerText") == problem(0).question
            form = "document.querySelector('form')"
            change = f"{form}.%s.value = %r; {form}.dispatchEvent(new Event('input'))"
            await opened.value(change % ("search", "TRIANGLES 3"))
            assert await opened.value(visible) == 1
            assert await opened.value("document.getElementById('shown').textContent") == "1"
            await opened.value(change % ("search", "MAßE"))
            assert await opened.value(visible) == 1
            await opened.value(change % ("search", ""))
            await opened.value(change % ("status", "code_error"))
            assert await opened.value(visible) == 1
            await opened.value(change % ("status", ""))
            await opened.value(change % ("subject", "Math"))
            assert await opened.value(visible) == 2
            await opened.value("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'j', bubbles: true}))")
            assert await opened.value("document.activeElement.dataset.subject") == "Math"
            assert await opened.value("[...document.images].every(i => i.alt)") is True
            assert opened.complaints() == []
            assert opened.requested() == {url}

    asyncio.run(look())
