"""Objects in the bucket of a cloud, by obstore. Loaded where the configuration names one: it is large.

The library's exceptions, and their long texts, are mapped here once. What a remote server said is not repeated: its
error document may hold the ID of the key, and a URL may hold a signature. Its status and its error code are.
"""

import contextlib
import errno
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore, from_url

_RETRY: Final = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}  # then the writer goes on to the spool
_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>([A-Za-z][A-Za-z0-9.]{0,63})</Code>")
_KIND: Final = re.compile(r"HttpError \{\s+kind: (Timeout|Connect|Request|Interrupted|Decode|Unknown)\b")
_KINDS: Final = {"Timeout": "no answer in time", "Connect": "no connection", "Interrupted": "the connection broke"}


class Bucket:
    """The calls are obstore's blocking ones: its awaitables end in a thread of Rust's that Python cannot join, and a
    process that exits in that moment is aborted (4 of 100 with fifty calls at once).

    OSError, in words that are safe to log, where it refuses; FileNotFoundError where there is no such object, or no
    such bucket.
    """

    is_remote: Final = True

    def __init__(self, url: str) -> None:
        """It is not asked anything yet; its credentials are read from its own environment variables. ValueError."""
        try:
            self._store: ObjectStore = from_url(url, retry_config=_RETRY)  # type: ignore[call-overload]
        except (BaseError, ValueError) as error:
            raise ValueError(str(error).partition("\n")[0]) from None

    def create(self, name: str, data: bytes) -> bool:
        """False where one is there already, except with these very bytes: that was ours, and the answer was lost."""
        with _in_short():
            try:
                obstore.put(self._store, name, data, mode="create")
            except AlreadyExistsError:
                return self._holds(name, data)
        return True

    def _holds(self, name: str, data: bytes) -> bool:
        try:
            return self.read(name) == data
        except FileNotFoundError:  # deleted meanwhile
            return False

    def read(self, name: str) -> bytes:
        with _in_short():
            return bytes(obstore.get(self._store, name).bytes())

    def delete(self, name: str) -> None:
        with _in_short():
            obstore.delete(self._store, name)

    def listing(self) -> tuple[dict[str, datetime], tuple[str, ...]]:
        with _in_short():
            listed = obstore.list_with_delimiter(self._store)
        files = {meta["path"]: meta["last_modified"] for meta in listed["objects"]}
        return files, tuple(listed["common_prefixes"])

    def beginning(self, start: str) -> tuple[str, ...]:
        """A listing is in order and is fetched as it is read: what lies pages behind the names is not asked for."""
        found: list[str] = []
        with _in_short():
            for batch in obstore.list(self._store, offset=start, chunk_size=8):
                names = [meta["path"] for meta in batch]
                found += [name for name in names if name.startswith(start)]
                if not names[-1].startswith(start):
                    break
        return tuple(found)


@contextlib.contextmanager
def _in_short() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise OSError(errno.EREMOTEIO, _words(error)) from None


def _words(error: Exception) -> str:
    """What is safe of a remote store's error: what kind it was, the status and the error code."""
    text = str(error)
    status, code, kind = _STATUS.search(text), _CODE.search(text), _KIND.search(text)
    if status:
        said = f"status {status[1]}" + (f" {code[1]}" if code else "")
        return f"the cloud gave no credentials: {said}" if "169.254." in text or "TokenRequest" in text else said
    if kind:
        return _KINDS.get(kind[1], "the request could not be sent")
    return "no credentials could be read" if "credential" in text or "token file" in text else type(error).__name__
