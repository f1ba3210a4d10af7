"""From the stamps of an exchange to the facts about it: phases, connection, how far it came."""

from probe.client.reply import Reading
from probe.records import Connection, Phase, Timings
from probe.wire import Journal


def timings(journal: Journal, reading: Reading, began: float, stopped: float) -> Timings:
    """The phases. They count from the first step on the wire, or where there was none from `began`, our own start."""
    started = began if journal.started is None else journal.started

    def since(mark: float | None, stamp: float | None) -> float | None:
        # An answer may be there before the whole request was sent: that took no time, not less than none.
        return None if mark is None or stamp is None else max(0.0, stamp - mark)

    return Timings(
        total_s=(reading.over or stopped) - started,
        resolve_s=journal.resolve_s,
        connect_s=journal.connect_s,
        tls_s=journal.tls_s,
        send_s=since(journal.writing, journal.sent),
        processing_s=since(journal.sent, journal.first_byte),
        transfer_s=since(journal.first_byte, reading.over),
        first_byte_s=since(started, journal.first_byte),
        first_event_s=since(started, reading.first_event),
        first_token_s=since(started, reading.first_token),
        longest_gap_s=reading.longest_gap_s,
    )


def connection(journal: Journal, reading: Reading) -> Connection | None:
    """Through a proxy the peer is the proxy, and TLS is what was agreed with the API through it."""
    stream = journal.stream
    if stream is None:
        return None
    tcp = stream.tcp
    return Connection(
        peer_ip=stream.peer_ip,
        peer_port=stream.peer_port,
        reused=journal.connect_s is None,
        tls_version=stream.tls_version,
        cert_expires_at=stream.cert_expires_at,
        http_version=reading.http_version,
        tcp_rtt_s=None if tcp is None else tcp.rtt_s,
        tcp_retransmits=None if tcp is None else max(0, tcp.retransmits - journal.retransmits_before),
    )


def last_phase(journal: Journal, reading: Reading) -> Phase:
    completed = (
        (Phase.TRANSFER, reading.over),
        (Phase.FIRST_TOKEN, reading.first_token),
        (Phase.FIRST_EVENT, reading.first_event),
        (Phase.FIRST_BYTE, journal.first_byte),
        (Phase.REQUEST_SENT, journal.sent),
        (Phase.TLS, journal.tls_s),
        (Phase.CONNECT, journal.connect_s),
        (Phase.RESOLVE, journal.resolve_s),
    )
    return next((phase for phase, mark in completed if mark is not None), Phase.NONE)
