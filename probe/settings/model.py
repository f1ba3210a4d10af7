"""Every key of `freezeframe.yaml`, its kind and its default. An unknown key is an error everywhere."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from probe.settings.kinds import (
    Cadence,
    Count,
    CountOrZero,
    Duration,
    LabelName,
    Listen,
    PlainUrl,
    PositiveDuration,
    ProxyUrl,
    RequestFields,
    ShardIndex,
    StoreUrl,
    TargetName,
    Text,
    VariableName,
    wrong,
)

Handling = Literal["keep", "hash", "drop"]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SecretSource(Part):
    """Where a secret is: the name of an environment variable or a file. Never the secret itself."""

    env: VariableName | None = None
    file: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, value: Any) -> Any:
        if not isinstance(value, dict | SecretSource):
            raise wrong("{env: NAME} or {file: path}", "a literal" if isinstance(value, str) else None)
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> "SecretSource":
        if (self.env is None) == (self.file is None):
            raise wrong("{env: NAME} or {file: path}", "both" if self.env else "neither")
        return self


class CredentialSettings(SecretSource):
    """An API key; with it, where one is given, the access token that may read the provider's log of its account."""

    gateway_log: SecretSource | None = None


class Confirm(Part):
    attempts: CountOrZero = 2
    backoff: Duration = 2.0


class Freeze(Part):
    failures: Count = 3
    window: Annotated[Count, Field(le=1000)] = 5
    recover: Count = 3
    reopen: Duration = 1800.0
    confirm: Confirm = Confirm()


class Probing(Part):
    """What `defaults` sets and a target may override."""

    cadence: Cadence = 30.0
    timeout: PositiveDuration = 25.0
    slow: PositiveDuration = 10.0
    connection: Literal["fresh", "reuse"] = "fresh"
    freeze: Freeze = Freeze()
    request: RequestFields = {}
    labels: dict[LabelName, Text] = {}


class TargetSettings(Probing):
    name: TargetName
    model: Text
    credential: Text
    stream: bool = False
    contract: Text | None = None


def with_defaults(defaults: Probing, target: TargetSettings) -> TargetSettings:
    """A target in which everything that it does not state itself is as in `defaults`; labels of both stand together."""
    inherited = {name: getattr(defaults, name) for name in Probing.model_fields}
    labels = {"labels": defaults.labels | target.labels}
    return target.model_copy(update=inherited | _stated(defaults, target) | labels)


def _stated(base: Part, over: Part) -> dict[str, Any]:
    """What `over` states itself among the fields of `base`; a part that states half keeps the other half."""
    stated: dict[str, Any] = {}
    for name in over.model_fields_set & set(type(base).model_fields):
        theirs, ours = getattr(base, name), getattr(over, name)
        stated[name] = theirs.model_copy(update=_stated(theirs, ours)) if isinstance(ours, Part) else ours
    return stated


class ControlSettings(Part):
    name: TargetName
    url: PlainUrl
    role: Literal["provider", "independent"]


class NetworkSettings(Part):
    proxy: ProxyUrl | None = None
    ca_file: Text | None = None


class RedactionSettings(Part):
    request_ids: Handling = "keep"
    egress_ip: Handling = "drop"


class BudgetSettings(Part):
    probes_per_day: Count = 20_000
    tokens_per_day: Count = 1_000_000


class ShardSettings(Part):
    """How many pods share the targets, and which of them this one is. In a pod of a StatefulSet its name says it."""

    count: Annotated[Count, Field(le=1000)] = 1
    index: ShardIndex | None = None


class RetentionSettings(Part):
    history: PositiveDuration = 7 * 86400.0
    packets: PositiveDuration = 400 * 86400.0


class TlsSettings(Part):
    cert_file: Text | None = None
    key_file: Text | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> "TlsSettings":
        if (self.cert_file is None) != (self.key_file is None):
            raise wrong("both cert_file and key_file", "one of them")
        return self


class ServerSettings(Part):
    listen: Listen = "127.0.0.1:9464"
    token: SecretSource | None = None
    tls: TlsSettings = TlsSettings()
    external_url: PlainUrl | None = None


class PrometheusSettings(Part):
    url: PlainUrl | None = None


class SourcesSettings(Part):
    """How often the documents that the contracts cite are fetched again; null: never."""

    recheck: PositiveDuration | None = 86400.0


class EscalationSettings(Part):
    impact: Text | None = None
    owner: Text | None = None
    posts: Text | None = None


class LogSettings(Part):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class Settings(BaseSettings):
    """The whole file. It is made from sources that are already open: nothing is read behind the caller's back."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        case_sensitive=True,
        title="freezeframe.yaml",
    )

    contract: Text = "cometapi"
    credentials: dict[Text, CredentialSettings] = {}
    defaults: Probing = Probing()
    targets: Annotated[list[TargetSettings], Field(min_length=1)]
    controls: list[ControlSettings] = []
    network: NetworkSettings = NetworkSettings()
    redaction: RedactionSettings = RedactionSettings()
    budget: BudgetSettings = BudgetSettings()
    shard: ShardSettings = ShardSettings()
    state: Text = "./state"
    store: StoreUrl = "./packets"
    retention: RetentionSettings = RetentionSettings()
    server: ServerSettings = ServerSettings()
    prometheus: PrometheusSettings = PrometheusSettings()
    sources: SourcesSettings = SourcesSettings()
    escalation: EscalationSettings = EscalationSettings()
    log: LogSettings = LogSettings()

    def __init__(self, *sources: PydanticBaseSettingsSource) -> None:
        super().__init__(_build_sources=(sources, {}))
