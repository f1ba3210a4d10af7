"""The published schemas: every document that this program makes is as they say, and they refuse what is not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema_rs
import orjson
import pytest

from exporter import alerts
from probe import render, schemas
from probe.packet import SCHEMA, SCHEMA_VERSION, addenda_for_support, addendum, draft, for_support, merged
from probe.packet.confirmation import Confirmed, confirmation
from probe.packet.later import FACTS, NOTED
from probe.records import Json, Phase, RequestKind, Trigger, Verdict
from probe.redact.groups import Group
from probe.render.export import Original, export
from tests.probe.afterwards import AGAIN, STORY, named
from tests.probe.evidence import START
from tests.probe.faults import FAULTS, REASONED
from tests.probe.published import ADDENDUM, HAR, PACKET, wrong
from tests.probe.test_gateway_log import IDS as LOGGED
from tests.probe.test_gateway_log import in_log, made, read, row

ALL = {**FAULTS, **REASONED}
LOG = made(read(in_log(*(row(one) for one in LOGGED))[0]))
UNREAD = made(read(rows_read=None, problem="HTTP 401"))
RANG = alerts.Alert(True, {"target": "small"}, "f351e8ee4452ee55", START)
PAGED = tuple(
    alerts.addendum(it, "FreezeframeDegradation", alerts.Found("small-p0003", "small"), START)
    for it in (RANG, replace(RANG, is_firing=False, ends_at=START))
)
EVERY = (*STORY, *named(AGAIN, LOG, UNREAD, *PAGED))
ADDED = [document for _, document in EVERY]
IDS = [f"{number} {document['kind']}" for number, document in enumerate(ADDED)]


def dumped(document: Json) -> bytes:
    return orjson.dumps(document)


# ---------------------------------------------------------------- what is made is valid


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_packet_is_as_the_schema_says(name: str) -> None:
    assert wrong(PACKET, render.json_bytes(draft(ALL[name]))) == []


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_packet_stays_so_merged_and_exported(name: str) -> None:
    files = render.files(draft(ALL[name]))
    document = orjson.loads(files["packet.json"])
    assert wrong(PACKET, dumped(merged(document, EVERY))) == []
    assert wrong(PACKET, dumped(for_support(document))) == []
    assert wrong(PACKET, dumped(for_support(merged(document, EVERY)))) == []
    original = Original.of(render.pack(files))
    for audience in ("support", "internal"):
        exported = export(document, EVERY, audience, original)  # type: ignore[arg-type]
        assert wrong(PACKET, exported["packet.json"]) == []
        for added, content in exported.items():
            if added.startswith("addenda/"):
                assert wrong(ADDENDUM, content) == []


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_har_is_valid_by_the_published_schema_of_har(name: str) -> None:
    files = render.files(draft(ALL[name]))
    assert wrong(HAR, files["exchange.har"]) == []
    log = orjson.loads(files["exchange.har"])["log"]
    assert log["version"] == "1.2"
    assert len(log["entries"]) == len(draft(ALL[name])["exchanges"])


def test_the_published_schema_of_har_can_fail() -> None:
    har = orjson.loads(render.files(draft(FAULTS["overloaded"]))["exchange.har"])
    for path, value in (
        ("request", None),
        ("startedDateTime", "yesterday"),
        ("serverIPAddress", "a name"),
        ("time", "1"),
    ):
        broken = orjson.loads(dumped(har))
        broken["log"]["entries"][0][path] = value
        assert wrong(HAR, dumped(broken)) != [], path


@pytest.mark.parametrize("document", ADDED, ids=IDS)
def test_every_kind_of_addendum_is_as_the_schema_says_alone_and_as_stored(document: Json) -> None:
    assert wrong(ADDENDUM, dumped(document)) == []
    assert wrong(ADDENDUM, addendum.encode(document, b"the object before")) == []
    for _, narrowed in addenda_for_support((("x", document),)):
        assert wrong(ADDENDUM, dumped(narrowed)) == []


def test_what_is_looked_at_here_is_every_kind() -> None:
    kinds = {document["kind"] for _, document in EVERY}
    assert (
        kinds == {*FACTS, "alert", "note"} == set(schemas.addendum()["$defs"]["document"]["properties"]["kind"]["enum"])
    )


def test_a_confirmation_of_a_hostile_server_is_a_document_like_any_other() -> None:
    case = FAULTS["hostile"]
    huge = replace(case.subject, reading=replace(case.subject.reading, completion_id="\ud800"))
    confirmed = Confirmed(
        case.packet_id, "small", START + timedelta(minutes=3), (huge,), None, (huge,), (1, 1), case.scope, {}
    )
    assert wrong(ADDENDUM, dumped(confirmation(confirmed, case))) == []


# ---------------------------------------------------------------- and it says no more and no less than that


def _strict(schema: Any) -> Any:
    """The same schema that allows no key that it does not name."""
    if isinstance(schema, list):
        return [_strict(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _strict(value) for key, value in schema.items()}
    named_here = isinstance(made.get("properties"), dict) and made.get("type") in ("object", None)
    if named_here and "additionalProperties" not in made:
        made["unevaluatedProperties"] = False
    return made


def _open_parts(schema: Json) -> Json:
    """Parts that others build on by `allOf` stay open: the whole is closed where they are used."""
    parts = schema["$defs"] | {
        name: {key: value for key, value in schema["$defs"][name].items() if key != "unevaluatedProperties"}
        for name in ("tick", "attempt", "read", "request")
    }
    return schema | {"$defs": parts}


def test_the_schema_names_every_key_that_a_packet_has() -> None:
    closed = jsonschema_rs.Draft202012Validator(_open_parts(_strict(schemas.packet())))
    for name, case in FAULTS.items():
        assert wrong(closed, render.files(draft(case))["packet.json"]) == [], name
        assert wrong(closed, dumped(merged(draft(case), EVERY))) == [], name
    assert wrong(closed, dumped(draft(FAULTS["auth"]) | {"another": 1})) != []


def test_its_enumerations_are_those_of_the_program() -> None:
    schema = schemas.packet()
    parts, properties = schema["$defs"], schema["properties"]
    assert parts["verdict"]["enum"] == list(Verdict)
    assert properties["trigger"]["enum"] == list(Trigger)
    assert parts["tick"]["properties"]["kind"]["enum"] == list(RequestKind)
    assert parts["attempt"]["properties"]["last_phase"]["enum"] == [*Phase, None]
    assert parts["group"]["enum"] == list(Group)
    assert (schema["$id"], properties["$schema"]["const"]) == (SCHEMA, SCHEMA)
    assert properties["schema_version"]["const"] == SCHEMA_VERSION
    note = schemas.addendum()["$defs"]["note"]["properties"]
    assert {*NOTED, "request_ids"} <= note.keys()


def test_every_property_is_described_and_every_duration_names_its_unit() -> None:
    for schema in (schemas.packet(), schemas.addendum()):
        for path, name, value in _properties(schema, ""):
            told = [*_descriptions(value), *_descriptions(_target(schemas.packet(), value.get("$ref", "")))]
            assert told or "const" in value, f"{path}/{name}"
            if name.endswith("_s"):
                assert any("second" in words for words in told), f"{path}/{name}"


def _properties(schema: Any, path: str) -> Iterator[tuple[str, str, Json]]:
    if isinstance(schema, list):
        for it in schema:
            yield from _properties(it, path)
    elif isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items() if isinstance(schema.get("properties"), dict) else ():
            if isinstance(value, dict):
                yield path, name, value
        for key, value in schema.items():
            yield from _properties(value, f"{path}/{key}")


def _target(schema: Json, ref: str) -> Json:
    name = ref.rpartition("/$defs/")[2]
    found: Json = schema["$defs"].get(name, {}) if "/$defs/" in ref else {}
    return found


def _descriptions(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("description"), str):
            yield schema["description"]
        for value in schema.values():
            yield from _descriptions(value)


# ---------------------------------------------------------------- it refuses


# Named by the data and not by the schema, or absent in some of the documents.
_FREE = {"labels", "exchanges", "controls", "instances", "follow_up"}
_OPTIONAL = {
    *("/internal", "/since_freeze", "/export", "/impact/confirmed", "/internal/follow_up"),
    *("/since_freeze/recommendation", "/since_freeze/confirmed_impact"),
    *("/recommendation", "/instances", "/packets", "/requests", "/problem"),
    *("/attempts/0/gateway/prompt_tokens", "/attempts/0/gateway/completion_tokens"),
}


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a document; of a list the first entry."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from _paths(value[0], (*path, 0))


def _parent(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document


def _mutations(document: Json) -> Iterator[tuple[str, Json]]:
    """The document without one of its required keys, and with one value of a type that it never has."""
    for path in _paths(document):
        where = "/" + "/".join(map(str, path))
        again = orjson.loads(dumped(document))
        parent = _parent(again, path)
        parent[path[-1]] = 5 if isinstance(parent[path[-1]], dict | list) else {"another": ["type"]}
        yield f"{where} of another type", again
        if isinstance(path[-1], str) and where not in _OPTIONAL and (len(path) < 2 or path[-2] not in _FREE):
            again = orjson.loads(dumped(document))
            del _parent(again, path)[path[-1]]
            yield f"without {where}", again


def _rich() -> Json:
    """An export of a packet in which as many things as possible are known."""
    one, two = FAULTS["documents fetched"], FAULTS["no channel"]
    mixed = replace(
        one,
        failing=(*two.failing, *FAULTS["slow"].failing, *FAULTS["read timeout"].failing, *FAULTS["mismatch"].failing),
        subject=two.subject,
        last_good=FAULTS["slow"].last_good,
    )
    files = render.files(draft(mixed))
    document: Json = orjson.loads(
        export(orjson.loads(files["packet.json"]), EVERY, "internal", Original.of(render.pack(files)))["packet.json"]
    )
    return document


def test_a_packet_without_a_required_key_or_with_another_type_is_refused() -> None:
    document = _rich()
    assert wrong(PACKET, dumped(document)) == []
    passed = [what for what, broken in _mutations(document) if PACKET.is_valid(broken)]
    assert passed == []


@pytest.mark.parametrize("document", ADDED, ids=IDS)
def test_an_addendum_without_a_required_key_or_with_another_type_is_refused(document: Json) -> None:
    plain = orjson.loads(dumped(document))
    passed = [what for what, broken in _mutations(plain) if ADDENDUM.is_valid(broken)]
    assert passed == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("verdict", "down"),
        ("trigger", "mood"),
        ("frozen_at", "2026-11-24T03:00:00Z"),
        ("frozen_at", "2026-11-24 03:00:00.000"),
        ("packet_id", "../etc"),
        ("schema_version", "2"),
        ("$schema", "urn:freezeframe:packet-2"),
        ("reason", "Because of It"),
        ("message", []),
    ],
)
def test_values_that_no_packet_has_are_refused(key: str, value: object) -> None:
    assert not PACKET.is_valid(orjson.loads(dumped(draft(FAULTS["auth"]) | {key: value})))


def test_a_kind_that_is_not_known_is_refused_and_so_is_an_envelope_with_more_in_it() -> None:
    document = STORY[0][1]
    assert not ADDENDUM.is_valid(orjson.loads(dumped(document | {"kind": "of tomorrow"})))
    stored = orjson.loads(addendum.encode(document, b"before"))
    assert not ADDENDUM.is_valid(stored | {"more": 1})
    assert not ADDENDUM.is_valid(stored | {"sha256": "short"})


def test_keys_may_be_added_within_a_version() -> None:
    document = draft(FAULTS["auth"])
    assert PACKET.is_valid(orjson.loads(dumped(document | {"of_tomorrow": 1})))
    assert ADDENDUM.is_valid(orjson.loads(dumped(STORY[0][1] | {"of_tomorrow": 1})))


def test_a_schema_stands_by_itself() -> None:
    """Nothing in it leads elsewhere: every reference is inside, and no web address is named but the dialect's."""
    for schema in (schemas.packet(), schemas.addendum()):
        text = orjson.dumps(schema).decode()
        assert text.count("://") == text.count("https://json-schema.org/draft/2020-12/schema") > 0
        jsonschema_rs.meta.validate(schema)
