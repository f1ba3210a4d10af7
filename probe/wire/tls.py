"""TLS over bytes that somebody else carries: OpenSSL between two buffers, no socket and no loop.

The loops' own TLS costs as much again as the handshake: a transport on top of a transport, buffers of a quarter of a
megabyte for an exchange of two, and a farewell that waits for the peer's.
"""

import contextlib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_READ_BYTES: Final = 64 * 1024


class Layer:
    """One TLS connection. `feed` takes what came in, `taken` gives what is to go out."""

    def __init__(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.agreed = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self.is_open = False  # the handshake is done
        self.is_over = False  # the peer has said goodbye

    def shake_hands(self) -> bool:
        """Go on with the handshake as far as the bytes reach; whether it is done. SSLError where it fails."""
        try:
            self.agreed.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.is_open = True
        return True

    @property
    def has_more(self) -> bool:
        """Bytes have come in that nobody has read yet."""
        return self._incoming.pending > 0

    def feed(self, data: bytes) -> None:
        self._incoming.write(data)

    def taken(self) -> bytes:
        return self._outgoing.read()

    def read(self) -> bytes:
        """Every byte that can be read now. SSLError where the peer breaks the protocol or says what it objects to."""
        pieces = []
        with contextlib.suppress(ssl.SSLWantReadError):
            while piece := self._some():
                pieces.append(piece)
                if not (self._incoming.pending or self.agreed.pending()):
                    break
        return b"".join(pieces)

    def _some(self) -> bytes:
        try:
            piece = self.agreed.read(_READ_BYTES)
        except ssl.SSLZeroReturnError:
            piece = b""
        self.is_over = self.is_over or not piece
        return piece

    def write(self, data: bytes) -> bytes:
        """The data as it goes out."""
        self.agreed.write(data)
        return self.taken()

    def farewell(self) -> bytes:
        """What says goodbye; the peer's answer is not waited for."""
        with contextlib.suppress(ssl.SSLError):
            self.agreed.unwrap()
        return self.taken()

    def expires_at(self) -> datetime | None:
        """When the certificate ends that the peer has shown."""
        return _expiry(_Shown(self.agreed))


class Layers:
    """The TLS of one connection, the outermost first: a proxy's, then the API's through it. None: bytes as they are.

    `write` hands bytes to the kernel.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._layers: tuple[Layer, ...] = ()

    def add(self, layer: Layer) -> None:
        """From now on everything goes through this one too."""
        self._layers = (*self._layers, layer)

    @property
    def are_over(self) -> bool:
        return any(layer.is_over for layer in self._layers)

    def read(self, data: bytes) -> bytes:
        """What the peer said, or nothing while a handshake goes on."""
        for layer in self._layers:
            layer.feed(data)
            if not layer.is_open:
                return b""
            data = layer.read()
            self.say(layer.taken(), below=layer)  # TLS talks for itself too: new keys, tickets
        return data

    def say(self, data: bytes, below: Layer | None = None) -> None:
        """Hand bytes to the kernel, encrypted by every layer, or by those below one."""
        layers = self._layers if below is None else self._layers[: self._layers.index(below)]
        for layer in reversed(layers):
            data = layer.write(data) if data else data
        if data:
            self._write(data)

    def farewell(self) -> None:
        for layer in reversed(self._layers):
            with contextlib.suppress(ssl.SSLError):
                self.say(layer.farewell() if layer.is_open else layer.taken(), below=layer)


class _Shown:
    """A certificate, by its bytes; read out once, since a server shows the same one in every handshake."""

    __slots__ = ("_agreed", "_bytes")

    def __init__(self, agreed: ssl.SSLObject) -> None:
        self._agreed: ssl.SSLObject | None = agreed
        self._bytes = agreed.getpeercert(binary_form=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shown) and self._bytes == other._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)

    def read(self) -> dict[str, object]:
        """What it says. Its connection is let go."""
        agreed, self._agreed = self._agreed, None
        return {} if agreed is None else dict(agreed.getpeercert() or {})


@lru_cache(maxsize=64)
def _expiry(shown: _Shown) -> datetime | None:
    not_after = shown.read().get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(not_after), UTC) if isinstance(not_after, str) else None
