"""A real Chromium opens the page from disk: a card opens at a click, the console stays silent, nothing is requested."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from browser import CHROMIUM, tab

from scigen.analysis.report import write_report
from scigen.analysis.results import RunResults

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]


def test_a_card_opens_and_nothing_complains(small_run: RunResults, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    url = write_report(small_run, tmp_path).html.as_uri()

    async def look() -> None:
        async with tab(tmp_path / "profile") as page:
            await page.open(url)
            card = "document.querySelector('.card')"
            boxes = f"getComputedStyle({card}.querySelector('.boxes')).display"
            assert await page.value(f"{card}.open") is False
            assert await page.value(f"{card}.querySelector('.code').checkVisibility()") is False

            await page.click(".card summary .picture")
            assert await page.value(f"{card}.open") is True
            assert await page.value(f"{card}.querySelector('.code').innerText") == small_run.samples[0].image.code
            assert await page.value(boxes) == "block"
            place = "(r => [r.x, r.y, r.width, r.height])(%s.querySelector('%s').getBoundingClientRect())"
            overlay, image = [await page.value(place % (card, x)) for x in (".boxes", "img")]
            assert overlay == pytest.approx(image, abs=1.5), "the boxes do not lie on the picture"

            await page.click(".toggle input")
            assert await page.value(boxes) == "none"
            await page.click("#pick-glance")
            shown = "[...document.querySelectorAll('.card')].map(c => c.checkVisibility())"
            assert await page.value(shown) == [False, True, False]
            for width in (1280, 800):
                await page.send(
                    "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
                )
                assert await page.value("document.documentElement.scrollWidth") <= width
            loaded = "[...document.images].every(i => i.complete && i.naturalWidth > 0)"
            assert await page.value(loaded) is True
            assert page.complaints() == []
            assert page.requested() == {url}

    asyncio.run(look())


def test_a_link_to_a_sample_opens_its_card(small_run: RunResults, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    url = write_report(small_run, tmp_path).html.as_uri()

    async def look() -> None:
        async with tab(tmp_path / "profile") as page:
            await page.open(url)
            await page.click(".index a[href='#sample-3']")
            await asyncio.sleep(0.5)
            assert await page.value("document.querySelectorAll('.card')[2].open") is True

    asyncio.run(look())
