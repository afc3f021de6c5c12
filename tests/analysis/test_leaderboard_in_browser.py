"""A real Chromium opens the leaderboard from disk: a click on a heading sorts, tabs and boxes hide what they should."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from browser import CHROMIUM, tab
from simulated_benchmark import benchmark

from scigen.evaluation.leaderboard.board import boards
from scigen.evaluation.leaderboard.render import write_all

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]

NAMES = "[...document.querySelector('main:not([hidden]) table').tBodies[0].rows].filter(r => !r.hidden).map(r => %s)"


def test_columns_sort_and_rows_hide(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    url = write_all(boards(benchmark(120)), tmp_path)["html"].as_uri()

    async def look() -> None:
        async with tab(tmp_path / "profile") as page:
            await page.open(url)
            heading = "main:not([hidden]) table thead th:nth-child(4) button"
            values = NAMES % "r.cells[3].dataset.value ?? null"
            for descending in (True, False):
                await page.click(heading)
                found = [None if v is None else float(v) for v in await page.value(values)]
                known = [v for v in found if v is not None]
                assert len(known) > 10
                assert known == sorted(known, reverse=descending)
                assert found == known + [None] * (len(found) - len(known)), "what was not run comes last"
            await page.click("input[data-kind=published]")
            names = await page.value(NAMES % "r.cells[0].innerText")
            assert "coder_large" in names
            assert not [n for n in names if "published" in n]
            await page.click(".tabs button[data-split=seephys]")
            assert await page.value("[...document.querySelectorAll('main')].map(m => m.hidden)") == [True, True, False]
            for width in (1280, 700):
                await page.send(
                    "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
                )
                assert await page.value("document.documentElement.scrollWidth") <= width
            assert page.complaints() == []
            assert page.requested() == {url}

    asyncio.run(look())
