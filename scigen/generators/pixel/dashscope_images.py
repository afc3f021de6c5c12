"""DashScope's image synthesis (Qwen-Image), through the dashscope client.

Protocol (text to image, asynchronous): POST {base}/services/aigc/text2image/image-synthesis with X-DashScope-Async:
enable and {model, input: {prompt, negative_prompt}, parameters: {size, n, seed, prompt_extend, watermark}} gives
`output.task_id`; GET {base}/tasks/<id> gives `output.task_status`, and at the end `results[0].url` (good for a day),
`actual_prompt` (the prompt as the vendor rewrote it) and `usage.image_count` (what is charged). Errors have a `code`.

What had to be kept off in the client (2.0.2): a submission whose connection breaks before the answer is sent again,
unasked; key and address are process-wide and the asynchronous `fetch` takes no others; each failed attempt is logged
with its traceback. So both calls are given a session of ours, key and address, and `fetch` is its base class's.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, JsonValue, field_validator

from scigen.generators.base import Made
from scigen.generators.pixel.base import Order, Painting, retry_after
from scigen.generators.pixel.jobs import Job, JobModel, Lost, Pending, Ready
from scigen.generators.studio import Studio
from scigen.models.caller import Cause, Fault, fault_of_http
from scigen.records import Problem, Status, VendorReport

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

BLOCKS = frozenset({"DataInspectionFailed", "IPInfringementSuspect"})
"""Error codes of the safety filter."""
FIXED = frozenset({"model", "prompt", "n", "seed", "stream", "api_key", "base_address", "session", "request_timeout"})
"""What is not a parameter: the class sets it."""
LONGEST_PROMPT = 800
"""Characters; the vendor drops what comes after them without a word."""


class ConnectionLost(Exception):
    """The connection broke before the answer began: the request may have been served."""


class NoConnection(Exception):
    """The service was not reached."""


class DashScopeImages(JobModel):
    """`parameters` are sent as they are: size (1328*1328, 1664*928, ...), negative_prompt, prompt_extend, watermark.

    Beijing is the default; Singapore has keys and an address of its own (https://dashscope-intl.aliyuncs.com/api/v1).
    """

    KEYS: ClassVar[tuple[str, ...]] = ("DASHSCOPE_API_KEY",)

    prompt: str = "brief"
    longest_prompt: int = Field(default=LONGEST_PROMPT, ge=100)
    """A longer prompt is cut here, not by the vendor: between lines or words, and the record says so."""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)

    @field_validator("parameters")
    @classmethod
    def _free(cls, parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if fixed := sorted(FIXED & parameters.keys()):
            raise ValueError(f"{', '.join(fixed)}: not a parameter here; model and seed are fields of the generator")
        return parameters

    @asynccontextmanager
    async def client(self) -> AsyncIterator[dict[str, Any]]:
        """What each call of the client is given beside its own arguments."""
        from aiohttp import ClientSession, TCPConnector
        from dashscope.api_entities.aio_session import get_ssl_context

        line = {
            "api_key": self.secret(self.KEYS[0]),
            "base_address": self.address("https://dashscope.aliyuncs.com/api/v1"),
            "request_timeout": self.patience.timeout_s,
        }
        with _quiet("dashscope"):
            pool = TCPConnector(ssl=get_ssl_context())
            async with ClientSession(connector=pool, trust_env=True, middlewares=(_once,)) as session:
                yield {**line, "session": session}

    def order(self, problem: Problem) -> Order:
        """See PixelModel; no longer than the vendor reads."""
        prompt, seed = super().order(problem)
        return Order(shortened(prompt, self.longest_prompt), seed)

    async def make(self, problem: Problem, studio: Studio) -> Made:
        """See Generator. Where the prompt was cut and the vendor says nothing of it, the record says what was sent."""
        made = await super().make(problem, studio)
        report, sent = made.image.vendor, self.order(problem).prompt
        if report is None or report.revised_prompt or sent == super().order(problem).prompt:
            return made
        report = report.model_copy(update={"revised_prompt": sent})
        return Made(made.image.model_copy(update={"vendor": report}), made.png)

    async def submit(self, client: dict[str, Any], order: Order) -> Job | Painting | Fault:
        """See JobModel."""
        from dashscope.aigc.image_synthesis import AioImageSynthesis

        seed = {} if order.seed is None else {"seed": order.seed}
        answer = await AioImageSynthesis.async_call(self.model, order.prompt, n=1, **seed, **self.parameters, **client)
        if answer.status_code != 200:
            return self._refused(answer)
        task = (answer.output or {}).get("task_id")
        if not task:
            return Fault(Cause.PASSING, "the answer to the submission names no task", may_cost=True)
        return Job(task, self.usd_per_image)

    async def collect(
        self, client: dict[str, Any], handle: str, order: Order
    ) -> Ready | Painting | Pending | Lost | Fault:
        """See JobModel."""
        from dashscope.client.base_api import BaseAsyncAioApi

        answer = await BaseAsyncAioApi.fetch(handle, **client)
        if answer.status_code == 404:
            return Lost(f"the service does not know task {handle}")
        if answer.status_code != 200:
            return self._refused(answer)
        output: Mapping[str, Any] = answer.output or {}
        state = output.get("task_status")
        report = VendorReport(job=handle, request_id=answer.request_id or None, seed=order.seed)
        if state in ("PENDING", "RUNNING", "SUSPENDED"):
            return Pending()
        if state in ("CANCELED", "UNKNOWN"):
            return Lost(f"the task is {state}")
        if state == "FAILED":
            return _failed(output, report)
        if state != "SUCCEEDED":
            return Fault(Cause.PASSING, f"the task's status is {state!r}")
        return self._ready(output, answer.usage or {}, report, order)

    def _ready(
        self, output: Mapping[str, Any], usage: Mapping[str, Any], report: VendorReport, order: Order
    ) -> Ready | Painting | Lost:
        first = (output.get("results") or [{}])[0]
        if first.get("code"):
            return _failed(first, report)
        actual = first.get("actual_prompt")
        revised = actual if actual != order.prompt else None
        usd = self.usd_per_image * usage.get("image_count", 1 if first.get("url") else 0)
        return Ready(report.model_copy(update={"revised_prompt": revised}), first.get("url"), usd)

    def _refused(self, answer: Any) -> Painting | Fault:
        """What an answer with an HTTP status other than 200 means."""
        code, words = str(answer.code), f"{answer.code}: {answer.message}"
        if code in BLOCKS:
            return Painting(Status.BLOCKED, VendorReport(request_id=answer.request_id or None, message=words))
        if code == "Arrearage":  # a 400, and every request will get it
            return Fault(Cause.NO_CREDIT, words)
        headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
        return fault_of_http(answer.status_code, words, retry_after(headers))

    def fault(self, error: Exception) -> Painting | Fault:
        """See PixelModel."""
        if isinstance(error, NoConnection | ConnectionLost):
            return Fault(Cause.PASSING, str(error), may_cost=isinstance(error, ConnectionLost))
        return super().fault(error)


def _failed(error: Mapping[str, Any], report: VendorReport) -> Painting | Lost:
    """A task that came to nothing: stopped by the filter, wrong for good, or worth another task. None is charged."""
    code = str(error.get("code"))
    words = f"{code}: {error.get('message')}"
    if code in BLOCKS:
        return Painting(Status.BLOCKED, report.model_copy(update={"message": words}))
    if code.startswith("InvalidParameter"):
        return Painting(Status.API_ERROR, report.model_copy(update={"message": words}))
    return Lost(words)


def shortened(prompt: str, most: int) -> str:
    """The first `most` characters or fewer: up to the end of a line, or of a word where lines are too long for that."""
    if len(prompt) <= most:
        return prompt
    head = prompt[: most + 1]
    end = max(head.rfind("\n"), 0)
    if end < most / 2:
        end = max(head.rfind(" "), 0)
    return prompt[: end if end >= most / 2 else most].rstrip()


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Sends a request once: the errors that the clients answer by sending it again become others."""
    from aiohttp import ClientConnectionError, ClientConnectorError

    try:
        return await handler(request)
    except ClientConnectorError as e:
        raise NoConnection(f"{type(e).__name__}: {e}") from e
    except ClientConnectionError as e:
        if isinstance(e, TimeoutError):
            raise TimeoutError(str(e)) from e
        raise ConnectionLost(f"{type(e).__name__}: {e}") from e


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """No tracebacks in the log for failures that become records, unless a level was set on purpose."""
    logger = logging.getLogger(name)
    level = logger.level
    if level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
