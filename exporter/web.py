"""The routes: metrics and health for machines, the status page for people; packets are in `packets`.

Health never depends on the provider: an outage of theirs must not restart us. Nothing here takes a URL from a request.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporter import answers, openapi
from exporter.access import Access, Guard
from exporter.answers import Refusal
from exporter.inbox import Inbox
from exporter.log import say
from exporter.login import LoginRoutes
from exporter.metrics import Metrics
from exporter.packets import PacketRoutes, Vault
from exporter.status import Board, Snapshot, WindowView, status
from exporter.webhook import Webhook
from probe.records import StoreFailed
from probe.settings import ConfigError
from probe.vault import StoreError

__all__ = ["Access", "Board", "WindowView", "create"]


def create(
    board: Board,
    vault: Vault,
    metrics: Metrics,
    access: Access,
    *,
    inbox: Inbox | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    freeze_wait_s: float = 20.0,
) -> Starlette:
    """The application. `freeze_wait_s` is how long a request to freeze waits for the store; without an inbox nobody
    takes alerts."""
    web = _Web(board, metrics, clock, openapi.document())
    packets = PacketRoutes(board, vault, freeze_wait_s)
    app = Starlette(
        routes=[
            Route("/", web.status_page),
            Route("/metrics", web.exposition),
            Route("/-/healthy", web.healthy),
            Route("/-/ready", web.ready),
            Route("/-/reload", web.reload, methods=["POST"]),
            *([Route("/alerts", Webhook(inbox).post, methods=["POST"])] if inbox else []),
            Route(openapi.PATH, web.described),
            *LoginRoutes(access).routes(),
            *packets.routes(),
        ],
        middleware=[Middleware(answers.CommonHeaders), Middleware(Guard, access=access)],
        exception_handlers={
            HTTPException: _on_http_error,
            StoreError: web.on_store_error,
            Exception: _on_our_error,
        },
    )
    app.router.redirect_slashes = False  # a path is one of these or unknown
    return app


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answers.problem(request, error)


async def _on_our_error(request: Request, _: Exception) -> Response:
    """Says nothing of the cause: that is in the log. It answers from outside the middleware, hence the headers."""
    return answers.problem(
        request, Refusal(500, "An error of freezeframe's own; see its log.", headers=answers.HEADERS)
    )


@dataclass(frozen=True, slots=True)
class _Web:
    board: Board
    metrics: Metrics
    clock: Callable[[], datetime]
    description: bytes

    async def described(self, _: Request) -> Response:
        return Response(self.description, media_type="application/json")

    async def on_store_error(self, request: Request, error: Exception) -> Response:
        self.metrics.on_event(StoreFailed("read", None, str(error)))
        say("store failed", level=logging.ERROR, operation="read", error=str(error))
        return answers.problem(request, Refusal(503, "The store does not answer.", headers={"Retry-After": "10"}))

    async def healthy(self, _: Request) -> Response:
        return PlainTextResponse("healthy\n")

    async def ready(self, _: Request) -> Response:
        return PlainTextResponse("ready\n") if self.board.ready else PlainTextResponse("not ready\n", 503)

    async def reload(self, _: Request) -> Response:
        try:
            done = await self.board.reload()
        except ConfigError as error:
            raise Refusal(400, f"The old configuration goes on. {error}") from None
        return answers.document({"reloaded": True, **asdict(done)})

    async def exposition(self, request: Request) -> Response:
        accept = ",".join(request.headers.getlist("accept"))
        body, headers = await self.metrics.render(accept, request.headers.get("accept-encoding", ""))
        return answers.long(body, headers)

    async def status_page(self, request: Request) -> Response:
        seen, latest, now = await Snapshot.of(self.board), self.metrics.latest, self.clock()
        asked = answers.asker(request) | {"renews": request.query_params.get("renew") == "15"}
        facts = await status(seen, latest, now)
        html = await answers.long_html("status.html", asked | facts)
        return answers.long(html, {"Content-Type": "text/html; charset=utf-8", "Vary": "Accept"})
