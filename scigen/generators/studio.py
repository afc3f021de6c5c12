"""What a run lends its generators: opened models, drawing processes, the journal of answers, the budget.

Everything is opened when it is first asked for and closed with the studio. One studio belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from scigen.models import Budget, Model, ModelSettings
from scigen.models.caller import Caller, Patience
from scigen.models.journal import Journal
from scigen.rendering import Limits, Rendering, RenderPool

T = TypeVar("T")


class Studio:
    """Use as an async context manager. `journal` is the folder of answers; `workers` are drawing processes, one for
    each core by default; `limits` hold for each script.

    What the journal's folder holds from before counts against the budget; with `own_budget` the budget is a share that
    was cut from what is left, and only this studio's spending counts.
    """

    def __init__(
        self,
        journal: Path,
        budget: Budget | None = None,
        workers: int | None = None,
        limits: Limits | None = None,
        *,
        own_budget: bool = False,
    ) -> None:
        self.folder = journal
        self.budget = budget
        if budget is not None and own_budget:
            budget.leave_out(journal)
        self.workers = workers
        self.limits = limits or Limits()

    async def __aenter__(self) -> Self:
        self._stack = await AsyncExitStack().__aenter__()
        self._open: dict[Hashable, Any] = {}
        self._opening: dict[Hashable, asyncio.Lock] = {}
        self._broken: dict[Hashable, Exception] = {}
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(exc_type, exc, tb)

    async def opened(self, key: Hashable, open_it: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """What `open_it` opens; once for all who ask with this key, who also share its failure."""
        if key not in self._open:
            async with self._opening.setdefault(key, asyncio.Lock()):
                if key in self._broken:
                    raise self._broken[key]
                if key not in self._open:
                    try:
                        self._open[key] = await self._stack.enter_async_context(open_it())
                    except Exception as e:
                        self._broken[key] = e
                        raise
        found: T = self._open[key]
        return found

    async def model(self, settings: ModelSettings) -> Model:
        """The language or vision model of these settings, behind the run's journal and budget."""
        key = ("model", settings.model_dump_json())
        return await self.opened(key, lambda: Model(settings, self.folder, self.budget))

    async def caller(self, name: str, patience: Patience) -> tuple[Caller, Journal]:
        """For a service that is not a language model: bounded attempts under the budget, and the journal."""
        return await self.opened(("caller", name, patience), lambda: _Service(self, name, patience))

    async def draw(self, script: str, language: str = "matplotlib") -> Rendering:
        """A script drawn in the sandbox."""
        pool = await self.opened(("pool", language), lambda: _Pool(self, language))
        return await pool.draw_async(script)


class _Service:
    """A caller with its journal."""

    def __init__(self, studio: Studio, name: str, patience: Patience) -> None:
        self._studio, self._name, self._patience = studio, name, patience

    async def __aenter__(self) -> tuple[Caller, Journal]:
        budget = self._studio.budget
        self._journal = Journal(self._studio.folder, "" if budget is None else budget.part)
        caller = Caller(self._name, self._patience, self._journal, self._studio.budget, knob="generator.model")
        return caller, self._journal

    async def __aexit__(self, *_: object) -> None:
        self._journal.close()


class _Pool:
    """A pool whose warm processes are started and stopped beside the event loop."""

    def __init__(self, studio: Studio, language: str) -> None:
        self._pool = RenderPool(studio.workers, studio.limits, language=language)

    async def __aenter__(self) -> RenderPool:
        return await asyncio.to_thread(self._pool.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._pool.__exit__, None, None, None)
