"""Judging takes time that grows with the length and no faster, whatever a server sends, and only 64 KiB of it count.

Compared are durations of one run, each the median of some, at n and 4 n characters: linear is a ratio of 4, quadratic
of 16. Nothing here is a time in seconds, so a slow machine passes as well.
"""

import json
import random
from statistics import median
from time import perf_counter

import pytest

from probe.body import TEXT_LIMIT_CHARS, take_apart
from probe.classify import Expectation, classify
from probe.records import Fault
from probe.rules import ERRORS, FAULTS, RULES
from tests.probe.exchanges import HTML, JSON, SSE, observed, reply

PROGRAM_LIMIT = 6000  # instructions of re2; a repeat such as .{0,160} is unrolled, so this bounds the memory as well
WORDS = sorted({word for rule in ERRORS for text in (*rule.hits, *rule.misses) for word in text.split()})


def soup(seed, size):
    """Words of every rule's examples in a random order: near-matches of all patterns at once."""
    chance = random.Random(seed)
    return " ".join(chance.choice(WORDS) for _ in range(size // 4))[:size]


def repeated(unit):
    return lambda size: (unit * (size // len(unit) + 1))[:size]


UNITS = [
    *("a", "{", '{"a":', "[", '"', '\\"', "<", "<a ", "\n", "\x00", "\ud800", "é", "模型令牌额度", "error", "model "),
    *("request id: ", "invalid api ", "quota exceeded ", "model or ", "limit limit ", "data: ", "data:{}\n\n"),
    *("IP a", "no a a a a ", "https://a.", "check your a at ", "x" * 79 + "key "),
]
HOSTILE = {f"{unit[:12]!r} repeated": repeated(unit) for unit in UNITS} | {
    "words of all examples": lambda size: soup(1, size),
    "one long word": lambda size: "token" + "x" * (size - 5),
    "nested quotes": lambda size: json.dumps(json.dumps(json.dumps('"' * (size // 15))))[:size],
    "deep objects": lambda size: '{"error":' * (size // 9),
    "a list of errors": lambda size: json.dumps([{"error": {"message": "model or", "code": 1}}] * (size // 50)),
    "an error of many fields": lambda size: json.dumps({"error": {f"f{n}": "limit a" for n in range(size // 20)}}),
}
NEAR_MISSES = {rule.name: repeated(max(rule.misses, key=len) + " ") for rule in ERRORS if max(rule.misses, key=len)}


def took_s(seen, rounds=5):
    """The median of some rounds."""
    durations = []
    for _ in range(rounds):
        began = perf_counter()
        for one in seen:
            take_apart.cache_clear()
            classify(one, Expectation())
        durations.append(perf_counter() - began)
    return median(durations)


def is_linear(make):
    """Whether 4 n takes less than 8 times what n takes; a noisy neighbour may disturb two of three tries."""
    small, large = make(TEXT_LIMIT_CHARS // 4), make(TEXT_LIMIT_CHARS)
    return any(took_s(large) < 8 * took_s(small) for _ in range(3))


def every_kind(body):
    """One text as an error, an answer, a page, a stream and a fault."""
    told = json.dumps({"error": {"message": body}})
    return [
        *(observed(reply(status, text, JSON)) for status in (200, 429, 500) for text in (body, told)),
        observed(reply(403, f"<html>{body}", HTML)),
        *(observed(reply(200, text, SSE), stream=True) for text in (body, f"data: {body}\n\n")),
        observed(None, Fault("ConnectError", body)),
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_pattern_is_a_bounded_program_of_re2(rule):
    program = rule.compiled(*rule.lines)
    assert program.programsize < PROGRAM_LIMIT


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_four_times_the_text_takes_about_four_times_as_long(text):
    assert is_linear(lambda size: every_kind(text(size)))


def test_near_misses_of_every_rule_take_no_longer_than_their_length():
    def make(size):
        return [observed(reply(500, text(size), ())) for text in NEAR_MISSES.values()]

    assert is_linear(make)


@pytest.mark.parametrize("unit", ["a", "model quota token limit key ", "模型令牌额度"])
def test_the_patterns_see_nothing_beyond_64_kib(unit):
    """Sixteen times the text costs what reading it costs, and no pattern is asked about it."""

    within, beyond = (
        [observed(reply(500, repeated(unit)(size), ()))] for size in (TEXT_LIMIT_CHARS, 16 * TEXT_LIMIT_CHARS)
    )
    assert any(took_s(beyond) < 4 * took_s(within) for _ in range(3))


FILLER = "x " * (TEXT_LIMIT_CHARS // 2)


@pytest.mark.parametrize(
    "envelope", [lambda text: text, lambda text: json.dumps({"error": {"message": text}})], ids=["text", "JSON"]
)
def test_only_the_first_64_kib_of_words_decide(envelope):
    def reason(body):
        return classify(observed(reply(500, envelope(body), ())), Expectation()).reason

    assert reason(FILLER[:-100] + "insufficient balance") == "insufficient_quota"
    assert reason(FILLER + "insufficient balance") == "upstream_5xx"


def test_of_a_page_and_of_a_fault_the_first_64_kib_decide():
    def verdict(*seen):
        return classify(observed(*seen), Expectation()).reason

    assert verdict(reply(503, f"<html>{FILLER[:-100]}No server is available to handle", HTML)) == "no_channel"
    assert verdict(reply(503, f"<html>{FILLER}No server is available to handle", HTML)) == "html_error_page"
    assert verdict(None, Fault("Strange", f"{FILLER[:-100]}refused")) == "connect_refused"
    assert verdict(None, Fault("Strange", f"{FILLER}refused")) == "connection_reset"


def test_every_fault_is_judged_in_time_that_grows_with_its_length():
    texts = [repeated(max(rule.hits, key=len)[:-1]) for rule in FAULTS]
    assert is_linear(lambda size: [observed(None, Fault("Strange", text(size))) for text in texts])
