"""Asks a verifier over an OpenAI-compatible endpoint; whatever happens, an answer of some kind comes back in time.

Bounded three ways: requests under way at once, attempts for one response, and a deadline for one response in all.
Not scigen.models: a run asks some hundred thousand times from inside verl's reward workers, where a journal and a
second layer of retries would only cost; nothing is paid by the call here, and every reply is in the run's own dumps.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from scigen.training.verifier.settings import VerifierSettings, key

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 20.0
TRY_AGAIN = {408, 409, 425, 429}
"""Of the 4xx; the others say that the request itself is wrong."""


class Fault(StrEnum):
    """Why an attempt gave no reply."""

    TIMEOUT = "timeouts"
    BUSY = "busy"
    """429 or 503: told to come back later."""
    HTTP = "http_errors"
    """Another status that is not 200."""
    CUT = "cuts"
    """No connection, or one that broke."""
    GARBAGE = "garbage"
    """A reply that is no chat completion."""


@dataclass(frozen=True)
class Reply:
    """What came back for one prompt."""

    text: str | None
    """None: no reply in all attempts, or within the deadline."""
    cut: bool = False
    """The verifier was stopped at its length limit."""
    faults: Mapping[Fault, int] = field(default_factory=dict)
    """Attempts that failed, also when a later one did not."""
    late: bool = False
    """The deadline ended it."""
    error: str = ""
    """The last fault, in words."""


class _Failed(Exception):
    def __init__(self, fault: Fault, words: str, final: bool = False, after_s: float | None = None) -> None:
        super().__init__(words)
        self.fault, self.final, self.after_s = fault, final, after_s


class Verifier:
    """One verifier as seen from one event loop. Use as an async context manager, or keep it for as long as the loop."""

    def __init__(self, settings: VerifierSettings, router: str | None = None) -> None:
        """`router` is the `host:port` of verl's, for settings without an endpoint.

        Raises ScigenError if the key's variable is not set, ValueError if there is no address at all.
        """
        if settings.endpoint is None and router is None:
            raise ValueError(
                "no reward_router_address: set reward.reward_model.enable and enable_resource_pool to true"
            )
        self.settings = settings
        self.base = settings.endpoint.rstrip("/") if settings.endpoint else f"http://{router}/v1"
        secret = key(settings)
        self._headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._model = settings.model
        self._places = asyncio.Semaphore(settings.concurrency)
        self._naming = asyncio.Lock()
        self._session: Any = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, prompt: str, request_id: str = "") -> Reply:
        """The reply to one prompt, at temperature 0. Never raises for what the verifier or the network does."""
        faults: Counter[Fault] = Counter()
        words = [""]
        try:
            async with asyncio.timeout(self.settings.deadline_s):
                text, cut = await self._ask(prompt, request_id, faults, words)
                return Reply(text, cut, faults, error=words[-1])
        except _Failed as e:
            return Reply(None, faults=faults, error=str(e))
        except TimeoutError:
            return Reply(None, faults=faults, late=True, error=words[-1] or "no turn within the deadline")

    async def _ask(self, prompt: str, request_id: str, faults: Counter[Fault], words: list[str]) -> tuple[str, bool]:
        for attempt in range(1, self.settings.attempts + 1):
            try:
                async with self._places:
                    return await self._attempt(prompt, request_id)
            except _Failed as e:
                faults[e.fault] += 1
                words.append(str(e))
                too_long = e.after_s is not None and e.after_s > self.settings.deadline_s
                if e.final or too_long or attempt == self.settings.attempts:
                    raise
                await asyncio.sleep(pause(attempt, e.after_s))
        raise AssertionError("unreachable")

    async def _attempt(self, prompt: str, request_id: str) -> tuple[str, bool]:
        payload = {
            "model": self._model or await self._served(),
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": self.settings.max_reply,
            "temperature": 0.0,
        }
        body = await self._send("POST", "/chat/completions", payload, request_id)
        try:
            choice = body["choices"][0]
            text = choice["message"]["content"]
        except (KeyError, IndexError, TypeError) as e:
            raise _Failed(Fault.GARBAGE, f"no chat completion: {json.dumps(body)[:200]}") from e
        return "" if text is None else str(text), choice.get("finish_reason") == "length"

    async def _served(self) -> str:
        """The name that the service says it serves: vLLM takes no other, and what is asked for cannot be mistyped."""
        async with self._naming:
            if self._model is None:
                body = await self._send("GET", "/models", None, "")
                try:
                    self._model = str(body["data"][0]["id"])
                except (KeyError, IndexError, TypeError) as e:
                    raise _Failed(Fault.GARBAGE, f"no list of models: {json.dumps(body)[:200]}") from e
        return self._model

    async def _send(self, method: str, path: str, payload: Any, request_id: str) -> Any:
        import aiohttp

        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self.settings.concurrency)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        headers = {"X-Request-Id": request_id} if request_id else {}
        timeout = aiohttp.ClientTimeout(total=self.settings.attempt_s)
        try:
            # no redirects: they could carry the key elsewhere
            async with self._session.request(
                method, self.base + path, json=payload, headers=headers, timeout=timeout, allow_redirects=False
            ) as reply:
                if reply.status != 200:
                    raise _status(reply.status, reply.headers.get("Retry-After"), self.base + path)
                raw = await reply.read()
        except TimeoutError as e:
            raise _Failed(Fault.TIMEOUT, f"{self.base}: no reply in {self.settings.attempt_s:g} s") from e
        except aiohttp.ClientError as e:
            raise _Failed(Fault.CUT, f"{self.base}: {type(e).__name__}: {e}") from e
        try:
            return json.loads(raw)
        except ValueError as e:
            raise _Failed(Fault.GARBAGE, f"{self.base}: not JSON: {raw[:100]!r}") from e


def _status(status: int, after: str | None, where: str) -> _Failed:
    busy = status in (429, 503)
    return _Failed(
        Fault.BUSY if busy else Fault.HTTP,
        f"{where}: HTTP {status}",
        final=status < 500 and status not in TRY_AGAIN,
        after_s=seconds_of(after) if busy else None,
    )


def seconds_of(retry_after: str | None) -> float | None:
    """A Retry-After header in seconds from now: it holds a number of seconds or a date (RFC 9110). None if neither."""
    if retry_after is None:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return None


def pause(attempt: int, after_s: float | None) -> float:
    """Seconds before the next attempt: as asked for, else doubling; spread, so that workers do not return together."""
    if after_s is not None:
        return after_s + random.uniform(0, FIRST_PAUSE_S)
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.5)
