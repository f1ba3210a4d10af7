"""`helm test`: asks the running freezeframe over HTTP. What fails is said in one line; exit code 1."""

import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

URL = os.environ["URL"]
TOKEN = Path(os.environ["TOKEN_FILE"]).read_text().strip()
# It is about the listener, not about who signed its certificate for which name.
_ANY = ssl.create_default_context()
_ANY.check_hostname = False
_ANY.verify_mode = ssl.CERT_NONE
_OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_ANY))


def ask(path: str, token: str = "") -> tuple[int, str]:
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with _OPEN.open(urllib.request.Request(URL + path, headers=headers), timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, ""


CHECKS: dict[str, Callable[[], bool]] = {
    "it is alive": lambda: ask("/-/healthy")[0] == 200,
    "it is ready": lambda: ask("/-/ready")[0] == 200,
    "it exports what it is": lambda: "freezeframe_build_info{" in ask("/metrics")[1],
    "its configuration holds": lambda: "freezeframe_config_last_reload_successful 1.0" in ask("/metrics")[1],
    "packets need the token": lambda: ask("/packets")[0] == 401,
    "the token of the Secret is the one it knows": lambda: ask("/packets", TOKEN)[0] == 200,
}

failed = False
for what, holds in CHECKS.items():
    try:
        said = "ok" if holds() else "NOT SO"
    except OSError as error:
        said = f"NOT SO ({error})"
    failed |= said != "ok"
    print(f"{what}: {said}")
sys.exit(failed)
