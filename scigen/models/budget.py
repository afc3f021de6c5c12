"""A limit in dollars that is never crossed: each attempt's worst case is set aside before the attempt is made."""

from __future__ import annotations

import asyncio
from pathlib import Path

from scigen.errors import ScigenError
from scigen.models.journal import Journal
from scigen.shards import Shard

SLACK = 1e-9
"""Dollars: what adding up in floating point may be off by."""


class BudgetReached(ScigenError):
    """The next attempt could cross the budget; it was not made."""


class Budget:
    """Dollars that may be spent for one output folder.

    What the journals of the folder hold from earlier runs counts, so that starting again does not double it. Several
    models may share a budget within one event loop. Another process has a budget of its own: give each its share;
    `part` then names whose it is, in messages and in the names of the journal's files.
    """

    def __init__(self, usd: float, part: str = "") -> None:
        if not usd >= 0:
            raise ScigenError(f"budget.usd: {usd} is not a sum of money. Give 0 or more.")
        self.usd = usd
        self.part = part
        self.spent = 0.0
        """Dollars gone: what arrived, and what was asked without an answer and may have been charged."""
        self.reserved = 0.0
        """Dollars set aside for the attempts under way."""
        self._counted: set[Path] = set()
        self._waiting: list[asyncio.Future[None]] = []

    def count_earlier(self, folder: Path, usd: float) -> None:
        """Count what an earlier run spent; each journal folder once, however many models write to it."""
        if (folder := folder.resolve()) not in self._counted:
            self._counted.add(folder)
            self.spent += usd

    def leave_out(self, folder: Path) -> None:
        """Count nothing of what was spent in this folder before: the budget is a share of what it left."""
        self._counted.add(folder.resolve())

    async def reserve(self, usd: float) -> None:
        """Set `usd` aside; waits for attempts under way to be settled if there is room only then.

        Raises BudgetReached if it would not fit even after all of them cost nothing.
        """
        while self.spent + self.reserved + usd > self.usd + SLACK:
            if self.spent + usd > self.usd + SLACK:
                share = f", share of {self.part}" if self.part else ""
                raise BudgetReached(
                    f"budget.usd{share}: {self.spent:.4f} of {self.usd:.4f} dollars are spent and the next call may "
                    f"cost {usd:.4f}. Raise budget.usd and run the same command again: what has arrived is kept."
                )
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self.reserved += usd

    def settle(self, reserved: float, spent: float) -> None:
        """Release what was set aside and count what it came to."""
        self.reserved = max(0.0, self.reserved - reserved)
        self.spent += spent
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)


def share_of_shard(usd: float, journal: Path, shard: Shard) -> Budget:
    """A shard's budget, of `usd` dollars for all that is written to the journal's folder.

    An equal part of what was left before any of the shards began, less what this one has spent, whatever the others
    do: so the shards, begun side by side and again at any time, stay below `usd` together.
    """
    kept = Journal(journal)
    part = f"shard-{shard.number}-of-{shard.parts}"
    before = kept.usd - kept.usd_of(f"shard-*-of-{shard.parts}")
    budget = Budget(max(0.0, (usd - before) / shard.parts - kept.usd_of(part)), part)
    budget.leave_out(journal)
    return budget
