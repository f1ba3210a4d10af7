"""Clients that keep the listener waiting, over real sockets: each is dropped in time, and nobody else waits for it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporter.patience import PatientProtocol

LARGE = 4 << 20
SLOW_S = 0.5
ASK = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"


class Hasty(PatientProtocol):
    head_s: ClassVar[float] = 0.3
    request_s: ClassVar[float] = 0.3
    take_s: ClassVar[float] = 0.3
    most_connections: ClassVar[int] = 5


async def _slow(request: Request) -> Response:
    await request.body()
    await asyncio.sleep(SLOW_S)
    return PlainTextResponse("slow")


async def _large(_: Request) -> Response:
    return PlainTextResponse("x" * LARGE)


@contextlib.asynccontextmanager
async def _listening() -> AsyncIterator[tuple[uvicorn.Server, int]]:
    app = Starlette(routes=[Route("/slow", _slow, methods=["GET", "POST"]), Route("/large", _large)])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", http=Hasty, ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            yield server, listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def _rest(reader: asyncio.StreamReader, within_s: float = 3) -> bytes:
    """What comes until the server ends it; TimeoutError where it does not."""
    read = bytearray()
    async with asyncio.timeout(within_s):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                read += data
    return bytes(read)


@pytest.mark.parametrize(
    "said",
    [b"", b"GET /slow HT", b"GET /slow HTTP/1.1\r\nX-A: b\r\n", b"POST /slow HTTP/1.1\r\nContent-Length: 9\r\n\r\na"],
    ids=["nothing", "half a line", "half a head", "half a body"],
)
async def test_a_request_that_does_not_become_whole_is_dropped(said: bytes) -> None:
    async with _listening() as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said.replace(b"1.1\r\n", b"1.1\r\nHost: x\r\n"))
        await _rest(reader)
        writer.close()
        assert not server.server_state.connections


async def test_a_head_that_drips_is_dropped_too() -> None:
    """Each byte is not a reason to wait anew."""
    async with _listening() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                for byte in b"GET /slow HTTP/1.1\r\n" + b"X-A: b\r\n" * 99:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        assert await _rest(reader) == b""
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        writer.close()


async def test_an_answer_may_take_longer_than_a_client_may() -> None:
    async with _listening() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK)
        assert (await _rest(reader)).endswith(b"slow")
        writer.close()


@pytest.mark.parametrize("end", [b"", b"Connection: close\r\n"], ids=["kept alive", "closed"])
async def test_an_answer_that_nobody_takes_is_given_up(end: bytes) -> None:
    async with _listening() as (server, port):
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n" + end + b"\r\n")
            async with asyncio.timeout(3):
                while not server.server_state.connections:  # noqa: ASYNC110 - nor for this
                    await asyncio.sleep(0.01)
                while server.server_state.connections or server.server_state.tasks:  # noqa: ASYNC110 - nor this
                    await asyncio.sleep(0.01)


async def test_who_waits_longest_makes_room_for_a_newcomer() -> None:
    async with _listening() as (server, port):
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(Hasty.most_connections)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK)
        assert await _rest(idle[0][0], 0.25) == b"", "before its own time is over"
        assert len(server.server_state.connections) == Hasty.most_connections
        assert (await _rest(reader)).endswith(b"slow")
        for _, other in (*idle, (reader, writer)):
            other.close()
