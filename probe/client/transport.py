"""The way out: httpx2's transport interface over a pool of httpcore2's whose sockets are ours."""

import ssl
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import cast

import httpcore2
import httpx2
from pydantic import SecretStr

from probe.client.reply import Head
from probe.wire import Journal, Refusal, Wire


@dataclass(frozen=True, slots=True)
class Network:
    """How to get out: an HTTP proxy (its URL may hold a password) and a CA bundle instead of the system's."""

    proxy: SecretStr | None = None
    ca_file: str | None = None


class WireTransport(httpx2.AsyncBaseTransport):
    """httpx2's transport over one httpcore2 pool whose sockets are ours. One exchange at a time."""

    def __init__(self, network: Network, trust: ssl.SSLContext, refusal: Refusal | None = None) -> None:
        """`refusal` is asked of each address; not behind a proxy, where the only address that we see is the proxy's."""
        self.wire = Wire(Journal(), refusal if network.proxy is None else None)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=trust,
            proxy=proxy(network, trust),
            retries=0,
            max_connections=1,
            network_backend=self.wire,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        response = await self._pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
            )
        )
        return httpx2.Response(
            response.status,
            headers=response.headers,
            stream=_Body(cast("AsyncIterable[bytes]", response.stream)),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class Proxied(WireTransport):
    """The way out through a proxy: httpcore2 talks to it. What a probe uses of `direct.Direct`."""

    _answer: httpx2.Response | None = None
    _chunks: AsyncGenerator[bytes] | None = None

    @property
    def is_reusable(self) -> bool:
        """The pool looks after that: a connection that has ended is replaced by a fresh one."""
        return True

    async def ask(self, method: str, url: str, headers: Sequence[tuple[str, str]], content: bytes) -> Head:
        """Send the request; the head of the answer. Its body is read by `more`."""
        asked = httpx2.Request(method, url, headers=list(headers), content=content)
        self._answer = await self.handle_async_request(asked)
        self._chunks = pieces(self._answer)
        return Head(self._answer.status_code, self._answer.headers.raw, self._answer.http_version)

    async def more(self) -> bytes | None:
        """The body as it arrives, a piece at a time; None at its end, where its connection is free for another one."""
        assert self._answer is not None
        assert self._chunks is not None
        chunk = await anext(self._chunks, None)
        if chunk is None:
            await self._answer.aclose()
        return chunk


class _Body(httpx2.AsyncByteStream):
    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._chunks)

    async def aclose(self) -> None:
        await cast("httpx2.AsyncByteStream", self._chunks).aclose()


def pieces(response: httpx2.Response) -> AsyncGenerator[bytes]:
    """The body as it arrives, to be closed where it is not read to its end."""
    return cast("AsyncGenerator[bytes]", aiter(cast("httpx2.AsyncByteStream", response.stream)))


def proxy(network: Network, trust: ssl.SSLContext) -> httpcore2.Proxy | None:
    if network.proxy is None:
        return None
    try:
        url = httpx2.URL(network.proxy.get_secret_value())
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if url.scheme not in ("http", "https") or not url.host:  # the URL may hold a password: it is not quoted
        raise ValueError("the proxy must be given as http://host:port or https://host:port")
    return httpcore2.Proxy(
        httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"),
        auth=(url.username, url.password) if url.username or url.password else None,
        ssl_context=trust if url.scheme == "https" else None,
    )
