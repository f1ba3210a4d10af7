"""The configuration: what loads, where each value came from, and what each mistake is told."""

import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from probe import settings
from probe.records import FreezePolicy
from probe.settings import ConfigError, ConfigErrors, Loaded
from probe.settings.kinds import PositiveDuration, duration_text

EXAMPLES = Path(__file__).parents[1] / "examples"
KEY = "sk-FAKE-000-do-not-use"
PLANTED = "sk-FAKE-111-planted-by-mistake"  # a secret in a place where none belongs
ENVIRON = {"EXAMPLE_KEY": KEY}


def document(**changes: Any) -> dict[str, Any]:
    """A small configuration that holds, with keys replaced."""
    return {
        "contract": str(EXAMPLES / "contract.yaml"),
        "credentials": {"team-a": {"env": "EXAMPLE_KEY"}},
        "targets": [target()],
    } | changes


def target(**changes: Any) -> dict[str, Any]:
    return {"name": "small", "model": "example-small", "credential": "team-a"} | changes


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Loaded]:
    """Writes a configuration and loads it."""

    def write_and_load(
        content: dict[str, Any] | str, environ: Mapping[str, str] = ENVIRON, overrides: Mapping[str, str] | None = None
    ) -> Loaded:
        path = tmp_path / "freezeframe.yaml"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return settings.load(path, environ, overrides)

    return write_and_load


# ---------------------------------------------------------------- what loads


def test_the_example_loads_as_it_stands() -> None:
    loaded = settings.load(EXAMPLES / "freezeframe.yaml", ENVIRON)
    small, stream = loaded.targets
    assert (small.name, small.model, small.stream, small.credential) == ("small", "example-small", False, "team-a")
    assert (small.cadence_s, small.timeout_s, small.slow_s, small.reuse_connection) == (1.0, 0.9, 0.7, False)
    assert small.freeze == FreezePolicy(3, 5, 3, 1.0, 0, 1.0)
    assert (stream.name, stream.stream, dict(stream.labels)) == (
        "small-stream",
        True,
        {"region": "eu", "service": "checkout"},
    )
    assert small.contract is stream.contract is loaded.contracts["contract"]
    assert loaded.settings.server.listen == "127.0.0.1:19464"
    assert loaded.settings.escalation.owner == "llm-platform on-call"
    assert loaded.base == EXAMPLES.resolve()
    assert loaded.path("./packets") == EXAMPLES.resolve() / "packets"
    assert loaded.token is None
    assert loaded.credentials["team-a"].read().get_secret_value() == KEY


def test_everything_but_credentials_and_targets_has_the_documented_default(load: Callable[..., Loaded]) -> None:
    loaded = load(document())
    shown = {key: value for key, value, origin in settings.effective(loaded) if origin == "default"}
    documented = {
        "defaults.cadence": "30s",
        "defaults.timeout": "25s",
        "defaults.slow": "10s",
        "defaults.connection": "fresh",
        "defaults.freeze.failures": "3",
        "defaults.freeze.window": "5",
        "defaults.freeze.recover": "3",
        "defaults.freeze.reopen": "30m",
        "defaults.freeze.confirm.attempts": "2",
        "defaults.freeze.confirm.backoff": "2s",
        "defaults.request": "{}",
        "network.proxy": "null",
        "network.ca_file": "null",
        "redaction.request_ids": "keep",
        "redaction.egress_ip": "drop",
        "budget.probes_per_day": "20000",
        "budget.tokens_per_day": "1000000",
        "state": "./state",
        "store": "./packets",
        "retention.history": "7d",
        "retention.packets": "400d",
        "server.listen": "127.0.0.1:9464",
        "server.token": "null",
        "server.external_url": "null",
        "prometheus.url": "null",
        "log.level": "info",
        "log.format": "console",
    }
    assert documented.items() <= shown.items()
    assert shown["targets[0].cadence"] == "30s"


def test_a_target_overrides_a_part_of_a_default_and_keeps_the_rest(load: Callable[..., Loaded]) -> None:
    defaults = {"cadence": "1m", "freeze": {"failures": 2, "window": 4}}
    mine = target(timeout="5s", connection="reuse", freeze={"window": 9, "confirm": {"attempts": 0}})
    loaded = load(document(defaults=defaults, targets=[mine]))
    (known,) = loaded.targets
    assert (known.cadence_s, known.timeout_s, known.reuse_connection) == (60.0, 5.0, True)
    assert known.freeze == FreezePolicy(2, 9, 3, 1800.0, 0, 2.0)
    assert loaded.origins["targets[0].cadence"] == "freezeframe.yaml (defaults)"
    assert loaded.origins["targets[0].freeze.window"] == "freezeframe.yaml"
    assert loaded.origins["targets[0].freeze.recover"] == "default"


