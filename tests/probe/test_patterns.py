"""Each pattern takes out its own examples and leaves its near misses; check digits tell numbers apart."""

import pytest

from probe.patterns import PATTERNS, Pattern, present


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
