"""Image models whose service works in jobs: submit, ask until it is done, fetch the image.

A job's id is in the journal before anything else happens, so that a run that was killed picks the job up instead of
paying for another. A job that the service has lost, that failed there, or whose image is gone by the time that it is
fetched, is written off in the journal too and submitted once more.
"""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, cast

from pydantic import Field

from scigen.generators.pixel.base import Easel, Order, Painting, PixelModel
from scigen.generators.pixel.blobs import Blobs
from scigen.generators.pixel.download import DownloadGone, download
from scigen.generators.studio import Studio
from scigen.models import Budget, Estimate
from scigen.models.caller import Caller, Cause, Fault
from scigen.models.secrecy import blot, secret_values
from scigen.records import Problem, Status, VendorReport

SUBMISSIONS = 2
"""Jobs that one order may start in a run."""
SLOWER = 1.3
"""Each wait between two questions is so much longer than the one before, up to `poll_most_s`."""


@dataclass(frozen=True)
class Job:
    """A submitted job: all that is needed to ask for it, as text for the journal."""

    handle: str
    usd: float = 0.0
    """What the service has charged, or will."""


@dataclass(frozen=True)
class Pending:
    """The job is waiting or at work."""


@dataclass(frozen=True)
class Lost:
    """The service does not know the job, or it failed there: another job may go better."""

    message: str
    usd: float | None = None
    """What the job comes to all the same, if that is known; None for what was said when it was submitted."""


@dataclass(frozen=True)
class Ready:
    """The job is done; the image lies at `url`. Without one there is none."""

    report: VendorReport
    url: str | None = None
    usd: float | None = None
    """What it came to, if the service says so; None for what was said when it was submitted."""


@dataclass(frozen=True)
class _Step:
    """What one question about a job brought."""

    state: Painting | Pending | Lost
    usd: float = 0.0


@dataclass(frozen=True)
class _Work:
    """What is needed to see an order through."""

    client: Any
    order: Order
    easel: Easel
    asker: Caller
    """Asks for jobs: past the budget and past what stops submissions, since a job is paid for when it is submitted."""
    budget: Budget | None

    def key(self, *more: object) -> str:
        return self.easel.model.key(self.order, *more)

    def book(self, usd: float) -> None:
        """Count money that differs from what a submission was booked for."""
        if self.budget is not None:
            self.budget.settle(0.0, usd)


