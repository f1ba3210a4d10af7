"""One unpaid GET of a document: bounded in time and size, within one host, and never into a private network by name."""

import asyncio
import hashlib
import re
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx2

from probe.client.addresses import literal_refusal
from probe.client.auth import Auth, refuse_illegal
from probe.client.faults import KNOWN, fault_of, timeout_in
from probe.client.reply import BadEncoding, Inflate
from probe.client.transport import Network, WireTransport, pieces
from probe.records import Fetched, Unfetched

MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_HOST: Final = re.compile(r"[A-Za-z0-9:](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9:])?")
_MEDIA: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")
_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([a-z0-9_:.-]{1,40})")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, and how much of an answer is taken. `auth` goes to `url` only, not where it redirects to."""

    url: str
    limit_bytes: int
    auth: Auth | None = None
    accept: str = "*/*"


async def fetch(transport: WireTransport, asked: Asked, network: Network, timeout_s: float) -> Fetched | Unfetched:
    """Get it over `transport`, whose wire refuses addresses (`probe.client.addresses`); `timeout_s` is for everything.

    Behind a proxy it is the proxy that resolves names: only a literal can be refused then.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await _follow(transport, asked)
    except TimeoutError:
        return Unfetched(timeout_in(transport.wire.journal, timeout_s, network).message)
    except KNOWN as error:
        return Unfetched(fault_of(error, transport.wire.journal, network).message)
    except httpx2.InvalidURL:
        return Unfetched("what was to be fetched, or what it redirects to, is not a URL")


async def _follow(transport: WireTransport, asked: Asked) -> Fetched | Unfetched:
    first = url = httpx2.URL(asked.url)
    if (refused := literal_refusal(url.host)) is not None:
        return Unfetched(refused)
    for hop in range(MOST_REDIRECTS + 1):
        response = await transport.handle_async_request(_request(url, asked, asked.auth if hop == 0 else None))
        location = response.headers.get("location")
        if response.status_code not in _REDIRECTS or location is None:
            return await _read(response, str(url), asked.limit_bytes)
        await response.aclose()
        url = url.join(location).copy_with(fragment=None)
        if (elsewhere := _elsewhere(first, url)) is not None:
            return Unfetched(elsewhere)
    return Unfetched(f"more than {MOST_REDIRECTS} redirects")


def _request(url: httpx2.URL, asked: Asked, auth: Auth | None) -> httpx2.Request:
    headers = [("User-Agent", "freezeframe"), ("Accept", asked.accept), ("Accept-Encoding", "identity")]
    if auth is not None:
        headers.append((auth.header, auth.value.get_secret_value()))
    refuse_illegal(headers)
    return httpx2.Request("GET", url, headers=headers)


def _elsewhere(first: httpx2.URL, url: httpx2.URL) -> str | None:
    """Why a redirect is not followed; None where it stays on the same scheme, host and port."""
    if url.host != first.host:
        where = url.host if _HOST.fullmatch(url.host) else "an unreadable name"
        return f"it redirects to another host, {where}: not followed"
    if url.userinfo:
        return "it redirects to an address with a user name in it: not followed"
    if (url.scheme, url.port) != (first.scheme, first.port):
        return "it redirects to another scheme or port of the same host: not followed"
    return None


async def _read(response: httpx2.Response, url: str, limit_bytes: int) -> Fetched | Unfetched:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    inflate = None if encoding in ("", "identity") else Inflate(encoding)
    body, wire_bytes = bytearray(), 0
    async with aclosing(pieces(response)) as chunks:
        async for chunk in chunks:
            wire_bytes += len(chunk)
            body += chunk if inflate is None else inflate.feed(chunk, limit_bytes - len(body) + 1)
            if max(len(body), wire_bytes) > limit_bytes:
                return Unfetched(f"longer than {limit_bytes} bytes")
    if inflate is not None and wire_bytes and not inflate.is_whole:
        raise BadEncoding("the compressed data is cut short")
    content = bytes(body)
    return Fetched(
        url=url,
        status=response.status_code,
        media=_media(response.headers.get("content-type", "")),
        body=content,
        fetched_at=datetime.now(UTC),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _media(announced: str) -> str:
    kind, _, parameters = announced.lower().partition(";")
    if not _MEDIA.fullmatch(kind.strip()):
        return ""
    charset = _CHARSET.search(parameters[:200])
    plain = charset is None or charset[1] in ("utf-8", "utf8", "us-ascii")
    return kind.strip() if charset is None or plain else f"{kind.strip()}; charset={charset[1]}"
