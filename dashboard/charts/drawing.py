"""Charts as SVG. The templates of templates/charts/ put them on a page, each with its table.

Widths are in percent and heights in pixels, so that a chart fills its place without a viewBox and
its words keep their size on a phone. The picture is for the eye and the mouse; the table beside it
says the same, with the same links, for everybody else. Colours come from classes.

The markup is written here and not by templates: a page has thousands of these elements, and a
template takes ten times as long for each. Labels go through `escape`; addresses are what `reverse`
and `urlencode` have made, so that `&` is all there is to escape in them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

from django.utils.safestring import SafeString, mark_safe

_HEIGHT = 200  # of the columns, in pixels
_LEAST = 2  # pixels of what is not nothing
_SLIM = 0.78  # of the room that a column has
_ROW = 14  # pixels of a bar that lies
_CELL = 22
_NARROW = 3  # on a phone, every third word under or above a chart is shown


@dataclass
class Part:
    """A share of a bar; `kind` is its CSS class, `label` a word of ours."""

    kind: str
    label: str
    count: int
    url: str = ""


@dataclass
class Bar:
    label: str
    parts: Sequence[Part]
    url: str = ""
    tick: str = ""  # under the column, where there is room

    @property
    def total(self) -> int:
        return sum(part.count for part in self.parts)

    @cached_property
    def name(self) -> str:
        """The label, ready for markup."""
        return escape(self.label)

    @property
    def says(self) -> str:
        parts = [f"{part.count:,} {part.label}" for part in self.parts if part.count]
        return f"{self.name}: {', '.join(parts) or 'none'}"


@dataclass
class Number:
    """In a table, as a text of ours; `url` leads to the runs that it counts."""

    text: str
    url: str = ""


class Columns:
    """Bars side by side, their parts one upon the other."""

    def __init__(self, bars: Sequence[Bar], *, most_ticks: int = 12) -> None:
        self.bars = bars
        self._most_ticks = most_ticks
        self._top = _round_up(max((bar.total for bar in bars), default=0))
        self._room = 100 / max(len(bars), 1)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return _kinds(self.bars)

    @cached_property
    def svg(self) -> SafeString:
        columns = (self._column(place, bar) for place, bar in enumerate(self.bars))
        return _svg("columns", _HEIGHT + 26, [*self._lines(), *columns, *self._words()])

    def _column(self, place: int, bar: Bar) -> str:
        x = place * self._room
        inner, width = _percent(x + self._room * (1 - _SLIM) / 2), _percent(self._room * _SLIM)
        room = (
            f'<rect class="room" x="{_percent(x)}" y="0" '
            f'width="{_percent(self._room)}" height="{_HEIGHT}"/>'
        )
        drawn = [_linked(room, bar.url, bar.says)]
        floor = float(_HEIGHT)
        for part in bar.parts:
            if part.count:
                height = max(part.count / self._top * _HEIGHT, _LEAST)
                floor -= height
                box = (
                    f'<rect class="{part.kind}" x="{inner}" y="{floor:.1f}" '
                    f'width="{width}" height="{height:.1f}"/>'
                )
                drawn.append(_linked(box, part.url, _says(bar, part)))
        return f"<g>{''.join(drawn)}</g>"

    def _lines(self) -> Iterable[str]:
        for y, _ in self._scale():
            yield f'<line x1="0" x2="100%" y1="{y}" y2="{y}"/>'

    def _words(self) -> Iterable[str]:
        yield f'<line class="floor" x1="0" x2="100%" y1="{_HEIGHT}" y2="{_HEIGHT}"/>'
        for y, number in self._scale():
            yield f'<text class="scale" x="0" y="{y + 14}">{number:,}</text>'
        marked = [place for place, bar in enumerate(self.bars) if bar.tick]
        for number, place in enumerate(marked[:: -(-len(marked) // self._most_ticks) or 1]):
            spare = ' class="spare"' if number % _NARROW else ""
            yield (
                f'<text{spare} x="{_percent((place + 0.5) * self._room)}" y="{_HEIGHT + 18}" '
                f'text-anchor="{self._anchor(place)}">{escape(self.bars[place].tick)}</text>'
            )

    def _scale(self) -> list[tuple[int, int]]:
        marks = [self._top // 2, self._top] if self._top % 2 == 0 else [self._top]
        return [(round(_HEIGHT - mark / self._top * _HEIGHT), mark) for mark in marks]

    def _anchor(self, place: int) -> str:
        """Of many columns, the words under the outer ones stay within the chart."""
        if len(self.bars) <= 8:
            return "middle"
        return "start" if place == 0 else "end" if place >= len(self.bars) - 2 else "middle"

    @cached_property
    def body(self) -> SafeString:
        """The lines of its table: a bar each."""
        return _safe(
            f'<tr><th scope="row">{bar.name}</th>'
            + "".join(
                _cell(f"{part.count:,}", part.url if part.count else "") for part in bar.parts
            )
            + "</tr>"
            for bar in self.bars
        )


class Rows:
    """Bars one under the other, as the lines of a table: a name before, numbers behind each."""

    def __init__(
        self, what: str, heads: Sequence[str], bars: Sequence[tuple[Bar, Sequence[Number]]]
    ) -> None:
        self.what, self.heads = what, heads
        self._bars = bars
        self._most = max((bar.total for bar, _ in bars), default=1)

    FIRST = 10  # so many are shown, the others unfold

    def __bool__(self) -> bool:
        return bool(self._bars)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return _kinds([bar for bar, _ in self._bars])

    @property
    def shown(self) -> SafeString:
        return _safe(self._line(bar, numbers) for bar, numbers in self._bars[: self.FIRST])

    @property
    def folded(self) -> SafeString:
        return _safe(self._line(bar, numbers) for bar, numbers in self._bars[self.FIRST :])

    @property
    def number_folded(self) -> int:
        return max(len(self._bars) - self.FIRST, 0)

    def _line(self, bar: Bar, numbers: Sequence[Number]) -> str:
        cells = "".join(_cell(number.text, number.url) for number in numbers)
        name = f'<a href="{_href(bar.url)}">{bar.name}</a>'
        bar_svg = _svg("", _ROW, self._boxes(bar))
        return f'<tr><th scope="row">{name}</th><td class="bar">{bar_svg}</td>{cells}</tr>'

    def _boxes(self, bar: Bar) -> Iterable[str]:
        x = 0.0
        for part in bar.parts:
            if part.count:
                width = part.count / self._most * 100
                box = (
                    f'<rect class="{part.kind}" x="{_percent(x)}" '
                    f'width="{_percent(max(width, 0.4))}" height="{_ROW}"/>'
                )
                yield _linked(box, part.url, _says(bar, part))
                x += width


@dataclass
class Field:
    """One field of a heat map; `level` from 0 to 5 is its CSS class."""

    says: str
    short: str
    level: int
    url: str = ""


class HeatMap:
    """Rows of fields under one line of heads; a row's label has the room of two fields."""

    def __init__(self, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[Field]]]) -> None:
        self.heads = heads
        self._rows = rows
        self._room = 100 / (len(heads) + 2)

    @cached_property
    def svg(self) -> SafeString:
        return _svg("heat", _CELL + (_CELL + 3) * len(self._rows), self._drawn())

    def _drawn(self) -> Iterable[str]:
        width = _percent(self._room * 0.9)
        for place, head in enumerate(self.heads):
            spare = ' class="spare"' if place % _NARROW else ""
            x = _percent((place + 2.45) * self._room)
            yield f'<text{spare} x="{x}" y="13" text-anchor="middle">{escape(head)}</text>'
        for number, (label, fields) in enumerate(self._rows):
            y = _CELL + (_CELL + 3) * number
            yield f'<text x="0" y="{y + 15}">{escape(label[:3])}</text>'
            for place, field in enumerate(fields):
                box = (
                    f'<rect class="level-{field.level}" x="{_percent((place + 2) * self._room)}" '
                    f'y="{y}" width="{width}" height="{_CELL}" rx="3"/>'
                )
                yield _linked(box, field.url, escape(field.says))

    @cached_property
    def body(self) -> SafeString:
        """The lines of its table."""
        return _safe(
            f'<tr><th scope="row">{escape(label)}</th>'
            + "".join(_cell(field.short, field.url, field.says) for field in fields)
            + "</tr>"
            for label, fields in self._rows
        )


