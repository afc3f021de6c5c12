"""How to reach a model and how hard to press it: a plain frozen model, filled from `conf/model/*.yaml`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, JsonValue, field_validator

from scigen.errors import ScigenError
from scigen.models.caller import Patience
from scigen.models.prices import Price

ADDRESS_VARIABLES = {
    "openai": ("OPENAI_BASE_URL",),
    "google": ("GOOGLE_BASE_URL", "GOOGLE_GEMINI_BASE_URL"),
    "vllm": ("VLLM_BASE_URL",),
}
"""Environment variables from which Inspect's providers and the vendors' clients take an address."""


class ModelSettings(Patience):
    """One model, as the configs under `conf/model/` describe it. Keys come from the environment only."""

    name: str
    """Inspect's name: `google/<model>`, `openai/<model>`, `openai-api/<service>/<model>`, `vllm/<model>`, ..."""
    base_url: str | None = None
    """Address of the service; None takes the vendor's own, or `<SERVICE>_BASE_URL` from the environment."""
    stands_for: str = ""
    """What stands for the address in the cache's key; for a server of one's own that moves from job to job."""
    thinking_tokens: int = Field(default=0, ge=0)
    """Added to each request's `max_tokens`, for vendors that count thoughts as output."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = None
    price: Price | None = None
    """Instead of the table's (`scigen/models/prices.yaml`)."""
    seconds_per_call: float = Field(default=4.0, gt=0)
    """Typical time of a call, for estimates only."""
    args: dict[str, JsonValue] = Field(default_factory=dict)
    """Further arguments of Inspect's provider, such as `responses_api: false`. Never a key."""

    @field_validator("name")
    @classmethod
    def _has_a_provider(cls, name: str) -> str:
        if "/" not in name.strip("/"):
            raise ValueError(f'"{name}" names no provider; write google/{name}, openai/{name}, vllm/{name}, ...')
        return name

    @field_validator("args")
    @classmethod
    def _no_key(cls, args: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if named := [name for name in args if "key" in name.lower() or "token" in name.lower()]:
            raise ValueError(f"{', '.join(named)}: keys come from the environment only")
        return args

    @property
    def provider(self) -> str:
        return self.name.split("/", 1)[0]

    def addresses(self) -> Iterator[tuple[str, str]]:
        """(where it is set, address) of every address that a call might go to."""
        if self.base_url:
            yield "base_url", self.base_url
            return
        names = ADDRESS_VARIABLES.get(self.provider, ())
        if self.provider == "openai-api" and self.name.count("/") >= 2:
            names = (f"{self.name.split('/')[1].upper().replace('-', '_')}_BASE_URL",)
        for name in names:
            if value := os.environ.get(name):
                yield name, value

    def identity(self) -> dict[str, object]:
        """All in here that decides what is answered: part of the cache's key."""
        return {
            "name": self.name,
            "address": self.stands_for or [address for _, address in self.addresses()],
            "thinking_tokens": self.thinking_tokens,
            "reasoning_effort": self.reasoning_effort,
            "args": self.args,
        }


def is_loopback(address: str) -> bool:
    """Whether the URL's host is this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_address(where: str, address: str) -> None:
    """Raise ScigenError unless the address is https, or plain http to this machine."""
    url = urlsplit(address)
    if url.username or url.password:
        raise ScigenError(f"{where}: the address holds a user name or password. Give keys in the environment only.")
    if url.scheme == "https" or (url.scheme == "http" and is_loopback(address)):
        return
    raise ScigenError(
        f'{where}: "{address}" would send the key and the data unprotected. Use https; plain http is for a server on '
        "this machine (127.0.0.1, localhost), for example the near end of an SSH tunnel."
    )
