"""Tencent Cloud's HunyuanImage 3.0, through the general client of tencentcloud-sdk-python-common.

Protocol (product aiart, version 2022-12-29): each action is a POST to / whose X-TC-Action names it, signed by
TC3-HMAC-SHA256; errors come with HTTP 200 as `Response.Error`. SubmitTextToImageJob gives a JobId, QueryTextToImageJob
its JobStatusCode (1 waits, 2 at work, 4 failed, 5 done) and the picture's address, good for an hour. The generated
client of the product lags behind its actions, so the vendor's general one is used, in its asynchronous form.

The client retries nothing by default; its debug log, which shows the secret id, is silenced.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, JsonValue, field_validator, model_validator

from scigen.errors import ScigenError
from scigen.generators.pixel.base import Order, Painting
from scigen.generators.pixel.jobs import Job, JobModel, Lost, Pending, Ready
from scigen.models.caller import Cause, Fault
from scigen.records import Status, VendorReport

if TYPE_CHECKING:
    from httpx import Response
    from tencentcloud.common.common_client_async import CommonClient

SERVICE, VERSION = "aiart", "2022-12-29"
FIXED = frozenset({"Prompt", "Seed", "Images"})
"""Fields that the class sets; reference images are not part of these experiments."""
UNKNOWN_JOB = "FailedOperation.JobNotExist"
BLOCKS = frozenset(
    {
        "OperationDenied.TextIllegalDetected",
        "OperationDenied.ImageIllegalDetected",
        "FailedOperation.GenerateImageFailed",
        "FailedOperation.ModerationFailed",
    }
)
"""Error codes of the review of prompts and of finished images."""
CAUSES = {
    **dict.fromkeys(("AuthFailure", "UnauthorizedOperation"), Cause.NO_ACCESS),
    **dict.fromkeys((f"ResourceUnavailable.{s}" for s in ("InArrears", "LowBalance", "StopUsing")), Cause.NO_CREDIT),
    "ResourcesSoldOut": Cause.NO_CREDIT,  # the state of the account's charges
    "ResourceUnavailable": Cause.NOT_THERE,  # the service was not opened
    "ResourceUnavailable.Delivering": Cause.PASSING,
    **dict.fromkeys(("InvalidAction", "ActionOffline", "NoSuchVersion", "UnsupportedRegion"), Cause.NOT_THERE),
    **dict.fromkeys(("InvalidParameter", "InvalidParameterValue", "MissingParameter"), Cause.PERMANENT),
    **dict.fromkeys(("UnknownParameter", "UnsupportedOperation", "OperationDenied"), Cause.PERMANENT),
}
"""What an error code means, or its first part. All others, RequestLimitExceeded and FailedOperation too, may pass."""


class TencentImages(JobModel):
    """`parameters` go into the body as they are: Resolution (1024:1024), LogoAdd (0: no mark), Revise (0 or 1).

    The vendor takes one job at a time unless more are bought: keep `at_once` at what the account has. A `seed` is
    taken only with Revise 0, since the vendor ignores it otherwise.
    """

    KEYS: ClassVar[tuple[str, ...]] = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")
    OUTER: ClassVar[frozenset[str]] = JobModel.OUTER | {"region"}

    region: str = "ap-guangzhou"
    parameters: dict[str, JsonValue] = Field(default_factory=dict)

    @field_validator("parameters")
    @classmethod
    def _free(cls, parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if fixed := sorted(FIXED & parameters.keys()):
            raise ValueError(f"{', '.join(fixed)}: not a parameter here; the seed is a field of the generator")
        return parameters

    @model_validator(mode="after")
    def _seed_counts(self) -> Self:
        if self.seed is not None and (self.seed < 1 or self.parameters.get("Revise") != 0):
            raise ValueError("seed: the vendor takes positive seeds, and only with parameters.Revise=0")
        return self

    def client(self) -> AbstractAsyncContextManager[CommonClient]:
        """See PixelModel."""
        from tencentcloud.common.common_client_async import CommonClient
        from tencentcloud.common.credential import Credential
        from tencentcloud.common.exception import TencentCloudSDKException
        from tencentcloud.common.profile.client_profile import ClientProfile
        from tencentcloud.common.profile.http_profile import HttpProfile

        address = urlsplit(self.address("https://aiart.tencentcloudapi.com"))
        if address.path:
            raise ScigenError(f'generator {self.name}: base_url: "{address.path}" has no place here: it signs for /.')
        logging.getLogger("tencentcloud_sdk_common").setLevel(logging.INFO)
        http = HttpProfile(address.scheme, address.netloc, reqTimeout=self.patience.timeout_s, keepAlive=True)
        try:
            credential = Credential(*map(self.secret, self.KEYS))
        except TencentCloudSDKException as e:
            raise ScigenError(f"generator {self.name}: {e.get_message()}. Mend {' or '.join(self.KEYS)}.") from e
        profile = ClientProfile(httpProfile=http, language="en-US")
        client = CommonClient(SERVICE, VERSION, credential, self.region, profile)
        client.http_client.event_hooks = {"response": [_refuse]}
        opened: AbstractAsyncContextManager[CommonClient] = client
        return opened

    async def submit(self, client: CommonClient, order: Order) -> Job | Painting | Fault:
        """See JobModel."""
        seed: dict[str, JsonValue] = {} if order.seed is None else {"Seed": order.seed}
        answer = await _call(client, "SubmitTextToImageJob", {"Prompt": order.prompt, **seed, **self.parameters})
        return Job(answer["JobId"], self.usd_per_image)

    async def collect(
        self, client: CommonClient, handle: str, order: Order
    ) -> Ready | Painting | Pending | Lost | Fault:
        """See JobModel. A job that failed is taken not to be charged; the vendor's pages seen do not say."""
        from tencentcloud.common.exception import TencentCloudSDKException

        try:
            answer = await _call(client, "QueryTextToImageJob", {"JobId": handle})
        except TencentCloudSDKException as e:
            if e.code == UNKNOWN_JOB:
                return Lost(f"{e.code}: {e.message}")
            raise
        state = str(answer.get("JobStatusCode"))
        report = VendorReport(
            request_id=answer.get("RequestId"), job=handle, seed=order.seed, revised_prompt=_revised(answer, order)
        )
        if state == "4":
            return _failed(answer, report)
        if state != "5":
            return Pending()
        if images := answer.get("ResultImage"):
            return Ready(report, images[0])
        details = ", ".join(answer.get("ResultDetails") or ["no reason given"])
        nothing = report.model_copy(update={"message": f"the job is done and there is no image: {details}"})
        return Painting(Status.NO_IMAGE, nothing, self.usd_per_image)

    def fault(self, error: Exception) -> Painting | Fault:
        """See PixelModel."""
        from tencentcloud.common.exception import TencentCloudSDKException

        if not isinstance(error, TencentCloudSDKException):
            return super().fault(error)
        words = f"{error.code}: {error.message}"
        if error.code in BLOCKS:
            return Painting(Status.BLOCKED, VendorReport(request_id=error.requestId, message=words))
        return Fault(_cause(str(error.code)), words)


