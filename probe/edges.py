"""What the flow is handed: the I/O that it needs as callables, and what the configuration says around a probe."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import SecretStr

from probe.budget import Budget
from probe.client import Auth
from probe.contract import Contract
from probe.contract.document import Document
from probe.corroboration import LogRead, Sought
from probe.pong import Target
from probe.records import Listing, Observation, ProbeRequest
from probe.redact import Redactor
from probe.scope import Seen


class KeyUnavailable(Exception):
    """A credential could not be read; the text names the setting and what was expected, never a value."""


@dataclass(frozen=True, slots=True)
class Controlled:
    """What the controls answered at a trip; `outside_is_gone` where none of them did, independent ones included."""

    answers: Mapping[str, bool]
    outside_is_gone: bool


@dataclass(frozen=True, slots=True)
class Edges:
    """The I/O that a tick needs, handed in.

    `send` puts one request on the wire; `key` reads a credential by name (again at each call: it may rotate) and raises
    `KeyUnavailable`; `redactor` gives the redactor that knows every secret read so far; `ask_controls` looks at every
    control once more and says whether nothing outside answered at all; `peers` says what other instances see, None
    where that could not be asked. `listing` is what the provider's public model list says of a target's model, None
    where that is not known; `gateway_log` looks into the provider's own log of the account for the failing attempts of
    a trip and for others beside them, None where there is nothing to ask. What is None itself is not configured.
    `documents` is what is known now of each document that a contract cites.
    """

    send: Callable[[ProbeRequest, Auth, Target, Callable[[], None]], Awaitable[Observation]]
    key: Callable[[str], SecretStr]
    redactor: Callable[[], Redactor]
    now: Callable[[], datetime]
    lag_since: Callable[[float], float]
    outside_reachable: Callable[[], bool | None]
    ask_controls: Callable[[], Awaitable[Controlled]] | None = None
    peers: Callable[[], Awaitable[tuple[Seen, ...] | None]] | None = None
    listing: Callable[[Target], Listing | None] = lambda _: None
    documents: Callable[[Contract], tuple[Document, ...]] = lambda _: ()
    gateway_log: Callable[[Target, Sequence[Sought], Sequence[Sought]], Awaitable[LogRead | None]] | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a packet says that comes from configuration and not from the wire, and the day's budget. `elsewhere` names
    the targets that other shards probe, by contract."""

    impact: str | None
    owner: str | None
    posts: str | None
    request_ids: str
    egress_ip: str
    version: str
    budget: Budget
    elsewhere: Mapping[str, frozenset[str]] = field(default_factory=dict)
