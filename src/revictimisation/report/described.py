"""What a page is made of, as data: texts, tables, figures. `rendering` writes it, at the end.

A section gives pieces; nothing here knows of HTML, of fonts or of a screen's width. Text has few
marks: `**bold**`, backticks around a name of the files, `[words](#place)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from revictimisation.report.formats import Way
from revictimisation.report.quantities import Count, Quantity

if TYPE_CHECKING:
    import pandas as pd

# the marks in a text
BOLD = re.compile(r"\*\*(.+?)\*\*")
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[([^]]+)\]\(([\w.#-]+)\)")
MARK = re.compile(r"[*`[]")  # what any of them begins with
FOREIGN = re.compile(r"\[([^]]+)\]\{(\w\w)\}")  # words in another language
MOST_ROWS = 40  # of a table on a page
PARTED, ITEM = re.compile(r"\n\s*\n"), re.compile(r"(?:^|\n)- ")
Point = tuple[float, float | None, float | None]


def plain(told: str) -> str:
    """A text without its marks.

    >>> plain("**a** `b` [c](#d) [e]{sv}")
    'a b c e'
    """
    if MARK.search(told):
        for mark in (BOLD, CODE, LINK, FOREIGN):
            told = mark.sub(r"\1", told)
    return told


def lead_to_site(html: str) -> str:
    """The same with links to pages of the site as a notebook in OUT/notebooks must say them.

    >>> lead_to_site('<a href="words.html#word-risk">')
    '<a href="../site/words.html#word-risk">'
    """
    return re.sub(r'href="(?=[\w-]+\.html)', 'href="../site/', html)


class Piece:
    """A part of a page; JupyterLab shows it as it will stand there."""

    @property
    def html(self) -> str:
        """As it stands on a page; nothing where there is nothing to show."""
        from revictimisation.report.rendering import render

        return render(self)

    def _repr_html_(self) -> str:
        from revictimisation.report.rendering import wrap

        return lead_to_site(wrap(self))

    def __bool__(self) -> bool:
        return True

    def walk(self) -> Iterator[Piece]:
        """It and all that it holds, in order."""
        yield self

    @property
    def tables(self) -> list[Table]:
        """Every table it holds, those behind its figures too."""
        return [piece for piece in self.walk() if isinstance(piece, Table)]

    def to_cells(self) -> pd.DataFrame:
        """A row per cell of every table it holds (`Table.to_cells`); written by `to_csv` as CSV."""
        import pandas as pd

        return pd.concat([table.to_cells() for table in self.tables], ignore_index=True)


@dataclass(frozen=True)
class Content(Piece):
    """Pieces below each other."""

    parts: tuple[Piece, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parts)

    def walk(self) -> Iterator[Piece]:
        """The pieces, in order."""
        for part in self.parts:
            yield from part.walk()


NOTHING = Content()


def join(parts: Iterable[Piece]) -> Content:
    """Pieces below each other, without those that are empty."""
    kept: list[Piece] = []
    for part in parts:
        kept += part.parts if isinstance(part, Content) else [part] if part else []
    return Content(tuple(kept))


@dataclass(frozen=True)
class Text(Piece):
    """Paragraphs parted by blank lines; lines that begin with `- ` are a list."""

    told: str
    kind: str = ""

    def __bool__(self) -> bool:
        return bool(self.told)

    @property
    def blocks(self) -> list[str | list[str]]:
        r"""Its paragraphs in order; of a list its items.

        >>> Text("One.\n\n- two\n- three").blocks
        ['One.', ['two', 'three']]
        """
        found: list[str | list[str]] = []
        for block in filter(None, map(str.strip, PARTED.split(self.told))):
            items = [item.strip() for item in ITEM.split(block) if item.strip()]
            found.append(items if block.startswith("- ") else block)
        return found


@dataclass(frozen=True)
class Listing(Piece):
    """Text as it stands in a file, line by line; `language` where it is not the page's."""

    told: str
    label: str
    language: str = ""