def _svg(kind: str, height: int, drawn: Iterable[str]) -> SafeString:
    head = f'<svg class="chart {kind}" width="100%" height="{height}" aria-hidden="true">'
    return _safe([head, *drawn, "</svg>"])


def _linked(box: str, url: str, says: str) -> str:
    if not url:
        return f"<g><title>{says}</title>{box}</g>"
    # Not reached by Tab: the table has the same link.
    return f'<a href="{_href(url)}" tabindex="-1"><title>{says}</title>{box}</a>'


def _href(url: str) -> str:
    return url.replace("&", "&amp;").replace('"', "%22")


def _cell(text: str, url: str, says: str = "") -> str:
    if not url:
        return f'<td class="num">{text}</td>'
    title = f' title="{escape(says)}"' if says else ""
    return f'<td class="num"><a href="{_href(url)}"{title}>{text}</a></td>'


def _safe(markup: Iterable[str]) -> SafeString:
    return mark_safe("".join(markup))  # noqa: S308  # see above


def _kinds(bars: Sequence[Bar]) -> list[tuple[str, str]]:
    return [(part.kind, part.label) for part in bars[0].parts] if bars else []


def _says(bar: Bar, part: Part) -> str:
    return f"{bar.name}: {part.count:,} {part.label}"


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _round_up(most: int) -> int:
    """A number that reads well on an axis."""
    size: int = 10 ** max(len(str(most)) - 2, 0)
    for step in (1, 2, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 30, 40, 50, 60, 80, 100):
        if step * size >= most:
            return step * size
    return max(most, 1)
