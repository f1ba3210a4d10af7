"""The contract file: what it must hold, what it refuses, and how it reads back."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from probe import contract
from probe.contract import Contract, ContractError, YamlError

EXAMPLE = (Path(__file__).parents[1] / "examples" / "contract.yaml").read_text()
SHIPPED = Path(contract.__file__).parents[1] / "contracts"
FAKE_KEY = "sk-FAKE-000-do-not-use"
SOURCED = "source: https://docs.example.test/chat, accessed: 2026-11-20T09:00:00Z"


def small(values: str = "", rest: str = "", auth: str = '{header: Authorization, format: "Bearer {key}"}') -> str:
    """A contract that holds, with room for what a case adds."""
    return f"""
provider: example
values:
  base_url: {{value: https://api.example.test/v1, {SOURCED}}}
  chat_path: {{value: /chat/completions, {SOURCED}}}
  auth: {{value: {auth}, {SOURCED}}}
{values}
request: {{{SOURCED}}}
{rest}
"""


def edited(old: str, new: str) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new, 1)


def shipped(name: str) -> Contract:
    return contract.parse((SHIPPED / f"{name}.yaml").read_text(), name)


def test_the_example_loads_as_it_stands() -> None:
    known = contract.parse(EXAMPLE, "example")
    assert known.name == "example"
    assert known.chat_url == "http://127.0.0.1:18080/v1/chat/completions"
    assert known.auth.value == contract.AuthShape("Authorization", "Bearer {key}")
    assert known.base_url.source.accessed == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert known.base_url.source.section == "Quick start"
    assert known.base_url.source.verified_live is False
    assert known.stream_chunk is not None
    assert known.stream_chunk.terminal == "[DONE]"
    assert known.catalogue is not None
    assert known.catalogue.value.ids == "data[].id"
    assert known.request_id is not None
    assert known.request_id.value == contract.RequestIdPlaces(("x-example-request-id",), "request id: {id}")
    assert known.error_statuses is None
    assert known.limits == ()
    assert set(known.routes) == {"help_center", "support"}
    assert contract.placeholders(known) == ()


def test_the_smallest_contract_holds_only_what_a_probe_sends() -> None:
    known = contract.parse(small(), "small")
    assert (known.response, known.stream_chunk, known.error, known.catalogue, known.request_id) == (None,) * 5
    assert known.request.schema is None
    assert known.routes == {}


# (what is wrong, the text, the place that is named)
WRONG = [
    ("an unknown key", EXAMPLE + "\nlimit: []\n", "x: limit: expected a known key (did you mean limits?)"),
    ("an unknown value", small(values=f"  basepath: {{value: a, {SOURCED}}}"), "x: values.basepath"),
    ("a key that stands twice", EXAMPLE + "\nlimits: []\n", "the key 'limits' stands twice (line"),
    ("an unknown key of a source", small().replace("accessed:", "acessed:", 1), "x: values.base_url.acessed"),
    ("no provider", edited("provider: example-gateway\n", ""), "x: provider"),
    ("no value", edited("    value: /chat/completions\n", ""), "x: values.chat_path.value"),
    ("no source", edited("    source: http://127.0.0.1:18080/docs/chat.md\n", ""), "x: values.base_url.source"),
    ("no access time", edited("    accessed: 2026-11-20T09:00:00Z\n", ""), "x: values.base_url.accessed"),
    (
        "a source that is no URL",
        small().replace("https://docs.example.test/chat", "memory"),
        "x: values.base_url.source",
    ),
    ("a source of another scheme", small().replace("https://docs", "ftp://docs", 1), "x: values.base_url.source"),
    (
        "a source by mail",
        small().replace("https://docs.example.test/chat", "mailto:a@b.test", 1),
        "values.base_url.source",
    ),
    ("a broken port", small().replace("docs.example.test/", "docs.example.test:99999/", 1), "values.base_url.source"),
    ("a URL without a host", small().replace("docs.example.test/chat", "/x", 1), "values.base_url.source"),
    ("a date only", small().replace("2026-11-20T09:00:00Z", "2026-11-20", 1), "x: values.base_url.accessed"),
    ("no time zone", small().replace("09:00:00Z", "09:00:00", 1), "x: values.base_url.accessed"),
    ("an access time in words", small().replace("2026-11-20T09:00:00Z", "yesterday", 1), "values.base_url.accessed"),
    ("a number as access time", small().replace("2026-11-20T09:00:00Z", "20261120", 1), "values.base_url.accessed"),
    (
        "an access time before the calendar",
        small().replace("2026-11-20T09:00:00Z", '"0001-01-01T00:00:00+14:00"', 1),
        "values.base_url.accessed",
    ),
    ("an access time that does not exist", small().replace("2026-11-20", "2026-99-99", 1), "does not exist"),
    ("a base URL of another scheme", small().replace("https://api", "ftp://api"), "x: values.base_url.value"),
    (
        "a base URL with a query",
        small().replace("https://api.example.test/v1", '"https://api.example.test/v1?a=b"'),
        "x: values.base_url.value",
    ),
    ("a base URL with a password", small().replace("//api.", f"//u:{FAKE_KEY}@api."), "x: values.base_url.value"),
    ("a base URL that is a number", small().replace("https://api.example.test/v1", "4"), "values.base_url.value"),
    ("a relative path", small().replace("/chat/completions", "chat"), "x: values.chat_path.value"),
    ("a path with a blank", small().replace("/chat/completions", "/chat completions"), "x: values.chat_path.value"),
    (
        "a key as format",
        small(auth=f'{{header: Authorization, format: "Bearer {FAKE_KEY}"}}'),
        "values.auth.value.format",
    ),
    ("two keys", small(auth='{header: A, format: "{key}{key}"}'), "x: values.auth.value.format"),
    ("a line end in the format", small(auth='{header: A, format: "{key}\\n"}'), "x: values.auth.value.format"),
    ("a header with a blank", small(auth='{header: "A b", format: "{key}"}'), "x: values.auth.value.header"),
    ("auth as text", small(auth=FAKE_KEY), "x: values.auth.value"),
    ("no format", small(auth="{header: Authorization}"), "x: values.auth.value.format"),
    ("no {id}", edited("request id: {id}", "request id"), "x: values.request_id.value.text"),
    ("two {id}", edited("request id: {id}", "{id}{id}"), "x: values.request_id.value.text"),
    ("no place for an ID", small(values=f"  request_id: {{value: {{}}, {SOURCED}}}"), "x: values.request_id.value"),
    ("headers as text", edited("[x-example-request-id]", "x-id"), "x: values.request_id.value.headers"),
    ("a header that is a number", edited("[x-example-request-id]", "[1]"), "x: values.request_id.value.headers"),
    ("a catalogue without ids", edited(', ids: "data[].id"', ""), "x: values.catalogue.value.ids"),
    ("an unknown type", edited("{type: object, required: [model, messages]}", "{type: objekt}"), "x: request.schema"),
    ("a schema as text", edited("{type: object, required: [model, messages]}", "object"), "x: request.schema"),
    ("a bad pattern", edited("{type: object, required: [model, messages]}", '{pattern: "("}'), "x: request.schema"),
    (
        "a pattern that is not linear",
        edited("{type: object, required: [model, messages]}", '{properties: {model: {pattern: "^(a+)+(?=b)"}}}'),
        "x: request.schema: expected a JSON Schema 2020-12, found a fault at properties/model/pattern",
    ),
    (
        "a remote reference",
        edited("{type: object, required: [model, messages]}", '{$ref: "http://127.0.0.1:9/schema"}'),
        "x: request.schema: expected a JSON Schema 2020-12, found a reference that leaves the file",
    ),
    (
        "a reference to a file",
        edited("{type: object, required: [model, messages]}", '{$ref: "file:///etc/hostname"}'),
        "found a reference that leaves the file",
    ),
    (
        "a reference to nowhere",
        edited("{type: object, required: [model, messages]}", '{$ref: "#/$defs/none"}'),
        "found a reference that leaves the file or ends nowhere",
    ),
    (
        "a date in a schema",
        edited("{type: object, required: [model", "{const: 2026-01-01, required: [model"),
        "request.schema.const",
    ),
    (
        "a number as key",
        edited("{type: object, required: [model", "{properties: {1: {}}, required: [model"),
        "schema.properties",
    ),
    ("a fault in a list", edited("required: [model, messages]", "enum: [2026-01-01]"), "x: request.schema.enum[0]"),
    ("a terminal in a response", edited("response:\n", 'response:\n  terminal: "[DONE]"\n'), "x: response.terminal"),
    ("a response as text", small(rest="response: json"), "x: response"),
    ("limits as text", edited("limits: []", "limits: none"), "x: limits"),
    ("a limit without a source", edited("limits: []", "limits: [{value: 5/s}]"), "x: limits[0].source"),
    ("a route without a source", small(rest="routes: {support: {value: https://x.test}}"), "x: routes.support.source"),
    ("a route in words", small(rest=f"routes: {{support: {{value: ask Bob, {SOURCED}}}}}"), "x: routes.support.value"),
    ("routes as a list", small(rest="routes: [support]"), "x: routes"),
    ("a route name", small(rest="routes: {Help Center: {}}"), "x: routes"),
    (
        "a number as statuses",
        small(rest=f"error: {{{SOURCED}, statuses: {{value: 4, {SOURCED}}}}}"),
        "error.statuses.value",
    ),
    (
        "a status without words",
        small(rest=f"error: {{{SOURCED}, statuses: {{value: {{429: }}, {SOURCED}}}}}"),
        "value.429",
    ),
    ("errors without a source", small(rest="error: {}"), "x: error.source"),
    ("verified by whom", small().replace("accessed:", "verified: me, accessed:", 1), "x: values.base_url.verified"),
    ("an empty file", "", "x: expected a mapping, found nothing"),
    ("a list", "[]", "x: expected a mapping, found a list"),
    ("no YAML", "provider: [", "x: expected a YAML file"),
    ("a control character", "provider: \x00", "x: expected a YAML file"),
    ("two documents", "a: 1\n---\nb: 1", "x: expected a YAML file"),
    ("a Python object", "!!python/object/apply:os.system [id]", "x: expected a YAML file"),
    (
        "an anchor",
        edited("provider: example-gateway", "provider: &p example-gateway"),
        "anchors and aliases are not read",
    ),
    ("an alias", "provider: *p", "anchors and aliases are not read"),
    ("a list as key", "? [a]\n: 1", "a key must be plain text (line 1)"),
]


@pytest.mark.parametrize(("text", "named"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_contract_is_refused_by_the_name_of_its_field(text: str, named: str) -> None:
    with pytest.raises(ContractError) as refused:
        contract.parse(text, "x")
    assert named in str(refused.value)
    assert (
        str(refused.value) == f"{refused.value.place}: expected {refused.value.expected}, found {refused.value.found}"
    )
    assert FAKE_KEY not in str(refused.value)


def test_a_yaml_bomb_is_refused_at_once() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    began = time.perf_counter()
    with pytest.raises(ContractError, match="anchors and aliases are not read"):
        contract.parse(bomb, "x")
    assert time.perf_counter() - began < 1


def test_a_large_file_is_refused_before_it_is_read() -> None:
    with pytest.raises(ContractError, match="larger than 256 KiB"):
        contract.parse("x" * (1 << 20), "x")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(YamlError, match="nested too deeply"):
        contract.read_yaml("[" * 5000)


def test_an_access_time_with_an_offset_is_kept_as_utc() -> None:
    known = contract.parse(small().replace("2026-11-20T09:00:00Z", '"2026-11-20T10:00:00+01:00"'), "x")
    assert known.base_url.source.accessed == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert known.base_url.source.accessed.tzinfo is UTC


def test_a_value_read_from_the_live_page_says_so() -> None:
    known = contract.parse(small().replace("accessed:", "verified: live, accessed:", 1), "x")
    assert known.base_url.source.verified_live is True
    assert known.chat_path.source.verified_live is False


def test_statuses_and_retry_guidance_are_sourced_areas_of_their_own() -> None:
    statuses = f"statuses: {{value: {{429: wait, 503: try again}}, {SOURCED}}}"
    retry = f"retry: {{value: back off, {SOURCED}}}"
    known = contract.parse(small(rest=f"error: {{{SOURCED}, {statuses}, {retry}}}"), "x")
    assert known.error_statuses is not None
    assert known.error_statuses.value == {"429": "wait", "503": "try again"}
    assert known.error_retry is not None
    assert known.error_retry.value == "back off"
    table = {area.area: area.value for area in contract.areas(known)}
    assert table["Error behavior (statuses)"] == "429: wait; 503: try again"
    assert table["Error behavior (retry guidance)"] == "back off"


def test_a_limit_and_a_further_route_are_shown_with_their_source() -> None:
    rest = f"limits: [{{value: 5 a second, {SOURCED}}}]\nroutes: {{forum: {{value: https://x.test, {SOURCED}}}}}"
    table = {area.area: area for area in contract.areas(contract.parse(small(rest=rest), "x"))}
    assert table["Rate-limit or billing assumptions"].value == "5 a second"
    assert table["Rate-limit or billing assumptions"].source == "https://docs.example.test/chat"
    assert table["Escalation route (forum)"].value == "https://x.test"
    assert table["Escalation route (support)"].value == contract.NOT_DOCUMENTED


def test_the_table_says_not_documented_where_the_documents_say_nothing() -> None:
    areas = contract.areas(contract.parse(small(), "x"))
    silent = [area for area in areas if area.value == contract.NOT_DOCUMENTED]
    assert [area.area for area in silent] == [
        "Response fields",
        "Response fields (stream)",
        "Error behavior",
        "Error behavior (statuses)",
        "Error behavior (retry guidance)",
        "Rate-limit or billing assumptions",
        "Model catalogue",
        "Request ID",
        "Escalation route (help center)",
        "Escalation route (support)",
    ]
    assert all(area.source is None and area.accessed is None for area in silent)


def test_the_table_shows_values_with_where_they_were_read() -> None:
    table = {area.area: area for area in contract.areas(contract.parse(EXAMPLE, "x"))}
    assert table["Endpoint paths"].value == "POST /chat/completions"
    assert table["Endpoint paths"].section == "Create a chat completion"
    assert table["Auth headers"].value == "Authorization: Bearer <REDACTED>"
    assert table["Request fields"].value == "model (required), messages (required)"
    assert table["Response fields (stream)"].value == "choices (required); ends with [DONE]"
    assert table["Request ID"].value == "header x-example-request-id, text “request id: {id}”"
    without_schema = {area.area: area.value for area in contract.areas(contract.parse(small(), "x"))}
    assert without_schema["Request fields"] == "fields not listed"


def test_an_id_may_stand_in_headers_only() -> None:
    known = contract.parse(small(values=f"  request_id: {{value: {{headers: [X-Id]}}, {SOURCED}}}"), "x")
    assert {area.area: area.value for area in contract.areas(known)}["Request ID"] == "header x-id"


def test_every_stated_address_is_trusted_and_nothing_else() -> None:
    assert set(contract.parse(EXAMPLE, "x").trusted) == {
        "http://127.0.0.1:18080/v1",
        "http://127.0.0.1:18080/v1/chat/completions",
        "http://127.0.0.1:18080/api/models",
        "http://127.0.0.1:18080/docs/help.md",
        "mailto:support@example.test",
        "http://127.0.0.1:18080/docs/chat.md",
        "http://127.0.0.1:18080/docs/models.md",
        "http://127.0.0.1:18080/docs/errors.md",
    }


def test_the_shipped_cometapi_contract_is_whole_and_honest_about_its_copies() -> None:
    known = shipped("cometapi")
    assert known.chat_url == "https://api.cometapi.com/v1/chat/completions"
    assert contract.placeholders(known) == ()
    assert known.limits == ()
    assert not any(statement.source.verified_live for statement in known.statements)
    read_on = {statement.source.accessed.date().isoformat() for statement in known.statements}
    assert read_on == {"2026-11-23", "2026-11-24"}
    assert {"model", "messages", "stream", "max_tokens"} <= contract.documented_fields(known.request)


def test_the_documentation_page_is_not_mistaken_for_the_endpoint() -> None:
    """/api/text/chat on the documentation host is a page; older articles pass it on as the API's path."""
    assert "/api/text/chat" not in shipped("cometapi").chat_url


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ("response", {"choices": [{"message": {"role": "assistant", "content": "pong"}}]}),
        ("response", {"choices": [{"message": {"content": None}}], "usage": None, "obfuscation": "x"}),
        ("stream_chunk", {"choices": [], "usage": {"total_tokens": 3}, "object": "chat.completion.chunk"}),
        ("error", {"error": {"message": "m", "type": "comet_api_error", "param": "", "code": ""}}),
        ("error", {"error": {"message": "m", "type": "comet_api_error"}, "extra": 1}),
    ],
)
def test_the_shipped_shapes_are_lenient_to_extra_fields(part: str, body: object) -> None:
    shape = getattr(shipped("cometapi"), part)
    assert contract.validator(shape.schema).is_valid(body)