@dataclass(frozen=True)
class Attachment(Piece):
    """A file to take along: what stands before the link, its name, and its text."""

    told: str
    name: str
    text: str


@dataclass(frozen=True)
class Style(Piece):
    """What tables and figures need in JupyterLab to look as on their page."""


@dataclass(frozen=True)
class Heading(Piece):
    """A heading with the anchor that links lead to."""

    told: str
    level: int
    anchor: str = ""


@dataclass(frozen=True)
class Item:
    """An item of a list: a piece, or lines of text below each other; `kind` is a class."""

    content: Piece | tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True)
class Items(Piece):
    """A list of a kind of its own: findings, cards, the boxes of a flow (which are ordered)."""

    items: tuple[Item, ...]
    kind: str
    is_ordered: bool = False


def list_findings(told: Iterable[str]) -> Items:
    """Sentences of which each matters by itself, without those that are empty."""
    return Items(tuple(Item((one,)) for one in told if one), "findings")


@dataclass(frozen=True)
class Terms(Piece):
    """Words with what they mean: anchor, word, explanation."""

    words: tuple[tuple[str, str, str], ...]
    kind: str


@dataclass(frozen=True)
class Group(Piece):
    """Pieces in a box, or beside each other (`pair`)."""

    parts: tuple[Piece, ...]
    kind: str = ""

    def walk(self) -> Iterator[Piece]:
        """It and its parts."""
        yield self
        yield from join(self.parts).walk()


@dataclass(frozen=True)
class Folded(Piece):
    """Something that a reader may open."""

    summary: str
    content: Piece

    def walk(self) -> Iterator[Piece]:
        """It and what is folded in it."""
        yield self
        yield from self.content.walk()


@dataclass(frozen=True)
class Cell:
    """What is written in a cell, and the number that it tells.

    `below` stands in small print under it, `label` before it where its table is stacked, `bar` (a
    share) is drawn before it, `kind` is a class. `span`: its interval is drawn between these ends,
    no difference marked, and `spoken` is what it tells those who cannot see it; without a span that
    is read in place of what is written. Without a number `status` and `reason` say why.
    """

    told: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    status: str = ""
    reason: str = ""
    below: tuple[str, ...] = ()
    label: str = ""
    bar: float | None = None
    kind: str = ""
    anchor: str = ""
    language: str = ""
    span: tuple[float, float] | None = None
    spoken: str = ""

    def __str__(self) -> str:
        return self.told

    @property
    def quantities(self) -> tuple[Quantity | Count, ...]:
        """The released numbers that it tells."""
        ends = (self.value, self.low, self.high)
        return tuple(one for one in ends if isinstance(one, Quantity | Count))

    def above(self, told: str) -> Cell:
        """The same with more in small print below it: tables stay narrow."""
        return replace(self, below=(*self.below, told))


Written = Cell | Piece | str


@dataclass(frozen=True)
class Table(Piece):
    """A table: its caption, columns by their heads, rows of cells, notes, and its kind.

    A cell is a `Cell`, plain text or a piece; the first names its row. `kind` is a class, such as
    `words` for prose instead of numbers. Rows stand by importance: of more than `most_rows` the
    first are shown, `cut` says so, and all are there to take along (`take` stands before the link).
    `swipe` tells those with a narrow screen how to see it whole.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()
    kind: str = ""
    most_rows: int = MOST_ROWS
    cut: str = ""
    take: str = ""
    swipe: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether a page shows but the first rows: only where it says so."""
        return bool(self.cut) and len(self.rows) > self.most_rows

    @property
    def shown(self) -> Sequence[Sequence[Any]]:
        """The rows that a page shows."""
        return self.rows[: self.most_rows] if self.is_cut else self.rows

    def to_frame(self) -> pd.DataFrame:
        """The table as it is written, a column for each of its own."""
        import pandas as pd

        rows = [[write_plain(cell) for cell in row] for row in self.rows]
        return pd.DataFrame(rows, columns=list(self.columns))

    def to_cells(self) -> pd.DataFrame:
        """A row per cell: table, row, column, what is written, and its number with unit and status.

        A cell without a number has none of the last five.
        """
        import pandas as pd

        fields = ("value", "low", "high", "unit", "status")
        cells = [
            [self.caption, write_plain(row[0]), head, write_plain(cell),
             *(getattr(cell, field, None) for field in fields)]
            for row in self.rows
            for head, cell in zip(self.columns[1:], row[1:], strict=False)
        ]  # fmt: skip
        return pd.DataFrame(cells, columns=["table", "row", "column", "written", *fields])


