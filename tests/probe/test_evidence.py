"""Whether a stated value stands in a document: found, not found with the nearest passage, and never an exception."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.contract import Contract, parse
from probe.contract.document import Copy, Document, examine, looks, urls
from probe.contract.evidence import NEAREST_CHARS, Occurrence, Outcome, area, claims, look, occurrences, unreachable
from probe.contract.text import normalised, readable
from tests.servers.documents import CHAT, READ_AT, Documents

URL = "https://docs.example.test/chat.md"
SHIPPED = Path(__file__).resolve().parents[2] / "probe" / "contracts"


def stated(value: object, **more: object) -> dict[str, object]:
    return {"value": value, "source": URL, "accessed": READ_AT, **more}


def contract(**changes: object) -> Contract:
    """One that rests on one document; `changes` are areas at the top of the file, or values."""
    values = {
        "base_url": stated("https://api.example.test/v1"),
        "chat_path": stated("/chat/completions"),
        "auth": stated({"header": "Authorization", "format": "Bearer {key}"}),
    }
    top = {"request", "response", "stream_chunk", "error", "limits", "routes"}
    document: dict[str, object] = {
        "provider": "example",
        "values": values | {name: value for name, value in changes.items() if name not in top},
        "request": {"source": URL, "accessed": READ_AT},
        **{name: value for name, value in changes.items() if name in top},
    }
    return parse(json.dumps(document), "example")


def seen(known: Contract, text: str, media: str = "text/markdown") -> dict[str, Occurrence]:
    return {it.place: it for it in look(claims(known), text.encode(), media)}


def shape(schema: object, **more: object) -> dict[str, object]:
    return {"source": URL, "accessed": READ_AT, "schema": schema, **more}


# ---------------------------------------------------------------- what is found


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("The base URL is https://api.example.test/v1.", True),
        ("The base URL is `https://api.example.test/v1/`", True),
        ("POST https://api.example.test/v1/chat/completions", True),
        ("HTTPS://API.EXAMPLE.TEST/V1", True),
        ("Host: api.example.test, all paths below /v1", True),
        ("https://api.example.test/v1beta", False),
        ("https://api.example.test/", False),
        ("the base URL", False),
    ],
)
def test_a_base_url_is_found_whole_or_in_two_parts(text: str, is_found: bool) -> None:
    found = seen(contract(), text)["values.base_url"]
    assert (found.outcome is Outcome.VERIFIED) == is_found


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("`POST /v1/chat/completions`", True),
        ("POST https://api.example.test/v1/chat/completions", True),
        ("/chat/completions", True),
        ("/chat/completionsx", False),
        ("/chat", False),
    ],
)
def test_a_path_is_found_also_at_the_end_of_a_longer_one(text: str, is_found: bool) -> None:
    assert (seen(contract(), text)["values.chat_path"].outcome is Outcome.VERIFIED) == is_found


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("**authorization**: Bearer `<key>`", ()),
        ("Authorization: &lt;key&gt;", ("Bearer",)),
        ("Use a bearer token", ("Authorization",)),
        ("Authorizations, bearers", ("Authorization", "Bearer")),
    ],
)
def test_an_auth_header_is_found_by_its_name_and_its_fixed_words(text: str, missing: tuple[str, ...]) -> None:
    assert seen(contract(), text)["values.auth"].missing == missing


def test_the_names_of_fields_are_found_as_whole_words_one_level_deep() -> None:
    schema = {
        "required": ["id"],
        "properties": {
            "choices": {"items": {"required": ["message"], "properties": {"finish_reason": {}, "message": {"a": 1}}}},
            "error": {"required": ["code"]},
            "usage": {"properties": {"total_tokens": {}}},
        },
    }
    found = seen(contract(response=shape(schema)), "id, choices[].message, error.code, usage_info, finish_reason")
    assert found["response"].looked_for == 7
    assert found["response"].missing == ("usage",)


def test_a_partly_found_statement_is_not_found_and_names_what_is_missing() -> None:
    request = shape({"required": ["model", "messages"], "properties": {"stream": {}, "top_p": {}}})
    found = seen(contract(request=request), "`model` and `messages`; \\_stream\\_ is optional; models differ")[
        "request"
    ]
    assert (found.outcome, found.looked_for, found.missing) == (Outcome.NOT_FOUND, 4, ("top_p",))


@pytest.mark.parametrize("schema", [None, True, {}, {"properties": []}, {"required": "id"}, {"properties": {}}])
def test_a_shape_that_lists_no_field_has_nothing_to_be_found(schema: object) -> None:
    try:
        known = contract(response={"source": URL, "accessed": READ_AT, **({"schema": schema} if schema else {})})
    except ValueError:
        return
    assert "response" not in {it.place for it in claims(known)}


@pytest.mark.parametrize(
    ("place", "changes", "yes", "no"),
    [
        ("stream_chunk", {"stream_chunk": shape({}, terminal="[DONE]")}, "ends with `data: [DONE]`", "ends with DONE"),
        (
            "error.statuses",
            {"error": shape({}, statuses=stated({"429": "wait"}))},
            "| `429` | wait",
            "error 4290, 1429",
        ),
        ("error.retry", {"error": shape({}, retry=stated("Wait a second"))}, "wait\n a  second!", "wait two seconds"),
        ("limits[0]", {"limits": [stated("60 requests a minute")]}, "60 requests a minute", "160 requests a minute"),
        ("routes.mail", {"routes": {"mail": stated("mailto:help@example.test")}}, "to help@example.test.", "help"),
        ("routes.page", {"routes": {"page": stated("https://help.example.test/")}}, "https://help.example.test/", "x"),
        (
            "values.catalogue",
            {"catalogue": stated({"url": "https://api.example.test/models", "ids": "data[].id"})},
            "GET https://api.example.test/models",
            "GET https://api.example.test/models2",
        ),
        (
            "values.request_id",
            {"request_id": stated({"headers": ["x-request-id"], "text": "(request id: {id})"})},
            "X-Request-Id; (request id: ...)",
            "X-Request-Id; request",
        ),
    ],
)
def test_each_kind_of_statement_is_looked_for_in_its_own_way(
    place: str, changes: dict[str, object], yes: str, no: str
) -> None:
    known = contract(**changes)
    assert seen(known, yes)[place].outcome is Outcome.VERIFIED
    assert seen(known, no)[place].outcome is Outcome.NOT_FOUND


def test_a_providers_log_is_found_by_its_address_and_its_header() -> None:
    known = parse((SHIPPED / "cometapi.yaml").read_text(), "cometapi")
    (claim,) = (it for it in claims(known) if it.place == "values.gateway_log")
    found = occurrences([claim], "GET https://api.cometapi.com/api/log/self with Authorization: Bearer TOKEN")
    assert known.gateway_log is not None
    assert {"Authorization", "Bearer"}.isdisjoint(found[0].missing)
    assert occurrences([claim], "nothing of it")[0].missing == (known.gateway_log.value.url, "Authorization", "Bearer")


def test_a_page_that_is_itself_the_route_is_there_when_it_answers() -> None:
    assert seen(contract(routes={"help": stated(URL)}), "Help")["routes.help"].outcome is Outcome.VERIFIED


def test_a_quote_is_looked_for_instead_of_what_the_file_says_in_its_own_words() -> None:
    known = contract(error=shape({}, retry=stated("back off", quote="Use “exponential” back-off")))
    assert seen(known, 'use "exponential" back–off')["error.retry"].outcome is Outcome.VERIFIED
    assert seen(known, "back off")["error.retry"].missing == ("Use “exponential” back-off",)


def test_a_value_of_decoration_only_is_never_found() -> None:
    assert seen(contract(limits=[stated("***")]), "*** everything ***")["limits[0]"].outcome is Outcome.NOT_FOUND


# ---------------------------------------------------------------- the nearest passage


def test_the_nearest_passage_is_shown_as_it_stands_there() -> None:
    text = "# Chat\nSomething else entirely.\nThe **base URL** is https://api.example.test/v2 now.\nGoodbye."
    found = seen(contract(), text)["values.base_url"]
    assert found.nearest == "The **base URL** is https://api.example.test/v2 now."


def test_a_passage_is_bounded_also_in_one_endless_line() -> None:
    line = "word " * 5000 + "https://api.example.test/v2 " + "word " * 5000
    nearest = seen(contract(), line)["values.base_url"].nearest
    assert nearest is not None
    assert len(nearest) <= NEAREST_CHARS
    assert "api.example.test" in nearest


def test_where_nothing_is_alike_no_passage_is_shown() -> None:
    assert seen(contract(), "0\n" * 30)["values.base_url"].nearest is None


def test_what_was_not_reached_says_why_for_every_statement() -> None:
    found = unreachable(claims(contract()), "HTTP 404")
    assert {it.place for it in found} == {"values.base_url", "values.chat_path", "values.auth"}
    assert all((it.outcome, it.why) == (Outcome.UNREACHABLE, "HTTP 404") for it in found)


# ---------------------------------------------------------------- documents


HTML = """<!DOCTYPE html><html><head><title>Chat</title><style>.a{color:red}</style><script>var a = 1</script>
</head><body><!-- no comment --><h1>Chat &amp; more</h1><p>The <b>base</b> URL is <code>https://api.example.test/v1</code></p>
<table><tr><td>429</td><td>wait</td></tr></table><a class=x href="mailto:help@example.test">write</a></body></html>"""


def test_of_html_the_text_and_the_addresses_of_links_are_read() -> None:
    assert readable(HTML.encode(), "text/html").splitlines() == [
        "Chat",
        "Chat & more",
        "The base URL is https://api.example.test/v1",
        "429",
        "wait",
        "mailto:help@example.test write",
    ]


@pytest.mark.parametrize(
    ("body", "media", "text"),
    [
        (HTML.encode(), "", "Chat"),
        (b"<p>markdown with a tag</p>", "text/markdown", "<p>markdown with a tag</p>"),
        (b"\xef\xbb\xbfa\r\nb", "text/plain", "a\nb"),
        ("模型".encode("gbk"), "text/plain; charset=gbk", "模型"),
        (b"caf\xc3\xa9 \xff", "text/plain; charset=no-such", "café \ufffd"),
        (b"abc", "text/plain; charset=hex", "abc"),
        (b'{"a": 1}', "application/json", '{"a": 1}'),
    ],
)
def test_other_documents_are_read_as_they_are(body: bytes, media: str, text: str) -> None:
    assert readable(body, media).startswith(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("max_tokens", "`max\\_tokens`"),
        ("Bearer <key>", "**Bearer**\n  &lt;key&gt;"),
        ("it's “so” – really…", 'it’s "so" - really...'),
        ("| a | b |", "a b"),
        ("ze\u200bro", "zero"),
        ("&#" + "1" * 5000, "#" + "1" * 5000),
    ],
)
def test_decoration_case_and_space_make_no_difference(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@settings(max_examples=200)
@given(st.text(st.sampled_from("a B&;#x3<>lt amp*_`|\\\"'“’–…\u00ad\n\tſßİς38")) | st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once


@settings(max_examples=100)
@given(st.binary(max_size=2000), st.sampled_from(["text/html", "", "text/plain; charset=utf-16", "x/y; charset=\0"]))
def test_no_document_is_too_strange_to_be_looked_at(body: bytes, media: str) -> None:
    known = parse((SHIPPED / "cometapi.yaml").read_text(), "cometapi")
    assert len(look(claims(known), body, media)) == len(claims(known))


@pytest.mark.parametrize(
    "unit", ["<!--", "<!--x>", "<script>", "<a ", "<a href=", "<", "&", "&lt;", "a ", "a", "Authorization 400 ", "\n"]
)
def test_time_grows_with_the_size_of_a_document_and_no_faster(unit: str) -> None:
    found = claims(contract())

    def took_s(size: int) -> float:
        page = (unit * (size // len(unit))).encode()
        began = time.perf_counter()
        look(found, page, "text/html")
        return time.perf_counter() - began

    small, large = min(took_s(50_000) for _ in range(3)), took_s(400_000)
    assert large < 40 * small + 0.05  # eight times the size; a quadratic one takes 64 times as long


# ---------------------------------------------------------------- what a look says of the contract


def test_a_contract_knows_what_its_sources_showed() -> None:
    known = contract(limits=[stated("60 a minute")], routes={"help": stated(URL)})
    text = CHAT.format(origin="https://api.example.test")
    said = examine([known], URL, text.encode(), "text/markdown").by_contract["example"]
    at = known.base_url.source.accessed
    copy = Copy(URL, at, at, 200, "text/markdown", "0" * 64, "0" * 64, 1)
    seen_now = known.looked(looks([Document(URL, copy, None, said), Document("https://elsewhere.example.test/")]))
    assert seen_now.base_url.source.is_verified
    assert seen_now.base_url.source.read_at == at
    assert seen_now.limits[0].source.look is not None
    assert not seen_now.limits[0].source.is_verified
    assert seen_now.routes["help"].source.is_verified
    assert seen_now.request.source.look is None
    assert known.base_url.source.look is None
    assert urls([known]) == (URL,)


def test_places_are_known_by_the_names_of_the_metrics() -> None:
    assert [area(it) for it in ("values.auth", "limits[3]", "error.statuses", "routes.support")] == [
        "auth",
        "limits",
        "error.statuses",
        "routes.support",
    ]


def test_the_documents_of_the_tests_say_what_their_contract_states() -> None:
    with Documents() as documents:
        known = parse(json.dumps(documents.contract()), "example")
        for url in urls([known]):
            body = documents.pages[url.removeprefix(documents.origin)][2]
            found = examine([known], url, body, "text/markdown").by_contract["example"]
            assert [it for it in found if it.outcome is not Outcome.VERIFIED] == []
