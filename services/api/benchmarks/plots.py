"""Plots as SVG, drawn by hand: dots and lines on logarithmic scales, and flames; readable in light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias

from benchmarks.report import number

_WIDTH: Final = 760
_LEFT: Final = 170
_RIGHT: Final = 130
_TOP: Final = 44
_BOTTOM: Final = 44
_ROW: Final = 26
_HEIGHT: Final = 380
_FLAME: Final = 20
_NARROWEST: Final = 2.0
"""Width below which a flame is left out."""
_LETTER: Final = 7.2
"""About how wide a letter is."""
_STYLE: Final = """
:root { --ground: #ffffff; --ink: #1f2933; --faint: #d5dbe1; --a: #0b6e6e; --b: #b4540a; --c: #5b4bb7; --d: #9a2252 }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14181c; --ink: #e4e9ee; --faint: #38424c; --a: #4fc3c3; --b: #f0a35e; --c: #a99cf5; --d: #f08ab1 }
}
text { font: 13px system-ui, sans-serif; fill: var(--ink) } .title { font-weight: 600 }
.ground { fill: var(--ground) } .grid { stroke: var(--faint) }
.line { fill: none; stroke-width: 2 }
"""
_COLOURS: Final = ("var(--a)", "var(--b)", "var(--c)", "var(--d)")

Series: TypeAlias = Mapping[str, Sequence[tuple[float, float]]]


def dot_plot(
    title: str, unit: str, rows: Mapping[str, Sequence[float | None]], legend: Sequence[str], emphasised: str
) -> str:
    """A row a name and a dot a value; None leaves a dot out. Names that begin with `emphasised` are bold."""
    values = [value for row in rows.values() for value in row if value]
    scale = _Scale(values, _LEFT, _WIDTH - _RIGHT)
    height = _TOP + len(rows) * _ROW + _BOTTOM
    parts = [*_grid(scale, _TOP - 8, height - _BOTTOM, unit)]
    for index, (name, row) in enumerate(rows.items()):
        y = _TOP + index * _ROW + _ROW / 2
        label = _text(_LEFT - 12, y + 4, name, "end")
        parts.append(label.replace("<text", '<text class="title"') if name.startswith(emphasised) else label)
        for value, colour in zip(row, _COLOURS, strict=False):
            if value:
                tip = f"<title>{escape(name)}: {number(value)} {escape(unit)}</title>"
                parts.append(f'<circle cx="{scale.at(value):.1f}" cy="{y:.1f}" r="5" fill="{colour}">{tip}</circle>')
    for index, (name, colour) in enumerate(zip(legend, _COLOURS, strict=False)):
        y = _TOP + index * 22 + 8
        parts.append(f'<circle cx="{_WIDTH - _RIGHT + 24}" cy="{y}" r="5" fill="{colour}"/>')
        parts.append(_text(_WIDTH - _RIGHT + 36, y + 4, name))
    return _svg(title, height, parts)


def line_plot(title: str, x_unit: str, y_unit: str, series: Series) -> str:
    """A line a series, its name at its end."""
    points = [point for line in series.values() for point in line]
    across = _Scale([x for x, _ in points], _LEFT - 90, _WIDTH - _RIGHT - 60)
    up = _Scale([y for _, y in points], _HEIGHT - _BOTTOM, _TOP + 10)
    parts = [*_grid(across, _TOP + 10, _HEIGHT - _BOTTOM, x_unit)]
    for value in up.ticks():
        parts.append(_text(_LEFT - 100, up.at(value) + 4, number(value), "end"))
    parts.append(_text(12, _TOP - 4, y_unit))
    ends = _apart({name: up.at(line[-1][1]) for name, line in series.items()})
    for (name, line), colour in zip(series.items(), _COLOURS, strict=False):
        path = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in line)
        parts.append(f'<polyline class="line" stroke="{colour}" points="{path}"/>')
        parts += [f'<circle cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="4" fill="{colour}"/>' for x, y in line]
        label = _text(across.at(line[-1][0]) + 10, ends[name] + 4, name)
        parts.append(label.replace("<text", f'<text style="fill:{colour}"'))
    return _svg(title, _HEIGHT, parts)


def flame_graph(title: str, stacks: Iterable[tuple[Sequence[str], int]]) -> str:
    """Where time goes: a bar a function, as wide as its share, callers above what they call."""
    root = _Frame("all", 0, {})
    for names, samples in stacks:
        root.add(names, samples)
    parts: list[str] = []
    depth = _flames(parts, root, root.samples, 12.0, 0)
    return _svg(title, _TOP + depth * _FLAME + 12, parts)


@dataclass(slots=True)
class _Frame:
    """A function as called from one place, and what it calls."""

    name: str
    samples: int
    calls: dict[str, _Frame]

    def add(self, names: Sequence[str], samples: int) -> None:
        """More samples, taken in this frame or in one that it calls."""
        self.samples += samples
        if names:
            self.calls.setdefault(names[0], _Frame(names[0], 0, {})).add(names[1:], samples)


def _flames(parts: list[str], frame: _Frame, total: int, left: float, depth: int) -> int:
    """Draw what a frame calls. Returns how deep that went."""
    deepest = depth
    for index, call in enumerate(sorted(frame.calls.values(), key=lambda call: -call.samples)):
        width = call.samples / total * (_WIDTH - 24)
        if width < _NARROWEST:
            break
        y, share = _TOP + depth * _FLAME, f"{call.samples / total:.1%}"
        tip = f"<title>{escape(call.name)}: {share}</title>"
        colour = _COLOURS[(depth + index) % len(_COLOURS)]
        parts.append(
            f'<rect x="{left:.1f}" y="{y}" width="{width - 1:.1f}" height="{_FLAME - 2}" fill="{colour}" '
            f'fill-opacity="0.3">{tip}</rect>'
        )
        label = call.name if call.name.startswith("<") else call.name.partition(" ")[0]
        if width > _LETTER * len(label) + 8:
            parts.append(_text(left + 4, y + 14, f"{label} {share}" if width > _LETTER * (len(label) + 8) else label))
        deepest = max(deepest, depth + 1, _flames(parts, call, total, left, depth + 1))
        left += width
    return deepest


class _Scale:
    """Logarithmic, from the power of ten below the values to the one above."""

    def __init__(self, values: Iterable[float], start: float, stop: float) -> None:
        logs = [math.log10(value) for value in values]
        self._low, self._high = math.floor(min(logs)), max(math.ceil(max(logs)), math.floor(min(logs)) + 1)
        self._start, self._stop = start, stop

    def at(self, value: float) -> float:
        """Where it lies."""
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return self._start + share * (self._stop - self._start)

    def ticks(self) -> list[float]:
        """The powers of ten."""
        return [10.0**power for power in range(self._low, self._high + 1)]


def _apart(places: Mapping[str, float]) -> dict[str, float]:
    """The places, moved down where two labels would lie on each other."""
    moved: dict[str, float] = {}
    last = -math.inf
    for name, place in sorted(places.items(), key=lambda item: item[1]):
        last = moved[name] = max(place, last + 17)
    return moved


def _grid(scale: _Scale, top: float, bottom: float, unit: str) -> Iterable[str]:
    for value in scale.ticks():
        x = scale.at(value)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'
        yield _text(x, bottom + 18, number(value), "middle")
    yield _text((scale.at(scale.ticks()[0]) + scale.at(scale.ticks()[-1])) / 2, bottom + 36, unit, "middle")


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, height: float, parts: Iterable[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" role="img">'
    ground = f'<rect class="ground" width="{_WIDTH}" height="{height:.0f}"/>'
    named = f'<text class="title" x="12" y="20">{escape(title)}</text>'
    return "\n".join(
        [head, f"<title>{escape(title)}</title><style>{_STYLE}</style>", ground, named, *parts, "</svg>", ""]
    )
