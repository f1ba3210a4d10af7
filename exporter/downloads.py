"""What is fetched of a packet as it was frozen: its zip, and its files, which a browser may neither run nor trust."""

import base64
import hashlib
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from probe.render import SOURCES_INDEX

# Files of a packet quote what a provider sent: opened from here they may neither run nor load anything.
SANDBOX: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
FOREVER: Final = "private, max-age=31536000, immutable"  # a frozen packet never changes
CONTENT_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "har": "application/json",
    "sh": "text/plain; charset=utf-8",
    "sha256": "text/plain; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}


def zipped(request: Request, identity: str, data: bytes) -> Response:
    digest = hashlib.sha256(data)
    headers = {
        "ETag": f'"{digest.hexdigest()}"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:",
        "Cache-Control": FOREVER,
    }
    if _has_already(request, digest.hexdigest()):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{identity}.zip"'
    return Response(data, headers=headers, media_type="application/zip")


def file(name: str, content: bytes) -> Response:
    if name.startswith("sources/") and name != SOURCES_INDEX:
        return _foreign(name, content)
    headers = {
        "Content-Type": CONTENT_TYPES.get(name.rpartition(".")[2], "application/octet-stream"),
        "Content-Security-Policy": SANDBOX,
        "Cache-Control": FOREVER,
    }
    return Response(content, headers=headers)


def _foreign(name: str, content: bytes) -> Response:
    """A page that somebody else wrote: to be kept, never to be shown as one of ours."""
    headers = {
        "Content-Type": "text/plain; charset=utf-8"
        if name.endswith((".txt", ".md", ".json"))
        else "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{name.rpartition("/")[2]}"',
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": FOREVER,
    }
    return Response(content, headers=headers)


def _has_already(request: Request, digest: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return f'"{digest}"' in tags or "*" in tags
