"""The operating system's errors in words: number and meaning, never an argument of the call that failed."""

import errno
import os
import socket
import ssl
from typing import Final

# asyncio raises these three without a number; uvloop and the kernel give one.
_NUMBERS: Final = (
    (ConnectionResetError, errno.ECONNRESET),
    (BrokenPipeError, errno.EPIPE),
    (ConnectionAbortedError, errno.ECONNABORTED),
)


def describe(error: Exception) -> str:
    """An operating system's error in the form that clients print: ``[Errno 111] Connection refused``."""
    match error:
        case ssl.SSLError():
            return str(error)  # OpenSSL's reason, and for a certificate the name that was asked for
        case socket.gaierror():
            return f"[Errno {error.errno}] {error.strerror} (getaddrinfo failed)"
    number = getattr(error, "errno", None)
    number = number or next((known for kind, known in _NUMBERS if isinstance(error, kind)), errno.EIO)
    if number == errno.ENOTCONN:
        number = errno.ECONNRESET  # it was connected: the reset came before we could ask for the peer's name
    return f"[Errno {number}] {os.strerror(number)}"
