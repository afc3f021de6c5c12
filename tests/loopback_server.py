"""An aiohttp server on the loopback, in a thread of its own, for as long as a `with` block. Not a test itself."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Self

from aiohttp import web


class LoopbackServer:
    """A subclass adds its `routes`; `port` is a free one unless it was set before."""

    port: int = 0

    def routes(self, app: web.Application) -> None:
        """Add what the server answers."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        started = threading.Event()
        self._loop = asyncio.new_event_loop()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(self.start())
            started.set()
            self._loop.run_forever()
            self._loop.run_until_complete(self._runner.cleanup())
            self._loop.close()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def start(self) -> None:
        """Listen, in the loop that is running."""
        logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # clients that are gone are the point here
        app = web.Application(client_max_size=64 << 20)
        self.routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=1024)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
