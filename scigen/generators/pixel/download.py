"""Fetches an image from the address that a vendor gave for it, never more bytes than are wanted."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scigen.models.settings import is_loopback

if TYPE_CHECKING:
    from ssl import SSLContext

GONE = frozenset({403, 404, 410})
"""Statuses of an address that has expired, or was never right."""


class DownloadFailed(Exception):
    """The image could not be fetched; another attempt may go better."""


class DownloadGone(DownloadFailed):
    """The image is not at this address, or no longer."""


async def download(url: str, max_bytes: int, *, local: bool = False) -> bytes:
    """The bytes, or the first `max_bytes + 1` of them. No key goes along. Raises DownloadFailed.

    The address must be https; one on this machine is taken only with `local`, from a service that is there too.
    """
    import httpx

    if urlsplit(url).scheme != "https" and not (local and is_loopback(url)):
        raise DownloadFailed(f"the image's address is not https: {url.split('?')[0]}")
    data = bytearray()
    try:
        async with (
            httpx.AsyncClient(timeout=httpx.Timeout(60.0), verify=_trusted()) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                kind = DownloadGone if answer.status_code in GONE else DownloadFailed
                raise kind(f"the image's address answers with status {answer.status_code}")
            async for chunk in answer.aiter_bytes():
                data += chunk
                if len(data) > max_bytes:
                    break
    except httpx.HTTPError as e:
        raise DownloadFailed(f"the image could not be fetched ({type(e).__name__})") from e
    return bytes(data[: max_bytes + 1])


@cache
def _trusted() -> SSLContext:
    """Whose certificates are believed; 30 ms to make, so it is made once."""
    import httpx

    return httpx.create_ssl_context()
