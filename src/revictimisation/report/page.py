"""A report in one language: the released numbers, the words for them, and how a cell shows one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from revictimisation.core import files
from revictimisation.core.results import KEPT_BACK, NOT_ESTIMABLE, SUPPRESSED, WITHHELD
from revictimisation.dictionary import Dictionary
from revictimisation.plan import StudyPlan
from revictimisation.report.formats import Formats
from revictimisation.report.labels import Labels
from revictimisation.report.markup import (
    Html,
    join,
    render_heading,
    render_prose,
    render_with_interval,
)
from revictimisation.report.release import Number, Release
from revictimisation.report.texts import load_texts

DASH = "–"


def read_style(name: str) -> str:
    """One of the style sheets that come with the package."""
    return files.read_text(files.package_file("report", "templates", name))


@dataclass(frozen=True)
class Page:
    """What notebooks and pages are written with."""

    release: Release
    dictionary: Dictionary
    language: str
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=load_texts, repr=False)

    @property
    def plan(self) -> StudyPlan:
        """The study."""
        return self.release.plan

    @cached_property
    def formats(self) -> Formats:
        """How numbers are written."""
        return Formats(self.language)

    @cached_property
    def labels(self) -> Labels:
        """What codes are called."""
        return Labels(self.dictionary, self.plan, self.language)

    def say(self, key: str, /, **values: object) -> str:
        """A text in this language with its blanks filled; `KeyError` for one that is not there."""
        return self.texts[key][self.language].strip().format(**values)

    def text(self, key: str, /, **values: object) -> Html:
        """A text as paragraphs."""
        return render_prose(self.say(key, **values))

    def text_of(self, told: str) -> Html:
        """What was put together from texts, as paragraphs."""
        return render_prose(told)

    def heading(self, key: str, level: int = 2) -> Html:
        """A heading; its anchor is the text's key, the same in both languages."""
        return render_heading(self.say(key), level, key.replace(".", "-").replace("_", "-"))

    def style(self) -> Html:
        """What tables and figures need in JupyterLab; on synthetic data the banner too."""
        banner = render_prose(self.say("common.banner"), "banner")
        shown = [banner] if self.release.is_synthetic else []
        return join([Html(f"<style>{read_style('report.css')}</style>"), *shown])

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
            return "kept_back" if number.reason == "kept_back" else "suppressed"
        if f"answers.short_{number.reason}" in self.texts:
            return number.reason
        return "withheld" if number.status == WITHHELD else "other"

    def show(self, number: Number, write: Callable[[Number], str]) -> str:
        """A cell: the number as `write` writes it, a dash if suppressed, else words."""
        if number.is_shown:
            return write(number)
        if number.status == SUPPRESSED:
            return DASH
        word = "withheld" if number.status == WITHHELD else NOT_ESTIMABLE
        return self.say(f"common.cell_{word}")

    def show_count(self, number: Number) -> str:
        """A cell with a count."""
        return self.show(number, lambda n: self.formats.count(n.estimate or 0))

    def show_events(self, number: Number) -> str:
        """A cell with the number of those in whom it happened."""
        return self.show(number, lambda n: self.formats.count(n.n_events or 0))

    def show_share(self, number: Number) -> str:
        """A cell with a share in per cent."""
        return self.show(number, lambda n: self.formats.percent(n.estimate or 0))

    def show_share_interval(self, number: Number) -> str:
        """A cell with the interval of a share."""
        return self.show(number, self._share_interval)

    def _share_interval(self, number: Number) -> str:
        if number.ci_low is None or number.ci_high is None:
            return self.say("common.no_interval")
        return self.formats.percent_range(number.ci_low, number.ci_high)

    def show_ratio(self, number: Number) -> str:
        """A cell with a ratio."""
        return self.show(number, lambda n: self.formats.decimal(n.estimate or 0, 2))

    def show_ratio_interval(self, number: Number) -> str:
        """A cell with the interval of a ratio."""
        return self.show(number, self._ratio_interval)

    def _ratio_interval(self, number: Number) -> str:
        if number.ci_low is None or number.ci_high is None:
            return self.say("common.no_interval")
        return self.formats.range(number.ci_low, number.ci_high, 2)

    def show_share_both(self, number: Number) -> Html | str:
        """A cell with a share and its interval."""
        if not number.has_interval:
            return self.show_share(number)
        return render_with_interval(self.show_share(number), self.show_share_interval(number))

    def show_ratio_both(self, number: Number) -> Html | str:
        """A cell with a ratio and its interval."""
        if not number.has_interval:
            return self.show_ratio(number)
        return render_with_interval(self.show_ratio(number), self.show_ratio_interval(number))

    def notes(self, numbers: Sequence[Number]) -> list[str]:
        """The notes a table needs for those of its cells that hold no number."""
        hidden = [number for number in numbers if not number.is_shown]
        found = {one.reason if one.reason == KEPT_BACK else one.status for one in hidden}
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
