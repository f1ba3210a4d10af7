"""Servers that a careless client would hang, crash or blow up on, and the faults that a careful one may report.

No `faults`: the exchange comes out whole (or read to the limit), and its content is the verdict's affair.
"""

import zlib
from collections.abc import Sequence

from tests.servers.raw import COMPLETION, SSE, Forever, Hold, Reset, Script, Wait, answer, chunk, delta, head

_JSON = "Content-Type: application/json"
_MIB = 1 << 20


def _bomb(mebibytes: int = 64) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(_MIB)
    return b"".join(packer.compress(block) for _ in range(mebibytes)) + packer.flush()


def _table() -> Sequence[Script]:
    lost = ("ReadError", "RemoteProtocolError")
    filler = b"X-Filler: " + b"a" * 100 + b"\r\n"
    flood = Forever(b"a" * 65536)
    bomb = _bomb()
    return (
        # headers
        Script("endless headers", (b"HTTP/1.1 200 OK\r\n", Forever(filler * 64)), ("RemoteProtocolError",)),
        Script("endless header line", (b"HTTP/1.1 200 OK\r\nX-A: ", flood), ("RemoteProtocolError",)),
        Script("headers that drip", (b"HTTP/1.1 200 OK\r\n", Forever(b"X-A: b\r\n", 0.05)), ("ReadTimeout",)),
        Script("1xx flood", (Forever(head(status="100 Continue") * 64),), ("ReadTimeout",)),
        Script("not HTTP", (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Hold()), ("RemoteProtocolError",)),
        Script(
            "two content-lengths", (head("Content-Length: 1", "Content-Length: 2"), b"ab"), ("RemoteProtocolError",)
        ),
        # no answer
        Script("silence", (Hold(),), ("ReadTimeout",)),
        Script("accepts and closes", (), (*lost, "WriteError"), reads_request=False),
        Script("accepts and resets", (Reset(),), (*lost, "WriteError", "ConnectError"), reads_request=False),
        Script("resets after the request", (Reset(),), ("ReadError",)),
        Script("closes after the request", (), ("RemoteProtocolError",)),
        Script("resets in the headers", (b"HTTP/1.1 200 OK\r\nX-A", Wait(0.1), Reset()), ("ReadError",)),
        Script("closes in the headers", (b"HTTP/1.1 200 OK\r\nX-A",), ("RemoteProtocolError",)),
        # bodies
        Script("resets in the body", (head(_JSON, "Content-Length: 99"), b"{", Wait(0.1), Reset()), ("ReadError",)),
        Script("closes in the body", (head(_JSON, "Content-Length: 99"), b"{"), ("RemoteProtocolError",)),
        Script("closes in a chunked body", (SSE, chunk(delta("p"))), ("RemoteProtocolError",), stream=True),
        Script("more bytes than announced", (head(_JSON, "Content-Length: 2"), COMPLETION)),
        Script("endless body", (head(_JSON), flood)),
        Script("endless chunked body", (head(_JSON, "Transfer-Encoding: chunked"), Forever(chunk(b"a" * 65536)))),
        Script("body that drips", (head(_JSON, "Content-Length: 9999"), Forever(b"a", 0.02)), ("ReadTimeout",)),
        Script("chunk size of no number", (head("Transfer-Encoding: chunked"), b"zz\r\n"), ("RemoteProtocolError",)),
        Script("chunk size of an exabyte", (SSE, b"fffffffffffffff\r\n", flood)),
        Script("negative chunk size", (head("Transfer-Encoding: chunked"), b"-5\r\nhello"), ("RemoteProtocolError",)),
        Script("gzip bomb", (head(_JSON, "Content-Encoding: gzip", f"Content-Length: {len(bomb)}"), bomb)),
        Script("gzip that is none", (answer(COMPLETION, "Content-Encoding: gzip"),), ("DecodingError",)),
        Script("gzip cut short", (answer(bomb[:99], "Content-Encoding: gzip"),), ("DecodingError",)),
        Script(
            "gzip of nothing, endless", (head("Content-Encoding: gzip"), bomb[:10], Forever(b"\0\0\0\xff\xff" * 99))
        ),
        Script("unknown encoding", (answer(COMPLETION, "Content-Encoding: br"),), ("DecodingError",)),
        Script("invalid UTF-8", (answer(b'{"choices": "\xff\xfe\xc3"}'),)),
        Script("NaN", (answer(b'{"choices": [{"index": NaN}]}'),)),
        Script("JSON of 10,000 levels", (answer(b"[" * 10_000 + b"]" * 10_000),)),
        Script("HTML with 200", (head("Content-Type: text/html") + b"<!DOCTYPE html><html>Sign in</html>",)),
        Script("redirect to a login page", (head("Location: /login", "Content-Length: 0", status="302 Found"),)),
        Script("empty body", (answer(b""),)),
        # streams
        Script("stream without an end", (SSE, Forever(chunk(delta("p")), 0.01)), ("ReadTimeout",), stream=True),
        Script("stream that falls silent", (SSE, chunk(delta("p")), Hold()), ("ReadTimeout",), stream=True),
        Script("stream of comments", (SSE, Forever(chunk(b": wait\n\n"), 0.02)), ("ReadTimeout",), stream=True),
        Script("stream of an endless line", (SSE, chunk(b"data: "), Forever(chunk(b"a" * 65536))), stream=True),
        Script("stream of 10,000 levels", (SSE, chunk(b"data: " + b"[" * 10_000 + b"\n\n"), b"0\r\n\r\n"), stream=True),
        Script("stream left open", (SSE, chunk(delta("p") + b"data: [DONE]\n\n"), Hold()), stream=True),
        Script("stream left open after one newline", (SSE, chunk(delta("p") + b"data: [DONE]\n"), Hold()), stream=True),
        Script(
            "stream that goes on after its end",
            (SSE, chunk(delta("p") + b"data: [DONE]\n\n"), Forever(chunk(delta("x")), 0.01)),
            stream=True,
        ),
        Script("plain JSON for a stream", (answer(),), stream=True),
        # TLS
        Script("no TLS on https", (head(status="400 Bad Request"),), ("ConnectError",), "https", reads_request=False),
        Script("untrusted CA", (answer(),), ("ConnectError",), "https", "untrusted"),
        Script("certificate of another host", (answer(),), ("ConnectError",), "https", "wrong-host"),
        Script("expired certificate", (answer(),), ("ConnectError",), "https", "expired"),
        Script("closes in the TLS handshake", (), ("ConnectError",), "https", reads_request=False),
        Script("resets in the TLS handshake", (Reset(),), ("ConnectError",), "https", reads_request=False),
        Script("silence in the TLS handshake", (Hold(),), ("ConnectTimeout",), "https", reads_request=False),
        Script("endless body over TLS", (head(_JSON), flood), (), "https", "good"),
        Script("silence over TLS", (Hold(),), ("ReadTimeout",), "https", "good"),
    )


HOSTILE = _table()
