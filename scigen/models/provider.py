"""One attempt at one call, through Inspect AI's provider for the model's name. No retries, budget or journal here.

The provider's own `generate` is called rather than Inspect's `Model.generate`: that one adds events, hashes and retries
of its own, which cost throughput and would make calls that no budget knows of. Inspect is imported when the first
call goes out.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import math
import os
import re
import time
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from scigen.errors import ScigenError
from scigen.models.caller import Cause, Fault, fault_of_http, never_sent
from scigen.models.journal import Answer
from scigen.models.prices import Price
from scigen.models.request import Request, image_kind
from scigen.models.secrecy import blot, secret_values
from scigen.models.settings import ModelSettings, check_address, is_loopback
from scigen.models.structured import plain_schema

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelOutput, ResponseSchema

QUIET = ("inspect_ai", "httpx", "httpx2", "httpcore", "httpcore2", "openai", "google_genai", "anthropic")
"""Loggers that would write a line for each call."""
NO_KEY = "none"
"""What a server on this machine is sent where the environment has no key for it."""
RETRY_DELAY = re.compile(r"retryDelay\W+([0-9.]+)s")
NO_CONTENT = "(no content)"
"""What Inspect puts where a vendor sent nothing."""
LONGEST_ERROR = 500
MOST_CONFIGS = 256


class Provider:
    """Inspect's provider for one model, with the vendor's own hidden retries off."""

    def __init__(self, settings: ModelSettings, price: Price) -> None:
        self._settings = settings
        self._price = price
        self._api: ModelAPI | None = None
        self._secrets = secret_values()
        self._configs: dict[tuple[type[BaseModel] | None, int, float, int | None], GenerateConfig] = {}

    async def attempt(self, request: Request, second: tuple[str, str] | None) -> Answer | Fault:
        """Ask once. `second` is (first answer, what to say about it) on the repair turn.

        Raises ScigenError if the model cannot be set up at all.
        """
        api = self._api or self._open()
        messages, config = chat_messages(request, second), self._config(request)
        sent = time.perf_counter()
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                result = await api.generate(messages, [], "none", config)
        except Exception as e:
            return self._fault(api, e)
        seconds = time.perf_counter() - sent
        output = result[0] if isinstance(result, tuple) else result
        if isinstance(output, Exception):
            return self._fault(api, output)
        return self._answer(output, seconds)

    async def close(self) -> None:
        """Close the vendor's client."""
        if self._api is not None:
            await self._api.aclose()
            self._api = None

    def _open(self) -> ModelAPI:
        quieten()
        from inspect_ai.model import get_model

        settings = self._settings
        if any(is_loopback(address) for _, address in settings.addresses()):
            _past_proxies()
        try:
            model = get_model(
                settings.name,
                base_url=settings.base_url,
                api_key=NO_KEY if self._needs_no_key() else None,
                memoize=False,
                **cast(dict[str, Any], settings.args),
            )
        except Exception as e:  # Inspect's and the vendors' packages raise what they like here
            raise ScigenError(f"model.name: {settings.name}: {self._clean(e)}") from None
        api = model.api
        client: Any = getattr(api, "client", None)
        for address in (getattr(api, "base_url", None), getattr(client, "base_url", None)):
            if address is not None:
                check_address(settings.name, str(address))
        if hasattr(client, "max_retries"):
            client.max_retries = 0
        http: Any = getattr(client, "_client", None)
        if hasattr(http, "event_hooks"):
            http.event_hooks = {}  # Inspect's statistics of requests, which nobody reads here
        if settings.provider == "google":
            _no_second_calls()
        self._api = api
        return api

    def _needs_no_key(self) -> bool:
        settings = self._settings
        if settings.provider == "openai-api":
            variable = f"{settings.name.split('/')[1].upper().replace('-', '_')}_API_KEY"
        elif settings.provider == "openai":
            variable = "OPENAI_API_KEY"
        else:
            return False
        addresses = [address for _, address in settings.addresses()]
        return not os.environ.get(variable) and bool(addresses) and all(map(is_loopback, addresses))

    def _config(self, request: Request) -> GenerateConfig:
        """The settings of a call; one object for all calls that share them, as pydantic takes its time."""
        wanted = (request.answer, request.max_tokens, request.temperature, request.seed)
        if wanted not in self._configs:
            from inspect_ai.model import GenerateConfig

            if len(self._configs) > MOST_CONFIGS:  # a seed for each request
                self._configs.clear()
            self._configs[wanted] = GenerateConfig(
                max_tokens=request.max_tokens + self._settings.thinking_tokens,
                temperature=request.temperature,
                seed=request.seed,
                reasoning_effort=self._settings.reasoning_effort,
                timeout=math.ceil(self._settings.timeout_s),
                response_schema=None if request.answer is None else _response_schema(request.answer),
            )
        return self._configs[wanted]

    def _answer(self, output: ModelOutput, seconds: float) -> Answer | Fault:
        usage = output.usage
        choice = output.choices[0] if output.choices else None
        stop: str = choice.stop_reason if choice else "unknown"
        if stop == "model_length" and usage is None:
            return Fault(Cause.PERMANENT, f"longer than the model reads: {self._short(output.completion)}")
        if choice and _declined(choice.message.content):
            stop = "content_filter"
        text = "" if output.completion == NO_CONTENT else output.completion
        if stop == "unknown" and self._settings.provider == "google":
            text = ""  # a malformed function call: Inspect puts an apology there that the model never wrote
        cached = usage.input_tokens_cache_read or 0 if usage else 0
        input_tokens = usage.input_tokens + cached + (usage.input_tokens_cache_write or 0) if usage else 0
        output_tokens = usage.output_tokens if usage else 0
        return Answer(
            text=blot(text, self._secrets),
            stop=stop,
            model=output.model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            usd=self._price.usd(input_tokens, output_tokens, cached),
            seconds=round(seconds, 4),
        )

    def _fault(self, api: ModelAPI, e: Exception) -> Fault:
        """What an exception of the vendor's client means. What is not known to be permanent is taken to pass."""
        from inspect_ai._util.http import status_code_of

        error = f"{type(e).__name__}: {self._clean(e)}"
        if isinstance(e, TimeoutError) or "Timeout" in type(e).__name__:
            return Fault(Cause.TIMEOUT, f"no answer in {self._settings.timeout_s:g} s", may_cost=not never_sent(e))
        status = status_code_of(e)
        if status is None:
            return Fault(Cause.PASSING, error, may_cost=not never_sent(e))
        if status == 400 and "api key" in error.lower() and "valid" in error.lower():
            return Fault(Cause.NO_ACCESS, error)
        asked = getattr(api.should_retry(e), "retry_after", None) or _retry_delay(e)
        return fault_of_http(status, error, asked)

    def _clean(self, e: BaseException) -> str:
        return self._short(str(e) or type(e).__name__)

    def _short(self, text: str) -> str:
        text = " ".join(blot(text, self._secrets).split())
        return text if len(text) <= LONGEST_ERROR else text[:LONGEST_ERROR] + "..."


