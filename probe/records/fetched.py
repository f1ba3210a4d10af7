"""What came of one unpaid look at a document."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer that came whole, whatever its status.

    `url` is where it was found: redirects within the host are followed. `media` is the type in lower case, with its
    charset only where that is not UTF-8; "" where none was announced. `sha256` is of `body`.
    """

    url: str
    status: int
    media: str
    body: bytes
    fetched_at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class Unfetched:
    """No whole answer came. `words` are our own, never the server's."""

    words: str
