"""POST /alerts: Alertmanager's webhook (version 4). It is answered at once; the work is done afterwards by `inbox`.

Alertmanager posts again what is answered 5xx and gives up what is answered 4xx: hence 503 for what will pass, and 4xx
for what will never be right.
"""

import logging
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from exporter import answers, posted
from exporter.alert_json import BadAlert, parse
from exporter.answers import Refusal
from exporter.inbox import Full, Inbox
from exporter.log import say

MOST_BYTES: Final = 1 << 20  # 500 alerts with the annotations of dashboards/rules are half of that
MOST_AT_ONCE: Final = 8


@dataclass(slots=True)
class Webhook:
    """`reading` counts the requests whose body is being read: bodies are the memory that a flood could take."""

    inbox: Inbox
    reading: int = 0

    async def post(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal(415, "Expected JSON.", headers={"Accept-Post": "application/json"})
        try:
            alerts, left_out = parse(await self._body(request))
            accepted = self.inbox.take(alerts)
        except BadAlert as error:
            raise Refusal(422, str(error), parameter=error.path) from None
        except Full:
            raise _later("More alerts wait than are held; none of these was taken.") from None
        if left_out:
            say("alerts left out: set max_alerts and group by contract", level=logging.WARNING, left_out=left_out)
        told = {"accepted": accepted, "repeated": len(alerts) - accepted, "left_out": left_out}
        return answers.document(told, status=202)

    async def _body(self, request: Request) -> bytes:
        if self.reading >= MOST_AT_ONCE:
            raise _later("Too many webhooks arrive at once.")
        self.reading += 1
        try:
            return await posted.body(request, MOST_BYTES)
        finally:
            self.reading -= 1


def _later(detail: str) -> Refusal:
    return Refusal(503, detail, headers={"Retry-After": "5"})
