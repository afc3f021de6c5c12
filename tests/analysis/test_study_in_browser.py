"""The page of the paper study in a real Chromium: it loads alone, without a complaint, and every row says "not run"."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, tab
from test_paper_study import study

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH"),
]


def test_the_page_of_a_study_loads_alone_and_says_not_run(tmp_path: Path) -> None:
    study("paper", tmp_path, f"'{tmp_path}/none*'")
    address = (tmp_path / "paper.html").resolve().as_uri()

    async def look() -> Any:
        async with tab(tmp_path / "profile") as page:
            await page.open(address)
            rows = await page.value(
                "[...document.querySelectorAll('table.study')].map(t => [...t.tBodies[0].rows].map(r => r.innerText))"
            )
            drawn = await page.value("[...document.images].every(i => i.naturalWidth > 300)")
            return rows, drawn, page.complaints(), page.requested()

    (training, _, images), drawn, complaints, requested = asyncio.run(look())
    assert len(training) == 7
    assert len(images) == 11
    assert all("not run" in row for row in [*training, *images])
    assert drawn
    assert complaints == []
    assert requested == {address}
