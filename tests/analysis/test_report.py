"""The page holds every sample and the numbers it was given, escapes what users wrote, and fetches nothing."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from scigen.analysis.report import render, write_report
from scigen.analysis.results import Role, RunResults, Stage
from scigen.analysis.verdict import points
from scigen.records import Drawing

VOID = {"meta", "link", "img", "source", "input", "br", "line", "circle"}
EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">'


class Page(HTMLParser):
    """Tags in order, text by id or class of the innermost element, and a check that tags are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.code: list[str] = []
        self.text = ""
        self._in_code = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "pre" and ("class", "code") in attrs:
            self._in_code = True
            self.code.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing, line {self.getpos()[0]}"
        self._in_code = self._in_code and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.code[-1] += data
        if not self.open or self.open[-1] not in ("style", "title"):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def written(small_run: RunResults, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Page]:
    folder = tmp_path_factory.mktemp("run")
    files = write_report(small_run, folder)
    assert files.html == folder / "report.html"
    return folder, Page(files.html.read_text())


def test_page_is_well_formed_and_complete(written: tuple[Path, Page], small_run: RunResults) -> None:
    page = written[1]
    assert page.open == []
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {"verdict", "pipeline", "samples", "curves", "controls", "provenance", "again"} <= set(ids)
    targets = {a["href"][1:] for a in page.all("a") if (a.get("href") or "").startswith("#")}  # type: ignore[index]
    assert targets <= set(ids)
    assert {f"sample-{n}" for n in range(1, len(small_run.samples) + 1)} <= targets


def test_nothing_is_fetched_and_no_script_runs(written: tuple[Path, Page]) -> None:
    page = written[1]
    for tag, attrs in page.tags:
        assert tag not in ("script", "iframe", "object", "embed"), tag
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "srcset", "href"):
            value = attrs.get(name) or ""
            assert not re.match(r"\s*(https?:|//|javascript:)", value), value
            if name != "href":
                assert not value or value.startswith("data:image/png;base64,")
    style = (written[0] / "report.html").read_text().split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_every_script_is_there_to_the_letter(written: tuple[Path, Page], small_run: RunResults) -> None:
    assert written[1].code == [s.image.code for s in small_run.samples]


def test_pictures_in_the_page_are_the_ones_that_were_drawn(written: tuple[Path, Page], small_run: RunResults) -> None:
    sources = [img["src"] for img in written[1].all("img") if img.get("width")]
    embedded = [base64.b64decode((src or "").split(",")[1]) for src in sources]
    assert len(embedded) == len(small_run.samples)
    for png, sample in zip(embedded, small_run.samples, strict=True):
        with Image.open(io.BytesIO(png)) as image:
            assert image.size == (sample.image.width, sample.image.height)


def test_headline_numbers_are_those_of_the_input(written: tuple[Path, Page]) -> None:
    page = written[1]
    rows = re.findall(r"<tr class=\"(\w+)\">(.*?)</tr>", (written[0] / "report.html").read_text(), re.S)
    cells = {role: re.findall(r"<td class=\"(?:r big|num|r)\">(.*?)</td>", row) for role, row in rows}
    # conftest: 0.4521 +- 0.035, 0.6012, 0.2534 over 420 problems; truncated 0.0125, no answer 0.034
    assert cells["before"] == ["45.2", "41.7 to 48.7", "420", "1.2", "3.4"]
    assert cells["after"] == ["60.1", "56.6 to 63.6", "420", "1.2", "3.4"]
    assert cells["blank_image"] == ["25.3", "21.8 to 28.8", "420", "1.2", "3.4"]
    assert cells["supervised"][0] == "66.9"
    assert "Training raised held-out accuracy from 45.2 to 60.1 %" in page.text
    assert "+14.9 points (95 % interval +12.1 to +17.8)" in page.text
    assert "2d9cda5" in page.text
    assert "4,629 ok" in page.text


def test_what_users_wrote_is_text(small_run: RunResults) -> None:
    sample = small_run.samples[0]
    evil = sample.model_copy(
        update={
            "problem": sample.problem.model_copy(
                update={"question": EVIL, "multimodal_question": EVIL, "answer": EVIL, "elements": (EVIL,)}
            ),
            "image": sample.image.model_copy(
                update={
                    "code": f"# {EVIL}\nx = '</code></pre>'\n",
                    "plan": None,
                    "drawing": Drawing(texts=tuple(t.model_copy(update={"text": EVIL}) for t in sample.image.texts)),
                }
            ),
        }
    )
    run = small_run.model_copy(
        update={
            "experiment": EVIL,
            "config_yaml": EVIL,
            "command": EVIL,
            "samples": (evil,),
            "stages": (Stage(name=EVIL, unit=EVIL, total=1, counts={EVIL: 1}),),
        }
    )
    html = render(run, {})
    page = Page(html)
    assert page.open == []
    assert "<script" not in html
    assert all("onerror" not in attrs for _, attrs in page.tags)
    assert page.text.count(EVIL) >= 8
    assert page.code == [f"# {EVIL}\nx = '</code></pre>'\n"]


def test_figures_are_saved_and_decode(written: tuple[Path, Page]) -> None:
    folder = written[0] / "figures"
    assert sorted(p.name for p in folder.iterdir()) == ["avg_at_4.png", "controls.png", "families.png", "reward.png"]
    for path in folder.iterdir():
        with Image.open(path) as image:
            image.load()
            assert image.format == "PNG"
            assert min(image.size) > 200
            colours = image.convert("RGB").getcolors(1 << 24)
            assert colours is not None
            assert len(colours) > 50, "an empty page"


def test_a_run_without_training_has_a_report_that_says_so(small_run: RunResults, tmp_path: Path) -> None:
    run = small_run.model_copy(update={"steps": (), "measurements": (), "differences": (), "chance": None})
    files = write_report(run, tmp_path)
    page = Page(files.html.read_text())
    assert files.figures == {}
    assert "No policy was measured in this run." in page.text
    assert "No training step was logged in this run." in page.text
    assert "The policy after training was not measured." in page.text


def test_differences_say_whether_they_are_clear(small_run: RunResults) -> None:
    gain = small_run.difference(Role.BEFORE)
    assert gain is not None
    unclear = gain.model_copy(update={"ci95": (-0.01, 0.3)})
    run = small_run.model_copy(update={"differences": (unclear,)})
    text = Page(render(run, {})).text
    assert "No clear change of held-out accuracy: from 45.2 to 60.1 %" in text
    assert f"the change was {points(unclear)}" in text
    assert "the interval holds zero: no clear difference" in text


def test_sample_without_image_tells_why(small_run: RunResults, run_without_image: RunResults) -> None:
    text = Page(render(run_without_image, {})).text
    assert "no image: code error" in text
    assert "NameError: name 'axx' is not defined (line 7)" in text


@pytest.mark.slow
def test_forty_eight_cards_stay_below_six_megabytes(run_of: Callable[..., RunResults], tmp_path: Path) -> None:
    from scigen.problems.procedural import registry

    run = run_of([f for f in registry.families().values() if f.glance], [])
    cycle = [run.samples[n % len(run.samples)] for n in range(48)]
    files = write_report(run.model_copy(update={"samples": tuple(cycle)}), tmp_path)
    assert files.html.stat().st_size < 6e6
