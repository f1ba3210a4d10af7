"""A gateway's own log of an account's requests, in the form that CometAPI's command line reads it, on loopback.

Strict: only the access token may read it, as `Authorization: Bearer`; an API key or nothing gets a 401. Rows also
hold what nobody may copy: who, from where, for how much.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.servers.served import Handler, origin, served

USERNAME, ADDRESS, TOKEN_NAME, CONTENT = "fake-user-jdoe", "198.51.100.77", "fake-token-name", "fake-content-of-a-row"
PRIVATE = (USERNAME, ADDRESS, TOKEN_NAME, CONTENT)
FIELDS = {
    "request_id": "request_id",
    "response_id": "response_id",
    "created_at": "created_at",
    "type": "type",
    "model": "model_name",
    "stream": "is_stream",
    "prompt_tokens": "prompt_tokens",
    "completion_tokens": "completion_tokens",
}


def documented(url: str) -> dict[str, Any]:
    """`values.gateway_log` of a contract, without its source."""
    return {
        "url": url,
        "auth": {"header": "Authorization", "format": "Bearer {key}"},
        "rows": ["data", "data.items"],
        "fields": FIELDS,
        "total": [{"field": "other.total_ms", "unit": "ms"}, {"field": "use_time", "unit": "s"}],
        "first_response": [{"field": "other.frt", "unit": "ms"}],
        "types": {"2": "consume", "5": "error"},
    }


def row(request_id: str, *, total_ms: float | None = 500, frt: float | None = 410, **changes: Any) -> dict[str, Any]:
    """One row as the gateway would write it."""
    return {
        "id": 4711,
        "user_id": 4712,
        "username": USERNAME,
        "token_name": TOKEN_NAME,
        "ip": ADDRESS,
        "content": CONTENT,
        "quota": 1234567,
        "created_at": 1_795_489_200,
        "type": 5,
        "model_name": "busy",
        "is_stream": False,
        "prompt_tokens": 9,
        "completion_tokens": 1,
        "use_time": 1,
        "request_id": request_id,
        "response_id": "",
        "other": json.dumps({"total_ms": total_ms, "frt": frt, "model_price": -1, "request_path": "/v1"}),
    } | changes


@dataclass
class LogServer:
    """Runs. `answers` gives by access token what is said: a status and a body, made when it is asked."""

    url: str
    answers: dict[str, Callable[[], tuple[int, bytes]]]
    asked: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def page(rows: list[dict[str, Any]]) -> tuple[int, bytes]:
    """The newest rows first."""
    said = {"success": True, "message": "", "data": {"items": rows[::-1], "page": 1, "page_size": 100}}
    return 200, json.dumps(said).encode()


class _Handler(Handler):
    log: LogServer

    def do_GET(self) -> None:  # noqa: N802 - the standard library calls it so
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        answer = self.log.answers.get(token) if scheme == "Bearer" else None
        if answer is None or self.path != "/api/log/self?p=1&page_size=100":
            self.log.refused.append(token)
            status, body = 401, b'{"success":false,"message":"Unauthorized"}'
        else:
            self.log.asked.append(token)
            status, body = answer()
        self.say(status, body)


@contextlib.contextmanager
def gateway_log(answers: dict[str, Callable[[], tuple[int, bytes]]]) -> Iterator[LogServer]:
    """The server, until the block ends."""
    with served(_Handler) as server:
        running = LogServer(f"{origin(server)}/api/log/self?p=1&page_size=100", answers)
        server.RequestHandlerClass = type("_Answering", (_Handler,), {"log": running})
        yield running
