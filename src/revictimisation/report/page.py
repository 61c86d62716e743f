"""A report in one language: the released numbers, the words for them, and how a cell shows one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from revictimisation.core.results import (
    EARLIER_RELEASE,
    KEPT_BACK,
    NOT_ESTIMABLE,
    SUPPRESSED,
    WITHHELD,
)
from revictimisation.dictionary import Dictionary
from revictimisation.plan import StudyPlan
from revictimisation.report.addresses import find_path
from revictimisation.report.described import (
    MOST_ROWS,
    Cell,
    Content,
    Figure,
    Heading,
    Picture,
    Piece,
    Style,
    Table,
    Text,
    join,
)
from revictimisation.report.formats import Formats
from revictimisation.report.labels import Labels
from revictimisation.report.quantities import hear
from revictimisation.report.release import Number, Release
from revictimisation.report.texts import load_texts

DASH = "–"
TAKEN_FROM, PROSE = 3, "words"  # rows of a table that may be taken along; a kind that is not
# columns of a table that phones show in part, one more where it is small; kinds that they stack
WIDE, SMALL, STACKED = 4, "small", {"stacked", "heat"}
# units of cells: people, a share of 1, a ratio, people of a hundred, days
PEOPLE, SHARE, RATIO, HUNDREDTHS, DAYS = "people", "share", "ratio", "per_hundred", "days"


class Writer:
    """What pieces are written with: the texts and the ways of numbers of one language."""

    language: str
    texts: Mapping[str, Mapping[str, str]]

    @cached_property
    def formats(self) -> Formats:
        """How numbers are written."""
        return Formats(self.language)

    def say(self, key: str, /, **values: object) -> str:
        """A text in this language with its blanks filled; `KeyError` for one that is not there."""
        hear(key, values)
        return self.texts[key][self.language].strip().format(**values)

    def text(self, key: str, /, **values: object) -> Text:
        """A text as paragraphs."""
        return Text(self.say(key, **values))

    def heading(self, key: str, level: int = 2) -> Heading:
        """A heading; its anchor is the text's key, the same in both languages."""
        return Heading(self.say(key), level, key.replace(".", "-").replace("_", "-"))


class StudyWriter(Writer):
    """A writer about one study, which knows what its codes are called."""

    dictionary: Dictionary

    @property
    def plan(self) -> StudyPlan:
        """The study."""
        raise NotImplementedError

    @cached_property
    def labels(self) -> Labels:
        """What codes are called."""
        return Labels(self.dictionary, self.plan, self.language)


