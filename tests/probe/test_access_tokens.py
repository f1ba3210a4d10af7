"""The access token for a provider's own log: where it may be configured, and what the contract must document for it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.keyring import Keyring
from probe import contract, settings
from probe.contract import ContractError, GatewayLog, TimeField
from probe.settings import ConfigError, ConfigErrors, Loaded
from probe.watch import TokenUnavailable
from tests.servers.gateway_log import documented

EXAMPLE = Path(__file__).parents[1] / "examples" / "contract.yaml"
SHIPPED = Path(contract.__file__).parents[1] / "contracts"
KEY, TOKEN = "fake-api-key-0123456789", "fake-access-token-0123456789"
URL = "http://127.0.0.1:18080/api/log/self?p=1&page_size=100"
ENVIRON = {"EXAMPLE_KEY": KEY, "EXAMPLE_TOKEN": TOKEN}


def stated(**changes: Any) -> dict[str, Any]:
    """The example contract with a documented log."""
    document: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    value = {key: part for key, part in (documented(URL) | changes).items() if part is not None}
    source = {"source": "http://127.0.0.1:18080/docs/log.md", "accessed": "2026-11-20T09:00:00Z"}
    document["values"]["gateway_log"] = {"value": value} | source
    return document


def parsed(**changes: Any) -> GatewayLog:
    known = contract.parse(json.dumps(stated(**changes), default=str), "example").gateway_log
    assert known is not None
    return known.value


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Loaded]:
    def write_and_load(gateway_log: Any = None, *, document: dict[str, Any] | None = None, **environ: str) -> Loaded:
        (tmp_path / "contract.yaml").write_text(json.dumps(stated() if document is None else document, default=str))
        content = {
            "contract": "./contract.yaml",
            "credentials": {"team-a": {"env": "EXAMPLE_KEY"} | ({"gateway_log": gateway_log} if gateway_log else {})},
            "targets": [{"name": "small", "model": "example-small", "credential": "team-a"}],
        }
        (tmp_path / "freezeframe.yaml").write_text(json.dumps(content))
        return settings.load(tmp_path / "freezeframe.yaml", ENVIRON | environ)

    return write_and_load


def complaints(load: Callable[[], Loaded]) -> str:
    with pytest.raises((ConfigError, ConfigErrors)) as refused:
        load()
    assert KEY not in str(refused.value)
    assert TOKEN not in str(refused.value)
    return str(refused.value)


# ---------------------------------------------------------------- the contract


def test_a_documented_log_says_where_its_rows_and_fields_are() -> None:
    known = parsed()
    assert (known.url, known.rows, known.auth.format) == (URL, ("data", "data.items"), "Bearer {key}")
    assert known.total == (TimeField("other.total_ms", "ms"), TimeField("use_time", "s"))
    assert known.types == {"2": "consume", "5": "error"}
    assert known.fields["model"] == "model_name"
    least = parsed(total=None, first_response=None, types=None, fields={"request_id": "request_id"})
    assert (least.total, least.first_response, least.types) == ((), (), {})


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"url": "ftp://x.example.test"}, "gateway_log.value.url: expected an http(s) URL"),
        ({"auth": {"header": "Authorization", "format": "Bearer"}}, "auth.format: expected a format that holds {key}"),
        ({"rows": []}, "gateway_log.value.rows: expected a list"),
        ({"rows": ["data[].x"]}, "gateway_log.value.rows[0]: expected a path such as data.items"),
        ({"fields": {"model": "model_name"}}, "gateway_log.value.fields.request_id: expected a value, found nothing"),
        ({"fields": {"request_id": "a", "username": "b"}}, "fields.username: expected a known key"),
        ({"fields": {"request_id": "a b"}}, "fields.request_id: expected a path"),
        ({"total": [{"field": "x", "unit": "min"}]}, "total[0].unit: expected s or ms, found text"),
        ({"total": [{"field": "x"}]}, "total[0].unit: expected a value"),
        ({"types": {"2": "two words"}}, "types.2: expected a word such as consume"),
        ({"types": []}, "types: expected a mapping of number to word"),
        ({"extra": 1}, "gateway_log.value.extra: expected a known key"),
    ],
)
def test_what_is_not_in_that_form_is_named(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(ContractError) as refused:
        parsed(**changes)
    assert where in str(refused.value)


def test_a_catalogue_path_of_another_form_is_refused() -> None:
    document = stated()
    document["values"]["catalogue"]["value"]["ids"] = "$.data[*].id"
    with pytest.raises(ContractError, match=r"catalogue.value.ids: expected a path such as data\[\].id, with one list"):
        contract.parse(json.dumps(document, default=str), "example")


def test_the_shipped_contract_states_the_log_of_its_own_command_line_and_the_template_none() -> None:
    known = contract.parse((SHIPPED / "cometapi.yaml").read_text(), "cometapi").gateway_log
    assert known is not None
    assert known.value.url == "https://api.cometapi.com/api/log/self?p=1&page_size=100"
    assert "read in the package cometapi-cli 0.3.10" in (known.source.section or "")
    assert not {"username", "user_id", "ip", "token_name", "content", "quota"} & set(known.value.fields.values())
    assert "gateway_log" not in (SHIPPED / "openai-compatible.yaml").read_text()


def test_the_table_of_a_contract_and_its_trusted_addresses_name_the_log() -> None:
    known = contract.parse(json.dumps(stated(), default=str), "example")
    assert [row.value for row in contract.areas(known) if row.area == "Gateway log"] == [f"GET {URL}"]
    assert URL in known.trusted
    assert next(it.texts[0] for it in known.statements if it.place == "values.gateway_log") == URL


# ---------------------------------------------------------------- the setting


def test_the_token_is_a_secret_of_its_own(load: Callable[..., Loaded]) -> None:
    loaded = load({"env": "EXAMPLE_TOKEN"})
    assert [secret.get_secret_value() for secret in loaded.secrets()] == [KEY, TOKEN]
    shown = {key: (value, origin) for key, value, origin in settings.effective(loaded)}
    assert shown["credentials.team-a.gateway_log.env"] == ("EXAMPLE_TOKEN", "freezeframe.yaml")
    assert shown["credentials.team-a.gateway_log.value"] == ("<secret>", "freezeframe.yaml")
    assert TOKEN not in str(shown)
    assert load().gateway_logs == {}


def test_the_environment_sets_it_too(load: Callable[..., Loaded]) -> None:
    assert load(FREEZEFRAME_CREDENTIALS__OTHER__ENV="EXAMPLE_KEY").gateway_logs == {}
    variable = "FREEZEFRAME_CREDENTIALS__OTHER__GATEWAY_LOG__ENV"
    loaded = load(**{"FREEZEFRAME_CREDENTIALS__OTHER__ENV": "EXAMPLE_KEY", variable: "EXAMPLE_TOKEN"})
    assert loaded.gateway_logs.keys() == {"other"}
    assert loaded.origins["credentials.other.gateway_log.env"] == f"environment {variable}"


def test_a_variable_that_it_names_may_have_our_prefix(load: Callable[..., Loaded]) -> None:
    assert load({"env": "FREEZEFRAME_LOG_TOKEN"}, FREEZEFRAME_LOG_TOKEN=TOKEN).gateway_logs.keys() == {"team-a"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"env": "UNSET_TOKEN"}, "credentials.team-a.gateway_log.env: expected the environment variable UNSET_TOKEN"),
        ({"file": "./none"}, "credentials.team-a.gateway_log.file: expected a file that can be read"),
        (
            {"env": "EXAMPLE_KEY"},
            "credentials.team-a.gateway_log: expected an access token of its own, found the API key",
        ),
        (TOKEN, "credentials.team-a.gateway_log: expected {env: NAME} or {file: path}"),
        (
            {"token": TOKEN},
            "credentials.team-a.gateway_log: expected {env: NAME} or {file: path}, found an unknown key",
        ),
    ],
)
def test_a_mistake_is_named_and_no_secret_is_repeated(given: Any, said: str, load: Callable[..., Loaded]) -> None:
    assert said in complaints(lambda: load(given))


def test_a_token_for_a_log_that_the_contract_does_not_document_is_a_mistake(load: Callable[..., Loaded]) -> None:
    without = yaml.safe_load(EXAMPLE.read_text())
    said = complaints(lambda: load({"env": "EXAMPLE_TOKEN"}, document=without))
    assert "credentials.team-a.gateway_log: expected a contract that documents a gateway log" in said
    assert "found nothing of it in contract contract" in said


def test_the_schema_of_the_file_knows_it() -> None:
    assert "gateway_log" in settings.schema()["$defs"]["CredentialSettings"]["properties"]


def test_it_is_read_again_at_each_use_and_known_to_the_redactor_from_then_on(
    load: Callable[..., Loaded], tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    keyring = Keyring(load({"file": "./token"}))
    assert keyring.gateway_log_token("nobody") is None
    known = keyring.gateway_log_token("team-a")
    assert known is not None
    assert known.get_secret_value() == TOKEN
    (tmp_path / "token").write_text("fake-rotated-token-987")
    rotated = keyring.gateway_log_token("team-a")
    assert rotated is not None
    assert "fake-rotated-token-987" not in keyring.redactor().seal_text("x fake-rotated-token-987 y", "t").value
    assert {secret.get_secret_value() for secret in keyring.secrets()} == {KEY, TOKEN, "fake-rotated-token-987"}
    (tmp_path / "token").unlink()
    with pytest.raises(TokenUnavailable, match=r"credentials.team-a.gateway_log.file"):
        keyring.gateway_log_token("team-a")
