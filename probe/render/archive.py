"""The one zip of a packet, and what is wrong with one.

It holds one folder named after the packet, its files sorted, stamped 1980 and *stored*, not compressed: the same
document gives the same bytes with any zlib, every byte of the object can be checked, and nothing in it can inflate.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from probe.packet import Problem

MANIFEST: Final = "manifest.sha256"
MAX_FILES: Final = 2000  # an export holds every addendum, and a failure that comes and goes makes hundreds a day
MAX_BYTES: Final = 64 * 1024 * 1024
_CONTAINER: Final = "packet.zip"  # how a problem names the object itself
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_LINE: Final = re.compile(r"([0-9a-f]{64})  ([^\n]+)")


def manifest(files: Mapping[str, bytes]) -> bytes:
    """As `sha256sum -c` reads it."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def pack(files: Mapping[str, bytes]) -> bytes:
    """One zip; `unzip` makes the folder <packet_id>, and in it `sha256sum -c manifest.sha256` works."""
    return _zip(orjson.loads(files["packet.json"])["packet_id"], files)


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of a zip by name, without the folder. ValueError when it is not a readable packet of bounded size."""
    found = {}
    for name, content in _members(data):
        if isinstance(content, Problem):
            raise ValueError(f"{content.file}: {content.kind}")
        found[name] = content
    return found


def readable(data: bytes) -> dict[str, bytes]:
    """As `unpack`, without the files of which something is lost. ValueError where nothing can be read."""
    return {name: content for name, content in _members(data) if isinstance(content, bytes)}


def verify(data: bytes, packet_id: str | None = None) -> tuple[Problem, ...]:
    """Every file that is not as the manifest has it, then the container itself: its bytes follow from its files, and
    it is the packet of that ID where one is given."""
    found: dict[str, bytes | Problem] = {}
    try:
        for name, content in _members(data):
            found[name] = content
    except ValueError:
        return (Problem(_CONTAINER, "unreadable"),)
    problems = [content for content in found.values() if isinstance(content, Problem)]
    listed = found.pop(MANIFEST, None)
    if listed is None:
        return (*problems, Problem(MANIFEST, "missing"))
    if isinstance(listed, Problem):
        return tuple(problems)
    expected = _digests(listed)
    if expected is None:
        return (*problems, Problem(MANIFEST, "unreadable"))
    for name, digest in sorted(expected.items()):
        match found.get(name):
            case None:
                problems.append(Problem(name, "missing"))
            case bytes() as content if hashlib.sha256(content).hexdigest() != digest:
                problems.append(Problem(name, "altered"))
    problems += [Problem(name, "extra") for name in sorted(found.keys() - expected.keys())]
    if not problems and not _is_canonical(data, packet_id):
        problems.append(Problem(_CONTAINER, "altered"))
    return tuple(problems)


def _zip(folder: str, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(f"{folder}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix, so that the mode counts, whichever system packs
            info.external_attr = (0o700 if name.endswith(".sh") else 0o600) << 16
            archive.writestr(info, files[name])
    return buffer.getvalue()


def _members(data: bytes) -> Iterator[tuple[str, bytes | Problem]]:
    """Name and content of each member. ValueError where the container cannot be walked, or asks for too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            names = [info.filename.partition("/")[2] for info in infos]
            if len(infos) > MAX_FILES or sum(info.file_size for info in infos) > MAX_BYTES:
                raise ValueError("more than a packet holds")
            folders = {info.filename.partition("/")[0] for info in infos}
            if len(folders) != 1 or "" in folders or len(set(names)) != len(names):
                raise ValueError("not one folder of distinct files")
            for name, info in zip(names, infos, strict=True):
                if not _NAME.fullmatch(name) or info.compress_type != zipfile.ZIP_STORED:
                    raise ValueError("not a packet's files")
                yield name, _content(archive, info, name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, OverflowError, EOFError) as error:
        raise ValueError(f"not a readable zip: {error}") from None


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bytes | Problem:
    try:
        return archive.read(info)
    except zipfile.BadZipFile as error:
        # Its bytes are there but do not match their own checksum.
        return Problem(name, "altered" if "CRC" in str(error) else "unreadable")


def _digests(content: bytes) -> dict[str, str] | None:
    """Digests by name, or None when it is not what `sha256sum` reads."""
    try:
        matches = [_LINE.fullmatch(line) for line in content.decode().splitlines()]
    except UnicodeDecodeError:
        return None
    if not matches or not all(matches):
        return None
    return {match[2]: match[1] for match in matches if match}


def _is_canonical(data: bytes, packet_id: str | None) -> bool:
    files = unpack(data)
    try:
        return pack(files) == data and packet_id in (None, orjson.loads(files["packet.json"])["packet_id"])
    except (ValueError, KeyError, TypeError):  # its packet.json is not one
        return False