def chat_messages(request: Request, second: tuple[str, str] | None = None) -> list[ChatMessage]:
    """The request as Inspect's messages; `second` is (first answer, what to say about it) on the repair turn."""
    from inspect_ai.model import (
        ChatMessageAssistant,
        ChatMessageSystem,
        ChatMessageUser,
        ContentImage,
        ContentText,
    )

    # ids are given because Inspect would make up random ones, which takes longer than the rest of a message
    messages: list[ChatMessage] = []
    if request.system:
        messages.append(ChatMessageSystem(id="system", content=request.system))
    if request.images:
        shown = [ContentImage(image=data_uri(image)) for image in request.images]
        messages.append(ChatMessageUser(id="first", content=[*shown, ContentText(text=request.prompt)]))
    else:
        messages.append(ChatMessageUser(id="first", content=request.prompt))
    if second is not None:
        # an empty turn of the assistant is refused by some vendors
        messages.append(ChatMessageAssistant(id="answer", content=second[0] or "(empty)"))
        messages.append(ChatMessageUser(id="second", content=second[1]))
    return messages


def data_uri(image: bytes) -> str:
    """The image as a data URI, so that every layer below sees its bytes and none a path."""
    return f"data:{image_kind(image)};base64,{base64.b64encode(image).decode()}"


def quieten() -> None:
    """Raise the level of the loggers that would write a line a call; they write on errors only."""
    for name in QUIET:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.ERROR)


def _response_schema(answer: type[BaseModel]) -> ResponseSchema:
    from inspect_ai.model import ResponseSchema
    from inspect_ai.util import JSONSchema

    schema, strict = plain_schema(answer)
    return ResponseSchema(
        name=answer.__name__[:64], json_schema=JSONSchema.model_validate(schema), strict=strict or None
    )


def _declined(content: Any) -> bool:
    return not isinstance(content, str) and any(getattr(part, "refusal", None) for part in content)


def _retry_delay(e: Exception) -> float | None:
    """Seconds from Google's `RetryInfo`, which is in the body of a 429 and not in its headers."""
    found = RETRY_DELAY.search(str(getattr(e, "details", "")))
    return float(found[1]) if found else None


def _past_proxies() -> None:
    """Keep what is meant for this machine from a proxy that the environment names for everything."""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [h for h in os.environ.get(name, "").split(",") if h]
        os.environ[name] = ",".join(dict.fromkeys([*hosts, "localhost", "127.0.0.1", "::1"]))


def _no_second_calls() -> None:
    """Inspect's Google provider asks again by itself after a malformed function call, also where no tools are given."""
    from inspect_ai.model._providers import google

    assert hasattr(google, "MAX_TOOL_CALLING_ATTEMPTS"), "inspect_ai has changed: look for its own second call"
    google.MAX_TOOL_CALLING_ATTEMPTS = 1
