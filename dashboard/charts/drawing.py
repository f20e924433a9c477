"""Charts as SVG. The templates of templates/charts/ put them on a page, each with its table.

Widths are in percent and heights in pixels, so that a chart fills its place without a viewBox and
its labels keep their size on a phone. The picture is for the eye and the mouse; the table beside it
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

# Pixels, but for the last two.
_COLUMNS_HEIGHT = 200
_MIN_SEGMENT_HEIGHT = 2  # of what is not nothing
_ROW_HEIGHT = 14  # of a bar that lies
_CELL_HEIGHT = 22
_CELL_GAP = 3
_COLUMN_SHARE = 0.78  # of the width that a column has, the rest is the gap
_LABELS_ON_A_PHONE = 3  # every third one under or above a chart is shown


@dataclass
class Segment:
    """A share of a bar.

    `kind` is its CSS class, `label` a word of ours, `url` leads to the runs that it counts.
    """

    kind: str
    label: str
    count: int
    url: str = ""


@dataclass
class Bar:
    label: str
    segments: Sequence[Segment]
    url: str = ""
    tick: str = ""  # under the column, where there is room

    @property
    def total(self) -> int:
        return sum(segment.count for segment in self.segments)

    @cached_property
    def escaped_label(self) -> str:
        return escape(self.label)

    @property
    def description(self) -> str:
        counts = [f"{one.count:,} {one.label}" for one in self.segments if one.count]
        return f"{self.escaped_label}: {', '.join(counts) or 'none'}"


@dataclass
class Number:
    """In a table, as a text of ours; `url` leads to the runs that it counts."""

    text: str
    url: str = ""


class Columns:
    """Bars side by side, their segments one upon the other; the y axis begins at 0."""

    def __init__(self, bars: Sequence[Bar], *, max_ticks: int = 12) -> None:
        self.bars = bars
        self._max_ticks = max_ticks
        self._maximum = _round_up(max((bar.total for bar in bars), default=0))
        self._width = 100 / max(len(bars), 1)

    @property
    def legend(self) -> list[tuple[str, str]]:
        return _legend(self.bars)

    @cached_property
    def svg(self) -> SafeString:
        columns = (self._column(index, bar) for index, bar in enumerate(self.bars))
        return _svg("columns", _COLUMNS_HEIGHT + 26, [*self._lines(), *columns, *self._labels()])

    def _column(self, index: int, bar: Bar) -> str:
        x = index * self._width
        inner_x = _percent(x + self._width * (1 - _COLUMN_SHARE) / 2)
        inner_width = _percent(self._width * _COLUMN_SHARE)
        whole = (
            f'<rect class="room" x="{_percent(x)}" y="0" '
            f'width="{_percent(self._width)}" height="{_COLUMNS_HEIGHT}"/>'
        )
        drawn = [_linked(whole, bar.url, bar.description)]
        top = float(_COLUMNS_HEIGHT)
        for segment in bar.segments:
            if segment.count:
                height = max(segment.count / self._maximum * _COLUMNS_HEIGHT, _MIN_SEGMENT_HEIGHT)
                top -= height
                box = (
                    f'<rect class="{segment.kind}" x="{inner_x}" y="{top:.1f}" '
                    f'width="{inner_width}" height="{height:.1f}"/>'
                )
                drawn.append(_linked(box, segment.url, _describe(bar, segment)))
        return f"<g>{''.join(drawn)}</g>"

    def _lines(self) -> Iterable[str]:
        for y, _ in self._scale():
            yield f'<line x1="0" x2="100%" y1="{y}" y2="{y}"/>'

    def _labels(self) -> Iterable[str]:
        y = _COLUMNS_HEIGHT
        yield f'<line class="floor" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        for y, number in self._scale():
            yield f'<text class="scale" x="0" y="{y + 14}">{number:,}</text>'
        ticked = [index for index, bar in enumerate(self.bars) if bar.tick]
        for number, index in enumerate(ticked[:: -(-len(ticked) // self._max_ticks) or 1]):
            spare = ' class="spare"' if number % _LABELS_ON_A_PHONE else ""
            yield (
                f'<text{spare} x="{_percent((index + 0.5) * self._width)}" '
                f'y="{_COLUMNS_HEIGHT + 18}" text-anchor="{self._anchor(index)}">'
                f"{escape(self.bars[index].tick)}</text>"
            )

    def _scale(self) -> list[tuple[int, int]]:
        marks = [self._maximum // 2, self._maximum] if self._maximum % 2 == 0 else [self._maximum]
        return [(round(_COLUMNS_HEIGHT * (1 - mark / self._maximum)), mark) for mark in marks]

    def _anchor(self, index: int) -> str:
        """Of many columns, the labels under the outer ones stay within the chart."""
        if len(self.bars) <= 8:
            return "middle"
        return "start" if index == 0 else "end" if index >= len(self.bars) - 2 else "middle"

    @cached_property
    def table_rows(self) -> SafeString:
        """A bar each."""
        return _safe(
            f'<tr><th scope="row">{bar.escaped_label}</th>'
            + "".join(_cell(f"{one.count:,}", one.url if one.count else "") for one in bar.segments)
            + "</tr>"
            for bar in self.bars
        )


class Rows:
    """Bars one under the other, as the rows of a table: a name before, numbers behind each."""

    FIRST = 10  # so many are shown at once, the others in a part that opens

    def __init__(
        self, what: str, headings: Sequence[str], bars: Sequence[tuple[Bar, Sequence[Number]]]
    ) -> None:
        self.what, self.headings = what, headings
        self._bars = bars
        self._longest = max((bar.total for bar, _ in bars), default=1)

    def __bool__(self) -> bool:
        return bool(self._bars)

    @property
    def legend(self) -> list[tuple[str, str]]:
        return _legend([bar for bar, _ in self._bars])

    @property
    def first_rows(self) -> SafeString:
        return _safe(self._row(bar, numbers) for bar, numbers in self._bars[: self.FIRST])

    @property
    def other_rows(self) -> SafeString:
        return _safe(self._row(bar, numbers) for bar, numbers in self._bars[self.FIRST :])

    @property
    def number_of_others(self) -> int:
        return max(len(self._bars) - self.FIRST, 0)

    def _row(self, bar: Bar, numbers: Sequence[Number]) -> str:
        cells = "".join(_cell(number.text, number.url) for number in numbers)
        name = f'<a href="{_href(bar.url)}">{bar.escaped_label}</a>'
        bar_svg = _svg("", _ROW_HEIGHT, self._segments(bar))
        return f'<tr><th scope="row">{name}</th><td class="bar">{bar_svg}</td>{cells}</tr>'

    def _segments(self, bar: Bar) -> Iterable[str]:
        x = 0.0
        for segment in bar.segments:
            if segment.count:
                width = segment.count / self._longest * 100
                box = (
                    f'<rect class="{segment.kind}" x="{_percent(x)}" '
                    f'width="{_percent(max(width, 0.4))}" height="{_ROW_HEIGHT}"/>'
                )
                yield _linked(box, segment.url, _describe(bar, segment))
                x += width


@dataclass
class Cell:
    """One cell of a heat map; `level` from 0 to 5 is its CSS class."""

    description: str
    text: str  # in the table
    level: int
    url: str = ""


class HeatMap:
    """Rows of cells under one line of headings; a row's label is as wide as two cells."""

    def __init__(self, headings: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]]) -> None:
        self.headings = headings
        self._rows = rows
        self._width = 100 / (len(headings) + 2)

    @cached_property
    def svg(self) -> SafeString:
        return _svg("heat", self._y(len(self._rows)), self._drawn())

    def _y(self, row: int) -> int:
        return _CELL_HEIGHT + (_CELL_HEIGHT + _CELL_GAP) * row

    def _drawn(self) -> Iterable[str]:
        width = _percent(self._width * 0.9)
        for column, heading in enumerate(self.headings):
            spare = ' class="spare"' if column % _LABELS_ON_A_PHONE else ""
            x = _percent((column + 2.45) * self._width)
            yield f'<text{spare} x="{x}" y="13" text-anchor="middle">{escape(heading)}</text>'
        for number, (label, cells) in enumerate(self._rows):
            y = self._y(number)
            yield f'<text x="0" y="{y + 15}">{escape(label[:3])}</text>'
            for column, cell in enumerate(cells):
                box = (
                    f'<rect class="level-{cell.level}" x="{_percent((column + 2) * self._width)}" '
                    f'y="{y}" width="{width}" height="{_CELL_HEIGHT}" rx="3"/>'
                )
                yield _linked(box, cell.url, escape(cell.description))

    @cached_property
    def table_rows(self) -> SafeString:
        return _safe(
            f'<tr><th scope="row">{escape(label)}</th>'
            + "".join(_cell(cell.text, cell.url, cell.description) for cell in cells)
            + "</tr>"
            for label, cells in self._rows
        )