class JobModel(PixelModel):
    """An image model behind a service of jobs."""

    OUTER: ClassVar[frozenset[str]] = PixelModel.OUTER | {"poll_s", "poll_most_s", "job_s"}

    poll_s: float = Field(default=1.0, gt=0)
    """First wait before asking for a job."""
    poll_most_s: float = Field(default=10.0, gt=0)
    job_s: float = Field(default=600.0, gt=0)
    """Time that one job may take in a run; its id is kept, so the next run asks for it again."""

    @abstractmethod
    async def submit(self, client: Any, order: Order) -> Job | Painting | Fault:
        """Start a job. Exceptions go to `fault`. A Painting is a refusal at the door."""

    @abstractmethod
    async def collect(self, client: Any, handle: str, order: Order) -> Ready | Painting | Pending | Lost | Fault:
        """Ask for a job once. A Painting is a refusal: the safety filter stopped it."""

    async def paint(self, client: Any, order: Order) -> Painting | Fault:
        """Not how these services work."""
        raise NotImplementedError

    async def obtain(self, order: Order, studio: Studio) -> Painting | Fault:
        """The painting from the journal, else from a job that was submitted before, else from a new one."""
        caller, journal = await studio.caller(self.name, self.patience)
        easel = Easel(self, journal, Blobs(studio.folder), caller)
        if (kept := easel.kept(self.key(order))) is not None:
            return kept

        def free_caller() -> nullcontext[Caller]:
            return nullcontext(Caller(self.name, self.patience, journal, knob="generator.model"))

        client = await studio.opened(("client", self.name), self.client)
        asker = await studio.opened(("asker", self.name), free_caller)
        orders = await studio.opened(("orders", self.name), free_caller)
        return await _counted(orders, await self._by_jobs(_Work(client, order, easel, asker, studio.budget)))

    def estimate(self, problems: Sequence[Problem], journal: Path) -> Estimate:
        """See Generator. A job at work holds no connection, so as many are at work as there are problems under way."""
        whole = super().estimate(problems, journal)
        return replace(whole, seconds=(whole.calls - whole.cached) * self.seconds_per_image / self.at_once)

    async def _by_jobs(self, work: _Work) -> Painting | Fault:
        number = submitted = 0
        lost = ""
        while True:
            number += 1
            if work.key("lost", number) in work.easel.journal:
                continue
            known = work.easel.journal.get(work.key("job", number))
            if known is not None:
                job: Job | Painting | Fault = Job(known.text, known.usd)
            elif submitted == SUBMISSIONS:
                return Fault(Cause.PERMANENT, f"{submitted} jobs failed, the last with: {lost}")
            else:
                job = await self._submit(work, number)
                submitted += 1
            if not isinstance(job, Job):
                return job
            if known is None:
                await asyncio.sleep(self.poll_s)
            result = await self._follow(work, job, number)
            if not isinstance(result, Lost):
                return result
            lost = result.message

    async def _submit(self, work: _Work, number: int) -> Job | Painting | Fault:
        async def attempt() -> Job | Painting | Fault:
            start = time.perf_counter()
            outcome: Job | Painting | Fault = await self.attempt(lambda: self.submit(work.client, work.order))
            seconds = time.perf_counter() - start
            if isinstance(outcome, Job):
                work.easel.note(work.key("job", number), outcome.handle, outcome.usd, seconds)
            elif isinstance(outcome, Painting):
                return work.easel.keep(work.key(), outcome, seconds)
            return outcome

        return cast(Job | Painting | Fault, await work.easel.caller.call(self.most, attempt))

    async def _follow(self, work: _Work, job: Job, number: int) -> Painting | Lost | Fault:
        """Ask until the job is done, with its image in the same go: an address is at its freshest then."""
        start, wait = time.monotonic(), self.poll_s

        async def look() -> Painting | Pending | Lost | Fault:
            state = await self.collect(work.client, job.handle, work.order)
            return await self._fetched(state, job) if isinstance(state, Ready) else state

        async def ask() -> _Step | Fault:
            state: Painting | Pending | Lost | Fault = await self.attempt(look)
            seconds = time.monotonic() - start
            if isinstance(state, Painting):
                state = work.easel.keep(work.key(), state, seconds, booked=job.usd)
                work.book(state.usd - job.usd)
            elif isinstance(state, Lost):
                more = 0.0 if state.usd is None else state.usd - job.usd
                state = Lost(blot(state.message, secret_values()))
                work.easel.note(work.key("lost", number), state.message, more, seconds)
                work.book(more)
            return state if isinstance(state, Fault) else _Step(state)

        while True:
            step = await work.asker.call(0.0, ask)
            if isinstance(step, Fault):
                return step
            if not isinstance(step.state, Pending):
                return step.state
            if time.monotonic() + wait - start > self.job_s:
                return Fault(Cause.TIMEOUT, f"the job was not done in {self.job_s:g} s; the next run asks for it again")
            await asyncio.sleep(wait)
            wait = min(self.poll_most_s, wait * SLOWER)

    async def _fetched(self, ready: Ready, job: Job) -> Painting | Lost:
        """The image of a job that is done. Raises DownloadFailed where another attempt may go better."""
        report = ready.report.model_copy(update={"job": ready.report.job or job.handle})
        usd = job.usd if ready.usd is None else ready.usd
        if ready.url is None:
            nothing = report.model_copy(update={"message": "the job is done and there is no image"})
            return Painting(Status.NO_IMAGE, nothing, usd)
        try:
            data = await download(ready.url, self.max_bytes, local=self.is_local)
        except DownloadGone as e:
            return Lost(str(e), usd)
        return Painting(Status.OK, report, usd, data)


async def _counted(orders: Caller, result: Painting | Fault) -> Painting | Fault:
    """The same. Raises ScigenError where order after order comes to nothing, though the service answers each question:
    to the one that asks, "pending" is an answer too."""

    async def end() -> Painting | Fault:
        return Fault(Cause.PERMANENT, result.error) if isinstance(result, Fault) else result

    await orders.call(0.0, end)
    return result
