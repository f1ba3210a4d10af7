"""The search for a secret in bytes, in every encoding that a server or a program may give it."""

import base64
import html
import io
import json
import urllib.parse
import zipfile
from pathlib import Path


def base64_cores(secret: bytes) -> set[bytes]:
    """What base64 of any text around the secret must hold: its middle, at each of the three alignments."""
    cores = set()
    for shift in range(3):
        padded = b"\0" * shift + secret
        whole = padded[: len(padded) // 3 * 3]
        core = base64.b64encode(whole)[(4 if shift else 0) :]
        cores |= {core, core.translate(bytes.maketrans(b"+/", b"-_"))}
    return cores


def encodings(secret: str) -> dict[str, bytes]:
    plain = secret.encode()
    found = {
        "plain": plain,
        "percent": urllib.parse.quote(secret, safe="").encode(),
        "percent, slash kept": urllib.parse.quote(secret).encode(),
        "JSON": json.dumps(secret)[1:-1].encode(),
        "JSON in JSON": json.dumps(json.dumps(secret)[1:-1])[1:-1].encode(),
        "HTML": html.escape(secret).encode(),
    }
    return found | {f"base64 {index}": core for index, core in enumerate(sorted(base64_cores(plain)))}


def leaks(secret: str, name: str, data: bytes) -> list[str]:
    """Where and how the secret stands in some bytes; the members of a zip are looked at too."""
    found = [f"{name}: {how}" for how, encoded in encodings(secret).items() if encoded in data]
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                found += leaks(secret, f"{name}/{member}", archive.read(member))
    return found


def command_lines() -> bytes:
    """The process list: what anybody on the machine can read."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(process.read_bytes())
        except OSError:  # it ended while we looked
            continue
    return b"\n".join(found)
