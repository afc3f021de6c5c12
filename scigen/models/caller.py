"""Attempts at one service: so many at once, waits between them, a budget, and an end when only failures come.

What is asked is not known here: language models and image models are called through the same `Caller`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from scigen.errors import ScigenError
from scigen.models.budget import Budget
from scigen.models.journal import Journal

LONGEST_WAIT = 60.0
"""Seconds: where the doubling of waits ends. A Retry-After may be longer."""


class Cause(Enum):
    """Why an attempt brought no answer."""

    PASSING = auto()
    """Rate limit, 5xx, cut connection, garbage: worth another attempt."""
    TIMEOUT = auto()
    PERMANENT = auto()
    """This request will fail each time."""
    NO_ACCESS = auto()
    """401, or a key that the vendor calls invalid: every request will fail."""
    NO_CREDIT = auto()
    """402, or an account that owes: every request will fail until somebody pays."""
    NOT_THERE = auto()
    """403 or 404: every request will fail, unless some have been answered before."""


@dataclass(frozen=True)
class Fault:
    """An attempt without an answer."""

    cause: Cause
    error: str
    retry_after: float | None = None
    """Seconds that the vendor asked to wait."""
    may_cost: bool = False
    """True if the vendor may have done, and charged, the work all the same."""


def fault_of_http(status: int, error: str, retry_after: float | None = None) -> Fault:
    """What an HTTP status means. What is not known to be permanent is taken to pass."""
    if status == 401:
        return Fault(Cause.NO_ACCESS, error)
    if status == 402:
        return Fault(Cause.NO_CREDIT, error)
    if status in (403, 404):
        return Fault(Cause.NOT_THERE, error)
    if 400 <= status < 500 and status not in (408, 409, 425, 429):
        return Fault(Cause.PERMANENT, error)
    return Fault(Cause.PASSING, error, retry_after=retry_after, may_cost=status < 400)


NOT_CONNECTED = frozenset({"ConnectError", "ConnectTimeout", "ClientConnectorError"})
"""Classes of errors (httpx, aiohttp) that say that nothing was sent."""


def never_sent(error: BaseException | None) -> bool:
    """Whether an exception, or what caused it, says that there was no connection, so that nothing can be charged."""
    while error is not None:
        if type(error).__name__ in NOT_CONNECTED:
            return True
        error = error.__cause__ or error.__context__
    return False


class Patience(BaseModel):
    """How hard a service is pressed, and for how long."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    connections: int = Field(default=16, ge=1, le=1024)
    """Attempts under way at once."""
    timeout_s: float = Field(default=120.0, gt=0)
    """Time that one attempt may take."""
    retries: int = Field(default=5, ge=0, le=20)
    """Further attempts after one that failed for a passing reason."""
    total_s: float = Field(default=600.0, gt=0)
    """Time that one answer may take over all attempts and waits; a Retry-After beyond it is not waited for."""
    backoff_s: float = Field(default=0.5, gt=0)
    """First wait between attempts; each further one is twice as long, up to 60 s, less a random part."""
    give_up_after: int = Field(default=50, ge=0)
    """Requests that may fail one after another, with no answer between them, until the run stops; 0 for never."""


class Costs(Protocol):
    """An answer that knows its price."""

    @property
    def usd(self) -> float: ...


A = TypeVar("A", bound=Costs)


class Caller:
    """Calls one service within one event loop. `knob` is the config key that names the model, for messages."""

    def __init__(
        self, name: str, patience: Patience, journal: Journal, budget: Budget | None = None, knob: str = "model.name"
    ) -> None:
        self.attempts = 0
        """Attempts made on the network."""
        self._name, self._knob = name, knob
        self._patience, self._budget, self._journal = patience, budget, journal
        self._slots = asyncio.Semaphore(patience.connections)
        self._answered = 0
        self._failed_in_a_row = 0
        self._stopped = ""
        if budget is not None:
            budget.count_earlier(journal.folder, journal.usd)

    async def call(self, most: float, attempt: Callable[[], Awaitable[A | Fault]]) -> A | Fault:
        """Attempts until an answer, a lasting fault, or the end of patience. `most`: dollars that one may cost.

        Raises BudgetReached before an attempt that could cross the budget, and ScigenError for a key that is refused,
        a model that is not there, or a service that has failed `give_up_after` times in a row.
        """
        outcome = await self._attempts(most, attempt)
        self._count(outcome)
        return outcome

    async def _attempts(self, most: float, attempt: Callable[[], Awaitable[A | Fault]]) -> A | Fault:
        patience = self._patience
        deadline = time.monotonic() + patience.total_s
        number = 0
        while True:
            async with self._slots:
                outcome = await self._attempt(most, attempt)
            if not isinstance(outcome, Fault) or outcome.cause not in (Cause.PASSING, Cause.TIMEOUT):
                return outcome
            wait = wait_s(patience.backoff_s, number, outcome.retry_after)
            number += 1
            if number > patience.retries or time.monotonic() + wait > deadline:
                return Fault(outcome.cause, f"{outcome.error} (attempts made: {number})")
            await asyncio.sleep(wait)

    async def _attempt(self, most: float, attempt: Callable[[], Awaitable[A | Fault]]) -> A | Fault:
        if self._stopped:
            raise ScigenError(self._stopped)
        if self._budget is not None:
            await self._budget.reserve(most)
        spent = most  # if this is cancelled the vendor may charge it all the same
        try:
            self.attempts += 1
            outcome = await attempt()
            if not isinstance(outcome, Fault):
                spent = outcome.usd
            elif not outcome.may_cost:
                spent = 0.0
            else:
                self._journal.put_unanswered(most)
        finally:
            if self._budget is not None:
                self._budget.settle(most, spent)
        return outcome

    def _count(self, outcome: A | Fault) -> None:
        """Stop the whole run where going on would only collect failures."""
        if not isinstance(outcome, Fault):
            self._answered += 1
            self._failed_in_a_row = 0
            return
        self._failed_in_a_row += 1
        name, limit, node = self._name, self._patience.give_up_after, self._knob.partition(".")[0]
        if outcome.cause is Cause.NO_ACCESS:
            self._stopped = f"{name}: the key was refused ({outcome.error}). Set the vendor's key variable."
        elif outcome.cause is Cause.NO_CREDIT:
            self._stopped = (
                f"{name}: the account is out of credits ({outcome.error}). Add some and run the same command again: "
                "what has arrived is kept."
            )
        elif outcome.cause is Cause.NOT_THERE and not self._answered:
            self._stopped = (
                f"{name}: there is no such model there, or the key may not use it ({outcome.error}). "
                f"Mend {self._knob} or {node}.base_url."
            )
        elif limit and self._failed_in_a_row >= limit:
            self._stopped = (
                f"{name}: {limit} requests in a row failed, the last with: {outcome.error}. Run the same command again "
                f"when the service is back: what has arrived is kept. give_up_after=0 never stops."
            )
        if self._stopped:
            raise ScigenError(self._stopped)


def wait_s(first: float, number: int, retry_after: float | None) -> float:
    """Seconds before the next attempt: doubling, with a random part, and never before the vendor asked."""
    backoff: float = min(LONGEST_WAIT, first * 2**number) * random.uniform(0.5, 1.0)
    return backoff if retry_after is None else max(backoff, retry_after * random.uniform(1.0, 1.1))
