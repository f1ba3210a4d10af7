"""1. No HTTP answer, or one that broke off: the client's exception decides."""

from typing import Final

from probe.rules.rule import DEGRADATION, MISMATCH, OURS, Place, Rule

FAULTS: Final = (
    Rule(
        *("undecodable", MISMATCH, "bad_content_encoding", Place.FAULT),
        r"^DecodingError|while decompressing|incorrect header check|(gzip|brotli|zstd|deflate) ?(error|decod)",
        hits=("DecodingError: Error -3 while decompressing data: incorrect header check",),
        misses=("ReadError: [Errno 104] Connection reset by peer",),
    ),
    Rule(
        *("own proxy", OURS, "proxy_error", Place.FAULT),
        r"^ProxyError|\bproxy\b|\bsocks\d?\b|tunnel connection failed|CONNECT tunnel",
        hits=("ProxyError: 407 Proxy Authentication Required", "ConnectError: Tunnel connection failed: 403"),
        misses=("ConnectError: [Errno 111] Connection refused",),
    ),
    Rule(
        *("request not sendable", OURS, "local_config", Place.FAULT),
        r"^(LocalProtocolError|UnsupportedProtocol|InvalidURL|InvalidHeader|UnicodeEncodeError)|invalid (header|url)"
        r"|missing an? 'https?|no scheme supplied|unknown url type",
        hits=(
            "LocalProtocolError: Illegal header value b'Bearer x\\n'",
            "UnsupportedProtocol: Request URL is missing an 'http://' or 'https://' protocol.",
        ),
        misses=("RemoteProtocolError: Server disconnected without sending a response.",),
    ),
    Rule(
        *("own sockets or memory", OURS, "local_resource", Place.FAULT),
        r"^(PoolTimeout|MemoryError)|too many open files|cannot assign requested address|no buffer space"
        r"|cannot allocate memory|can't start new thread|no space left|address already in use"
        r"|errno (12|23|24|28|98|99|105)\b|winerror 100(48|55)\b",
        hits=("ConnectError: [Errno 24] Too many open files", "PoolTimeout: "),
        misses=("ConnectTimeout: timed out", "ConnectError: [Errno 111] Connection refused"),
    ),
    Rule(
        *("no connection in time", DEGRADATION, "connect_timeout", Place.FAULT),
        r"^ConnectTimeout|^ConnectError: .*(timed out|timeout)|errno (60|110)\b|winerror 10060\b",
        hits=("ConnectTimeout: ", "ConnectError: [Errno 110] Connection timed out"),
        misses=("ReadTimeout: timed out",),
    ),
    Rule(
        *("certificate not yet valid", OURS, "clock_skew", Place.FAULT),
        r"certificate is not yet valid",
        hits=("ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate is not yet valid (_ssl.c:1000)",),
        misses=("ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired (_ssl.c:1000)",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("own trust store", OURS, "local_trust_store", Place.FAULT),
        r"unable to get (local )?issuer cert|self[- ]signed certificate in certificate chain"
        r"|unable to verify the first certificate|load_verify_locations|no_certificate_or_crl"
        r"|TLS CA certificate bundle|\bca[ _]?(file|bundle|certificates?)\b|no such file.*\.(pem|crt|cer)",
        hits=(
            "ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer certificate (_ssl.c:1002)",
            "OSError: Could not find a suitable TLS CA certificate bundle, invalid path: ca.pem",
        ),
        misses=("ConnectError: certificate verify failed: certificate has expired",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("wrong or expired certificate", DEGRADATION, "tls_failure", Place.FAULT),
        r"certificate (has )?(expired|verify failed|revoked)|hostname mismatch|doesn't match"
        r"|EOF occurred in violation",
        hits=("ConnectError: certificate verify failed: certificate has expired", "ConnectError: Hostname mismatch"),
        misses=("ConnectError: sslv3 alert handshake failure",),
        runner_up=OURS,
    ),
    Rule(
        *("no TLS on that port", DEGRADATION, "tls_failure", Place.FAULT),
        r"wrong.version.number|http request",
        hits=("ConnectError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)",),
        misses=("ConnectError: sslv3 alert handshake failure",),
        runner_up=OURS,
    ),
    Rule(
        *("TLS refused", DEGRADATION, "tls_failure", Place.FAULT),
        r"\b(ssl|tls|sslv\d|tlsv\d)\b|tlsv1|handshake|certificate",
        hits=("ConnectError: [SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error (_ssl.c:1000)",),
        misses=("ConnectError: [Errno 111] Connection refused",),
    ),
    Rule(
        *("name not resolved", OURS, "dns_failure", Place.FAULT),
        r"getaddrinfo|name or service not known|name resolution|nodename nor servname|no address associated"
        r"|name does not resolve|could not resolve|nxdomain|servfail|\bdns\b|errno (-[2-5]|1100[1-4])\b",
        hits=(
            "ConnectError: [Errno -3] Temporary failure in name resolution",
            "ConnectError: [Errno 8] nodename nor servname provided, or not known",
        ),
        misses=("ConnectError: [Errno 113] No route to host",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("no route", OURS, "no_route", Place.FAULT),
        r"network is (unreachable|down)|no route to host|host is (down|unreachable)|unreachable host"
        r"|errno (100|101|113|51|64|65)\b|winerror 100(50|51|65)\b",
        hits=("ConnectError: [Errno 101] Network is unreachable", "ConnectError: [Errno 113] No route to host"),
        misses=("ConnectError: [Errno 111] Connection refused", "ConnectError: [Errno -2] Name not known"),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("refused", DEGRADATION, "connect_refused", Place.FAULT),
        r"refused|errno (61|111)\b|winerror 10061\b",
        hits=("ConnectError: [Errno 111] Connection refused", "ConnectError: [WinError 10061] ..."),
        misses=("ConnectError: All connection attempts failed",),
    ),
    Rule(
        *("redirect loop", MISMATCH, "redirect", Place.FAULT),
        r"^TooManyRedirects",
        hits=("TooManyRedirects: Exceeded maximum allowed redirects.",),
        misses=("ReadTimeout: timed out",),
    ),
    Rule(
        *("request not taken in time", DEGRADATION, "request_timeout", Place.FAULT),
        r"^WriteTimeout",
        hits=("WriteTimeout: The write operation timed out",),
        misses=("ReadTimeout: timed out", "WriteError: [Errno 32] Broken pipe"),
    ),
    Rule(
        *("no answer in time", DEGRADATION, "read_timeout", Place.FAULT),
        r"^\w*Timeout\b|timed out|timeout|deadline",
        hits=("ReadTimeout: ", "TimeoutError: deadline of the probe"),
        misses=("ReadError: [Errno 104] Connection reset by peer",),
    ),
    Rule(
        *("body cut in transport", DEGRADATION, "truncated_body", Place.FAULT),
        r"without sending complete message|incomplete (chunked )?read|IncompleteRead|received \d+ bytes, expected"
        r"|ContentLength|response payload is not completed",
        hits=("RemoteProtocolError: peer closed connection without sending complete message body (incomplete read)",),
        misses=("RemoteProtocolError: Server disconnected without sending a response.",),
    ),
    Rule(
        *("connection cut", DEGRADATION, "connection_reset", Place.FAULT),
        r"reset|broken pipe|disconnected|aborted|errno (32|54|103|104)\b|winerror 1005[34]\b"
        r"|connection.*(closed|lost)|goaway|terminated|^(Read|Write|Close)Error",
        hits=("ReadError: [Errno 104] Connection reset by peer", "WriteError: [Errno 32] Broken pipe"),
        misses=("ReadTimeout: timed out", "ConnectError: All connection attempts failed"),
    ),
    Rule(
        *("no HTTP", DEGRADATION, "connection_reset", Place.FAULT),
        r"^RemoteProtocolError",
        hits=("RemoteProtocolError: illegal status line: bytearray(b'SSH-2.0-OpenSSH_9.2')",),
        misses=("LocalProtocolError: Illegal header value",),
        runner_up=MISMATCH,
    ),
    Rule(
        *("not connected", DEGRADATION, "connect_refused", Place.FAULT),
        r"^(ConnectError|NetworkError|ConnectionError|OSError)",
        hits=("ConnectError: All connection attempts failed",),
        misses=("ReadError: ",),
        runner_up=OURS,
    ),
    Rule(
        *("unknown fault", DEGRADATION, "connection_reset", Place.FAULT),
        r"\S",
        hits=("SomethingNew: nobody has seen this yet",),
        misses=(" ",),
        runner_up=OURS,
    ),
)
