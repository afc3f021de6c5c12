"""What all image models share: the prompt, the journal before the record, bounded attempts, the look at the bytes.

A vendor is one file with one class: `PixelModel` where a call brings the image, `JobModel` (see `jobs`) where a call
starts a job that is asked for until it is done. The class says how to connect, how to ask, and what the vendor's
errors mean; retries, budget, resuming and statuses are here.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import Field, JsonValue

from scigen.errors import ScigenError
from scigen.generators.base import About, Generator, Made
from scigen.generators.pixel.blobs import Blobs
from scigen.generators.pixel.intake import Taken, take
from scigen.generators.studio import Studio
from scigen.models import Estimate
from scigen.models.caller import Caller, Cause, Fault, Patience, fault_of_http, never_sent
from scigen.models.journal import Answer, Journal
from scigen.models.prompt import load_prompt
from scigen.models.secrecy import blot, secret_values
from scigen.models.settings import check_address, is_loopback
from scigen.records import GeneratedImage, Problem, ScriptError, Status, VendorReport

LONGEST_ERROR = 500
"""Characters of a vendor's message that are kept."""


class Order(NamedTuple):
    """What is asked of a vendor."""

    prompt: str
    seed: int | None


@dataclass(frozen=True)
class Painting:
    """What a vendor gave for an order. An answer, also where it is a refusal."""

    status: Status
    """OK where there are bytes; else REFUSED, BLOCKED, NO_IMAGE, or API_ERROR for a job that failed for good."""
    report: VendorReport
    usd: float = 0.0
    data: bytes | None = None
    tokens: int = 0


