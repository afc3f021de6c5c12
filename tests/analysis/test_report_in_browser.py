"""A real Chromium opens the page from disk: a card opens at a click, the console stays silent, nothing is requested."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from scigen.analysis.report import write_report
from scigen.analysis.results import RunResults

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--remote-debugging-port=0",
    "--window-size=1280,900",
)  # fmt: skip

CENTRE = """(() => {
    const e = document.querySelector("%s");
    e.scrollIntoView({behavior: 'instant', block: 'center'});
    const r = e.getBoundingClientRect();
    return [r.x + r.width / 2, r.y + r.height / 2];
})()"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]


class Tab:
    """One page over the DevTools protocol: commands, and every event that came."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.number, self.events = socket, 0, list[dict[str, Any]]()

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """The command's result; events that come before it are kept."""
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": params})
        while True:
            message = json.loads((await asyncio.wait_for(self.socket.receive(), 60)).data)
            if message.get("id") == self.number:
                assert "error" not in message, message
                return dict(message["result"])
            self.events.append(message)

    async def value(self, expression: str) -> Any:
        result = await self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def open(self, url: str) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.send(f"{domain}.enable")
        await self.send("Page.navigate", url=url)
        for _ in range(300):
            if await self.value("document.readyState") == "complete" and await self.value("location.href") == url:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the page did not load in 30 s")

    async def click(self, selector: str) -> None:
        """A real mouse click in the middle of the element."""
        x, y = await self.value(CENTRE % selector)
        for kind in ("mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def complaints(self) -> list[dict[str, Any]]:
        bad = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [e for e in self.events if e["method"] in bad]

    def requested(self) -> set[str]:
        urls = [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return {url for url in urls if not url.startswith("data:")}


@asynccontextmanager
async def tab(profile: Path) -> AsyncIterator[Tab]:
    import aiohttp

    assert CHROMIUM is not None
    process = subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        port_file = profile / "DevToolsActivePort"
        for _ in range(600):
            if port_file.exists() and len(port_file.read_text().splitlines()) > 1:
                break
            await asyncio.sleep(0.1)
        port = port_file.read_text().splitlines()[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as reply:
                pages = [t for t in await reply.json() if t["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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
