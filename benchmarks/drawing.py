"""Bars as SVG: one picture a part, no library, readable on a light and on a dark page."""

from collections.abc import Sequence
from html import escape
from typing import Final

WIDTH: Final = 760
_LEFT: Final = 330
_ROW: Final = 26
_TOP: Final = 40
_COLOURS: Final = {"freezeframe": "#1f6feb", "blackbox_exporter": "#bc4c00"}
_OTHER: Final = "#57606a"


def bars(title: str, unit: str, rows: Sequence[tuple[str, float]]) -> str:
    """A bar for each value, with its number; `rows` are label and value."""
    longest = max((abs(value) for _, value in rows), default=1.0) or 1.0
    height = _TOP + _ROW * len(rows) + 10
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="15" font-weight="bold" fill="#1f2328">{escape(title)}</text>',
    ]
    for number, (label, value) in enumerate(rows):
        y = _TOP + _ROW * number
        colour = next((known for name, known in _COLOURS.items() if name in label), _OTHER)
        width = max(1.0, (WIDTH - _LEFT - 110) * abs(value) / longest)
        drawn += [
            f'<text x="{_LEFT - 8}" y="{y + 16}" text-anchor="end" fill="#1f2328">{escape(label)}</text>',
            f'<rect x="{_LEFT}" y="{y + 4}" width="{width:.1f}" height="{_ROW - 9}" fill="{colour}"/>',
            f'<text x="{_LEFT + width + 6:.1f}" y="{y + 16}" fill="#1f2328">{shown(value)} {escape(unit)}</text>',
        ]
    return "\n".join([*drawn, "</svg>", ""])


def shown(value: float) -> str:
    """A number with as many digits as say something."""
    if value == int(value) and abs(value) < 1e9:
        return f"{value:.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
