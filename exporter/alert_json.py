"""Alerts as JSON: as Alertmanager posts them, and as automation holds them (a webhook, the list that `amtool alert
query -o json` prints, or one alert). Pure; what is wrong is told by its path; nothing that stands there is repeated.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from exporter.alerts import Alert, Found, Known, Why, candidate, decide
from probe.index import PacketEntry

MOST_ALERTS: Final = 500  # of one webhook
MOST_BYTES: Final = 4 << 20
MOST_LEFT_OUT: Final = 2**53  # it is answered as JSON, whose numbers are exact up to there


class BadAlert(ValueError):
    """What was posted is no webhook of Alertmanager's; `path` is the JSON path of what is wrong."""

    def __init__(self, path: str, words: str) -> None:
        super().__init__(f"{path}: {words}")
        self.path = path


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("expected an instant between the years 1 and 9999") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class _Posted(BaseModel):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]
    starts_at: Annotated[Instant, Field(alias="startsAt")]
    ends_at: Annotated[Instant | None, Field(alias="endsAt")] = None


class _Webhook(BaseModel):
    version: Literal["4"]
    alerts: list[_Posted]
    truncated: Annotated[int, Field(alias="truncatedAlerts", ge=0, le=MOST_LEFT_OUT)] = 0


def parse(body: bytes) -> tuple[tuple[Alert, ...], int]:
    """The alerts of a webhook, and how many of them are left out, here or by Alertmanager. BadAlert names the path;
    its words hold nothing of what was posted."""
    try:
        webhook = _Webhook.model_validate_json(body)
    except ValidationError as error:
        raise _bad(error) from None
    taken = webhook.alerts[:MOST_ALERTS]
    return tuple(_alert(posted) for posted in taken), len(webhook.alerts) - len(taken) + webhook.truncated


def _alert(posted: _Posted) -> Alert:
    firing = posted.status == "firing"  # Alertmanager writes the year 1 for an end that is not known
    return Alert(firing, posted.labels, posted.fingerprint, posted.starts_at, None if firing else posted.ends_at)


def _bad(error: ValidationError) -> BadAlert:
    """The first thing that is wrong, by its path; nothing of what was posted."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return BadAlert("$", "expected JSON")
    path, named = "$", True
    for step in first["loc"]:
        # Names that are not ours are keys of the labels: foreign text, which is not repeated.
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if named else ".*"
        named = step != "labels"
    return BadAlert(path, first["msg"][:1].lower() + first["msg"][1:])


# ---------------------------------------------------------------- as automation holds them


class _Held(BaseModel):
    """`status` is a word in a webhook and an object in Alertmanager's API, where `endsAt` is a guess while it fires."""

    labels: dict[str, str]
    starts_at: Annotated[Instant, Field(alias="startsAt")]
    ends_at: Annotated[Instant | None, Field(alias="endsAt")] = None
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{0,64}$")] = ""
    status: Any = None

    def alert(self) -> Alert:
        resolved = self.status == "resolved"
        return Alert(not resolved, self.labels, self.fingerprint, self.starts_at, self.ends_at if resolved else None)


class _HeldWebhook(BaseModel):
    alerts: list[_Held]


_ANYTHING: Final = TypeAdapter(Any)
_LIST: Final = TypeAdapter(list[_Held])


def read(text: bytes) -> tuple[Alert, ...]:
    """The alerts of a file. BadAlert where it holds none, or names the path of what is wrong."""
    if len(text) > MOST_BYTES:
        raise BadAlert("$", f"expected at most {MOST_BYTES >> 20} MiB")
    try:
        value = _ANYTHING.validate_json(text)
        if isinstance(value, dict) and "alerts" in value:
            rows = _HeldWebhook.model_validate(value).alerts
        else:
            rows = _LIST.validate_python(value) if isinstance(value, list) else [_Held.model_validate(value)]
    except ValidationError as error:
        raise _bad(error) from None
    if not rows:
        raise BadAlert("$", "expected at least one alert")
    return tuple(row.alert() for row in rows)


def find(alert: Alert, entries: Iterable[PacketEntry]) -> str | Why:
    """The packet of an alert among those of its target or contract, or why there is none."""
    own = [candidate(entry) for entry in entries]
    contracts = {it.target: alert.contract or "" for it in own} | {alert.target or "": alert.contract or ""}
    by_target = {name: [it for it in own if it.target == name] for name in contracts}
    decision = decide(alert, Known(contracts, by_target, {}))
    if isinstance(decision, Found):
        return decision.packet_id
    return decision if isinstance(decision, Why) else Why.NOTHING_FAILED
