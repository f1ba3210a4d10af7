"""The demo gateway against a bare socket: what it refuses, how each behaviour looks on the wire, what it counted."""

import asyncio
import contextlib
import gc
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
import uvloop

from exporter.gateway import Gateway
from exporter.gateway_docs import contract
from exporter.gateway_script import DEMO_SCRIPT, Behaviour, Scene, Script

KEY = "sk-fake-demo-key"
ASK = {"model": "demo-small", "messages": [{"role": "user", "content": "ping"}]}


@contextlib.asynccontextmanager
async def running(slow_s: float = 2.0) -> AsyncIterator[Gateway]:
    gateway = Gateway(keys={"demo": KEY}, slow_s=slow_s)
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def raw(gateway: Gateway, request: bytes) -> bytes:
    """Everything the gateway says until it hangs up."""
    port = int(gateway.origin.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    reply = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return reply


def http(method: str, path: str, body: bytes = b"", key: str | None = KEY, **headers: str) -> bytes:
    lines = {"Host": "gateway", "Connection": "close", "Content-Type": "application/json"}
    if key is not None:
        lines["Authorization"] = f"Bearer {key}"
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines.setdefault("Content-Length", str(len(body)))
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items())]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def chat(fields: object = None, key: str | None = KEY, **headers: str) -> bytes:
    return http("POST", "/v1/chat/completions", json.dumps(fields or ASK).encode(), key, **headers)