def test_labels_of_defaults_and_of_a_target_stand_together_and_its_own_win(load: Callable[..., Loaded]) -> None:
    loaded = load(
        document(
            defaults={"labels": {"region": "eu", "tier": "1"}},
            targets=[target(), target(name="own", labels={"region": "us", "service": "checkout"})],
        )
    )
    assert [dict(it.labels) for it in loaded.targets] == [
        {"region": "eu", "tier": "1"},
        {"region": "us", "tier": "1", "service": "checkout"},
    ]


def test_a_label_of_every_target_can_come_from_the_environment(load: Callable[..., Loaded]) -> None:
    """As a pod gets it by the downward API; what the file says beside it stays."""
    environ = ENVIRON | {"FREEZEFRAME_DEFAULTS__LABELS__REGION": "eu-1"}
    loaded = load(document(defaults={"labels": {"tier": "1"}}, targets=[target(labels={"service": "chat"})]), environ)
    assert dict(loaded.targets[0].labels) == {"tier": "1", "region": "eu-1", "service": "chat"}
    told = {key: (value, origin) for key, value, origin in settings.effective(loaded)}
    assert told["targets[0].labels.region"] == (
        "eu-1",
        "environment FREEZEFRAME_DEFAULTS__LABELS__REGION (defaults)",
    )


def test_a_target_may_name_a_contract_of_its_own(load: Callable[..., Loaded]) -> None:
    other = target(name="other", contract="cometapi", request={"max_tokens": 16})
    loaded = load(document(targets=[target(), other]))
    assert [known.contract.name for known in loaded.targets] == ["contract", "cometapi"]
    assert set(loaded.contracts) == {"contract", "cometapi"}
    assert loaded.targets[1].request == {"max_tokens": 16}


def test_the_shipped_contract_is_used_where_none_is_named(load: Callable[..., Loaded]) -> None:
    content = document()
    del content["contract"]
    assert load(content).targets[0].contract.name == "cometapi"


def test_the_flag_beats_the_environment_and_the_environment_beats_the_file(load: Callable[..., Loaded]) -> None:
    content = document(server={"listen": "127.0.0.1:1", "external_url": "https://probe.example.test"})
    variable = {"FREEZEFRAME_SERVER__LISTEN": "127.0.0.1:2"}
    assert load(content).settings.server.listen == "127.0.0.1:1"
    by_environment = load(content, ENVIRON | variable)
    assert by_environment.settings.server.listen == "127.0.0.1:2"
    assert by_environment.origins["server.listen"] == "environment FREEZEFRAME_SERVER__LISTEN"
    by_flag = load(content, ENVIRON | variable, {"server.listen": "127.0.0.1:3"})
    assert by_flag.settings.server.listen == "127.0.0.1:3"
    assert by_flag.origins["server.listen"] == "--listen"
    assert by_flag.origins["server.external_url"] == "freezeframe.yaml"


@pytest.mark.parametrize(
    ("name", "value", "key", "shown"),
    [
        ("FREEZEFRAME_DEFAULTS__FREEZE__WINDOW", "7", "defaults.freeze.window", "7"),
        ("FREEZEFRAME_DEFAULTS__CADENCE", "2m", "targets[0].cadence", "2m"),
        ("FREEZEFRAME_BUDGET__PROBES_PER_DAY", "12", "budget.probes_per_day", "12"),
        ("FREEZEFRAME_LOG", '{"level": "debug"}', "log.level", "debug"),
        ("FREEZEFRAME_STORE", "s3://bucket/prefix", "store", "s3://bucket/prefix"),
        ("FREEZEFRAME_CREDENTIALS__B__ENV", "EXAMPLE_KEY", "credentials.b.env", "EXAMPLE_KEY"),
        ("FREEZEFRAME_DEFAULTS__REQUEST", "{}", "defaults.request", "{}"),
        ("FREEZEFRAME_SERVER__EXTERNAL_URL", "null", "server.external_url", "null"),
        (
            "FREEZEFRAME_TARGETS",
            '[{"name": "env", "model": "m", "credential": "team-a", "stream": true}]',
            "targets[0].name",
            "env",
        ),
    ],
)
def test_every_key_can_be_set_by_a_variable(
    name: str, value: str, key: str, shown: str, load: Callable[..., Loaded]
) -> None:
    loaded = load(document(server={"external_url": "https://probe.example.test"}), ENVIRON | {name: value})
    rows = {row[0]: row[1:] for row in settings.effective(loaded)}
    assert rows[key][0] == shown
    assert rows[key][1].startswith(f"environment {name}")


