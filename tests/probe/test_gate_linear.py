"""The gate takes time that grows with the length and no faster, whatever a file holds.

Compared are durations of one run, each the best of two, at n and 4 n bytes: linear is a ratio of 4, quadratic of 16.
"""

import base64
import json
import random
from time import process_time

import pytest
from pydantic import SecretStr

from probe.gate import LOOKS, inspect

SIZE = 1 << 16
SECRETS = [SecretStr(f"fake-{number}-Zk7Qw2Lp9Rt4Xv8Nm3Bs") for number in range(3)]


def repeated(unit: str):
    return lambda size: (unit * (size // len(unit) + 1))[:size].encode()


UNITS = [
    *("a", "aA0", "A" * 15 + " ", "\n", "\\", "\\u0041", "%41", "%25", "&#65;", "&amp;", "0f", "é", "\x00", "{", '"'),
    *("key ", "token: ", "secret=x ", "password,", '"key", "', "<td>token</td> ", "digest ", "Bearer ", "://a:", "?a="),
    *("-----BEGIN PRIVATE KEY-----", "eyJ", "sk-", "cookie: a=", " -p ", "abcdefgh\n> ", "key is abc-def_ghi.jkl "),
    'data: {"choices":[{"delta":{"content":"a"}}]}\n\n',
    "key Zk7Qw2Lp9Rt4Xv8Nm3Bs request id ",
]
HOSTILE = {f"{unit[:16]!r} repeated": repeated(unit) for unit in UNITS} | {
    "all near misses": lambda size: repeated(" ".join(miss for look in LOOKS for miss in look.misses))(size),
    "all hits": lambda size: repeated("\n".join(hit for look in LOOKS for hit in look.hits))(size),
    "base64 of chance": lambda size: base64.b64encode(random.Random(2).randbytes(size * 3 // 4)),
    "base64 of base64": lambda size: base64.b64encode(base64.b64encode(random.Random(3).randbytes(size * 9 // 16))),
    "chance": lambda size: random.Random(4).randbytes(size),
    "nested quotes": lambda size: json.dumps(json.dumps(json.dumps('"' * (size // 15)))).encode()[:size],
}


def took_s(data: bytes) -> float:
    durations = []
    for _ in range(2):
        began = process_time()
        inspect({"packet.json": data}, SECRETS)
        durations.append(process_time() - began)
    return min(durations)


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_four_times_the_bytes_take_about_four_times_as_long(make) -> None:
    """A noisy neighbour may disturb two of three tries."""
    small, large = make(SIZE // 4), make(SIZE)
    assert any(took_s(large) < 8 * took_s(small) + 0.02 for _ in range(3))