async def _call(client: CommonClient, action: str, body: dict[str, JsonValue]) -> Mapping[str, Any]:
    """The answer's `Response`. Raises TencentCloudSDKException for an error in it, whatever type the answer gives."""
    from tencentcloud.common.exception import TencentCloudSDKException

    whole = await client.call_and_deserialize(action, body)
    answer: Mapping[str, Any] = whole["Response"]
    if error := answer.get("Error"):
        raise TencentCloudSDKException(error["Code"], error["Message"], answer.get("RequestId"))
    return answer


async def _refuse(response: Response) -> None:
    """An HTTP status other than 200 becomes httpx's error, which keeps it; the SDK would lose it."""
    if response.status_code != 200:
        response.raise_for_status()


def _cause(code: str) -> Cause:
    return CAUSES.get(code) or CAUSES.get(code.split(".")[0], Cause.PASSING)


def _failed(answer: Mapping[str, Any], report: VendorReport) -> Painting | Lost:
    code = answer.get("JobErrorCode") or "no code"
    report = report.model_copy(update={"message": f"{code}: {answer.get('JobErrorMsg')}"})
    if code in BLOCKS:
        return Painting(Status.BLOCKED, report)
    if _cause(code) is Cause.PERMANENT:
        return Painting(Status.API_ERROR, report)
    return Lost(report.message or "", usd=0.0)


def _revised(answer: Mapping[str, Any], order: Order) -> str | None:
    """The rewritten prompt; None where it is the one that was sent."""
    prompt = (answer.get("RevisedPrompt") or [""])[0]
    return prompt if prompt and prompt != order.prompt else None