def parsed(reply: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = reply.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = dict(item.split(": ", 1) for item in rest)
    return int(line.split()[1]), headers, body


def events(body: bytes) -> list[str]:
    """The data of each event of a chunked stream, whether or not it ended."""
    return [line[6:] for line in body.decode().splitlines() if line.startswith("data: ")]


REFUSED = {
    "wrong path": (http("POST", "/v1/chat"), 404, "path_not_found"),
    "wrong method": (http("GET", "/v1/chat/completions"), 405, "method_not_allowed"),
    "a post to a document": (http("POST", "/docs/chat.md"), 405, "method_not_allowed"),
    "no key": (chat(key=None), 401, "missing_api_key"),
    "not a bearer": (chat(key=None, Authorization=f"Basic {KEY}"), 401, "missing_api_key"),
    "a wrong key": (chat(key="sk-fake-other"), 401, "invalid_api_key"),
    "another media type": (chat(Content_Type="text/plain"), 415, "unsupported_media_type"),
    "broken JSON": (http("POST", "/v1/chat/completions", b"{"), 400, "invalid_json"),
    "a list": (chat([1]), 400, "invalid_request"),
    "no model": (chat({"messages": ASK["messages"]}), 400, "invalid_request"),
    "no messages": (chat({"model": "demo-small"}), 400, "invalid_request"),
    "a message without content": (chat(ASK | {"messages": [{"role": "user"}]}), 400, "invalid_request"),
    "stream as text": (chat(ASK | {"stream": "yes"}), 400, "invalid_request"),
    "a field that no document names": (chat(ASK | {"top_k": 1}), 400, "unknown_parameter"),
    "an unknown model": (chat(ASK | {"model": "other"}), 404, "model_not_found"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400, "bad_request"),
    "another protocol": (b"GET / HTTP/9\r\nHost: x\r\n\r\n", 400, "bad_request"),
    "a header twice": (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, "bad_request"),
    "a header without a colon": (b"GET / HTTP/1.1\r\nHost\r\n\r\n", 400, "bad_request"),
    "a length that is no number": (chat(Content_Length="+5"), 400, "bad_request"),
    "a chunked body": (chat(Transfer_Encoding="chunked"), 400, "bad_request"),
    "a large body": (chat(Content_Length="1048577"), 413, "payload_too_large"),
    "large headers": (b"GET / HTTP/1.1\r\nHost: " + b"x" * 70_000 + b"\r\n\r\n", 431, "headers_too_large"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_the_contract_does_not_allow_is_refused(case: str) -> None:
    request, status, code = REFUSED[case]
    async with running() as gateway:
        got, headers, body = parsed(await raw(gateway, request))
    error = json.loads(body)["error"]
    assert (got, error["code"]) == (status, code)
    assert headers["x-request-id"] in error["message"]


async def test_a_healthy_answer_has_content_usage_and_headroom_and_says_that_it_is_fake() -> None:
    async with running() as gateway:
        status, headers, body = parsed(await raw(gateway, chat()))
    answer = json.loads(body)
    assert status == 200
    assert answer["choices"][0]["message"]["content"] == "pong"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["total_tokens"] == 20
    assert headers["x-demo"] == "values are fake"
    assert headers["x-ratelimit-limit-requests"] == "600"
    assert headers["x-ratelimit-remaining-requests"] == "599"
    assert headers["date"].endswith("GMT")


async def test_a_healthy_stream_has_three_chunks_then_usage_then_the_terminal_event() -> None:
    async with running() as gateway:
        _, headers, body = parsed(await raw(gateway, chat(ASK | {"stream": True})))
    *chunks, last = events(body)
    assert headers["content-type"].startswith("text/event-stream")
    assert last == "[DONE]"
    assert [len(json.loads(chunk)["choices"]) for chunk in chunks] == [1, 1, 1, 0]
    assert json.loads(chunks[2])["choices"][0]["finish_reason"] == "stop"
    assert json.loads(chunks[3])["usage"]["total_tokens"] == 20
    assert body.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        (Behaviour.OVERLOADED, 503, "upstream_overloaded"),
        (Behaviour.REVOKED, 401, "invalid_api_key"),
        (Behaviour.EXHAUSTED, 429, "insufficient_quota"),
    ],
)
async def test_a_failing_behaviour_answers_its_error(behaviour: Behaviour, status: int, code: str) -> None:
    async with running() as gateway:
        gateway.behaviours["demo-small"] = behaviour
        got, headers, body = parsed(await raw(gateway, chat()))
    assert (got, json.loads(body)["error"]["code"]) == (status, code)
    assert ("retry-after" in headers) is (behaviour is Behaviour.OVERLOADED)
    assert "x-ratelimit-limit-requests" not in headers


async def test_a_cut_stream_lacks_its_end_and_the_last_chunk_of_its_framing() -> None:
    async with running() as gateway:
        gateway.behaviours["demo-small"] = Behaviour.CUT
        _, _, body = parsed(await raw(gateway, chat(ASK | {"stream": True})))
    assert len(events(body)) == 2
    assert b"[DONE]" not in body
    assert not body.endswith(b"0\r\n\r\n")


async def test_a_cut_answer_is_shorter_than_it_announced() -> None:
    async with running() as gateway:
        gateway.behaviours["demo-small"] = Behaviour.CUT
        _, headers, body = parsed(await raw(gateway, chat()))
    assert len(body) < int(headers["content-length"])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_broken_contract_comes_with_status_200(stream: bool) -> None:
    ask = chat(ASK | {"stream": stream})
    async with running() as gateway:
        gateway.behaviours["demo-small"] = Behaviour.MISSING_CHOICES
        missing_status, _, missing = parsed(await raw(gateway, ask))
        gateway.behaviours["demo-small"] = Behaviour.CONTENT_NULL
        null_status, _, null = parsed(await raw(gateway, ask))
    assert (missing_status, null_status) == (200, 200)
    assert b'"choices"' not in missing
    assert b'"content":null' in null
    assert b"pong" not in null


async def test_a_slow_model_answers_after_its_delay() -> None:
    async with running(slow_s=0.05) as gateway:
        gateway.behaviours["demo-small"] = Behaviour.SLOW
        began = asyncio.get_running_loop().time()
        status, _, _ = parsed(await raw(gateway, chat()))
        took_s = asyncio.get_running_loop().time() - began
    assert status == 200
    assert took_s >= 0.05


async def test_stopping_ends_a_connection_that_is_still_being_answered() -> None:
    async with running(slow_s=60) as gateway:
        gateway.behaviours["demo-small"] = Behaviour.SLOW
        waiting = asyncio.create_task(raw(gateway, chat()))
        while not gateway.received:  # noqa: ASYNC110 - what is awaited is the arrival itself, which signals nobody
            await asyncio.sleep(0)
    assert await waiting == b""


@pytest.mark.parametrize("loop", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def test_a_caller_that_hangs_up_in_the_middle_of_a_stream_is_no_error_of_ours(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """uvloop, which the demo runs on, refuses a write to a connection that is gone with an error of its own kind."""
    told: list[object] = []

    async def hang_up() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        async with running() as gateway:
            port = int(gateway.origin.rpartition(":")[2])
            for _ in range(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                reset_at_once = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_at_once)
                writer.write(chat(ASK | {"stream": True}))
                await reader.readuntil(b"data: ")
                writer.close()
                await asyncio.sleep(0.06)  # three events of the stream
        gc.collect()  # a task whose error nobody took tells of it when it goes

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(hang_up())
    assert told == []


async def test_one_connection_carries_many_exchanges_each_with_its_own_request_id() -> None:
    first = chat(Connection="keep-alive")
    async with running() as gateway:
        replies = (await raw(gateway, first + first + chat())).split(b"HTTP/1.1 ")[1:]
    ids = {parsed(b"HTTP/1.1 " + reply)[1]["x-request-id"] for reply in replies}
    assert len(ids) == 3


async def test_requests_are_counted_by_model_and_kind_refused_ones_too() -> None:
    async with running() as gateway:
        for request in (chat(), chat(), chat(ASK | {"stream": True}), chat(key="sk-fake-other")):
            await raw(gateway, request)
        for path in ("/", "/api/models", "/nowhere"):
            await raw(gateway, http("GET", path))
    assert gateway.received == {
        ("demo-small", "chat"): 2,
        ("demo-small", "stream"): 1,
        ("", "chat"): 1,
        ("", "get"): 3,
    }
    assert gateway.chat_requests == 4


async def test_the_documents_state_every_value_of_the_contract_and_that_all_is_fake() -> None:
    async with running() as gateway:
        stated = contract(gateway.origin, datetime(2026, 11, 20, tzinfo=UTC))
        pages = {
            path: parsed(await raw(gateway, http("GET", path, key=None)))[2].decode()
            for path in ("/", "/docs/chat.md", "/docs/errors.md", "/docs/help.md", "/api/models")
        }
        chat_page, errors_page = pages["/docs/chat.md"], pages["/docs/errors.md"]
    assert all("fake" in page for path, page in pages.items() if path != "/api/models")
    assert stated["values"]["base_url"]["value"] in chat_page
    assert stated["values"]["chat_path"]["value"] in chat_page
    assert stated["values"]["auth"]["value"]["header"] + ": Bearer" in chat_page
    assert stated["stream_chunk"]["terminal"] in chat_page
    assert all(f"- {status}:" in errors_page for status in stated["error"]["statuses"]["value"])
    assert stated["error"]["retry"]["value"] in errors_page
    assert stated["routes"]["support"]["value"] in pages["/docs/help.md"]
    assert {row["id"] for row in json.loads(pages["/api/models"])["data"]} >= {"demo-small", "demo-stream"}


TWO = Script(
    (
        Scene(0.2, 0.5, "a", Behaviour.OVERLOADED),
        Scene(0.4, 1.0, "a", Behaviour.REVOKED),
        Scene(0.0, 0.1, "b", Behaviour.CUT),
    )
)


@pytest.mark.parametrize(
    ("model", "fraction", "behaviour"),
    [
        ("a", 0.0, Behaviour.HEALTHY),
        ("a", 0.2, Behaviour.OVERLOADED),
        ("a", 0.4, Behaviour.REVOKED),
        ("a", 1.0, Behaviour.REVOKED),
        ("a", 1.5, Behaviour.REVOKED),
        ("b", 0.0, Behaviour.CUT),
        ("b", 0.1, Behaviour.HEALTHY),
        ("c", 0.5, Behaviour.HEALTHY),
    ],
)
def test_a_scene_holds_from_its_begin_until_just_before_its_end(
    model: str, fraction: float, behaviour: Behaviour
) -> None:
    assert TWO.behaviour_at(model, fraction) is behaviour


def test_the_switches_are_every_edge_before_the_end() -> None:
    assert TWO.switches == (0.0, 0.1, 0.2, 0.4, 0.5)


@pytest.mark.parametrize(("begin", "end"), [(0.5, 0.5), (-0.1, 0.5), (0.5, 1.1)])
def test_a_scene_outside_the_play_is_refused(begin: float, end: float) -> None:
    with pytest.raises(ValueError, match="within 0 and 1"):
        Scene(begin, end, "a", Behaviour.CUT)


def test_the_demo_shows_a_recovery_and_a_fault_of_each_kind() -> None:
    assert {scene.behaviour for scene in DEMO_SCRIPT.scenes} == {
        Behaviour.OVERLOADED,
        Behaviour.CUT,
        Behaviour.REVOKED,
        Behaviour.EXHAUSTED,
        Behaviour.MISSING_CHOICES,
    }
    assert all(DEMO_SCRIPT.behaviour_at(scene.model, 0.0) is Behaviour.HEALTHY for scene in DEMO_SCRIPT.scenes)
    assert DEMO_SCRIPT.behaviour_at("demo-small", 0.41) is Behaviour.HEALTHY


async def test_playing_a_script_switches_the_models_and_takes_as_long_as_told() -> None:
    gateway = Gateway(keys={"demo": KEY}, models=("a", "b"))
    seen: list[tuple[float, dict[str, Behaviour]]] = []

    async def pass_time(seconds: float) -> None:
        seen.append((seconds, dict(gateway.behaviours)))

    await gateway.play(TWO, 100, sleep=pass_time)
    assert [round(seconds) for seconds, _ in seen] == [10, 10, 20, 10]
    assert seen[0][1] == {"a": Behaviour.HEALTHY, "b": Behaviour.CUT}
    assert seen[-1][1] == {"a": Behaviour.REVOKED, "b": Behaviour.HEALTHY}
    assert gateway.behaviours == {"a": Behaviour.REVOKED, "b": Behaviour.HEALTHY}