def write_plain(cell: Written) -> str:
    """A cell in plain text."""
    if isinstance(cell, Piece):
        told = "\n".join(part.told for part in cell.walk() if isinstance(part, Text | Heading))
        return plain(told)
    return plain(" ".join([cell.told, *cell.below]) if isinstance(cell, Cell) else cell)


@dataclass(frozen=True)
class DotSeries:
    """One kind of dots: its name, and for every row an estimate with its interval, or None.

    `is_open`: for every row whether its dot is not filled, whatever the series' is. `look` is what
    it stands for (`colours.LOOKS`), such as `methods.crude`; without one its place decides.
    """

    name: str
    points: Sequence[Point | None]
    is_filled: bool = True
    is_open: Sequence[bool] = ()
    look: str = ""


@dataclass(frozen=True)
class CurveSeries:
    """A curve over days with its interval band; `name` is written at its end, `look` as of dots."""

    name: str
    days: Sequence[float]
    estimate: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    look: str = ""


@dataclass(frozen=True)
class Scale:
    """The horizontal axis of dots and bars."""

    write: Way
    ticks: Sequence[float]
    label: str = ""
    is_log: bool = False
    reference: float | None = None
    sides: tuple[str, str] | None = None
    band: tuple[float, float] | None = None  # what is asked for, shaded
    pad: float = 0.0  # room beyond the end ticks, for dots that lie on them


@dataclass(frozen=True)
class Dots:
    """Rows of dots with intervals; a row without a number is left empty."""

    labels: Sequence[str]
    series: Sequence[DotSeries]
    scale: Scale


@dataclass(frozen=True)
class Bars:
    """Horizontal bars with the value written at the end; `kinds` gives each bar's place among the
    `kind_names` and their `looks` (as of dots)."""

    labels: Sequence[str]
    values: Sequence[Point | None]
    kinds: Sequence[int]
    kind_names: Sequence[str]
    scale: Scale
    looks: Sequence[str] = ()


@dataclass(frozen=True)
class Curves:
    """Curves with their bands, each named at its end; `days` are the ticks in words.

    `heights` are in inches, for wide and for narrow screens; `top` is the least that the axis
    holds, the same for curves that are compared. `at_risk`: for each group its name, and by day
    (one of `days`) how many are followed, in words; `at_risk_label` says so above them.
    """

    series: Sequence[CurveSeries]
    days: Sequence[tuple[float, str]]
    write: Way
    heights: tuple[float, float] = (3.6, 3.7)
    x_label: str = ""
    y_label: str = ""
    top: float = 0.0
    at_risk: Sequence[tuple[str, Sequence[tuple[float, str]]]] = ()
    at_risk_label: str = ""


@dataclass(frozen=True)
class AreaSeries:
    """A share at each day, `told` in words at its end; without a `look` it is what is left."""

    name: str
    shares: Sequence[float]
    look: str = ""
    told: str = ""


@dataclass(frozen=True)
class Areas:
    """Shares that are a whole at each of the `days`, stacked from below; `ticks`: days in words."""

    days: Sequence[float]
    series: Sequence[AreaSeries]
    ticks: Sequence[tuple[float, str]]
    write: Way
    y_label: str