def test_a_list_from_the_environment_replaces_the_file_s(load: Callable[..., Loaded]) -> None:
    environ = ENVIRON | {"FREEZEFRAME_TARGETS": json.dumps([target(name="env")])}
    loaded = load(document(targets=[target(cadence="2m"), target(name="gone")]), environ)
    assert [known.name for known in loaded.targets] == ["env"]
    assert loaded.origins["targets[0].cadence"] == "default"


def test_a_credential_may_be_named_with_our_own_prefix(load: Callable[..., Loaded]) -> None:
    content = document(
        credentials={"team-a": {"env": "FREEZEFRAME_KEY"}}, server={"token": {"env": "FREEZEFRAME_TOKEN"}}
    )
    loaded = load(content, {"FREEZEFRAME_KEY": KEY, "FREEZEFRAME_TOKEN": KEY})
    assert loaded.credentials["team-a"].read().get_secret_value() == KEY
    named_by_variable = {"FREEZEFRAME_SERVER__TOKEN__ENV": "FREEZEFRAME_TOKEN", "FREEZEFRAME_TOKEN": KEY}
    assert load(document(), ENVIRON | named_by_variable).token is not None


def test_a_listener_for_everyone_is_fine_with_a_token(load: Callable[..., Loaded]) -> None:
    loaded = load(document(server={"listen": "0.0.0.0:9464", "token": {"env": "EXAMPLE_KEY"}}))
    assert loaded.token is not None
    assert loaded.token.read().get_secret_value() == KEY


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.9.9.9:1", "localhost:9464", "[::1]:9464"])
def test_a_loopback_listener_needs_no_token(listen: str, load: Callable[..., Loaded]) -> None:
    assert load(document(server={"listen": listen})).settings.server.listen == listen


def test_slow_may_be_longer_than_the_timeout(load: Callable[..., Loaded]) -> None:
    assert load(document(defaults={"slow": "2m"})).targets[0].slow_s == 120.0


def test_request_fields_that_the_contract_documents_are_sent(load: Callable[..., Loaded]) -> None:
    content = document(contract="cometapi", defaults={"request": {"max_tokens": 16, "temperature": 0}})
    assert load(content).targets[0].request == {"max_tokens": 16, "temperature": 0}


# ---------------------------------------------------------------- credentials


