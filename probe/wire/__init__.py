"""The network seam under httpcore2: names, sockets and TLS, with a stamp on everything that happens.

httpcore2 asks a *network backend* for streams; this one is ours, because only here can the phases be told apart: a name
is resolved, then connected to, then TLS is set up, and bytes are stamped in `data_received`, before any parser or queue
sees them. A stamp travels with its bytes, so that a late reader does not make a server look slow.

What happens is written into the `Journal` of the exchange that holds the wire at that time. A stream outlives its
journal when a connection is reused; that is why a stream asks its `Wire` for the journal and does not keep one.

Errors leave here as httpcore2's exceptions, in words of our own making.
"""

from probe.wire.backend import Refusal, Wire
from probe.wire.journal import Journal
from probe.wire.stream import Stream

__all__ = ["Journal", "Refusal", "Stream", "Wire"]