def _svg(kind: str, height: int, drawn: Iterable[str]) -> SafeString:
    head = f'<svg class="chart {kind}" width="100%" height="{height}" aria-hidden="true">'
    return _safe([head, *drawn, "</svg>"])


def _linked(box: str, url: str, description: str) -> str:
    if not url:
        return f"<g><title>{description}</title>{box}</g>"
    # Not reached by Tab: the table has the same link.
    return f'<a href="{_href(url)}" tabindex="-1"><title>{description}</title>{box}</a>'


def _href(url: str) -> str:
    return url.replace("&", "&amp;").replace('"', "%22")


def _cell(text: str, url: str, description: str = "") -> str:
    if not url:
        return f'<td class="num">{text}</td>'
    title = f' title="{escape(description)}"' if description else ""
    return f'<td class="num"><a href="{_href(url)}"{title}>{text}</a></td>'


def _safe(markup: Iterable[str]) -> SafeString:
    return mark_safe("".join(markup))  # noqa: S308  # see above


def _legend(bars: Sequence[Bar]) -> list[tuple[str, str]]:
    return [(segment.kind, segment.label) for segment in bars[0].segments] if bars else []


def _describe(bar: Bar, segment: Segment) -> str:
    return f"{bar.escaped_label}: {segment.count:,} {segment.label}"


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _round_up(largest: int) -> int:
    """A number that reads well on an axis."""
    size: int = 10 ** max(len(str(largest)) - 2, 0)
    for step in (1, 2, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 30, 40, 50, 60, 80, 100):
        if step * size >= largest:
            return step * size
    return max(largest, 1)
