"""Server-sent events, to the letter of the standard."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.sse import Decoder, Parsed, ServerEvent, delta_content, parse


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("data: a\n\n", [ServerEvent("a")]),
        ("data:a\n\n", [ServerEvent("a")]),
        ("data:  a\n\n", [ServerEvent(" a")]),
        ("data: a\r\n\r\n", [ServerEvent("a")]),
        ("data: a\r\r", [ServerEvent("a")]),
        ("data: a\n\r\n", [ServerEvent("a")]),
        ("\ufeffdata: a\n\n", [ServerEvent("a")]),
        ("\ufeff\ufeffdata: a\n\n", []),
        ("data: a\ndata: b\n\n", [ServerEvent("a\nb")]),
        ("data\n\n", [ServerEvent("")]),
        ("data\ndata\n\n", [ServerEvent("\n")]),
        ("data:\n\n", [ServerEvent("")]),
        ("\n\n\ndata: a\n\n\n\n", [ServerEvent("a")]),
        ("event: error\ndata: a\n\ndata: b\n\n", [ServerEvent("a", "error"), ServerEvent("b")]),
        ("event: ping\n\ndata: b\n\n", [ServerEvent("b")]),
        ("id: 1\ndata: a\n\ndata: b\n\n", [ServerEvent("a", id="1"), ServerEvent("b", id="1")]),
        ("id: 1\ndata: a\n\nid\ndata: b\n\n", [ServerEvent("a", id="1"), ServerEvent("b", id="")]),
        ("id: 1\0\ndata: a\n\n", [ServerEvent("a")]),
        ("retry: 10\ndata: a\n\n", [ServerEvent("a")]),
        ("Data: a\nfoo: b\n\n", []),
        (" data: a\n\n", []),
        ("data: a: b\n\n", [ServerEvent("a: b")]),
        ("data: a\u2028b\x0bc\x85d\n\n", [ServerEvent("a\u2028b\x0bc\x85d")]),
        ("", []),
    ],
)
def test_events_are_what_the_standard_says(text: str, events: list[ServerEvent]) -> None:
    assert list(parse(text).events) == events
    assert Decoder().feed(text.encode()) == events


def test_comments_are_counted_and_are_no_events() -> None:
    assert parse(": one\n\n:two\n\n") == Parsed((), 2, "", None)


@pytest.mark.parametrize(
    ("text", "dangling", "tail"),
    [
        ("data: a\n\ndata: [DONE]\n", "data: [DONE]\n", ServerEvent("[DONE]")),
        ("data: a\n\ndata: [DONE]", "data: [DONE]", ServerEvent("[DONE]")),
        ("data: [DONE]", "data: [DONE]", ServerEvent("[DONE]")),
        ("data: a\r\n\r\nevent: error\r\ndata: b\r\n", "event: error\r\ndata: b\r\n", ServerEvent("b", "error")),
        ("data: a\n\n: bye\n", ": bye\n", None),
        ("data: a\n\n", "", None),
        ("\ufeffdata", "data", ServerEvent("")),
    ],
)
def test_what_no_blank_line_ended_is_kept_apart(text: str, dangling: str, tail: ServerEvent | None) -> None:
    parsed = parse(text)
    assert (parsed.dangling, parsed.tail) == (dangling, tail)
    assert tail not in parsed.events


_LINES = st.lists(
    st.sampled_from(
        ["data: é", "data:b", "data", "event: x", "id: 7", ": c", "", "", "retry: 1", "\ufeffdata: 漢", "😀"]
    )
)
_ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@given(_LINES, _ENDS, _ENDS, st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_chunks_may_split_a_stream_anywhere(lines: list[str], odd: str, even: str, sizes: list[int]) -> None:
    """Characters, CRLF and the byte order mark included."""
    text = "".join(line + (odd if at % 2 else even) for at, line in enumerate(lines))
    data = text.encode()
    decoder = Decoder()
    seen: list[ServerEvent] = []
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        seen += decoder.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert seen == list(parse(text).events)
    assert decoder.tail == parse(text).tail


def test_invalid_bytes_are_replaced() -> None:
    assert Decoder().feed(b"data: \xff\n\n") == [ServerEvent("\ufffd")]


def test_an_event_is_told_as_soon_as_its_last_byte_is_there() -> None:
    """A CR ends a line at once; the LF that may follow belongs to it."""
    decoder = Decoder()
    assert decoder.feed(b"data: a\r\n\r") == [ServerEvent("a")]
    assert decoder.feed(b"\ndata: b\n") == []
    assert decoder.feed(b"") == []
    assert decoder.tail == ServerEvent("b")
    assert decoder.feed(b"\n") == [ServerEvent("b")]
    assert decoder.tail is None


@pytest.mark.parametrize(
    "big", [b"data: " + b"x" * 99, b"data: 12345\n" * 9, b"x" * 99 + b"\n" + b"y" * 9 + b"\ndata: z"], ids=repr
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_event_over_the_limit_is_dropped_whole_and_the_next_is_read(big: bytes, size: int) -> None:
    decoder = Decoder(limit_chars=40)
    data = b"data: a\n\n" + big + b"\n\ndata: b\n\n"
    seen = [event for at in range(0, len(data), size) for event in decoder.feed(data[at : at + size])]
    assert seen == [ServerEvent("a"), ServerEvent("b")]
    assert decoder.dropped == 1


def test_an_endless_line_does_not_grow() -> None:
    decoder = Decoder(limit_chars=1000)
    for _ in range(1000):
        assert decoder.feed(b"data: " + b"x" * 994) == []
        assert len(decoder._line) <= 1000
    assert decoder.tail is None


def _chunk(**delta: object) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta}]})


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (_chunk(content="po"), "po"),
        (_chunk(content=[{"type": "text", "text": "po"}, {"type": "text", "text": "ng"}]), "pong"),
        (_chunk(content=[{"type": "image_url"}, "x", {"type": "text"}]), None),
        (_chunk(role="assistant", content=""), None),
        (_chunk(content=None, reasoning_content="hm"), None),
        (_chunk(content=1), None),
        (_chunk(reasoning="hm"), None),
        ('{"choices": [{"delta": null}]}', None),
        ('{"choices": [{}]}', None),
        ('{"choices": []}', None),
        ('{"choices": null, "usage": {}}', None),
        ('{"error": {"message": "x"}}', None),
        ("[DONE]", None),
        ("[" * 10_000, None),
        ('{"choices": [{"delta": {"content": NaN}}]}', None),
        ("3", None),
        ("", None),
    ],
)
def test_content_is_the_text_of_the_first_choice(data: str, content: str | None) -> None:
    assert delta_content(data) == content


def test_only_the_first_choice_counts() -> None:
    other = {"index": 1, "delta": {"content": "b"}}
    assert delta_content(json.dumps({"choices": [{"index": 0, "delta": {}}, other]})) is None
    assert delta_content(json.dumps({"choices": [{"index": 0, "delta": {"content": "a"}}, other]})) == "a"
