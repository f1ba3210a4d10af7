"""However many secrets are configured and however long they are, each is found."""

import base64
import json
from collections import Counter
from hashlib import sha256
from urllib.parse import quote

import pytest

from probe.redact.secrets import Secrets


def fake(number: int, chars: int) -> str:
    """Of letters, numbers, ``+`` and ``/``, like no other."""
    data = b"".join(sha256(f"{number} {part}".encode()).digest() for part in range(chars // 40 + 1))
    return f"fake{number:04d}" + base64.b64encode(data).decode()[:chars].rstrip("=")


@pytest.mark.parametrize(("count", "chars"), [(1, 20), (12, 60), (33, 40), (150, 60), (3, 3000), (1, 60_000)])
def test_every_one_is_taken_out_in_any_spelling(count: int, chars: int) -> None:
    values = [fake(number, chars) for number in range(count)]
    secrets = Secrets(frozenset(values))
    for value in values[:: max(1, count // 12)]:
        for spelt in (value, quote(value, safe=""), json.dumps(value)[1:-1], base64.b64encode(value.encode()).decode()):
            noted = Counter[str]()
            assert secrets.taken_out(f"before {spelt} after", noted.__setitem__) == "before <configured_secret> after"
            assert noted == {"configured_secret": 1}


def test_of_two_the_longer_goes_first_and_nothing_is_counted_twice() -> None:
    secrets = Secrets(frozenset({"fake-short-1", "fake-short-1-and-longer"}))
    noted: list[tuple[str, int]] = []
    said = secrets.taken_out("a fake-short-1-and-longer b", lambda rule, times: noted.append((rule, times)))
    assert (said, noted) == ("a <configured_secret> b", [("configured_secret", 1)])


def test_where_there_is_none_nothing_is_changed() -> None:
    assert Secrets(frozenset()).taken_out("fake", lambda *_: None) == "fake"
    assert Secrets(frozenset({"other-fake"})).taken_out("fake", lambda *_: None) == "fake"