@dataclass(frozen=True)
class Page(StudyWriter):
    """What notebooks and pages are written with.

    `measure` is the one that the page is about, if any; `site` the names of the site's pages;
    `most_rows` how many rows of a table it shows, the others are in the files.
    """

    release: Release
    dictionary: Dictionary
    language: str
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=load_texts, repr=False)
    measure: str = ""
    site: frozenset[str] = frozenset()
    most_rows: int = MOST_ROWS

    @property
    def plan(self) -> StudyPlan:
        """The study."""
        return self.release.plan

    def link(self, name: str, told: str) -> str:
        """Words that lead to another page of the site; the words alone where it has no such page.

        A place on the page may follow its name: `words#word-uncertainty`.
        """
        name, _, anchor = name.partition("#")
        if name not in self.site:
            return told
        path = find_path(name, self.language, self.plan.languages)
        return f"[{told}]({path}{'#' if anchor else ''}{anchor})"

    def table(
        self, caption: str, columns: Sequence[str], rows: Sequence[Sequence[Any]],
        notes: Sequence[str] = (), kind: str = "",
    ) -> Table:  # fmt: skip
        """A table with the notes that its cells without a number need, before its own."""
        cells = [cell for row in rows for cell in row if isinstance(cell, Cell)]
        said: dict[str, Any] = {}
        most = MOST_ROWS if kind == PROSE else self.most_rows
        if len(rows) > most:
            total = self.formats.count(len(rows))
            said["cut"] = self.say("common.rows_cut", shown=most, total=total)
        if said or (len(rows) >= TAKEN_FROM and kind != PROSE):
            said["take"] = self.say("common.take_along")
        kinds = {*kind.split()}
        if len(columns) >= WIDE + (SMALL in kinds) and STACKED.isdisjoint(kinds):
            said["swipe"] = self.say("common.swipe")
        return Table(caption, columns, rows, [*self._explain(cells), *notes], kind, most, **said)

    def figure(self, picture: Picture, alt: str, caption: str, table: Piece) -> Figure:
        """A picture with the numbers behind it, and where it comes from."""
        behind, take = self.say("common.numbers_behind"), self.say("common.take_along")
        return Figure(picture, alt, caption, behind, table, self.source, take)

    @cached_property
    def source(self) -> str:
        """Where the numbers of a figure come from, and of which study they are."""
        key = "common.source_invented" if self.release.is_synthetic else "common.source"
        until = self.formats.date(self.plan.data_end_on)
        return self.say(key, study=self.title, until=until)

    @cached_property
    def title(self) -> str:
        """The study's title; on invented data the invented county's, whatever place it names."""
        if self.release.is_synthetic:
            return self.say("common.title_example", name=self.plan.name)
        return self.plan.title_in(self.language)

    def style(self) -> Content:
        """What pieces need to look in JupyterLab as on their page; on synthetic data the banner."""
        banner = [Text(self.say("common.banner"), "banner")] if self.release.is_synthetic else []
        return join([Style(), *banner])

    @cached_property
    def horizon(self) -> str:
        """The longest follow-up in words."""
        return self.formats.period(self.plan.horizon_days)

    @cached_property
    def last_day(self) -> int:
        """The last of the study's days at which risks are reported."""
        days = self.plan.days_within_horizon
        return max(days) if days else self.plan.horizon_days

    def why_not(self, number: Number) -> str:
        """Why there is no number, in one phrase of the vocabulary (`texts/answers.yaml`)."""
        return self.say(f"answers.short_{self.name_reason(number)}")

    def name_reason(self, number: Number) -> str:
        """What the vocabulary calls the reason; one that it does not know, by the status."""
        if number.status == SUPPRESSED:
            return number.reason if number.reason in (KEPT_BACK, EARLIER_RELEASE) else "suppressed"
        if f"answers.short_{number.reason}" in self.texts:
            return number.reason
        return "withheld" if number.status == WITHHELD else "other"

    def say_of_shown(self, numbers: Iterable[Number]) -> str:
        """What a superlative needs where one of the numbers is hidden, but by rule."""
        is_hidden = any(not one.is_shown and one.reason != KEPT_BACK for one in numbers)
        return f" {self.say('common.of_shown')}" if is_hidden else ""

    def show(
        self, number: Number, write: Callable[[float], str], unit: str = "", of: str = "estimate"
    ) -> Cell:
        """A cell: the number as `write` writes it, a dash if suppressed, else words.

        `of` is which of the number's own: `n_people`, `n_events`.
        """
        if number.is_shown:
            value = getattr(number, of) or 0
            return Cell(write(value), value, unit=unit, status=number.status)
        told = DASH
        if number.status != SUPPRESSED:
            word = "withheld" if number.status == WITHHELD else NOT_ESTIMABLE
            told = self.say(f"common.cell_{word}")
        return Cell(told, unit=unit, status=number.status, reason=number.reason)

    def show_number(self, count: float | None) -> Cell:
        """A cell with a count that stands by itself; a dash where it is not told."""
        if count is None or count != count:
            return Cell(DASH, unit=PEOPLE)
        return Cell(self.formats.count(count), count, unit=PEOPLE)

    def show_count(self, number: Number) -> Cell:
        """A cell with a count."""
        return self.show(number, self.formats.count, PEOPLE)

    def show_people(self, number: Number) -> Cell:
        """A cell with how many people a number is of."""
        return self.show(number, self.formats.count, PEOPLE, "n_people")

    def show_events(self, number: Number) -> Cell:
        """A cell with the number of those in whom it happened."""
        return self.show(number, self.formats.count, PEOPLE, "n_events")

    def show_share(self, number: Number) -> Cell:
        """A cell with a share in per cent."""
        return self.show(number, self.formats.percent, SHARE)

    def show_bar(self, number: Number, label: str = "", top: float = 1.0) -> Cell:
        """A cell with a share in whole per cent, and a bar that `top` fills."""
        cell = self.show(number, self.formats.percent_short, SHARE)
        if not number.is_shown:
            return replace(cell, label=label)
        return replace(cell, bar=(number.estimate or 0.0) / (top or 1.0), label=label)

    def show_share_interval(self, number: Number) -> Cell:
        """A cell with the interval of a share."""
        return self.show_interval(number, self.formats.percent_range, SHARE)

    def show_ratio(self, number: Number) -> Cell:
        """A cell with a ratio."""
        return self.show(number, self.formats.way("decimal", 2), RATIO)

    def show_ratio_interval(self, number: Number) -> Cell:
        """A cell with the interval of a ratio."""
        return self.show_interval(number, self._write_range, RATIO)

    def _write_range(self, low: float, high: float) -> str:
        return self.formats.range(low, high, 2)

    def show_interval(
        self, number: Number, write: Callable[[float, float], str], unit: str = ""
    ) -> Cell:
        """A cell with the interval of a number."""
        if not number.is_shown:
            return self.show(number, str, unit)
        low, high = number.ci_low, number.ci_high
        if low is None or high is None:
            return Cell(self.say("common.no_interval"), unit=unit, status=number.status)
        return Cell(write(low, high), None, low, high, unit, number.status)

    def show_both(self, number: Number, cell: Cell, write: Callable[[float, float], str]) -> Cell:
        """A cell with its interval in small print below it, where there is one."""
        if not number.has_interval:
            return cell
        low, high = number.ci_low or 0.0, number.ci_high or 0.0
        return replace(cell, low=low, high=high).above(write(low, high))

    def show_share_both(self, number: Number) -> Cell:
        """A cell with a share and its interval."""
        return self.show_both(number, self.show_share(number), self.formats.percent_range)

    def show_ratio_both(self, number: Number) -> Cell:
        """A cell with a ratio and its interval."""
        return self.show_both(number, self.show_ratio(number), self._write_range)

    def _explain(self, cells: Sequence[Cell]) -> list[str]:
        """The notes a table needs for those of its cells that hold no number."""
        found = {cell.reason if cell.reason == KEPT_BACK else cell.status for cell in cells}
        keys = {
            SUPPRESSED: "common.note_suppressed",
            KEPT_BACK: "common.note_kept_back",
            WITHHELD: "common.note_withheld",
            NOT_ESTIMABLE: "common.note_not_estimable",
        }
        rounding = self.plan.disclosure.rounding
        return [self.say(key, rounding=rounding) for status, key in keys.items() if status in found]

    def levels(self, question: str, group: str) -> list[str]:
        """The levels of a grouping that a question has numbers for, in their order."""
        return self.labels.sort_levels(group, self.release.level_names.get((question, group), ()))
