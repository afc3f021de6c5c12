"""Black Forest Labs' API (FLUX.2), over httpx: the vendor has no client of its own for it.

Protocol: POST {base}/v1/<model> with x-key and {prompt, width, height, seed, prompt_upsampling, ...} gives `id`,
`polling_url` and `cost` in credits of a cent. GET polling_url, which names one of several clusters and must be asked as
it stands, gives `status` and, when that is Ready, `result.sample`: the image's address, good for ten minutes. What the
moderation stops, before or after, is not charged (help.bfl.ai, June 2026). A key may be refused as 403 or, by its form,
as 422; 402 is an account without credits; 429 more than 24 jobs at work.

The address to ask comes from outside, so the key goes there only if the host is the vendor's.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, JsonValue, field_validator

from scigen.generators.pixel.base import Order, Painting, retry_after
from scigen.generators.pixel.jobs import Job, JobModel, Lost, Pending, Ready
from scigen.models.caller import Cause, Fault, fault_of_http
from scigen.models.settings import is_loopback
from scigen.records import Status, VendorReport

if TYPE_CHECKING:
    from httpx import URL, AsyncClient, Response

VENDOR = "bfl.ai"
FIXED = frozenset({"prompt", "seed", "webhook_url", "webhook_secret"})
"""Fields that the class sets, or that would send the answer elsewhere."""
AT_WORK = frozenset({"Pending", "Queued", "Reasoning", "Generating"})
MODERATED = frozenset({"Request Moderated", "Content Moderated"})
FAILED = frozenset({"Error", "Failed", "Task not found"})
USD_PER_CREDIT = 0.01


@dataclass(frozen=True)
class Line:
    """A connection to the service; what goes out with the key is said for each request."""

    http: AsyncClient
    address: str
    key: str = field(repr=False)


class BflImages(JobModel):
    """`parameters` are sent as they are: width, height, prompt_upsampling, guidance, steps, safety_tolerance,
    output_format. `model` is the last part of the path: flux-2-flex, flux-2-pro, flux-2-max, ..."""

    KEYS: ClassVar[tuple[str, ...]] = ("BFL_API_KEY",)

    model: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    parameters: dict[str, JsonValue] = Field(default_factory=dict)

    @field_validator("parameters")
    @classmethod
    def _free(cls, parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if fixed := sorted(FIXED & parameters.keys()):
            raise ValueError(f"{', '.join(fixed)}: not a parameter here; the seed is a field of the generator")
        return parameters

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Line]:
        """See PixelModel."""
        import httpx

        address = self.address(f"https://api.{VENDOR}")
        key = self.secret(self.KEYS[0])
        limits = httpx.Limits(max_connections=self.patience.connections)
        timeout = self.patience.timeout_s
        async with httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=not self.is_local) as http:
            yield Line(http, address, key)

    async def submit(self, client: Line, order: Order) -> Job | Painting | Fault:
        """See JobModel."""
        seed = {} if order.seed is None else {"seed": order.seed}
        body = {"prompt": order.prompt, **seed, **self.parameters}
        answer = await client.http.post(f"{client.address}/v1/{self.model}", json=body, headers=_headers(client.key))
        if answer.status_code != 200:
            return _refused(answer)
        job = answer.json()
        if not (job.get("id") and job.get("polling_url")):
            return Fault(Cause.PASSING, "the answer to the submission names no job", may_cost=True)
        cost = job.get("cost")
        usd = self.usd_per_image if cost is None else float(cost) * USD_PER_CREDIT
        return Job(json.dumps({"id": job["id"], "polling_url": job["polling_url"]}), usd)

    async def collect(self, client: Line, handle: str, order: Order) -> Ready | Painting | Pending | Lost | Fault:
        """See JobModel."""
        job = json.loads(handle)
        url = job["polling_url"]
        if not may_be_asked(url, client.address):
            return Fault(Cause.PERMANENT, f"the address to ask for the job is neither https nor local: {url!r}")
        keyed = may_have_key(url, client.address)
        answer = await client.http.get(url, headers=_headers(client.key if keyed else None))
        if answer.status_code == 404:
            return Lost(f"the service does not know job {job['id']}")
        if answer.status_code in (401, 403) and not keyed:
            return Fault(Cause.PERMANENT, f"the address to ask for the job is not the vendor's: {url!r}; it got no key")
        if answer.status_code != 200:
            return _refused(answer)
        return _state(answer.json(), job["id"], order)


def _state(answer: Mapping[str, Any], job: str, order: Order) -> Ready | Painting | Pending | Lost | Fault:
    """What the answer to a question about a job says."""
    status = answer.get("status")
    if status in AT_WORK:
        return Pending()
    details = answer.get("details")
    words = f"{status}: {json.dumps(details)}" if details else str(status)
    if status in MODERATED:
        return Painting(Status.BLOCKED, VendorReport(job=job, seed=order.seed, message=words))
    if status in FAILED:
        return Lost(words)
    if status != "Ready":
        return Fault(Cause.PASSING, f"the job's status is {status!r}")
    result = answer.get("result") or {}
    seed, prompt = result.get("seed"), result.get("prompt")
    report = VendorReport(
        job=job,
        seed=seed if isinstance(seed, int) else order.seed,
        revised_prompt=prompt if isinstance(prompt, str) and prompt != order.prompt else None,
    )
    return Ready(report, result.get("sample"))


def may_be_asked(url: str, service: str) -> bool:
    """Whether the address is https, or on this machine as the service is."""
    from httpx import InvalidURL

    try:
        there = _url(url)
    except InvalidURL:
        return False
    return there.scheme == "https" or (there.scheme == "http" and is_loopback(str(there)) and is_loopback(service))


def may_have_key(url: str, service: str) -> bool:
    """Whether the address is the service's own host and port, or a host of the vendor's."""
    there, own = _url(url), _url(service)
    if there.userinfo:
        return False
    if (there.scheme, there.host, there.port) == (own.scheme, own.host, own.port):
        return True
    return there.scheme == "https" and there.host.endswith(f".{VENDOR}")


def _url(text: str) -> URL:
    """As the client reads it, so that what is checked is where the request goes."""
    from httpx import URL

    return URL(text)


def _headers(key: str | None) -> dict[str, str]:
    return {"accept": "application/json", **({"x-key": key} if key else {})}


def _refused(answer: Response) -> Fault:
    """What a status other than 200 means."""
    status = answer.status_code
    text = f"{status}: {answer.text}"
    if status in (401, 403) or (status == 422 and "api key" in text.lower()):
        return Fault(Cause.NO_ACCESS, text)
    return fault_of_http(status, text, retry_after(answer.headers))
