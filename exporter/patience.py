"""How long a client may take on our own listener: uvicorn's HTTP protocol, with an end to every wait.

uvicorn bounds neither the time until a request is whole nor the time until an answer is taken: two hundred connections
that say nothing would keep /metrics and /-/healthy from everybody, and an orchestrator would restart a prober that is
well. Here a connection that waits too long is dropped, and where there are too many, the one that has kept us waiting
longest makes room for the newcomer.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientProtocol(H11Protocol):
    """Drops whoever keeps it waiting. `waits_since_s` is None while a client has its request answered."""

    head_s: ClassVar[float] = 10.0  # from connecting, or from the answer before, until the head of a request is there
    request_s: ClassVar[float] = 30.0  # from its head until the request is whole; a webhook has less, see `webhook`
    take_s: ClassVar[float] = 30.0  # while a client takes too little of an answer for the rest to be written
    most_connections: ClassVar[int] = 180  # below uvicorn's own limit, above which everybody is refused

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.waits_since_s: float | None = None
        self._asking: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._look()
        if len(self.connections) > self.most_connections:
            _drop_longest_waiting(it for it in self.connections if isinstance(it, PatientProtocol))

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_asking()
        self._end_taking()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taking = self._taking or self.loop.call_later(self.take_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_taking()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._look()

    def _look(self) -> None:
        """Begin, go on or end to wait for the client, by what it said so far."""
        if self.transport.is_closing():  # what of an answer is never taken does not keep it open
            self._taking = self._taking or self.loop.call_later(self.take_s, self.transport.abort)
            return
        match self.conn.their_state:
            case h11.IDLE if self.waits_since_s is None:
                self._wait(self.loop.time(), self.head_s)
            case h11.SEND_BODY if self.waits_since_s is not None:
                self._wait(None, self.request_s)
            case h11.IDLE | h11.SEND_BODY:
                pass
            case _:
                self.waits_since_s = None
                self._end_asking()

    def _wait(self, since_s: float | None, at_most_s: float) -> None:
        self._end_asking()
        self.waits_since_s = since_s
        self._asking = self.loop.call_later(at_most_s, self.transport.abort)

    def _end_asking(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._asking = None

    def _end_taking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
        self._taking = None


def _drop_longest_waiting(connections: Iterable[PatientProtocol]) -> None:
    waiting = [(it.waits_since_s, it) for it in connections if it.waits_since_s is not None]
    if waiting:
        min(waiting, key=lambda known: known[0])[1].transport.abort()
