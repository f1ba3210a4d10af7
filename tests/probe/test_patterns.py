"""Each pattern takes out its own examples and leaves its near misses; check digits tell numbers apart."""

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.patterns import PATTERNS, Pattern, present
from probe.patterns.wide import widened


def found(pattern: Pattern, text: str) -> list[str]:
    groups = range(1, pattern.compiled.groups + 1)
    values = [
        next((match.group(group) for group in groups if match.group(group) is not None), match.group())
        for match in pattern.compiled.finditer(text)
    ]
    return [value for value in values if pattern.holds is None or pattern.holds(value)]


@pytest.mark.parametrize(("pattern", "text"), [(p, hit) for p in PATTERNS for hit in p.hits], ids=lambda x: str(x)[:40])
def test_a_hit_is_found(pattern: Pattern, text: str) -> None:
    assert found(pattern, text)
    assert pattern in present(text)


@pytest.mark.parametrize(("pattern", "text"), [(p, m) for p in PATTERNS for m in p.misses], ids=lambda x: str(x)[:40])
def test_a_near_miss_is_left(pattern: Pattern, text: str) -> None:
    assert not found(pattern, text)


def test_a_pattern_without_examples_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="needs hits"):
        Pattern("x", "x", "nowhere", (), ("y",))
    with pytest.raises(ValueError, match="near misses"):
        Pattern("x", "x", "nowhere", ("x",), ())


_EXAMPLES = [example for pattern in PATTERNS for example in (*pattern.hits, *pattern.misses)]


@given(
    st.lists(
        st.sampled_from(_EXAMPLES) | st.text(max_size=20) | st.text("Ärger Łódź 张伟 Ωδ٣۴ ,.:@'", max_size=20),
        max_size=4,
    ).map(" ".join)
)
@settings(max_examples=150, deadline=None)
def test_the_common_look_leaves_out_no_pattern_that_finds_something(text: str) -> None:
    shown = text.encode("utf-8", "replace").decode()
    worth = present(shown)
    for pattern in PATTERNS:
        assert pattern in worth or pattern.compiled.search(shown) is None


@pytest.mark.parametrize(
    ("regex", "wider"),
    [
        (r"\p{Lu}x", r"[A-Z\x{80}-\x{10FFFF}]x"),
        (r"[\pL\pN_]+", r"[A-Za-z\x{80}-\x{10FFFF}0-9\x{80}-\x{10FFFF}_]+"),
        (r"[^\pL]", r"[^\pL]"),
        (r"[]\pL]", r"[]A-Za-z\x{80}-\x{10FFFF}]"),
        (r"\[\pL]", r"\[[A-Za-z\x{80}-\x{10FFFF}]]"),
        (r"[[]\pL[^]\pN]", r"[[][A-Za-z\x{80}-\x{10FFFF}][^]\pN]"),
        (r"[\]\pL]", r"[\]A-Za-z\x{80}-\x{10FFFF}]"),
        (r"\p{Han}\PL", r"\p{Han}\PL"),
    ],
)
def test_classes_of_all_scripts_are_widened_where_they_include(regex: str, wider: str) -> None:
    assert widened(regex) == wider
    re2.compile(wider)


def test_the_common_look_is_a_fraction_of_the_patterns() -> None:
    exact = sum(pattern.compiled.programsize for pattern in PATTERNS)
    assert sum(re2.compile(widened(pattern.regex)).programsize for pattern in PATTERNS) < exact / 3