class PixelModel(Generator):
    """An image model behind a vendor's service. Keys come from the environment only."""

    OUTER: ClassVar[frozenset[str]] = Generator.OUTER | {
        *("base_url", "patience", "usd_per_image", "usd_most", "seconds_per_image", "max_bytes", "max_pixels")
    }
    KEYS: ClassVar[tuple[str, ...]] = ()
    """Environment variables with the service's key."""

    about: About = About(paradigm="pixel")
    at_once: int = Field(default=8, ge=1)
    model: str
    base_url: str | None = None
    """Address of the service, https or on this machine; None takes the vendor's own."""
    prompt: str = "diagram"
    """Name of a file in `prompts/`."""
    seed: int | None = None
    """Sent where the vendor takes one."""
    patience: Patience = Patience(connections=8, timeout_s=180.0, retries=5, total_s=900.0, backoff_s=1.0)
    usd_per_image: float = Field(ge=0)
    """Likely price of an image."""
    usd_most: float | None = Field(default=None, ge=0)
    """What one call cannot exceed, for the budget; by default the likely price."""
    seconds_per_image: float = Field(default=20.0, gt=0)
    """Typical time, for estimates only."""
    max_bytes: int = Field(default=32 << 20, gt=0)
    max_pixels: int = Field(default=25_000_000, gt=0)

    @abstractmethod
    def client(self) -> AbstractAsyncContextManager[Any]:
        """The vendor's client, its own hidden retries off. Raises ScigenError without a key."""

    @abstractmethod
    async def paint(self, client: Any, order: Order) -> Painting | Fault:
        """Ask once. Exceptions go to `fault`."""

    def fault(self, error: Exception) -> Painting | Fault:
        """What an exception of the vendor's client means: a fault, or an answer (a refusal comes as an error).

        The default reads `status_code` and the headers' Retry-After, as the OpenAI-shaped clients and httpx give them.
        """
        if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
            return Fault(Cause.TIMEOUT, f"no answer in {self.patience.timeout_s:g} s", may_cost=not never_sent(error))
        response = getattr(error, "response", None)
        status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
        text = f"{type(error).__name__}: {error}"
        if isinstance(status, int):
            return fault_of_http(status, text, retry_after(getattr(response, "headers", None) or {}))
        return Fault(Cause.PASSING, text, may_cost=not never_sent(error))

    def settings(self) -> dict[str, JsonValue]:
        """As for all, with the prompt's text; the address counts unless it is the vendor's own or on this machine."""
        own = None if self.is_local else self.base_url
        return {**super().settings(), "prompt_hash": load_prompt(PixelModel, self.prompt).hash, "address": own}

    async def make(self, problem: Problem, studio: Studio) -> Made:
        """See Generator."""
        order = self.order(problem)
        start = time.monotonic()
        result = await self.obtain(order, studio)
        return self._made(problem, result, time.monotonic() - start)

    def order(self, problem: Problem) -> Order:
        """What is asked for a problem."""
        return Order(worded(self.prompt, problem), self.seed)

    async def obtain(self, order: Order, studio: Studio) -> Painting | Fault:
        """The painting from the journal, else from the vendor."""
        caller, journal = await studio.caller(self.name, self.patience)
        easel = Easel(self, journal, Blobs(studio.folder), caller)
        key = self.key(order)
        if (kept := easel.kept(key)) is not None:
            return kept
        client = await studio.opened(("client", self.name), self.client)

        async def attempt() -> Painting | Fault:
            start = time.perf_counter()
            outcome = await self.attempt(lambda: self.paint(client, order))
            return easel.keep(key, outcome, time.perf_counter() - start) if isinstance(outcome, Painting) else outcome

        return await caller.call(self.most, attempt)

    async def attempt(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """`act` within the time of an attempt, its exceptions as what they mean, with keys blotted out."""
        try:
            async with asyncio.timeout(self.patience.timeout_s):
                outcome = await act()
        except ScigenError:
            raise
        except Exception as e:
            outcome = self.fault(e)
        return _clean(outcome)

    @property
    def most(self) -> float:
        """Dollars that one call cannot exceed."""
        return self.usd_per_image if self.usd_most is None else self.usd_most

    def key(self, order: Order, *more: object) -> str:
        """sha256 in hex of all that decides the vendor's answer."""
        body = [self.settings(), *order, *more]
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

    def address(self, default: str) -> str:
        """Where the service is. Raises ScigenError for an address that would send the key unprotected."""
        address = self.base_url or default
        check_address(f"generator {self.name}: base_url", address)
        return address.rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether the service is on this machine."""
        return self.base_url is not None and is_loopback(self.base_url)

    def secret(self, variable: str) -> str:
        """The key in an environment variable. Raises ScigenError without one, unless the service is on this machine."""
        if value := os.environ.get(variable):
            return value
        if self.is_local:
            return "none"
        raise ScigenError(f"generator {self.name}: the environment has no {variable}. Set it to the service's key.")

    def estimate(self, problems: Sequence[Problem], journal: Path) -> Estimate:
        """See Generator."""
        kept = Journal(journal)
        cached = sum(self.key(self.order(p)) in kept for p in problems)
        left = len(problems) - cached
        seconds = left * self.seconds_per_image / min(self.at_once, self.patience.connections)
        return Estimate(
            calls=len(problems),
            cached=cached,
            usd=left * self.usd_per_image,
            seconds=seconds,
            usd_most=left * self.most,
        )

    def price(self) -> str:
        """See Generator."""
        return f"${self.usd_per_image:g}" if self.usd_per_image else "own machine"

    def _made(self, problem: Problem, result: Painting | Fault, seconds: float) -> Made:
        head: dict[str, Any] = {
            "problem_id": problem.id,
            "generator": self.name,
            "prompt_hash": load_prompt(PixelModel, self.prompt).hash,
            "seconds": round(seconds, 4),
        }
        if isinstance(result, Fault):
            status = Status.TIMEOUT if result.cause is Cause.TIMEOUT else Status.API_ERROR
            error = ScriptError(type=result.cause.name.lower(), message=result.error)
            return Made(GeneratedImage(status=status, model=self.model, error=error, **head))
        taken = Taken(result.status)
        if result.data is not None:
            taken = take(result.data, self.max_bytes, self.max_pixels)
        words = taken.fault or result.report.message or ""
        image = GeneratedImage(
            status=taken.status,
            image=hashlib.sha256(taken.png).hexdigest() if taken.png is not None else None,
            width=taken.width,
            height=taken.height,
            model=result.report.model or self.model,
            vendor=result.report,
            error=ScriptError(type=taken.status.value, message=words) if taken.status is not Status.OK else None,
            tokens=result.tokens,
            cost_usd=result.usd,
            **head,
        )
        return Made(image, taken.png)


class Easel:
    """Paintings and jobs in the journal: written before anyone acts on them, read back after a restart."""

    def __init__(self, model: PixelModel, journal: Journal, blobs: Blobs, caller: Caller) -> None:
        self.model, self.journal, self.blobs, self.caller = model, journal, blobs, caller

    def kept(self, key: str) -> Painting | None:
        """The painting that arrived for this key, in this run or an earlier one."""
        answer = self.journal.get(key)
        if answer is None:
            return None
        body = json.loads(answer.text)
        report = VendorReport.model_validate(body["report"])
        data = self.blobs.get(report.original) if report.original else None
        return Painting(Status(body["status"]), report, body["usd"], data, body["tokens"])

    def keep(self, key: str, painting: Painting, seconds: float, booked: float = 0.0) -> Painting:
        """Write it down, the image first. `booked` is what the journal counts for it already."""
        if painting.data is not None:
            original = self.blobs.put(painting.data)
            painting = Painting(
                painting.status,
                painting.report.model_copy(update={"original": original}),
                painting.usd,
                painting.data,
                painting.tokens,
            )
        body = {
            "status": painting.status.value,
            "usd": painting.usd,
            "tokens": painting.tokens,
            "report": painting.report.model_dump(mode="json", exclude_defaults=True),
        }
        self.note(key, json.dumps(body), painting.usd - booked, seconds)
        return painting

    def note(self, key: str, text: str, usd: float, seconds: float) -> None:
        """A line of the journal."""
        model = self.model.model
        self.journal.put(key, Answer(text, "stop", model, 0, 0, usd=usd, seconds=round(seconds, 4)))


def worded(prompt: str, problem: Problem) -> str:
    """The text of `prompts/<prompt>.md` for a problem."""
    subject = problem.subject.value if problem.subject else "science"
    words = {
        "subject": subject.lower() if problem.subject else subject,
        "image_type": problem.image_type.value if problem.image_type else "",
        "question": problem.question,
        "elements": problem.elements,
    }
    system, user = load_prompt(PixelModel, prompt).filled(**words)
    return f"{system}\n\n{user}".strip()


def retry_after(headers: Any) -> float | None:
    """Seconds of a Retry-After header, where it gives seconds."""
    value = headers.get("retry-after") if hasattr(headers, "get") else None
    try:
        return float(value) if value else None
    except ValueError:
        return None


def _clean(outcome: Any) -> Any:
    """Faults and reports without keys and without end."""
    secrets = secret_values()

    def short(text: str) -> str:
        text = " ".join(blot(text, secrets).split())
        return text if len(text) <= LONGEST_ERROR else text[:LONGEST_ERROR] + "..."

    if isinstance(outcome, Fault):
        return Fault(outcome.cause, short(outcome.error), outcome.retry_after, outcome.may_cost)
    if isinstance(outcome, Painting):
        message, prompt = outcome.report.message, outcome.report.revised_prompt
        report = outcome.report.model_copy(
            update={"message": message and short(message), "revised_prompt": prompt and blot(prompt, secrets)}
        )
        return Painting(outcome.status, report, outcome.usd, outcome.data, outcome.tokens)
    return outcome