@dataclass(frozen=True)
class ForestRow:
    """A row: its name, its difference with interval or None, the verdict, and words beside it."""

    name: str
    point: Point | None
    verdict: str
    told: str


@dataclass(frozen=True)
class Forest:
    """Differences with intervals around no difference; a row without one says why in words."""

    rows: Sequence[ForestRow]
    scale: Scale


@dataclass(frozen=True)
class CourseSeries:
    """A share by period: its points (None: not told), and between what it lies by chance alone."""

    name: str
    points: Sequence[Point | None]
    limits: Sequence[tuple[float, float] | None]
    look: str = ""

    def is_outside(self, place: int) -> bool:
        """Whether a period lies outside what chance gives."""
        point, limits = self.points[place], self.limits[place]
        return bool(point and limits and not limits[0] <= point[0] <= limits[1])


@dataclass(frozen=True)
class Course:
    """Shares over time, period by period.

    `years` are the places (from 0, a period a step) at which one begins, with its name; `marks`
    places of what changed, each by a letter; `short` the first period whose follow-up is too short,
    with words for it.
    """

    series: Sequence[CourseSeries]
    years: Sequence[tuple[float, str]]
    marks: Sequence[tuple[float, str]]
    write: Way
    y_label: str = ""
    short: tuple[float, str] | None = None


@dataclass(frozen=True)
class TrialDiagram:
    """The trial one would have wanted: who takes part, two strategies with their grace, what then.

    `strategies` are named one above the other; `grace`, `follow_up` name the parts of their time.
    """

    eligible: str
    strategies: tuple[str, str]
    grace: str
    follow_up: str
    outcome: str


@dataclass(frozen=True)
class CausalGraph:
    """What is taken to drive what: covariates drive measure and outcome, as does the unmeasured.

    `between` stands on the way from measure to outcome (empty: nothing is told apart there).
    """

    measure: str
    outcome: str
    covariates: Sequence[str]
    unmeasured: str
    between: str = ""


@dataclass(frozen=True)
class LoveRow:
    """A covariate: its standardised differences before weighting (none known: empty) and after."""

    name: str
    before: Sequence[float]
    after: Sequence[float]


@dataclass(frozen=True)
class LovePlot:
    """Balance by covariate, a dot a measure; `names` of before and after, `limit` as a line."""

    rows: Sequence[LoveRow]
    names: tuple[str, str]
    limit: float
    write: Way
    axis: str


Picture = TrialDiagram | CausalGraph | LovePlot | Dots | Bars | Curves | Areas | Course | Forest


@dataclass(frozen=True)
class Figure(Piece):
    """A picture in words and as data: what is drawn, its alternative text and caption, its table.

    The caption says what it shows that matters. `behind` is what the folded table is called,
    `source` stands in small print, `take` before the files to take along.
    """

    picture: Picture
    alt: str
    caption: str
    behind: str
    table: Piece
    source: str = ""
    take: str = ""

    def walk(self) -> Iterator[Piece]:
        """It and the numbers behind it."""
        yield self
        yield from self.table.walk()


@dataclass(frozen=True)
class Periods(Piece):
    """A row of bars over time: of each the period, height (0 to 1), and kind (`odd`, `pale`)."""

    bars: tuple[tuple[str, float, str], ...]
    alt: str


@dataclass(frozen=True)
class IconArray(Piece):
    """A hundred dots, so many of each part from the first on, the rest hollow; each part in words.

    `parts`: how many, and what they are; `rest` names the others.
    """

    parts: tuple[tuple[int, str], ...]
    rest: str
    alt: str


@dataclass(frozen=True)
class Stated(Piece):
    """An answer in its fixed words, its steps of certainty if it has any, the kind of evidence."""

    told: str
    rating: Cell | None
    kind: str
