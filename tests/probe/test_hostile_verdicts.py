"""What the on-call engineer is told of each hostile server: one verdict, sealed first, from a real loopback socket."""

import asyncio
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from probe.classify import Expectation, classify
from probe.client import Auth, Client, Network
from probe.records import ProbeRequest, RequestKind
from probe.redact import Policy, Redactor
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.hostile import HOSTILE
from tests.servers.raw import RawServer, Script

KEY = "sk-fake-hostile-0123456789"

VERDICTS = {
    "endless headers": "degradation/connection_reset",
    "endless header line": "degradation/connection_reset",
    "headers that drip": "degradation/read_timeout",
    "1xx flood": "degradation/read_timeout",
    "not HTTP": "degradation/connection_reset",
    "two content-lengths": "degradation/connection_reset",
    "silence": "degradation/read_timeout",
    "accepts and closes": "degradation/connection_reset",
    "accepts and resets": "degradation/connection_reset",
    "resets after the request": "degradation/connection_reset",
    "closes after the request": "degradation/connection_reset",
    "resets in the headers": "degradation/connection_reset",
    "closes in the headers": "degradation/connection_reset",
    "resets in the body": "degradation/connection_reset",
    "closes in the body": "degradation/truncated_body",
    "closes in a chunked body": "degradation/truncated_body",
    "more bytes than announced": "degradation/truncated_body",
    "endless body": "contract_mismatch/wrong_shape",
    "endless chunked body": "contract_mismatch/wrong_shape",
    "body that drips": "degradation/read_timeout",
    "chunk size of no number": "degradation/connection_reset",
    "chunk size of an exabyte": "contract_mismatch/wrong_shape",
    "negative chunk size": "degradation/connection_reset",
    "gzip bomb": "contract_mismatch/wrong_shape",
    "gzip that is none": "contract_mismatch/bad_content_encoding",
    "gzip cut short": "contract_mismatch/bad_content_encoding",
    "gzip of nothing, endless": "contract_mismatch/empty_body",
    "unknown encoding": "contract_mismatch/bad_content_encoding",
    "invalid UTF-8": "contract_mismatch/invalid_json",
    "NaN": "contract_mismatch/invalid_json",
    "JSON of 10,000 levels": "contract_mismatch/invalid_json",
    "HTML with 200": "contract_mismatch/html_on_200",
    "redirect to a login page": "contract_mismatch/redirect",
    "empty body": "contract_mismatch/empty_body",
    "stream without an end": "degradation/read_timeout",
    "stream that falls silent": "degradation/read_timeout",
    "stream of comments": "degradation/read_timeout",
    "stream of an endless line": "contract_mismatch/wrong_shape",
    "stream of 10,000 levels": "contract_mismatch/invalid_sse",
    "stream left open": "contract_mismatch/missing_finish_reason",
    "stream left open after one newline": "contract_mismatch/missing_finish_reason",
    "stream that goes on after its end": "contract_mismatch/missing_finish_reason",
    "plain JSON for a stream": "contract_mismatch/stream_not_honoured",
    "no TLS on https": "degradation/tls_failure",
    "untrusted CA": "degradation/tls_failure",
    "certificate of another host": "degradation/tls_failure",
    "expired certificate": "degradation/tls_failure",
    "closes in the TLS handshake": "degradation/tls_failure",
    "resets in the TLS handshake": "degradation/connection_reset",
    "silence in the TLS handshake": "degradation/connect_timeout",
    "endless body over TLS": "contract_mismatch/wrong_shape",
    "silence over TLS": "degradation/read_timeout",
}

# A socket that is closed with unread bytes in it may send a reset before its goodbye is read: both are true.
RACES = {
    "closes in the TLS handshake": ("degradation/tls_failure", "degradation/connection_reset"),
    "accepts and closes": ("degradation/connection_reset", "degradation/connect_refused"),
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    yield make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize("script", HOSTILE, ids=lambda script: script.name)
def test_a_hostile_server_becomes_this_verdict(script: Script, certificates: Certificates) -> None:
    with RawServer(script, certificates) as server:
        request = ProbeRequest(
            probe_id="p-1",
            target="hostile",
            kind=RequestKind.SCHEDULED,
            method="POST",
            url=server.url,
            headers=(("Content-Type", "application/json"), ("Authorization", "Bearer <REDACTED>")),
            body='{"model":"fake"}',
            model="fake",
            stream=script.stream,
            client_request_id="c-1",
        )

        async def probe() -> str:
            client = Client(Network(ca_file=certificates.ca_file))
            auth = Auth("Authorization", SecretStr(f"Bearer {KEY}"))
            seen = await client.send(request, auth, timeout_s=0.7, reuse=False)
            await client.aclose()
            sealed = Redactor([SecretStr(KEY)], (), Policy(), b"k" * 32).seal(seen)
            judgement = classify(sealed.value, Expectation())
            return f"{judgement.verdict}/{judgement.reason}"

        told = asyncio.run(probe())
        if script.name in RACES:
            assert told in RACES[script.name]
        else:
            assert told == VERDICTS[script.name]