def test_a_credential_file_is_read_anew_each_time_without_its_line_end(
    tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    credential = load(document(credentials={"team-a": {"file": "key"}})).credentials["team-a"]
    assert credential.read().get_secret_value() == KEY
    file.write_text("sk-FAKE-222-rotated\r\n")
    assert credential.read().get_secret_value() == "sk-FAKE-222-rotated"
    file.unlink()
    with pytest.raises(ConfigError, match=r"credentials\.team-a\.file: expected a file that can be read"):
        credential.read()


def test_every_configured_secret_is_known_for_redaction(tmp_path: Path, load: Callable[..., Loaded]) -> None:
    (tmp_path / "token").write_text("token-FAKE-333")
    content = document(
        server={"token": {"file": "token"}}, network={"proxy": "http://me:p%40ssword-FAKE@proxy.example.test:3128"}
    )
    secrets = [secret.get_secret_value() for secret in load(content).secrets()]
    assert secrets == [KEY, "token-FAKE-333", "me:p%40ssword-FAKE", "me:p@ssword-FAKE", "p@ssword-FAKE"]


def test_a_short_proxy_password_is_known_only_together_with_its_user(load: Callable[..., Loaded]) -> None:
    loaded = load(document(network={"proxy": "http://me:pw@proxy.example.test"}))
    assert [secret.get_secret_value() for secret in loaded.secrets()] == [KEY, "me:pw"]
    assert [s.get_secret_value() for s in load(document(network={"proxy": "http://proxy.example.test"})).secrets()] == [
        KEY
    ]


def test_no_secret_is_shown(tmp_path: Path, load: Callable[..., Loaded]) -> None:
    loaded = load(
        document(server={"token": {"env": "TOKEN"}}, network={"proxy": f"http://me:{PLANTED}@proxy.example.test"}),
        ENVIRON | {"TOKEN": "token-FAKE-333"},
    )
    rows = {row[0]: row[1:] for row in settings.effective(loaded)}
    assert rows["credentials.team-a.value"] == ("<secret>", "freezeframe.yaml")
    assert rows["credentials.team-a.env"] == ("EXAMPLE_KEY", "freezeframe.yaml")
    assert rows["server.token.value"] == ("<secret>", "freezeframe.yaml")
    assert rows["network.proxy"] == ("<secret>", "freezeframe.yaml")
    for text in (repr(rows), repr(loaded), repr(loaded.secrets()), repr(loaded.settings), str(loaded.settings)):
        assert not any(secret in text for secret in (KEY, PLANTED, "token-FAKE-333"))


# ---------------------------------------------------------------- what is refused

REQUEST = (
    "credentials: {{a: {{env: EXAMPLE_KEY}}}}\ntargets: [{{name: a, model: m, credential: a, request: {{n: {}}}}}]"
)

# (what is wrong, the configuration, the start of the line that must be said, the environment)
WRONG: list[tuple[str, dict[str, Any] | str, str, dict[str, str]]] = [
    ("an unknown key", document(tragets=[]), "tragets: expected a known key (did you mean targets?), found", {}),
    (
        "an unknown key inside",
        document(server={"lisen": PLANTED}),
        "server.lisen: expected a known key (did you mean listen?)",
        {},
    ),
    ("an unknown key of a target", document(targets=[target(key=PLANTED)]), "targets[0].key: expected a known key", {}),
    (
        "an unknown key of freeze",
        document(defaults={"freeze": {"windw": 5}}),
        "defaults.freeze.windw: expected a known",
        {},
    ),
    ("an upper-case key", document(Targets=[]), "Targets: expected a known key", {}),
    (
        "a literal credential",
        document(credentials={"team-a": PLANTED}),
        "credentials.team-a: expected {env: NAME} or {file: path}, found a literal",
        {},
    ),
    (
        "a number as credential",
        document(credentials={"team-a": 1234567890}),
        "credentials.team-a: expected {env: NAME}",
        {},
    ),
    (
        "a credential of another form",
        document(credentials={"team-a": {"key": PLANTED}}),
        "credentials.team-a: expected {env: NAME}",
        {},
    ),
    (
        "a key as key of a credential",
        document(credentials={"team-a": {PLANTED: None}}),
        "credentials.team-a: expected {env: NAME}",
        {},
    ),
    (
        "both env and file",
        document(credentials={"team-a": {"env": "A", "file": "b"}}),
        "credentials.team-a: expected {env",
        {},
    ),
    ("neither env nor file", document(credentials={"team-a": {}}), "credentials.team-a: expected {env", {}),
    (
        "a key as variable name",
        document(credentials={"team-a": {"env": PLANTED}}),
        "credentials.team-a.env: expected the name",
        {},
    ),
    (
        "a lower-case variable",
        document(credentials={"team-a": {"env": "sk_fake_planted"}}),
        "credentials.team-a.env: expected the environment variable that it names",
        {},
    ),
    (
        "a variable that is not set",
        document(credentials={"team-a": {"env": "NO_SUCH"}}),
        "credentials.team-a.env: expected the environment variable NO_SUCH to be set",
        {},
    ),
    (
        "an empty variable",
        document(),
        "credentials.team-a.env: expected a secret, found an empty one",
        {"EXAMPLE_KEY": "\n"},
    ),
    ("a short key", document(), "credentials.team-a.env: expected a secret of at least 8", {"EXAMPLE_KEY": "sk-1"}),
    (
        "a key with a line end",
        document(),
        "credentials.team-a.env: expected a secret of printable ASCII",
        {"EXAMPLE_KEY": f"{PLANTED}\n{PLANTED}"},
    ),
    (
        "a key with other letters",
        document(),
        "credentials.team-a.env: expected a secret of printable ASCII",
        {"EXAMPLE_KEY": f"{PLANTED}ü"},
    ),
    (
        "a missing credential file",
        document(credentials={"team-a": {"file": "nowhere"}}),
        "credentials.team-a.file: expected a file that can be read",
        {},
    ),
    (
        "a literal token",
        document(server={"token": PLANTED}),
        "server.token: expected {env: NAME} or {file: path}, found a literal",
        {},
    ),
    (
        "a key as key of the token",
        document(server={"token": {PLANTED: None}}),
        "server.token: expected {env: NAME}",
        {},
    ),
    (
        "a literal token by variable",
        document(),
        "server.token: expected {env: NAME} or {file: path}, found a literal (environment FREEZEFRAME_SERVER__TOKEN)",
        {"FREEZEFRAME_SERVER__TOKEN": PLANTED},
    ),
    (
        "a token that is not set",
        document(server={"token": {"env": "NO_SUCH"}}),
        "server.token.env: expected the environment",
        {},
    ),
    ("everyone may connect", document(server={"listen": "0.0.0.0:9464"}), "server.token: expected a token", {}),
    ("everyone may connect, no host", document(server={"listen": ":9464"}), "server.token: expected a token", {}),
    ("everyone may connect, IPv6", document(server={"listen": "[::]:9464"}), "server.token: expected a token", {}),
    ("another host", document(server={"listen": "probe.example.test:9464"}), "server.token: expected a token", {}),
    ("a port alone", document(server={"listen": "9464"}), "server.listen: expected host:port", {}),
    (
        "a port out of range",
        document(server={"listen": "127.0.0.1:70000"}),
        "server.listen: expected host:port such as 127.0.0.1:9464, found '127.0.0.1:70000'",
        {},
    ),
    ("IPv6 without brackets", document(server={"listen": "::1:9464"}), "server.listen: expected host:port", {}),
    ("a broken IPv6", document(server={"listen": "[::g]:9464"}), "server.listen: expected host:port", {}),
    ("a host with a blank", document(server={"listen": "local host:9464"}), "server.listen: expected host:port", {}),
    (
        "an unknown variable",
        document(),
        "environment FREEZEFRAME_SERVR__LISTEN: expected a known variable (did you mean FREEZEFRAME_SERVER?)",
        {"FREEZEFRAME_SERVR__LISTEN": PLANTED},
    ),
    (
        "a service link",
        document(),
        "environment FREEZEFRAME_SERVICE_HOST: expected a known variable",
        {"FREEZEFRAME_SERVICE_HOST": "10.0.0.1"},
    ),
    (
        "an unknown variable inside",
        document(),
        "environment FREEZEFRAME_SERVER__LISEN: expected a known variable (did you mean FREEZEFRAME_SERVER__LISTEN?)",
        {"FREEZEFRAME_SERVER__LISEN": "x"},
    ),
    (
        "a variable below a leaf",
        document(),
        "environment FREEZEFRAME_STATE__DIR: expected a known variable",
        {"FREEZEFRAME_STATE__DIR": "x"},
    ),
    (
        "one element of a list",
        document(),
        "environment FREEZEFRAME_TARGETS__0__NAME: expected a known variable",
        {"FREEZEFRAME_TARGETS__0__NAME": "x"},
    ),
    (
        "a list that is no JSON",
        document(),
        "environment FREEZEFRAME_TARGETS: expected a JSON list",
        {"FREEZEFRAME_TARGETS": PLANTED},
    ),
    (
        "labels that are no JSON",
        document(),
        "environment FREEZEFRAME_DEFAULTS__REQUEST: expected a JSON object",
        {"FREEZEFRAME_DEFAULTS__REQUEST": "[]"},
    ),
    (
        "a bad value by variable",
        document(),
        "defaults.cadence: expected a duration such as 30s, found '30 parsecs' (environment FREEZEFRAME_",
        {"FREEZEFRAME_DEFAULTS__CADENCE": "30 parsecs"},
    ),
    (
        "a bad duration",
        document(targets=[target(), target(name="b", cadence="30 parsecs")]),
        "targets[1].cadence: expected a duration such as 30s, found '30 parsecs'",
        {},
    ),
    (
        "a duration without a unit",
        document(defaults={"cadence": 30}),
        "defaults.cadence: expected a duration such as 30s, found 30",
        {},
    ),
    ("a negative duration", document(defaults={"cadence": "-30s"}), "defaults.cadence: expected a duration", {}),
    (
        "a key as duration",
        document(defaults={"cadence": PLANTED}),
        "defaults.cadence: expected a duration such as 30s, found 30 characters",
        {},
    ),
    (
        "no cadence at all",
        document(defaults={"cadence": "0s"}),
        "defaults.cadence: expected a duration longer than 0s, found",
        {},
    ),
    (
        "a cadence of a month",
        document(defaults={"cadence": "30d"}),
        "defaults.cadence: expected a duration of at most 7d, found '30d'",
        {},
    ),
    (
        "a retention that no calendar holds",
        document(retention={"packets": "999999999d"}),
        "retention.packets: expected a duration of at most 36500d, found '999999999d'",
        {},
    ),
    ("slow at once", document(defaults={"slow": "0s"}), "defaults.slow: expected a duration longer than 0s", {}),
    ("a bad retention", document(retention={"history": "forever"}), "retention.history: expected a duration", {}),
    (
        "a timeout as long as the cadence",
        document(defaults={"timeout": "30s"}),
        "defaults.timeout: expected less than the cadence of 30s, found 30s",
        {},
    ),
    (
        "a target's timeout",
        document(targets=[target(timeout="31s")]),
        "targets[0].timeout: expected less than the cadence of 30s, found 31s",
        {},
    ),
    (
        "a target's cadence",
        document(targets=[target(cadence="20s")]),
        "targets[0].timeout: expected less than the cadence of 20s, found 25s",
        {},
    ),
    (
        "more failures than window",
        document(defaults={"freeze": {"failures": 6}}),
        "defaults.freeze.failures: expected at most the window of 5, found 6",
        {},
    ),
    (
        "more failures than a target's window",
        document(targets=[target(freeze={"window": 2})]),
        "targets[0].freeze.failures: expected at most the window of 2, found 3",
        {},
    ),
    (
        "no failures",
        document(defaults={"freeze": {"failures": 0}}),
        "defaults.freeze.failures: expected at least 1, found 0",
        {},
    ),
    (
        "a window without end",
        document(defaults={"freeze": {"window": 1001}}),
        "defaults.freeze.window: expected at most 1000",
        {},
    ),
    (
        "yes as number",
        document(defaults={"freeze": {"failures": True}}),
        "defaults.freeze.failures: expected a whole number",
        {},
    ),
    (
        "a broken number",
        document(defaults={"freeze": {"failures": 2.5}}),
        "defaults.freeze.failures: expected a whole number, found 2.5",
        {},
    ),
    (
        "a word as number",
        document(budget={"probes_per_day": "many"}),
        "budget.probes_per_day: expected a whole number, found 'many'",
        {},
    ),
    ("freeze as number", document(defaults={"freeze": 3}), "defaults.freeze: expected a mapping, found a number", {}),
    (
        "a word for a switch",
        document(targets=[target(stream="maybe")]),
        "targets[0].stream: expected true or false, found 'maybe'",
        {},
    ),
    (
        "an unknown connection",
        document(defaults={"connection": "pooled"}),
        "defaults.connection: expected 'fresh' or 'reuse', found 'pooled'",
        {},
    ),
    (
        "an unknown handling",
        document(redaction={"request_ids": "show"}),
        "redaction.request_ids: expected 'keep', 'hash' or 'drop', found 'show'",
        {},
    ),
    (
        "an unknown log format",
        document(log={"format": "xml"}),
        "log.format: expected 'console' or 'json', found 'xml'",
        {},
    ),
    ("no targets", document(targets=[]), "targets: expected at least one, found none", {}),
    ("targets left out", {"credentials": {}}, "targets: expected a value, found nothing", {}),
    ("targets as mapping", document(targets={"small": {}}), "targets: expected a list, found a mapping", {}),
    (
        "a target without a model",
        document(targets=[{"name": "a", "credential": "team-a"}]),
        "targets[0].model: expected a value, found nothing",
        {},
    ),
    (
        "a model that is a number",
        document(targets=[target(model=4)]),
        "targets[0].model: expected text, found a number",
        {},
    ),
    ("an empty model", document(targets=[target(model="")]), "targets[0].model: expected text, found empty text", {}),
    (
        "a placeholder as model",
        document(targets=[target(model="<id from the docs>")]),
        "targets[0].model: expected a model ID from the provider's documents, found a placeholder",
        {},
    ),
    (
        "the same name twice",
        document(targets=[target(), target()]),
        "targets[1].name: expected a name of its own, found 'small' again",
        {},
    ),
    ("a bad name", document(targets=[target(name="a b")]), "targets[0].name: expected up to 63 letters", {}),
    (
        "a long name",
        document(targets=[target(name="a" * 64)]),
        "targets[0].name: expected up to 63 letters, digits, dots, dashes and underscores, found 64 characters",
        {},
    ),
    (
        "an unknown credential",
        document(targets=[target(credential="team-b")]),
        "targets[0].credential: expected one of the names in credentials (did you mean team-a?)",
        {},
    ),
    (
        "a key as credential",
        document(targets=[target(credential=PLANTED)]),
        "targets[0].credential: expected one of the names in credentials",
        {},
    ),
    (
        "a bad label",
        document(targets=[target(labels={"my-region": "eu"})]),
        "targets[0].labels.my-region: expected a Prometheus label name",
        {},
    ),
    (
        "a reserved label",
        document(targets=[target(labels={"__name__": "eu"})]),
        "targets[0].labels.__name__: expected a Prometheus label name",
        {},
    ),
    (
        "a number as label",
        document(targets=[target(labels={"tier": 1})]),
        "targets[0].labels.tier: expected text, found a number",
        {},
    ),
    (
        "an undocumented field",
        document(defaults={"request": {"max_token": 5}}, contract="cometapi"),
        "defaults.request.max_token: expected a request field that contract cometapi documents (did you mean ",
        {},
    ),
    (
        "an undocumented field of a target",
        document(targets=[target(request={"user": PLANTED})]),
        "targets[0].request.user: expected a request field that contract contract documents",
        {},
    ),
    (
        "a field of the probe's own",
        document(targets=[target(request={"model": PLANTED})]),
        "targets[0].request.model: expected a request field",
        {},
    ),
    (
        "a field of the wrong type",
        document(contract="cometapi", targets=[target(request={"max_tokens": PLANTED})]),
        "targets[0].request: expected what contract cometapi documents for request body max_tokens: an integer, "
        "found a string",
        {},
    ),
    ("a field that is no JSON", REQUEST.format(".nan"), "targets[0].request: expected a mapping of JSON values", {}),
    (
        "a field that is a date",
        REQUEST.format("2026-01-01"),
        "targets[0].request: expected a mapping of JSON values",
        {},
    ),
    (
        "an unknown contract",
        document(contract="cometapy"),
        "contract: expected a shipped contract (cometapi, openai-compatible) or the path of a file (did you mean",
        {},
    ),
    (
        "an unknown contract of a target",
        document(targets=[target(contract="./nowhere.yaml")]),
        "targets[0].contract: expected a shipped contract",
        {},
    ),
    (
        "a template as contract",
        document(contract="openai-compatible"),
        "openai-compatible: values.base_url.value: expected what the provider's documents say, found a placeholder",
        {},
    ),
    ("a broken contract", document(contract="broken.yaml"), "broken: provider: expected a value, found nothing", {}),
    (
        "two contracts of one name",
        document(targets=[target(), target(name="b", contract="other/contract.yaml")]),
        "targets[1].contract: expected contracts with different file names, found two called contract",
        {},
    ),
    (
        "the same control twice",
        document(controls=[{"name": "a", "url": "http://a.test", "role": "provider"}] * 2),
        "controls[1].name: expected a name of its own",
        {},
    ),
    (
        "a control without a role",
        document(controls=[{"name": "a", "url": "http://a.test"}]),
        "controls[0].role: expected a value",
        {},
    ),
    (
        "a control of another role",
        document(controls=[{"name": "a", "url": "http://a.test", "role": "other"}]),
        "controls[0].role: expected 'provider' or 'independent', found 'other'",
        {},
    ),
    (
        "a control of another scheme",
        document(controls=[{"name": "a", "url": "icmp://a.test", "role": "provider"}]),
        "controls[0].url: expected an http(s) URL",
        {},
    ),
    (
        "a password in a control",
        document(controls=[{"name": "a", "url": f"http://u:{PLANTED}@a.test", "role": "provider"}]),
        "controls[0].url: expected an http(s) URL without a user name or password",
        {},
    ),
    (
        "a password in the store",
        document(store=f"s3://u:{PLANTED}@bucket"),
        "store: expected a store URL without credentials",
        {},
    ),
    (
        "a signature in the store",
        document(store=f"az://bucket?sig={PLANTED}"),
        "store: expected a store URL without credentials",
        {},
    ),
    (
        "an unknown store",
        document(store=f"ftp://{PLANTED}"),
        "store: expected a path, s3://, gs://, az:// or memory://",
        {},
    ),
    ("a store without a bucket", document(store="s3://"), "store: expected a store URL with a bucket", {}),
    (
        "a password in Prometheus' URL",
        document(prometheus={"url": f"http://u:{PLANTED}@p.test"}),
        "prometheus.url: expected an http(s) URL",
        {},
    ),
    (
        "a proxy of another scheme",
        document(network={"proxy": f"socks5://u:{PLANTED}@p.test"}),
        "network.proxy: expected an http(s) URL of a proxy",
        {},
    ),
    (
        "a proxy with a broken port",
        document(network={"proxy": f"http://u:{PLANTED}@p.test:x"}),
        "network.proxy: expected an http(s) URL of a proxy",
        {},
    ),
    (
        "a missing CA file",
        document(network={"ca_file": "nowhere.pem"}),
        "network.ca_file: expected a file that can be read, found none",
        {},
    ),
    (
        "a missing certificate",
        document(server={"tls": {"cert_file": "a", "key_file": "b"}}),
        "server.tls.cert_file: expected a file that can be read",
        {},
    ),
    (
        "half a TLS pair",
        document(server={"tls": {"cert_file": "a"}}),
        "server.tls: expected both cert_file and key_file, found one of them",
        {},
    ),
    ("an empty file", "", "freezeframe.yaml: expected a mapping of settings, found nothing", {}),
    ("a list", "- a", "freezeframe.yaml: expected a mapping of settings, found a list", {}),
    ("a number as key", "1: a", "freezeframe.yaml: expected a mapping of settings", {}),
    (
        "a key that stands twice",
        "store: a\nstore: b\n",
        "freezeframe.yaml: expected a YAML file, found the key 'store' stands twice (line 2)",
        {},
    ),
    (
        "broken YAML",
        f"targets:\n- {{name: a\nstate: {PLANTED}",
        "freezeframe.yaml: expected a YAML file, found while parsing a flow mapping: expected ',' or '}', but got ",
        {},
    ),
    ("a large file", "#" * (1 << 20), "freezeframe.yaml: expected a file of at most 256 KiB, found a larger one", {}),
]


@pytest.mark.parametrize(("content", "said", "environ"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_mistake_is_named_by_its_key_and_no_secret_is_repeated(
    content: dict[str, Any] | str, said: str, environ: dict[str, str], tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    (tmp_path / "broken.yaml").write_text("values: {}\nrequest: {}\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "contract.yaml").write_text((EXAMPLES / "contract.yaml").read_text())
    with pytest.raises(ConfigError) as refused:
        load(content, ENVIRON | environ)
    lines = str(refused.value).splitlines()
    assert any(line.startswith(said) for line in lines), lines
    assert all(": expected " in line and ", found " in line for line in lines)
    assert [str(error) for error in refused.value.errors] == lines
    shown = f"{refused.value} {refused.value!r} {refused.value.__context__!r} {refused.value.__cause__!r}"
    assert PLANTED not in shown
    assert KEY not in shown


def test_the_hint_about_service_links_is_given(load: Callable[..., Loaded]) -> None:
    with pytest.raises(ConfigError, match="enableServiceLinks: false"):
        load(document(), ENVIRON | {"FREEZEFRAME_PORT_9464_TCP": "tcp://10.0.0.1:9464"})


def test_a_variable_of_another_program_is_no_concern(load: Callable[..., Loaded]) -> None:
    assert load(document(), ENVIRON | {"FREEZE_FRAME": "x", "SERVER__LISTEN": "y"}).targets


def test_several_mistakes_are_said_at_once_one_a_line(load: Callable[..., Loaded]) -> None:
    content = document(targets=[target(cadence="x"), target(model=1)], tragets=1)
    with pytest.raises(ConfigErrors) as refused:
        load(content)
    assert [error.key for error in refused.value.errors] == ["targets[0].cadence", "targets[1].model", "tragets"]
    contradictions = document(
        targets=[target(credential="nobody", timeout="1h"), target()], store="memory://", server={"listen": ":1"}
    )
    with pytest.raises(ConfigErrors) as refused:
        load(contradictions)
    assert {error.key for error in refused.value.errors} == {
        "targets[0].credential",
        "targets[0].timeout",
        "targets[1].name",
        "server.token",
    }


def test_a_mistake_in_defaults_is_said_once_however_many_targets_inherit_it(load: Callable[..., Loaded]) -> None:
    with pytest.raises(ConfigError) as refused:
        load(document(defaults={"timeout": "1h"}, targets=[target(name=f"t{n}") for n in range(5)]))
    assert len(refused.value.errors) == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape("nowhere.yaml: expected a configuration file, found none")):
        settings.load(tmp_path / "nowhere.yaml", {})


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "freezeframe.yaml"
    path.write_bytes(b"state: \xff")
    with pytest.raises(ConfigError, match="expected UTF-8 text, found other bytes"):
        settings.load(path, {})


def test_fifty_targets_load_in_a_moment(load: Callable[..., Loaded]) -> None:
    began = time.perf_counter()
    loaded = load(document(targets=[target(name=f"t{n}", labels={"n": str(n)}) for n in range(50)]))
    assert len(loaded.targets) == 50
    assert time.perf_counter() - began < 5


# ---------------------------------------------------------------- durations and the schema


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30.0), ("5m", 300.0), ("24h", 86400.0), ("7d", 604800.0), ("1.5s", 1.5), ("1ms", 0.001)],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert TypeAdapter(PositiveDuration).validate_python(text) == seconds


@given(st.integers(1, 36_500), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_duration_reads_back_as_it_was(count: int, unit: str) -> None:
    reader = TypeAdapter(PositiveDuration)
    seconds = reader.validate_python(f"{count}{unit}")
    assert reader.validate_python(duration_text(seconds)) == pytest.approx(seconds)


def test_no_time_is_a_text_too() -> None:
    assert duration_text(0.0) == "0s"


def test_the_schema_accepts_the_example_and_refuses_an_unknown_key() -> None:
    schema = settings.schema()
    validator = jsonschema_rs.Draft202012Validator(schema)
    example = yaml.safe_load((EXAMPLES / "freezeframe.yaml").read_text())
    assert validator.is_valid(example)
    assert not validator.is_valid(example | {"tragets": []})
    assert not validator.is_valid(example | {"defaults": {"cadence": 30}})
    assert not validator.is_valid(example | {"budget": {"probes_per_day": 0}})
    assert schema["$defs"]["Probing"]["properties"]["cadence"]["default"] == "30s"
    assert schema["$defs"]["Freeze"]["properties"]["reopen"]["default"] == "30m"


def test_the_shipped_contracts_are_listed() -> None:
    assert settings.shipped() == ("cometapi", "openai-compatible")


def test_documents_are_fetched_again_daily_unless_it_is_switched_off(load: Callable[..., Loaded]) -> None:
    assert load(document()).settings.sources.recheck == 86400
    assert load(document(sources={"recheck": "1s"})).settings.sources.recheck == 1
    assert load(document(sources={"recheck": None})).settings.sources.recheck is None
    with pytest.raises(ConfigError, match=r"sources\.recheck"):
        load(document(sources={"recheck": "0s"}))
