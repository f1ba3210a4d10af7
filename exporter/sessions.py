"""Sessions of people who signed in: a signed, expiring number in a cookie, never the token itself. Pure but for the
random number; time is an argument.

The signature is made with a key of this `state` and with the token: a changed token ends every session, a restart does
not, and who holds a cookie cannot try tokens against it.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import SecretStr

LASTS_S: Final = 12 * 3600  # one shift
MOST_FAILURES: Final = 20
WITHIN_S: Final = 60.0
_SESSION: Final = re.compile(r"(\d{1,12})\.([A-Za-z0-9_-]{16,64})\.([0-9a-f]{64})", re.ASCII)


@dataclass(slots=True)
class Sessions:
    """`is_secure` where people reach us by https. `ended` holds the sessions that were signed out before their time."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    is_secure: bool = False
    ended: dict[str, int] = field(default_factory=dict)

    @property
    def cookie(self) -> str:
        return "__Host-freezeframe" if self.is_secure else "freezeframe"

    def begin(self, token: SecretStr, now: datetime) -> str:
        """The cookie's value for someone who has just shown the token."""
        expires, number = int(now.timestamp()) + LASTS_S, secrets.token_urlsafe(18)
        return f"{expires}.{number}.{self._signed('session', f'{expires}.{number}', token)}"

    def holds(self, session: str, token: SecretStr, now: datetime) -> bool:
        found = _SESSION.fullmatch(session)
        if found is None or not token.get_secret_value():
            return False
        expires, number, signature = found.groups()
        is_ours = hmac.compare_digest(signature, self._signed("session", f"{expires}.{number}", token))
        return is_ours and int(expires) > now.timestamp() and session not in self.ended

    def end(self, session: str, now: datetime) -> None:
        """A session that holds is signed out: a copy of its cookie opens nothing any more (until a restart)."""
        self.ended = {known: expires for known, expires in self.ended.items() if expires > now.timestamp()}
        self.ended[session] = int(session.partition(".")[0])

    def form_token(self, session: str, token: SecretStr) -> str:
        """What a form of ours carries and another site's cannot know."""
        return self._signed("form", session, token)

    def _signed(self, purpose: str, text: str, token: SecretStr) -> str:
        key = hmac.digest(self.key, token.get_secret_value().encode(), hashlib.sha256)
        return hmac.digest(key, f"{purpose} {text}".encode(), hashlib.sha256).hex()


@dataclass(slots=True)
class Attempts:
    """Wrong tokens of the last minute, of everyone together: no address is stored. Seconds of any one clock."""

    failed_at_s: list[float] = field(default_factory=list)

    def wait_s(self, now_s: float) -> float:
        """How long until another token is looked at; 0 where it is now."""
        self.failed_at_s = [at for at in self.failed_at_s if now_s - at < WITHIN_S]
        return max(0.0, self.failed_at_s[0] + WITHIN_S - now_s) if len(self.failed_at_s) >= MOST_FAILURES else 0.0

    def failed(self, now_s: float) -> None:
        self.failed_at_s.append(now_s)