@pytest.mark.parametrize(
    ("part", "body"),
    [("response", {}), ("response", {"choices": []}), ("error", {"error": "m"}), ("error", {"error": {"message": 1}})],
)
def test_the_shipped_shapes_notice_what_is_missing(part: str, body: object) -> None:
    assert not contract.validator(getattr(shipped("cometapi"), part).schema).is_valid(body)


def test_the_template_names_every_field_that_is_still_open() -> None:
    open_fields = contract.placeholders(shipped("openai-compatible"))
    for place in ("values.base_url", "values.chat_path", "values.auth", "routes.support"):
        assert {f"{place}.value", f"{place}.source", f"{place}.accessed"} <= set(open_fields)
    assert "provider" in open_fields
    assert "request.source" in open_fields


def test_a_template_filled_in_but_for_its_access_time_is_still_open() -> None:
    known = contract.parse(small().replace("2026-11-20T09:00:00Z", "1970-01-01T00:00:00Z", 1), "x")
    assert contract.placeholders(known) == ("values.base_url.accessed",)


def test_a_placeholder_in_a_free_text_is_found_and_a_comparison_is_not() -> None:
    rest = f"limits: [{{value: below <LIMIT_FROM_DOCS>, {SOURCED}}}, {{value: 'a < b > c', {SOURCED}}}]"
    assert contract.placeholders(contract.parse(small(rest=rest), "x")) == ("limits[0].value",)


def test_a_placeholder_may_stand_as_terminal() -> None:
    rest = f"stream_chunk: {{{SOURCED}, terminal: <END_FROM_DOCS>}}"
    assert contract.placeholders(contract.parse(small(rest=rest), "x")) == ("stream_chunk.terminal",)
