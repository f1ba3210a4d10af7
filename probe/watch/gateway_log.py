"""The provider's own log of an account, read right after a trip with a token of its own: do its rows tell of our
attempts? A row may be written a while after its request, hence a few looks.

Unpaid, bounded, and never in the way of anything: what goes wrong becomes words.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from pydantic import SecretStr

from probe.client import Auth
from probe.contract import GatewayLog
from probe.corroboration import LogRead, Row, Sought, of, rows
from probe.pong import Target
from probe.records import Fetched, Listener, Unfetched, UnpaidSent
from probe.redact import Redactor
from probe.watch.catalogue import Get

WAITS_S: Final = (2.0, 8.0, 20.0)  # before each look: 2, 10 and 30 s after the packet's first addendum
TIMEOUT_S: Final = 10.0
LIMIT_BYTES: Final = 2 << 20
_NO_USE_ASKING_AGAIN: Final = frozenset({400, 401, 403, 404})


class TokenUnavailable(Exception):
    """The access token could not be read; the text names the setting, never a value."""


@dataclass(frozen=True, slots=True)
class Means:
    """What it works with. `token` gives the access token of a credential, read anew: None where none is configured,
    TokenUnavailable where it cannot be read."""

    get: Get
    token: Callable[[str], SecretStr | None]
    redactor: Callable[[], Redactor]
    publish: Listener
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class GatewayLogs:
    """Reads the log of the account that a target's credential belongs to."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._asking: dict[tuple[str, str], asyncio.Task[tuple[Fetched | Unfetched, LogRead]]] = {}

    async def read(self, target: Target, wanted: Sequence[Sought], optional: Sequence[Sought]) -> LogRead | None:
        """The rows of the wanted attempts, looked for until all are there, at most three times; those of `optional`
        where they come with them. None: the contract documents no such log, or no token is configured for it."""
        stated = target.contract.gateway_log
        if stated is None or not wanted:
            return None
        found: dict[Row, None] = {}
        done: LogRead | None = None
        for wait_s in WAITS_S:
            await self._means.sleep(wait_s)
            try:
                token = self._means.token(target.credential)
            except TokenUnavailable:
                asked = 0 if done is None else done.requests
                return LogRead(tuple(found), None, self._means.now(), asked, "its access token could not be read")
            if token is None:
                return done
            answer, read = await self._together(stated.value, target.credential, token)
            for one in (*wanted, *optional):
                found |= dict.fromkeys(of(one, read.rows)[0])
            done = replace(read, rows=tuple(found), requests=1 if done is None else done.requests + 1)
            if all(of(one, done.rows)[0] for one in wanted):
                return done
            if isinstance(answer, Fetched) and answer.status in _NO_USE_ASKING_AGAIN:
                return done
        return done

    async def _together(
        self, log: GatewayLog, credential: str, token: SecretStr
    ) -> tuple[Fetched | Unfetched, LogRead]:
        """Many targets of one account that trip at once are one request."""
        key = (log.url, credential)
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._look(log, token), name="gateway log")
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(asking)

    async def _look(self, log: GatewayLog, token: SecretStr) -> tuple[Fetched | Unfetched, LogRead]:
        auth = Auth(log.auth.header, SecretStr(log.auth.format.replace("{key}", token.get_secret_value())))
        self._means.publish(UnpaidSent("gateway_log"))
        answer = await self._means.get(
            log.url, timeout_s=TIMEOUT_S, limit_bytes=LIMIT_BYTES, auth=auth, accept="application/json"
        )
        at = self._means.now()
        if isinstance(answer, Unfetched):
            return answer, LogRead((), None, at, 1, answer.words)
        if answer.status != 200:
            return answer, LogRead((), None, at, 1, f"HTTP {answer.status}")
        listed = await asyncio.to_thread(rows, answer.body, log)
        if listed is None:
            return answer, LogRead((), None, at, 1, "the answer holds no list of rows where the contract says")
        return answer, LogRead(tuple(map(self._shown, listed)), len(listed), at, 1, None)

    def _shown(self, row: Row) -> Row:
        """A model's name that redaction would change is none."""
        if row.model is None or self._means.redactor().seal_text(row.model, "gateway log").value == row.model:
            return row
        return replace(row, model=None)
