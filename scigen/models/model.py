"""`Model`: the journal before the network, the budget before each attempt, and a status for whatever comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from scigen.errors import ScigenError
from scigen.models.budget import Budget
from scigen.models.caller import Caller, Cause, Fault
from scigen.models.estimate import LIKELY_SHARE, Estimate
from scigen.models.flow import each
from scigen.models.journal import Answer, Journal
from scigen.models.prices import FREE, price_of
from scigen.models.provider import Provider
from scigen.models.request import Reply, ReplyStatus, Request, cache_key, image_kind, repair_key
from scigen.models.settings import ModelSettings, check_address, is_loopback
from scigen.models.structured import read_answer, repair_prompt
from scigen.models.tokens import likely_input, most_input

K = TypeVar("K")


class Model:
    """One model behind one journal. Use as an async context manager, within one event loop.

    Raises ScigenError at once if the address is not safe, or if there is a budget but no price to keep it by.
    """

    def __init__(self, settings: ModelSettings, journal: Path, budget: Budget | None = None) -> None:
        addresses = list(settings.addresses())
        for where, address in addresses:
            check_address(where, address)
        local = settings.provider == "vllm" or (bool(addresses) and all(is_loopback(a) for _, a in addresses))
        price = settings.price or price_of(settings.name, local=local)
        if price is None and budget is not None:
            raise ScigenError(
                f"model.price: no price is known for {settings.name}, so budget.usd cannot be kept. "
                "Give model.price.input and model.price.output in dollars per million tokens."
            )
        self.settings = settings
        self.priced = price is not None
        """False if the price is not known: then every `usd` is 0 and means nothing."""
        self._price = price or FREE
        self._journal = Journal(journal, "" if budget is None else budget.part)
        self._identity = settings.identity()
        self._provider = Provider(settings, self._price)
        self._under_way: dict[str, asyncio.Lock] = {}
        self._caller = Caller(settings.name, settings, self._journal, budget)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._journal.close()
        await self._provider.close()

    @property
    def attempts(self) -> int:
        """Attempts made on the network by this object."""
        return self._caller.attempts

    async def ask(self, request: Request) -> Reply:
        """The reply to one request; what the vendor does wrong is a status of it.

        An answer that does not fit `request.answer`, or is empty, is asked for once more with what was wrong.
        Raises BudgetReached before a call that could cross the budget, and ScigenError for an image of another kind, a
        key that is refused, a model that is not there, or a vendor that has failed `give_up_after` times in a row.
        """
        for image in request.images:
            image_kind(image)
        key = cache_key(request, self._identity)
        first, kept = await self._turn(request, key, None)
        if isinstance(first, Fault):
            return _failed(first)
        if first.stop == "content_filter":
            return _reply(ReplyStatus.REFUSED, [first], kept, error="declined by the model or the vendor's filter")
        value, complaint = read_answer(first.text, request.answer)
        if not complaint:
            return _reply(ReplyStatus.OK, [first], kept, value=value)
        complaint = _with_cut(complaint, first)
        again = repair_key(key, first.text, complaint)
        second, kept_too = await self._turn(request, again, (first.text, repair_prompt(complaint, request.answer)))
        kept = kept and kept_too
        if isinstance(second, Fault):
            error = f"{complaint}; asked again: {second.error}"
            return _reply(ReplyStatus.UNPARSED, [first], kept, error=error)
        if second.stop == "content_filter":
            return _reply(ReplyStatus.REFUSED, [first, second], kept, error="declined when asked again")
        value, complaint = read_answer(second.text, request.answer)
        if complaint:
            return _reply(ReplyStatus.UNPARSED, [first, second], kept, error=_with_cut(complaint, second))
        return _reply(ReplyStatus.OK, [first, second], kept, value=value)

    async def ask_each(self, pairs: Iterable[tuple[K, Request]]) -> AsyncIterator[tuple[K, Reply]]:
        """Replies in order of completion. `pairs` is read as places in a window of twice the connections come free.

        When the run must stop (BudgetReached, ScigenError), no more is read; what is under way is still given, and then
        the error is raised.
        """

        async def one(pair: tuple[K, Request]) -> tuple[K, Reply]:
            return pair[0], await self.ask(pair[1])

        async with aclosing(each(pairs, one, 2 * self.settings.connections)) as replies:
            async for name, reply in replies:
                yield name, reply

    def estimate(self, requests: Iterable[Request]) -> Estimate:
        """What the requests would come to, from the journal, the price table and counted characters; no network."""
        calls = cached = tokens_in = tokens_out = 0
        likely = most = 0.0
        for request in requests:
            calls += 1
            if cache_key(request, self._identity) in self._journal:
                cached += 1
                continue
            limit = request.max_tokens + self.settings.thinking_tokens
            sent = likely_input(self.settings.name, request)
            tokens_in += sent
            tokens_out += round(limit * LIKELY_SHARE)
            likely += self._price.usd(sent, round(limit * LIKELY_SHARE))
            most += self._most(request, None)
        seconds = (calls - cached) * self.settings.seconds_per_call / self.settings.connections
        return Estimate(calls, cached, tokens_in, tokens_out, likely, seconds, most, self.priced)

    def _most(self, request: Request, second: tuple[str, str] | None) -> float:
        """Dollars that one attempt cannot exceed."""
        if self._price.input == 0 and self._price.output == 0:
            return 0.0
        sent = most_input(self.settings.name, request, "".join(second or ()))
        return self._price.usd(sent, request.max_tokens + self.settings.thinking_tokens)

    async def _turn(self, request: Request, key: str, second: tuple[str, str] | None) -> tuple[Answer | Fault, bool]:
        """(answer or fault, whether the journal had it). The same question is never under way twice."""
        if kept := self._journal.get(key):
            return kept, True
        async with self._alone(key):
            if kept := self._journal.get(key):
                return kept, True
            most = self._most(request, second)
            outcome = await self._caller.call(most, lambda: self._attempt(request, key, second, most))
        return outcome, False

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncIterator[None]:
        lock = self._under_way.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                yield
        finally:
            if not lock.locked():
                self._under_way.pop(key, None)

    async def _attempt(self, request: Request, key: str, second: tuple[str, str] | None, most: float) -> Answer | Fault:
        """One attempt; an answer is in the journal before anybody has it."""
        outcome = await self._provider.attempt(request, second)
        if isinstance(outcome, Answer):
            if not (outcome.input_tokens or outcome.output_tokens or outcome.stop == "content_filter"):
                outcome = replace(outcome, usd=most)  # the vendor does not say what it took
            self._journal.put(key, outcome)
        return outcome


def _with_cut(complaint: str, answer: Answer) -> str:
    return f"cut off at the length limit: {complaint}" if answer.stop == "max_tokens" else complaint


def _failed(fault: Fault) -> Reply:
    status = ReplyStatus.TIMEOUT if fault.cause is Cause.TIMEOUT else ReplyStatus.API_ERROR
    return Reply(status, error=fault.error)


def _reply(status: ReplyStatus, answers: list[Answer], kept: bool, *, value: object = None, error: str = "") -> Reply:
    last = answers[-1]
    return Reply(
        status,
        text=last.text,
        value=value,  # type: ignore[arg-type]
        error=error,
        model=last.model,
        input_tokens=sum(a.input_tokens for a in answers),
        output_tokens=sum(a.output_tokens for a in answers),
        usd=sum(a.usd for a in answers),
        seconds=round(sum(a.seconds for a in answers), 4),
        answers=len(answers),
        cached=kept,
    )
